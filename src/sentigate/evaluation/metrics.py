"""The table of metrics: what each is called and means, and how it is computed.

reports/metrics.json, the report, the pull request's comment, the leaderboard, the end of
``sentigate train`` and MLflow all take theirs from ``METRICS``: a new metric is one entry more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sentigate.model.labels import log_losses, predicted_labels
from sentigate.settings.params import EvaluateParams

from .answers import FloatArray, IntArray, check_answers
from .calibration import expected_calibration_error
from .intervals import bootstrap_interval

Figure = float | int | None
Figures = dict[str, Figure]
"""By key of the metric, and by its key with _low and _high where it has an interval."""
Unit = Literal["share", "number", "count"]
VALIDATION, TEST = "validation", "test"


@dataclass(frozen=True)
class MetricInput:
    """What metrics are computed from.

    Attributes:
        labels: 0 or 1, (rows,).
        probabilities: of class 1, in [0, 1], (rows,).
        settings: how often the bootstrap resamples, and the bins of the calibration error.
        seed: of the bootstrap.
    """

    labels: IntArray
    probabilities: FloatArray
    settings: EvaluateParams
    seed: int

    @cached_property
    def predicted(self) -> npt.NDArray[np.int64]:
        """0 or 1, (rows,)."""
        return predicted_labels(self.probabilities)


@dataclass(frozen=True)
class Metric:
    """One entry of the table.

    Attributes:
        key: its name in files and in MLflow.
        title: its name for people, as within a sentence.
        unit: how it is written: a share as per cent, a number with decimals, a count without.
        better: which of two values is the better one.
        meaning: a sentence for who does not know it.
        compute: its value, None where it is not defined.
        interval: low and high end of its 95 % interval, where there is one.
        headline_on: the splits on which it is shown where room is short: in the leaderboard, and
            of test also at the end of ``sentigate train``.
    """

    key: str
    title: str
    unit: Unit
    better: Literal["higher", "lower", "neither"]
    meaning: str
    compute: Callable[[MetricInput], Figure]
    interval: Callable[[MetricInput], tuple[float, float]] | None = None
    headline_on: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The title with a capital."""
        return self.title[0].upper() + self.title[1:]

    @property
    def legend(self) -> str:
        """The meaning, and how a value and its interval are to be read."""
        lower = " Lower is better." if self.better == "lower" else ""
        return self.meaning + lower + (" With its 95 % interval." if self.interval else "")

    @property
    def interval_keys(self) -> tuple[str, str]:
        """Keys of the interval's ends."""
        return f"{self.key}_low", f"{self.key}_high"

    def figures(self, answers: MetricInput) -> Figures:
        """The value, and the interval's ends if it has one, by key."""
        found: Figures = {self.key: self.compute(answers)}
        if self.interval:
            found |= zip(self.interval_keys, self.interval(answers), strict=True)
        return found


def scikit_learn(name: str, **options: Any) -> Callable[[MetricInput], float]:
    """The function of that name in ``sklearn.metrics``, of labels and predicted labels."""

    def compute(answers: MetricInput) -> float:
        import sklearn.metrics  # takes a second, which most commands need not wait

        function = getattr(sklearn.metrics, name)
        return float(function(answers.labels, answers.predicted, **options))

    return compute


def matthews_correlation(labels: IntArray, probabilities: FloatArray) -> float:
    """Correlation of labels and answers (Matthews 1975): 1 is perfect, 0 what chance reaches.

    Unlike accuracy it means the same for any balance of labels. It is 0 where it is undefined,
    because the labels or the answers are all alike.

    Args:
        labels: 0 or 1, integers, shape (rows,).
        probabilities: of class 1, in [0, 1], shape (rows,).

    Raises:
        DataError: no rows, other shapes, labels or probabilities than above.
    """
    from sklearn.metrics import matthews_corrcoef

    labels, probabilities = check_answers(labels, probabilities)
    predicted = predicted_labels(probabilities)
    if np.ptp(labels) == 0 or np.ptp(predicted) == 0:  # scikit-learn gives 0 too, but warns
        return 0.0
    return float(matthews_corrcoef(labels, predicted))


def _auroc(answers: MetricInput) -> float | None:
    from sklearn.metrics import roc_auc_score

    if np.ptp(answers.labels) == 0:
        return None
    return float(roc_auc_score(answers.labels, answers.probabilities))


def _accuracy_interval(answers: MetricInput) -> tuple[float, float]:
    correct = int(np.sum(answers.predicted == answers.labels))
    samples = answers.settings.bootstrap_samples
    return bootstrap_interval(correct, len(answers.labels), samples, answers.seed)


METRICS = (
    Metric(
        "rows",
        title="texts",
        unit="count",
        better="neither",
        meaning="How many texts the figures are of.",
        compute=lambda answers: len(answers.labels),
    ),
    Metric(
        "accuracy",
        title="accuracy",
        unit="share",
        better="higher",
        meaning="Of all texts, the share whose class is predicted.",
        compute=scikit_learn("accuracy_score"),
        interval=_accuracy_interval,
        headline_on=(VALIDATION, TEST),
    ),
    Metric(
        "precision",
        title="precision",
        unit="share",
        better="higher",
        meaning="Of the texts predicted positive, the share that is; 0 where there are none.",
        compute=scikit_learn("precision_score", zero_division=0),
    ),
    Metric(
        "recall",
        title="recall",
        unit="share",
        better="higher",
        meaning="Of the positive texts, the share predicted so; 0 where there are none.",
        compute=scikit_learn("recall_score", zero_division=0),
    ),
    Metric(
        "f1",
        title="F1",
        unit="share",
        better="higher",
        meaning="Harmonic mean of precision and recall.",
        compute=scikit_learn("f1_score", zero_division=0),
        headline_on=(TEST,),
    ),
    Metric(
        "mcc",
        title="MCC",
        unit="number",
        better="higher",
        meaning="Correlation of labels and predictions (Matthews 1975): 1 is perfect, and 0 is "
        "chance, however the classes are balanced.",
        compute=lambda answers: matthews_correlation(answers.labels, answers.probabilities),
        headline_on=(TEST,),
    ),
    Metric(
        "auroc",
        title="AUROC",
        unit="number",
        better="higher",
        meaning="Chance that a positive text gets a higher probability than a negative one.",
        compute=_auroc,
    ),
    Metric(
        "log_loss",
        title="log loss",
        unit="number",
        better="lower",
        meaning="Mean of -ln P(true class), in nats; a coin has 0.693.",
        compute=lambda answers: float(log_losses(answers.labels, answers.probabilities).mean()),
        headline_on=(VALIDATION, TEST),
    ),
    Metric(
        "expected_calibration_error",
        title="calibration error",
        unit="share",
        better="lower",
        meaning="Mean gap between confidence and accuracy (Guo et al. 2017).",
        compute=lambda answers: expected_calibration_error(
            answers.labels, answers.probabilities, answers.settings.calibration_bins
        ),
    ),
)
"""In the order of files and tables; the positive class is 1."""


def metric_of(key: str) -> Metric:
    """The metric with that key."""
    return next(metric for metric in METRICS if metric.key == key)


def headlines(split: str) -> list[Metric]:
    """The few metrics of a split that are shown where room is short."""
    return [metric for metric in METRICS if split in metric.headline_on]


def classification_figures(
    labels: IntArray, probabilities: FloatArray, settings: EvaluateParams, seed: int
) -> Figures:
    """All figures of one set of rows, rounded to 6 decimals so that files stay stable.

    Args:
        labels: 0 or 1, integers, shape (rows,).
        probabilities: of class 1, float32 or float64 in [0, 1], shape (rows,).
        settings: how often the bootstrap resamples, and the bins of the calibration error.
        seed: of the bootstrap.

    Raises:
        DataError: no rows, other shapes, labels or probabilities than above.
    """
    answers = MetricInput(*check_answers(labels, probabilities), settings, seed)
    figures: Figures = {}
    for metric in METRICS:
        figures |= metric.figures(answers)
    return {
        key: round(value, 6) if isinstance(value, float) else value
        for key, value in figures.items()
    }


def flat(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Figures by split and key as one mapping: ``test_accuracy`` -> number."""
    return {
        f"{split}_{key}": value
        for split in (VALIDATION, TEST)
        for key, value in figures[split].items()
    }
