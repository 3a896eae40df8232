"""Vectors of a vocabulary's entries, words outside the training texts, and the file of vectors."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from support.models import vocab_params

from sentigate.data.vocabulary import add_words, build_tokenizer, tokens_of, vocabulary_table
from sentigate.data.word_vectors import (
    VectorTable,
    WordVectors,
    join_vectors,
    read_vectors,
    token_shares,
    vector_checks,
    words_outside,
    write_vectors,
)
from sentigate.errors import DataError
from sentigate.settings.model import Level

WORDS = ["the", "film", "Paris", "paris", "good", "n't", "film"]
TABLE = VectorTable(WORDS, np.arange(1, 15, dtype=np.float32).reshape(7, 2))
TEXTS = ["the film is good", "the Film don't GOOD PARIS Paris"]


def outside(words: list[str], level: Level = "glove", clean: str = "") -> list[str]:
    tokenizer = build_tokenizer(TEXTS, vocab_params(level))
    return list(words_outside(tokenizer, words, str.lower if clean else str))


def test_a_token_has_the_vector_of_its_own_case_or_else_of_its_lower_case() -> None:
    tokens = ["<pad>", "<unk>", "the", "Paris", "PARIS", "paris", "GOOD", "café"]
    values = TABLE.look_up(tokens)
    assert values.dtype == np.float32
    expected = [[0, 0], [0, 0], [1, 2], [5, 6], [7, 8], [7, 8], [9, 10], [0, 0]]
    assert values * TABLE.values.std() == pytest.approx(np.array(expected))


def test_a_table_is_scaled_to_a_standard_deviation_of_1() -> None:
    table = VectorTable(["a", "b", "c"], np.array([[3, 5], [9, 1], [4, 4]], dtype=np.float32))
    assert table.look_up(["a", "b", "c"]).std() == pytest.approx(1)
    larger = VectorTable(table.words, table.values * 7)
    assert larger.look_up(["b"]) == pytest.approx(table.look_up(["b"]))


def test_a_repeated_word_has_its_first_vector() -> None:
    assert TABLE.look_up(["film"]) * TABLE.values.std() == pytest.approx(np.array([[3, 4]]))


def test_without_parts_the_vectors_have_width_0() -> None:
    vectors = join_vectors(["<pad>", "<unk>", "a"], 3, {})
    assert (vectors.values.shape, vectors.widths) == ((3, 0), ())


def test_parts_are_side_by_side_and_padding_and_unknown_have_zeros() -> None:
    other = VectorTable(["<unk>", "good", "rare"], np.array([[1], [2], [4]], dtype=np.float32))
    tokens = ["<pad>", "<unk>", "good", "rare", "film"]
    values, trained, widths = join_vectors(tokens, 4, {"first": TABLE, "second": other})
    assert values.dtype == np.float16
    assert (trained, widths) == (4, (2, 1))
    assert not values[:2].any()
    assert np.array_equal(values[2:, :2], TABLE.look_up(tokens[2:]).astype(np.float16))
    assert np.array_equal(values[2:, 2:], other.look_up(tokens[2:]).astype(np.float16))
    assert values.any(axis=1).tolist() == [False, False, True, True, True]


def test_outside_words_are_words_that_a_cleaned_text_can_have() -> None:
    words = ["the", "new", "New", "u.s.", "covid-19", "<unk>", "a b", "...", "new", ":)", "it’s"]
    assert outside(words) == ["new", "New", "...", ":)"]
    assert outside(words, clean="lower") == ["new", "...", ":)"]
    assert outside(words, "word") == ["new", "New", "it’s"]


def test_outside_words_get_the_ids_after_the_others() -> None:
    tokenizer = build_tokenizer(TEXTS, vocab_params())
    before = tokens_of(tokenizer)
    known = [tokenizer.encode(text).ids for text in TEXTS]
    add_words(tokenizer, islice(words_outside(tokenizer, ["film", "zebra", "gnu", "ox"], str), 2))
    assert tokens_of(tokenizer) == [*before, "zebra", "gnu"]
    assert [tokenizer.encode(text).ids for text in TEXTS] == known
    assert tokenizer.encode("gnu ox zebra").ids == [len(before) + 1, 1, len(before)]
    table = vocabulary_table(tokenizer, TEXTS)
    assert table["count"].tolist()[-2:] == [0, 0]
    assert table["known_share"].sum() == 1


def test_adding_no_words_changes_nothing() -> None:
    tokenizer = build_tokenizer(TEXTS, vocab_params())
    before = tokenizer.to_str(pretty=True)
    add_words(tokenizer, [])
    assert tokenizer.to_str(pretty=True) == before


@pytest.mark.parametrize("shape", [(4, 3), (4, 0)])
def test_written_vectors_are_read_back(tmp_path: Path, shape: tuple[int, int]) -> None:
    path = tmp_path / "vectors.safetensors"
    values = np.random.default_rng(0).normal(size=shape).astype(np.float16)
    widths = (1, 2) if shape[1] else ()
    write_vectors(path, WordVectors(values, 3, widths))
    first = path.read_bytes()
    read = read_vectors(path)
    assert read.values.dtype == np.float16
    assert np.array_equal(read.values, values)
    assert read.widths == (widths or (0,))
    assert read.trained_entries == 3
    write_vectors(path, read)
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    "how", ["cut", "other", "text", "no metadata", "entries", "type", "shape", "widths"]
)
def test_the_error_about_a_damaged_file_names_the_file(tmp_path: Path, how: str) -> None:
    path = tmp_path / "vectors.safetensors"
    ones, widths = np.ones((4, 3), dtype=np.float16), np.array([3])
    wrong = (2, 2) if how == "widths" else (3,)
    write_vectors(path, WordVectors(ones, 9 if how == "entries" else 3, wrong))
    match how:
        case "cut":
            path.write_bytes(path.read_bytes()[:-5])
        case "other":
            save_file({"weights": np.ones(3)}, path, metadata={"trained_entries": "3"})
        case "text":
            path.write_text("{}")
        case "no metadata":
            save_file({"vectors": ones, "widths": widths}, path)
        case "type":
            tensors = {"vectors": ones.astype(np.float32), "widths": widths}
            save_file(tensors, path, metadata={"trained_entries": "3"})
        case "shape":
            tensors = {"vectors": ones[0], "widths": widths}
            save_file(tensors, path, metadata={"trained_entries": "3"})
    with pytest.raises(DataError, match=r"vectors\.safetensors is damaged.*dvc repro"):
        read_vectors(path)


def test_columns_for_the_gate() -> None:
    values = np.array([[0, 0], [0, 1], [np.nan, 1], [np.inf, np.nan]], dtype=np.float16)
    checks = vector_checks(WordVectors(values, 3))
    assert checks["has_vector"].tolist() == [False, True, True, True]
    assert checks["not_finite"].tolist() == [0, 0, 1, 2]
    in_both = vector_checks(WordVectors(values, 3, (1, 1)))["has_vector"]
    assert in_both.tolist() == [False, False, True, True]
    none = vector_checks(WordVectors(values[:, :0], 3))
    assert none["has_vector"].tolist() == [False] * 4


def test_negations_have_a_share_of_their_own() -> None:
    table = pd.DataFrame(
        {
            "token": ["<pad>", "not", "N'T", "isn’t", "knot", "film"],
            "count": [0, 6, 3, 1, 5, 5],
            "known_share": [0, 0.3, 0.15, 0.05, 0.25, 0.25],
            "has_vector": [False, True, False, True, True, False],
        }
    )
    shares = token_shares(table)
    assert shares["negation_share"].tolist() == pytest.approx([0, 0.6, 0, 0.1, 0, 0])
    assert shares["vector_share"].tolist() == pytest.approx([0, 0.3, 0, 0.05, 0.25, 0])
    plain = token_shares(table.assign(token=["film"] * 6))
    assert plain["negation_share"].tolist() == [0] * 6
