"""Vectors learned from the pipeline's own texts: from which texts, and always the same bits."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from sentigate.data.own_vectors import learn_vectors, texts_for_vectors
from sentigate.errors import DataError

LABELS = {"good": 1, "bad": 0, "neutral": None, "other": None}


def frame(columns: str, *rows: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split(), dtype="str")


def test_nothing_of_validation_or_test_and_nothing_like_it() -> None:
    splits = frame(
        "group text split",
        ("g1", "a training text", "train"),
        ("g2", "a validation text", "validation"),
        ("g3", "a test text", "test"),
        ("g3", "a training text of a test group", "train"),
        ("g4", "a test text", "train"),
    )
    raw = frame(
        "group sentiment text fold",
        ("g1", "good", "Raw training", ""),
        ("g1", "neutral", "Left Out", ""),
        ("g9", "other", "Another", "train"),
        ("g2", "neutral", "Of a validation group", ""),
        ("g3", "other", "Of a test group", ""),
        ("g9", "neutral", "A TEST text", ""),
        ("g9", "neutral", "A validation Text", ""),
        ("g9", "neutral", "published in test", "test"),
        ("g9", "neutral", "published in validation", "validation"),
        ("g9", "bad", "dropped by clean", ""),
    )
    taken = texts_for_vectors(splits, raw, LABELS, str.lower)
    assert taken == ["a training text", "left out", "another"]


def texts() -> list[str]:
    rng = np.random.default_rng(0)
    themes = [["red", "blue", "green", "pink"], ["one", "two", "three", "four"]]
    return [" ".join(rng.choice(themes[n % 2], 8)) for n in range(400)] + ["once"]


def learn(**changes: int) -> tuple[list[str], np.ndarray]:
    settings = {"size": 8, "window": 3, "epochs": 5, "min_count": 2, "seed": 1} | changes
    words, values = learn_vectors(texts(), str.split, **settings)  # type: ignore[arg-type]
    return list(words), values


def test_words_that_stand_together_are_near_each_other() -> None:
    words, values = learn(epochs=20)
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    near = dict(zip(words, (unit @ unit.T).tolist(), strict=True))
    place = {word: number for number, word in enumerate(words)}
    assert near["red"][place["blue"]] > near["red"][place["two"]] + 0.3
    assert near["one"][place["three"]] > near["one"][place["pink"]] + 0.3


def test_the_settings_are_heeded() -> None:
    words, values = learn()
    assert values.shape == (8, 8)
    assert values.dtype == np.float32
    assert "once" not in words
    assert "once" in learn(min_count=1)[0]
    assert learn(size=5)[1].shape == (8, 5)
    for other in ({"window": 1}, {"epochs": 6}, {"seed": 2}):
        assert not np.array_equal(learn(**other)[1], values)


def test_nothing_frequent_enough_is_one_message() -> None:
    with pytest.raises(
        DataError, match=r"no token occurs 5000 times in 401 texts; lower min_count"
    ):
        learn(min_count=5000)
    with pytest.raises(DataError, match="no token occurs 2 times in 0 texts"):
        learn_vectors([], str.split, size=2, window=1, epochs=1, min_count=2, seed=0)


def test_two_processes_learn_the_same_bits() -> None:
    script = (
        "import sys; sys.path.insert(0, 'tests/data'); import hashlib, test_own_vectors\n"
        "words, values = test_own_vectors.learn()\n"
        "print(hashlib.sha256(' '.join(words).encode() + values.tobytes()).hexdigest())\n"
    )
    words, values = learn()
    here = hashlib.sha256(" ".join(words).encode() + values.tobytes()).hexdigest()
    for hash_seed, threads in (("1", "1"), ("2", "2")):
        settings = {"PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | settings,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == here
