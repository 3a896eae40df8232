"""The context token."""

from __future__ import annotations

import numpy as np
import pytest
from support.models import vocab_params

from sentigate.data.vocabulary import build_tokenizer, tokens_of
from sentigate.data.word_vectors import WordVectors
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.text.context import is_context, with_context, with_contexts
from sentigate.settings.model import VectorCorrection
from sentigate.training.start import from_vectors


@pytest.mark.parametrize(
    ("context", "text", "expected"),
    [
        ("Red Dead: Redemption(RDR)", "I love it", "__context_red_dead_redemption_rdr I love it"),
        ("Überraschung", "ja", "__context_überraschung ja"),
        (" ", "as it is", "as it is"),
        ("Nintendo", " ", " "),
    ],
)
def test_the_context_comes_first(context: str, text: str, expected: str) -> None:
    assert with_context(context, text) == expected


@pytest.mark.parametrize(
    ("columns", "contexts", "text", "expected"),
    [
        (["brand"], ["Acme Ltd"], "a", "__context_acme_ltd a"),
        (["A b", "c"], ["Acme", "acme"], "a", "__context_a_b__acme __context_c__acme a"),
        (["a", "b", "c"], ["", "x", "?"], "a", "__context_b__x a"),
        (["a", "b"], ["x", "y"], " ", " "),
        (["a", "b"], ["", ""], "a", "a"),
    ],
)
def test_of_several_contexts_each_token_names_its_column(
    columns: list[str], contexts: list[str], text: str, expected: str
) -> None:
    assert with_contexts(columns, contexts, text) == expected


@pytest.mark.parametrize("level", ["word", "glove"])
def test_a_context_is_one_token_with_an_id_before_all_words(level: str) -> None:
    two = with_contexts(["a b", "c"], ["x", ""], "stop")
    texts = [with_context("Red Dead", "don't"), *["don't stop"] * 3, with_context("Xbox", two)]
    tokenizer = build_tokenizer(texts, vocab_params(level))
    tokens = tokens_of(tokenizer)
    assert tokens[2:5] == ["__context_a_b__x", "__context_red_dead", "__context_xbox"]
    assert not any(map(is_context, tokens[5:]))
    assert tokenizer.encode(texts[0]).ids[0] == 3
    assert tokenizer.encode(texts[-1]).ids[:2] == [4, 2]


def test_corrections_are_learned_for_entries_without_vector_and_frequent_words() -> None:
    values = np.ones((7, 2), np.float16)
    values[:3] = 0  # padding, unknown, a context
    ids = np.array([[3, 3, 4, 0], [4, 3, 5, 0]], np.uint16)
    train = EncodedSplit(ids, np.array([3, 3], np.int32), np.zeros(2, np.int8))
    vectors = WordVectors(values, 6)
    assert from_vectors(vectors, None, train).learned == 3
    twice = VectorCorrection(learning_rate=0.1, min_count=2)
    assert from_vectors(vectors, twice, train).learned == 5
    never = VectorCorrection(learning_rate=0.1, min_count=9)
    assert from_vectors(vectors, never, train).learned == 3
