"""The table of metrics: the name, meaning and computation of each.

reports/metrics.json, the report, the pull request's comment, the leaderboard, the end of
``sentigate train`` and MLflow all take their metrics from ``METRICS``. So a new metric is one entry
in this table.
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
"""Figures by the metric's key. The ends of an interval have this key with _low and _high."""
Unit = Literal["share", "number", "count"]
VALIDATION, TEST = "validation", "test"


@dataclass(frozen=True)
class MetricInput:
    """The input of metrics, already checked by ``check_answers``.

    Attributes:
        labels: 0 or 1, int64, (rows,), at least one row.
        probabilities: probabilities of class 1, float64 in [0, 1], (rows,).
        settings: number of bootstrap resamples, and number of bins of the calibration error.
        seed: seed of the bootstrap.
    """

    labels: IntArray
    probabilities: FloatArray
    settings: EvaluateParams
    seed: int

    @cached_property
    def predicted(self) -> npt.NDArray[np.int64]:
        """The predicted labels, 0 or 1, (rows,)."""
        return predicted_labels(self.probabilities)


@dataclass(frozen=True)
class Metric:
    """One entry of the table.

    Attributes:
        key: name in files and in MLflow.
        title: name for people, as within a sentence.
        unit: format of the value: a share in per cent, a number with decimals, a count without.
        better: the better of two values.
        meaning: explanation in a sentence.
        compute: function that returns the value, or None if it is undefined.
        interval: function that returns the two ends of the 95 % interval; None without an interval.
        headline_on: splits for which short tables show the metric: the leaderboard and, for test,
            the end of ``sentigate train``.
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
        """The meaning, with notes on the direction and the interval."""
        lower = " Lower is better." if self.better == "lower" else ""
        return self.meaning + lower + (" With its 95 % interval." if self.interval else "")

    @property
    def interval_keys(self) -> tuple[str, str]:
        """The keys of the interval's ends."""
        return f"{self.key}_low", f"{self.key}_high"

    def figures(self, answers: MetricInput) -> Figures:
        """Return the value, and the ends of an interval if there is one, by key."""
        found: Figures = {self.key: self.compute(answers)}
        if self.interval:
            found |= zip(self.interval_keys, self.interval(answers), strict=True)
        return found


def scikit_learn(name: str, **options: Any) -> Callable[[MetricInput], float]:
    """Return a metric that calls a function of ``sklearn.metrics`` on true and predicted labels."""

    def compute(answers: MetricInput) -> float:
        import sklearn.metrics  # the import takes a second, and few commands need it

        function = getattr(sklearn.metrics, name)
        return float(function(answers.labels, answers.predicted, **options))

    return compute


def matthews_correlation(labels: IntArray, probabilities: FloatArray) -> float:
    """Return the correlation of labels and answers (Matthews 1975): 1 is perfect, 0 is chance.

    Unlike accuracy, it has the same meaning for any balance of labels. If all labels or all answers
    are the same, it is undefined, and 0 is returned.

    Args:
        labels: 0 or 1, integers, (rows,).
        probabilities: probabilities of class 1, in [0, 1], (rows,).

    Raises:
        DataError: there are no rows, or an argument does not fit its description.
    """
    from sklearn.metrics import matthews_corrcoef

    labels, probabilities = check_answers(labels, probabilities)
    predicted = predicted_labels(probabilities)
    if np.ptp(labels) == 0 or np.ptp(predicted) == 0:  # scikit-learn also returns 0, but warns
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
        meaning="Number of texts.",
        compute=lambda answers: len(answers.labels),
    ),
    Metric(
        "accuracy",
        title="accuracy",
        unit="share",
        better="higher",
        meaning="Share of all texts whose predicted class is right.",
        compute=scikit_learn("accuracy_score"),
        interval=_accuracy_interval,
        headline_on=(VALIDATION, TEST),
    ),
    Metric(
        "precision",
        title="precision",
        unit="share",
        better="higher",
        meaning="Share of the texts predicted positive that are positive; 0 if there are none.",
        compute=scikit_learn("precision_score", zero_division=0),
    ),
    Metric(
        "recall",
        title="recall",
        unit="share",
        better="higher",
        meaning="Share of the positive texts that are predicted positive; 0 if there are none.",
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
        "chance, for any balance of the classes.",
        compute=lambda answers: matthews_correlation(answers.labels, answers.probabilities),
        headline_on=(TEST,),
    ),
    Metric(
        "auroc",
        title="AUROC",
        unit="number",
        better="higher",
        meaning="Chance that a positive text gets a higher probability than a negative text.",
        compute=_auroc,
    ),
    Metric(
        "log_loss",
        title="log loss",
        unit="number",
        better="lower",
        meaning="Mean of -ln P(true class), in nats; a coin toss has 0.693.",
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
"""All metrics, in the order of files and tables; the positive class is 1."""


def metric_of(key: str) -> Metric:
    """Return the metric with the given key."""
    return next(metric for metric in METRICS if metric.key == key)


def headlines(split: str) -> list[Metric]:
    """Return the metrics of a split for short tables."""
    return [metric for metric in METRICS if split in metric.headline_on]


def classification_figures(
    labels: IntArray, probabilities: FloatArray, settings: EvaluateParams, seed: int
) -> Figures:
    """Compute all figures of a set of rows, rounded to 6 decimals so that files stay stable.

    Args:
        labels: 0 or 1, integers, (rows,).
        probabilities: probabilities of class 1, float32 or float64 in [0, 1], (rows,).
        settings: number of bootstrap resamples, and number of bins of the calibration error.
        seed: seed of the bootstrap.

    Raises:
        DataError: there are no rows, or an argument does not fit its description.
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
    """Flatten figures by split and key into one mapping: ``test_accuracy`` -> number."""
    return {
        f"{split}_{key}": value
        for split in (VALIDATION, TEST)
        for key, value in figures[split].items()
    }
