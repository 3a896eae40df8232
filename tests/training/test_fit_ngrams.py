"""Fitting the n-gram part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from sentigate.errors import DataError
from sentigate.model.network.batches import EncodedSplit
from sentigate.settings.model import NgramParams
from sentigate.training.ngrams import fit_ngrams

TOKENS = [
    "<pad>", "<unk>", "good", "bad", "film", "not", "goodness", "badness", "goodish", "badly",
]  # fmt: skip


def params(**choices: Any) -> NgramParams:
    values = {
        "longest": 2, "characters": None, "min_count": 1, "inverse_regularization": 1.0, "folds": 4,
    }  # fmt: skip
    return NgramParams.model_validate(values | choices)


def encoded(texts: list[str], labels: list[int]) -> EncodedSplit:
    rows = [[TOKENS.index(word) for word in text.split()] for text in texts]
    ids = np.zeros((len(rows), 4), dtype=np.uint16)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
    lengths = np.array([len(row) for row in rows], dtype=np.int32)
    return EncodedSplit(ids, lengths, np.array(labels, dtype=np.int8))


def logits(part: torch.nn.Module, *texts: str) -> list[float]:
    split = encoded(list(texts), [0] * len(texts))
    ids, lengths = (torch.from_numpy(np.asarray(a).astype(np.int64)) for a in split[:2])
    values: list[float] = part(ids, lengths).tolist()
    return values


TEXTS = ["good film", "bad film", "not good", "not bad"] * 8
SPLIT = encoded(TEXTS, [1, 0, 0, 1] * 8)
GROUPS = [str(number) for number in range(32)]


def test_pairs_tell_what_words_alone_cannot() -> None:
    fitted = fit_ngrams(SPLIT, GROUPS, TOKENS, params(), seed=0)
    good, bad, not_good, not_bad = logits(
        fitted.part, "good film", "bad film", "not good", "not bad"
    )
    assert good > 0 > bad
    assert not_bad > 0 > not_good
    words = fit_ngrams(SPLIT, GROUPS, TOKENS, params(longest=1), seed=0)
    assert len(words.part.codes) == 0
    assert abs(np.subtract(*logits(words.part, "not good", "not bad"))) < 0.5


def test_a_word_that_no_text_holds_is_judged_by_its_parts() -> None:
    split = encoded(["good film", "bad film", "goodness", "badness"] * 8, [1, 0] * 16)
    fitted = fit_ngrams(split, GROUPS, TOKENS, params(characters=[2, 4]), seed=0)
    good, bad = logits(fitted.part, "goodish", "badly")
    assert good > 0.1 > -0.1 > bad
    without = fit_ngrams(split, GROUPS, TOKENS, params(), seed=0)
    assert logits(without.part, "goodish") == logits(without.part, "badly")


def test_what_is_held_out_has_not_seen_the_labels_of_its_group() -> None:
    """Labels by chance: a part fitted with them knows them by heart, one without cannot."""
    rng = np.random.default_rng(0)
    words = [f"w{number}" for number in range(60)]
    ids = np.arange(2, 62, dtype=np.uint16)[:, None].repeat(2, axis=0)  # each text twice
    labels = rng.integers(0, 2, 60).astype(np.int8).repeat(2)
    split = EncodedSplit(ids, np.ones(120, np.int32), labels)
    groups = [str(number // 2) for number in range(120)]
    vocabulary = ["<pad>", "<unk>", *words]
    fitted = fit_ngrams(split, groups, vocabulary, params(), seed=1)
    by_heart = fitted.part(torch.from_numpy(ids.astype(np.int64)), torch.ones(120)).numpy()
    assert ((by_heart > 0) == labels).mean() > 0.9
    assert ((fitted.held_out > 0) == labels).mean() < 0.7
    apart = [str(number) for number in range(120)]
    leaking = fit_ngrams(split, apart, vocabulary, params(), seed=1)
    assert ((leaking.held_out > 0) == labels).mean() > 0.8


def test_the_same_inputs_give_the_same_bits() -> None:
    one, two = (fit_ngrams(SPLIT, GROUPS, TOKENS, params(characters=[2, 3]), seed=3) for _ in "ab")
    assert one.held_out.tobytes() == two.held_out.tobytes()
    for name, weight in one.part.state_dict().items():
        assert weight.equal(two.part.state_dict()[name])


def test_rare_runs_have_no_weight() -> None:
    split = encoded([*TEXTS, "goodish film"], [1, 0, 0, 1] * 8 + [1])
    fitted = fit_ngrams(split, [*GROUPS, "last"], TOKENS, params(min_count=2), seed=0)
    assert len(fitted.part.codes) == 4


def test_too_few_groups_are_said() -> None:
    with pytest.raises(DataError, match=r"needs 4 groups .* there are 3 groups.*ngrams.folds"):
        fit_ngrams(SPLIT, ["a", "b", "c", "c"] * 8, TOKENS, params(), seed=0)


def test_one_label_is_said() -> None:
    split = encoded(["good film"] * 8, [1] * 8)
    with pytest.raises(DataError, match=r"no n-gram part from 6 training rows.*one class"):
        fit_ngrams(split, [str(n) for n in range(8)], TOKENS, params(), seed=0)
