"""The choice of the strongest linear model."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from test_linear_fit import BAD, GOOD, LABELS, settings

from sentigate.errors import DataError
from sentigate.evaluation import baseline
from sentigate.evaluation.baseline import Baseline, strongest
from sentigate.evaluation.linear_fit import TrainingTexts
from sentigate.model.answers import probabilities
from sentigate.model.labels import BINARY, Classes
from sentigate.model.linear_model import LinearDescription
from sentigate.model.text.encoding import Encoded, encode_texts

STRONG, PAIRS = settings(), settings(min_count=1, word_ngrams=[2, 2])
SEEN = ["good film", "bad film"]
ASKED = Encoded(np.zeros(0, dtype=np.int64), np.zeros(4, dtype=np.int64))
ABOUT = LinearDescription(description="fixed", ngrams=(1, 1), weighting="tfidf", words=())


def choose(texts: list[str], labels: list[int] | None = None, **candidates: Any) -> Baseline:
    answers = np.array([1, 0] if labels is None else labels, dtype=np.int8)
    training = TrainingTexts(GOOD + BAD, LABELS, BINARY)
    asked = encode_texts(training.tokenizer, texts)
    return strongest(training, asked, answers, candidates, seed=42)


def test_accuracy_on_validation_decides() -> None:
    """The model of pairs knows none of the pairs, and is right about one of two texts."""
    best = choose(["fun good", "fun bad"], pairs=PAIRS, words=STRONG)
    assert best.chosen == "words"
    assert [figures["accuracy"] for figures in best.candidates.values()] == [0.5, 1.0]
    training = TrainingTexts(GOOD + BAD, LABELS, BINARY)
    found = best.model.logits(*encode_texts(training.tokenizer, ["fun good", "fun bad"]))
    assert (found > 0).tolist() == [[True], [False]]


@dataclass(frozen=True)
class Fixed:
    """A stand-in for a fitted model, with fixed answers."""

    answers: list[float]
    about: LinearDescription = ABOUT

    def logits(self, ids: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        assert ids is ASKED.ids
        assert offsets is ASKED.offsets
        odds = np.divide(self.answers, np.subtract(1, self.answers))
        return np.log(odds).astype(np.float32)[:, None]


SURE, UNSURE, FALSE = [0.9, 0.1, 0.8], [0.6, 0.4, 0.55], [0.9, 0.4, 0.499]


@pytest.mark.parametrize(
    ("answers", "chosen"),
    [
        ({"a": FALSE, "b": UNSURE}, "b"),  # accuracy comes first
        ({"a": UNSURE, "b": FALSE}, "a"),
        ({"a": UNSURE, "b": SURE, "c": FALSE}, "b"),  # equal accuracy: the lower log loss
        ({"a": SURE, "b": UNSURE}, "a"),
        ({"a": FALSE, "b": SURE, "c": SURE}, "b"),  # equal log loss too: the first
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
    training = TrainingTexts(GOOD + BAD, LABELS, BINARY)
    best = baseline.strongest(training, ASKED, labels, candidates, 42)
    assert best.chosen == chosen
    assert best.model.answers == answers[chosen]
    assert list(best.candidates) == list(answers)


def test_false_has_the_lower_log_loss() -> None:
    false, unsure = (-np.log([p[0], 1 - p[1], p[2]]).mean() for p in (FALSE, UNSURE))
    assert false < unsure


def test_candidates_have_the_figures_of_the_metrics() -> None:
    from sklearn.metrics import accuracy_score, log_loss

    best = choose([*SEEN, "bad film"], [1, 0, 1], only=STRONG)
    tokenizer = TrainingTexts(GOOD + BAD, LABELS, BINARY).tokenizer
    answers = probabilities(best.model.logits(*encode_texts(tokenizer, [*SEEN, "bad film"])))
    assert best.candidates["only"] == {
        "accuracy": round(accuracy_score([1, 0, 1], answers[:, 1] > 0.5), 6),
        "log_loss": pytest.approx(log_loss([1, 0, 1], answers), abs=2e-6),
    }


def test_of_three_classes_the_figures_are_those_of_the_metrics() -> None:
    from sklearn.metrics import accuracy_score, log_loss

    texts = [*GOOD, *BAD, "a plain film", "plain fun", "plain cast", "so plain"]
    labels = np.array([2] * 4 + [0] * 4 + [1] * 4, dtype=np.int8)
    training = TrainingTexts(texts, labels, Classes(names=("a", "b", "c")))
    asked = encode_texts(training.tokenizer, ["good", "plain", "bad", "bad fun"])
    truth = np.array([2, 1, 0, 1], dtype=np.int8)
    best = strongest(training, asked, truth, {"words": STRONG, "pairs": PAIRS}, seed=42)
    assert best.chosen == "words"
    answers = probabilities(best.model.logits(*asked))
    assert answers.shape == (4, 3)
    assert best.candidates["words"] == {
        "accuracy": accuracy_score(truth, answers.argmax(axis=1)),
        "log_loss": pytest.approx(log_loss(truth, answers, labels=[0, 1, 2]), abs=2e-6),
    }


def test_validation_may_have_one_label() -> None:
    assert choose(["good"], [1], only=STRONG).candidates["only"]["accuracy"] == 1.0


def test_the_description_names_the_model_and_the_number_of_candidates() -> None:
    best = choose(["fun good", "fun bad"], words=STRONG, pairs=PAIRS)
    assert best.description == (
        "words, the strongest of 2 linear models on validation: logistic regression on "
        "TF-IDF of runs of 1 to 2 tokens"
    )
    assert best.model.about.description == best.description
    assert choose(SEEN, words=STRONG).description.startswith("words, a linear model: logistic")


def test_progress_names_each_candidate(capsys: pytest.CaptureFixture[str]) -> None:
    choose(SEEN, words=STRONG, pairs=PAIRS)
    printed = capsys.readouterr().err
    assert "fitting linear model 1 of 2, words ..." in printed
    assert "fitting linear model 2 of 2, pairs ..." in printed


def test_missing_validation_texts_are_refused() -> None:
    with pytest.raises(DataError, match=r"no validation rows .* raise split\.validation_size"):
        choose([], [], words=STRONG)
