"""Padding: ids, lengths, cuts and integer types."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models import vocab_params
from tokenizers import Tokenizer, models, pre_tokenizers

from sentigate.data.vocabulary import build_tokenizer
from sentigate.model.text.encoding import (
    CHUNK,
    PAD_ID,
    UNKNOWN_ID,
    Padded,
    encode_texts,
    pad_texts,
    padding_checks,
    read_places,
    write_padded,
    written_checks,
)
from sentigate.settings.model import Level

WORDS = build_tokenizer(["good bad film , !", "good good bad"], vocab_params())
GOOD, BAD = WORDS.token_to_id("good"), WORDS.token_to_id("bad")


def test_padding_of_known_texts() -> None:
    padded = pad_texts(WORDS, ["good bad", "bad Ж good", "good " * 9], 4)
    assert padded.ids.tolist() == [
        [GOOD, BAD, 0, 0],
        [BAD, UNKNOWN_ID, GOOD, 0],
        [GOOD] * 4,
    ]
    assert padded.lengths.tolist() == [2, 3, 4]
    checks = padding_checks(padded)
    assert checks.to_dict("list") == {
        "length": [2, 3, 4],
        "tokens": [2, 3, 4],
        "largest_id": [max(GOOD, BAD), max(GOOD, BAD), GOOD],
        "unknown_share": [0.0, 1 / 3, 0.0],
    }


def test_texts_are_encoded_one_after_another() -> None:
    found = encode_texts(WORDS, ["bad good", "", "x bad"])
    assert found.ids.tolist() == [BAD, GOOD, UNKNOWN_ID, UNKNOWN_ID, BAD]
    assert found.offsets.tolist() == [0, 2, 3, 5]


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u3000"])
def test_a_text_without_tokens_is_one_unknown_token(text: str) -> None:
    padded = pad_texts(WORDS, [text, "good"], 3)
    assert padded.ids.tolist() == [[UNKNOWN_ID, 0, 0], [GOOD, 0, 0]]
    assert padded.lengths.tolist() == [1, 1]
    assert padding_checks(padded)["unknown_share"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("level", ["character", "word", "glove", "bpe"])
def test_each_row_encodes_one_text(level: Level) -> None:
    tokenizer = build_tokenizer(["good bad film"], vocab_params(level, max_size=400))

    @settings(deadline=None)
    @given(
        st.lists(st.text() | st.sampled_from(["<pad>", "<unk>", "good film"])), st.integers(1, 30)
    )
    def check(texts: list[str], max_length: int) -> None:
        ids, lengths = pad_texts(tokenizer, texts, max_length)
        assert ids.shape == (len(texts), max_length)
        assert (ids.dtype, lengths.dtype) == (np.uint16, np.int32)
        for row, length, text in zip(ids, lengths, texts, strict=True):
            expected = tokenizer.encode(text).ids[:max_length] or [UNKNOWN_ID]
            assert row.tolist() == expected + [PAD_ID] * (max_length - len(expected))
            assert length == len(expected) == (row != PAD_ID).sum()

    check()


def test_no_texts_give_empty_arrays() -> None:
    padded = pad_texts(WORDS, [], 5)
    assert padded.ids.shape == (0, 5)
    assert padded.lengths.shape == (0,)
    checks = padding_checks(padded)
    assert checks.shape == (0, 4)
    assert checks["largest_id"].dtype == np.int64


@pytest.mark.parametrize(
    ("entries", "dtype"), [(65_535, np.uint16), (65_536, np.uint16), (65_537, np.int32)]
)
def test_ids_have_the_smallest_type_that_holds_them(entries: int, dtype: type) -> None:
    vocabulary = {"<pad>": 0, "<unk>": 1} | {f"w{n}": n for n in range(2, entries)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    padded = pad_texts(tokenizer, [f"w2 w{entries - 1}"], 3)
    assert padded.ids.dtype == dtype
    assert padded.ids.tolist() == [[2, entries - 1, 0]]
    assert padding_checks(padded)["largest_id"].tolist() == [entries - 1]


def test_chunks_keep_the_order_of_texts() -> None:
    texts = ["good " * (n % 5 + 1) for n in range(CHUNK + 3)]
    padded = pad_texts(WORDS, texts, 8)
    assert padded.lengths.tolist() == [n % 5 + 1 for n in range(CHUNK + 3)]


@pytest.mark.parametrize("rows", [0, 1, CHUNK, 2 * CHUNK + 3])
def test_files_equal_those_that_numpy_saves(rows: int, tmp_path: Path) -> None:
    texts = ["good bad " * (n % 5 + 1) for n in range(rows)]
    padded = pad_texts(WORDS, texts, 8)
    column = pd.Series(texts, index=range(5, rows + 5), dtype="str")
    write_padded(WORDS, column, 8, tmp_path)
    pd.testing.assert_frame_equal(written_checks(tmp_path), padding_checks(padded))
    for name, array in padded._asdict().items():
        np.save(tmp_path / "whole.npy", array)
        assert (tmp_path / f"{name}.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_checks_find_a_hole_and_a_wrong_length() -> None:
    """The gate compares length with tokens, so they must be counted separately."""
    holed = Padded(np.array([[5, 0, 6], [5, 6, 0]], dtype=np.uint16), np.array([3, 1], np.int32))
    checks = padding_checks(holed)
    assert checks["length"].tolist() == [3, 1]
    assert checks["tokens"].tolist() == [2, 2]


@given(st.lists(st.integers(0, 9), max_size=5), st.integers(1, 8), st.data())
def test_the_last_tokens_of_a_longer_text_are_kept(
    counts: list[int], max_length: int, data: st.DataObject
) -> None:
    last = data.draw(st.integers(0, max_length))
    words = st.lists(st.sampled_from(["good", "bad", "film"]), min_size=1)
    texts = [" ".join(data.draw(words)[:count]) for count in counts]
    padded = pad_texts(WORDS, texts, max_length, last)
    for row, length, text in zip(padded.ids, padded.lengths, texts, strict=True):
        whole = WORDS.encode(text).ids or [UNKNOWN_ID]
        first = max_length - last
        cut = len(whole) > max_length
        expected = whole[:first] + whole[len(whole) - last :] if cut else whole
        assert row[:length].tolist() == expected
        assert row[length:].tolist() == [PAD_ID] * (max_length - len(expected))
        places = read_places(len(whole), max_length, last)
        assert [whole[place] for place in places] == expected
