"""The linear baseline."""

import numpy as np
import pytest

from sentigate.errors import DataError
from sentigate.evaluation.baseline import fit_predict

GOOD = ["a good film", "good fun and good cast", "what a good day", "really good"]
BAD = ["a bad film", "bad fun and bad cast", "what a bad day", "really bad"]
LABELS = np.array([1] * 4 + [0] * 4, dtype=np.int8)


def probabilities(
    others: list[str], texts: list[str] | None = None, *, max_ngram: int = 2, min_count: int = 2,
    strength: float = 10.0, seed: int = 42,
) -> np.ndarray:  # fmt: skip
    return fit_predict(
        texts or GOOD + BAD,
        LABELS,
        others,
        max_ngram=max_ngram,
        min_count=min_count,
        inverse_regularization=strength,
        seed=seed,
    )


def test_what_separates_the_labels_is_learned() -> None:
    found = probabilities(["good", "bad", "GOOD thing", "a bad thing"])
    assert found.dtype == np.float32
    assert found.shape == (4,)
    assert (found > 0.5).tolist() == [True, False, True, False]
    assert ((found > 0) & (found < 1)).all()


def test_an_unseen_text_gets_the_prior() -> None:
    assert probabilities(["", "Жж", "zzz"]) == pytest.approx(np.full(3, 0.5), abs=1e-3)


def test_the_others_change_nothing_about_each_other() -> None:
    together = probabilities(["good", "bad", "zzz good"])
    assert together[0] == probabilities(["good"])[0]


def test_the_same_bits_again() -> None:
    assert (probabilities(GOOD + BAD) == probabilities(GOOD + BAD)).all()


def test_pairs_of_words_are_used_when_asked_for() -> None:
    """Every single word is as often in one label as in the other."""
    positive = ["not bad", "not bad at all", "good", "so good"]
    negative = ["not good", "not good at all", "bad", "so bad"]
    texts = positive + negative
    asked = ["not good", "not bad"]
    assert (probabilities(asked, texts) > 0.5).tolist() == [False, True]
    single = probabilities(asked, texts, max_ngram=1)
    assert single == pytest.approx(np.full(2, 0.5), abs=0.1)


def test_regularization_pulls_towards_the_prior() -> None:
    weak, strong = (probabilities(["good"], strength=c)[0] for c in (100.0, 0.01))
    assert weak > strong > 0.5


def test_no_ngram_left_is_a_data_error() -> None:
    with pytest.raises(DataError, match="no baseline from 8 training texts"):
        probabilities(["good"], min_count=99)


def test_one_label_is_a_data_error() -> None:
    with pytest.raises(DataError, match="class"):
        fit_predict(
            GOOD, LABELS[:4], BAD, max_ngram=1, min_count=1, inverse_regularization=1.0, seed=1
        )
