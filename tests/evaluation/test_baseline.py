"""The choice of the strongest linear model."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from test_linear_model import BAD, GOOD, LABELS, settings

from sentigate.errors import DataError
from sentigate.evaluation import baseline
from sentigate.evaluation.baseline import Baseline, strongest
from sentigate.evaluation.linear_model import TrainingTexts

STRONG, CHARACTERS = settings(), settings(character_ngrams=[2, 4])
SEEN, UNSEEN = ["good film", "bad film"], ["goodish", "baddest"]


def choose(texts: list[str], labels: list[int] | None = None, **candidates: Any) -> Baseline:
    answers = np.array([1, 0] if labels is None else labels, dtype=np.int8)
    return strongest(TrainingTexts(GOOD + BAD, LABELS), texts, answers, candidates, seed=42)


def test_accuracy_on_validation_decides() -> None:
    """Words never seen are all alike to a model of words: it is right about one of the two."""
    best = choose(UNSEEN, words=STRONG, characters=CHARACTERS)
    assert best.chosen == "characters"
    assert [figures["accuracy"] for figures in best.candidates.values()] == [0.5, 1.0]
    assert (best.model.predict(UNSEEN) > 0.5).tolist() == [True, False]


class Fixed(NamedTuple):
    """In place of a fitted model: answers that are given."""

    answers: list[float]

    def predict(self, texts: list[str]) -> np.ndarray:
        assert texts == ["x", "y", "z"]
        return np.array(self.answers, dtype=np.float32)


SURE, UNSURE, FALSE = [0.9, 0.1, 0.8], [0.6, 0.4, 0.55], [0.9, 0.4, 0.499]


@pytest.mark.parametrize(
    ("answers", "chosen"),
    [
        ({"a": FALSE, "b": UNSURE}, "b"),  # accuracy, whatever the log loss
        ({"a": UNSURE, "b": FALSE}, "a"),
        ({"a": UNSURE, "b": SURE, "c": FALSE}, "b"),  # of equals the lower log loss
        ({"a": SURE, "b": UNSURE}, "a"),
        ({"a": FALSE, "b": SURE, "c": SURE}, "b"),  # of full equals the first
        ({"c": SURE, "b": SURE, "a": FALSE}, "c"),
    ],
)
def test_accuracy_then_log_loss_then_order(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, list[float]], chosen: str
) -> None:
    """With labels 1, 0, 1: FALSE is wrong once, with a lower log loss than UNSURE."""
    fitted = map(Fixed, answers.values())
    monkeypatch.setattr(baseline, "fit_linear", lambda *_: next(fitted))
    labels, candidates = np.array([1, 0, 1], dtype=np.int8), dict.fromkeys(answers, STRONG)
    best = baseline.strongest(TrainingTexts([], labels), ["x", "y", "z"], labels, candidates, 42)
    assert best.chosen == chosen
    assert best.model == Fixed(answers[chosen])
    assert list(best.candidates) == list(answers)


def test_false_has_the_lower_log_loss() -> None:
    false, unsure = (-np.log([p[0], 1 - p[1], p[2]]).mean() for p in (FALSE, UNSURE))
    assert false < unsure


def test_figures_are_those_of_the_metrics() -> None:
    from sklearn.metrics import accuracy_score, log_loss

    best = choose([*SEEN, "bad film"], [1, 0, 1], only=STRONG)
    answers = best.model.predict([*SEEN, "bad film"])
    assert best.candidates["only"] == {
        "accuracy": round(accuracy_score([1, 0, 1], answers > 0.5), 6),
        "log_loss": pytest.approx(log_loss([1, 0, 1], answers), abs=2e-6),
    }


def test_one_label_alone_on_validation_will_do() -> None:
    assert choose(["good"], [1], only=STRONG).candidates["only"]["accuracy"] == 1.0


def test_it_says_what_was_chosen_among_how_many() -> None:
    said = choose(UNSEEN, words=STRONG, characters=CHARACTERS).description
    assert said == (
        "characters, the strongest of 2 linear models on validation: logistic regression on "
        "TF-IDF of runs of 1 to 2 words and of 2 to 4 characters"
    )
    assert choose(SEEN, words=STRONG).description.startswith("words, a linear model: logistic")


def test_each_candidate_is_named_as_it_is_fitted(capsys: pytest.CaptureFixture[str]) -> None:
    choose(SEEN, words=STRONG, characters=CHARACTERS)
    said = capsys.readouterr().err
    assert "fitting linear model 1 of 2, words ..." in said
    assert "fitting linear model 2 of 2, characters ..." in said


def test_without_validation_there_is_no_choice() -> None:
    with pytest.raises(DataError, match=r"no validation rows .* raise split\.validation_size"):
        choose([], [], words=STRONG)
