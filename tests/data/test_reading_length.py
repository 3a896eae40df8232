"""How many tokens the network reads, and how many characters it does not read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.models import vocab_params

from sentigate.data.reading_length import AUTO_MOST, Reading, resolve_reading, unread_characters
from sentigate.data.vocabulary import build_tokenizer
from sentigate.model.text.encoding import encode_texts
from sentigate.settings.model import FirstAndLast, Level


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([3] * 100, 32),
        ([32] * 100, 32),
        ([33] * 100, 64),
        ([3] * 95 + [300] * 5, 32),  # 95 % are read whole
        ([3] * 94 + [300] * 6, 320),
        ([5000] * 10, AUTO_MOST),
        ([], 32),
    ],
)
def test_auto_reads_most_training_texts_whole(lengths: list[int], expected: int) -> None:
    tokenizer = build_tokenizer(["a"], vocab_params())
    texts = pd.Series(["a " * length for length in lengths], dtype="str")
    assert resolve_reading("auto", tokenizer, texts) == (expected, 0)
    assert resolve_reading(7, tokenizer, texts) == (7, 0)
    assert resolve_reading(FirstAndLast(first=5, last=2), tokenizer, texts) == (7, 2)


@pytest.mark.parametrize("level", ["word", "glove", "character", "bpe"])
def test_characters_after_the_last_token_are_unread(level: Level) -> None:
    texts = pd.Series(["one two three four five", "one two", "one two — three ’s", "one"])
    tokenizer = build_tokenizer(texts, vocab_params(level))
    counts = np.diff(encode_texts(tokenizer, texts.tolist()).offsets)
    for most in (1, 2, 3, 100):
        found = unread_characters(tokenizer, texts, counts, Reading(most))
        for text, unread, count in zip(texts, found.tolist(), counts.tolist(), strict=True):
            read = text[: len(text) - unread]
            assert len(tokenizer.encode(read).ids) == min(count, most)
            assert unread == 0 or not read.endswith(" ") or level == "character"


def test_characters_between_the_first_and_the_last_tokens_are_unread() -> None:
    texts = pd.Series(["one two three four five", "one two three", "one"])
    tokenizer = build_tokenizer(texts, vocab_params())
    counts = np.diff(encode_texts(tokenizer, texts.tolist()).offsets)
    found = unread_characters(tokenizer, texts, counts, Reading(3, 1))
    assert found.tolist() == [len(" three four "), 0, 0]
