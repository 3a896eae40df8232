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

from sentigate.errors import DataError
from sentigate.model.answers import log_losses, predicted_labels
from sentigate.model.labels import Classes
from sentigate.settings.params import EvaluateParams

from .answers import FloatArray, IntArray, check_answers, check_labels
from .calibration import expected_calibration_error
from .confusion import balanced_accuracy, confusion, macro_f1
from .intervals import bootstrap_interval

Figure = float | int | None
Figures = dict[str, Figure]
"""Figures by the metric's key. The ends of an interval have this key with _low and _high."""
Unit = Literal["share", "number", "count"]
AppliesTo = Literal["any", "two", "more", "ordered"]
"""Any classes, two classes, more than two, or more than two that are ordered."""
VALIDATION, TEST = "validation", "test"


def _applies(kind: AppliesTo, classes: Classes) -> bool:
    return {
        "any": True,
        "two": classes.count == 2,
        "more": classes.count > 2,
        "ordered": classes.count > 2 and classes.ordered,
    }[kind]


@dataclass(frozen=True)
class MetricInput:
    """The input of metrics, already checked by ``check_answers``.

    Attributes:
        labels: true classes, 0 to K-1, int64, (rows,), at least one row.
        probabilities: probability of each class, float64 in [0, 1], (rows, K).
        predicted: answered classes, 0 to K-1, int64, (rows,). A threshold may have chosen them, so
            they need not be the most probable classes.
        classes: names of the K classes.
        settings: number of bootstrap resamples, and number of bins of the calibration error.
        seed: seed of the bootstrap.
    """

    labels: IntArray
    probabilities: FloatArray
    predicted: IntArray
    classes: Classes
    settings: EvaluateParams
    seed: int

    @cached_property
    def confusion(self) -> npt.NDArray[np.int64]:
        """The number of rows by true class (rows) and predicted class (columns), (K, K)."""
        return confusion(self.labels, self.predicted, self.classes.count)


@dataclass(frozen=True)
class Metric:
    """One entry of the table.

    Attributes:
        key: name in files and in MLflow.
        title: name for people, as within a sentence.
        unit: format of the value: a share in per cent, a number with decimals, a count without.
        better: the better of two values.
        meaning: explanation in a sentence, or a function that writes it for given classes.
        compute: function that returns the value, or None if it is undefined.
        interval: function that returns the two ends of the 95 % interval; None without an interval.
        headline_on: splits for which short tables show the metric: the leaderboard and, for test,
            the end of ``sentigate train``.
        applies_to: kind of classes for which the metric is computed.
        headline_for: kind of classes for which short tables show the metric.
    """

    key: str
    title: str
    unit: Unit
    better: Literal["higher", "lower", "neither"]
    meaning: str | Callable[[Classes], str]
    compute: Callable[[MetricInput], Figure]
    interval: Callable[[MetricInput], tuple[float, float]] | None = None
    headline_on: tuple[str, ...] = ()
    applies_to: AppliesTo = "any"

    headline_for: AppliesTo = "any"

    @property
    def heading(self) -> str:
        """The title with a capital."""
        return self.title[0].upper() + self.title[1:]

    def legend(self, classes: Classes) -> str:
        """Return the meaning, with notes on the direction and the interval."""
        meaning = self.meaning if isinstance(self.meaning, str) else self.meaning(classes)
        lower = " Lower is better." if self.better == "lower" else ""
        return meaning + lower + (" With its 95 % interval." if self.interval else "")

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


def matthews_correlation(labels: IntArray, predicted: IntArray) -> float:
    """Return the correlation of labels and answers (Matthews 1975): 1 is perfect, 0 is chance.

    Unlike accuracy, it has the same meaning for any balance of labels. With more than two classes
    it is the extension of Gorodkin (2004). If all labels or all answers are the same, it is
    undefined, and 0 is returned.

    Args:
        labels: true classes, 0 to K-1, integers, (rows,).
        predicted: answered classes, 0 to K-1, integers, (rows,).

    Raises:
        DataError: there are no rows, or an argument does not fit its description.
    """
    from sklearn.metrics import matthews_corrcoef

    labels, predicted = check_labels(labels, predicted)
    if np.ptp(labels) == 0 or np.ptp(predicted) == 0:  # scikit-learn also returns 0, but warns
        return 0.0
    return float(matthews_corrcoef(labels, predicted))


def class_auroc(labels: IntArray, probabilities: FloatArray, number: int) -> float | None:
    """Return the area under the ROC curve of one class against the rest.

    It is None if all rows, or no rows, are of the class.

    Args:
        labels: true classes, 0 to K-1, (rows,).
        probabilities: probability of each class, (rows, K).
        number: the class, 0 to K-1.
    """
    from sklearn.metrics import roc_auc_score

    of_class = labels == number
    if of_class.all() or not of_class.any():
        return None
    return float(roc_auc_score(of_class, probabilities[:, number]))


def _auroc(answers: MetricInput) -> float | None:
    numbers = [1] if answers.classes.count == 2 else range(answers.classes.count)
    areas = [class_auroc(answers.labels, answers.probabilities, number) for number in numbers]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else None


def _auroc_meaning(classes: Classes) -> str:
    if classes.count == 2:
        earlier, later = classes.names
        return f"Chance that a {later} text gets a higher probability than a {earlier} text."
    return (
        "Chance that a text of a class gets a higher probability of this class than another text; "
        "mean over the classes."
    )


def _log_loss_meaning(classes: Classes) -> str:
    guess = "coin toss" if classes.count == 2 else f"guess among {classes.count} classes"
    return f"Mean of -ln P(true class), in nats; a {guess} has {np.log(classes.count):.3f}."


def _weighted_kappa(answers: MetricInput) -> float:
    from sklearn.metrics import cohen_kappa_score

    labels, predicted = answers.labels, answers.predicted
    if np.ptp(np.concatenate([labels, predicted])) == 0:  # undefined: scikit-learn returns NaN
        return 0.0
    numbers = range(answers.classes.count)
    return float(cohen_kappa_score(labels, predicted, labels=numbers, weights="quadratic"))


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
        meaning=lambda classes: (
            f"Share of the texts predicted {classes.names[1]} that are "
            f"{classes.names[1]}; 0 if there are none."
        ),
        compute=scikit_learn("precision_score", zero_division=0),
        applies_to="two",
    ),
    Metric(
        "recall",
        title="recall",
        unit="share",
        better="higher",
        meaning=lambda classes: (
            f"Share of the {classes.names[1]} texts that are predicted "
            f"{classes.names[1]}; 0 if there are none."
        ),
        compute=scikit_learn("recall_score", zero_division=0),
        applies_to="two",
    ),
    Metric(
        "f1",
        title="F1",
        unit="share",
        better="higher",
        meaning="Harmonic mean of precision and recall.",
        compute=scikit_learn("f1_score", zero_division=0),
        headline_on=(TEST,),
        applies_to="two",
    ),
    Metric(
        "macro_f1",
        title="macro F1",
        unit="share",
        better="higher",
        meaning="Mean of the F1 of all classes, so that a rare class counts as much as a common "
        "one.",
        compute=lambda answers: float(macro_f1(answers.confusion)),
        headline_on=(TEST,),
        headline_for="more",
    ),
    Metric(
        "balanced_accuracy",
        title="balanced accuracy",
        unit="share",
        better="higher",
        meaning=lambda classes: (
            "Mean of the recall of all classes; the same answer to every text "
            f"has {1 / classes.count:.1%}.".replace("%", " %")
        ),
        compute=lambda answers: balanced_accuracy(answers.confusion),
    ),
    Metric(
        "mcc",
        title="MCC",
        unit="number",
        better="higher",
        meaning="Correlation of labels and predictions (Matthews 1975): 1 is perfect, and 0 is "
        "chance, for any balance of the classes.",
        compute=lambda answers: matthews_correlation(answers.labels, answers.predicted),
        headline_on=(TEST,),
    ),
    Metric(
        "auroc",
        title="AUROC",
        unit="number",
        better="higher",
        meaning=_auroc_meaning,
        compute=_auroc,
    ),
    Metric(
        "log_loss",
        title="log loss",
        unit="number",
        better="lower",
        meaning=_log_loss_meaning,
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
            answers.labels,
            answers.probabilities,
            answers.predicted,
            answers.settings.calibration_bins,
        ),
    ),
    Metric(
        "mean_absolute_error",
        title="mean absolute error",
        unit="number",
        better="lower",
        meaning="Mean distance of the predicted class from the true class, in steps of the order "
        "of the classes.",
        compute=lambda answers: float(np.abs(answers.predicted - answers.labels).mean()),
        headline_on=(TEST,),
        applies_to="ordered",
    ),
    Metric(
        "quadratic_weighted_kappa",
        title="weighted kappa",
        unit="number",
        better="higher",
        meaning="Agreement beyond chance (Cohen 1968), where a mistake counts by its squared "
        "distance in steps: 1 is perfect, and 0 is chance.",
        compute=_weighted_kappa,
        applies_to="ordered",
    ),
)
"""All metrics, in the order of files and tables. Precision, recall and F1 are of the later of two
classes."""


def metric_input(
    labels: IntArray,
    probabilities: FloatArray,
    predicted: IntArray | None,
    classes: Classes,
    settings: EvaluateParams,
    seed: int,
) -> MetricInput:
    """Check the answers, and return them as the input of metrics.

    If ``predicted`` is None, the most probable classes are the answers.

    Raises:
        DataError: there are no rows, or an argument does not fit the description of
            ``MetricInput``.
    """
    labels, probabilities = check_answers(labels, probabilities)
    if probabilities.shape[1] != classes.count:
        raise DataError(
            f"the probabilities have {probabilities.shape[1]} columns, but there are "
            f"{classes.count} classes: {', '.join(classes.names)}"
        )
    if predicted is None:
        predicted = predicted_labels(probabilities)
    labels, predicted = check_labels(labels, predicted)
    if predicted.max() >= classes.count:
        raise DataError(f"a predicted label of {classes.count} classes is {predicted.max()}")
    return MetricInput(labels, probabilities, predicted, classes, settings, seed)


def rounded(figures: Figures) -> Figures:
    """Return the figures, with fractions rounded to 6 decimals."""
    return {
        key: round(value, 6) if isinstance(value, float) else value
        for key, value in figures.items()
    }


def metric_of(key: str) -> Metric:
    """Return the metric with the given key."""
    return next(metric for metric in METRICS if metric.key == key)


def metrics_of(classes: Classes) -> list[Metric]:
    """Return the metrics that are computed for these classes."""
    return [metric for metric in METRICS if _applies(metric.applies_to, classes)]


def headlines(split: str, classes: Classes) -> list[Metric]:
    """Return the metrics of a split for short tables."""
    return [
        metric
        for metric in metrics_of(classes)
        if split in metric.headline_on and _applies(metric.headline_for, classes)
    ]


def classification_figures(
    labels: IntArray,
    probabilities: FloatArray,
    classes: Classes,
    settings: EvaluateParams,
    seed: int,
    predicted: IntArray | None = None,
) -> Figures:
    """Compute all figures of a set of rows, rounded to 6 decimals so that files stay stable.

    Args:
        labels: true classes, 0 to K-1, integers, (rows,).
        probabilities: probability of each class, float32 or float64 in [0, 1], (rows, K).
        classes: names of the K classes.
        settings: number of bootstrap resamples, and number of bins of the calibration error.
        seed: seed of the bootstrap.
        predicted: answered classes, (rows,); by default the most probable classes.

    Raises:
        DataError: there are no rows, or an argument does not fit its description.
    """
    answers = metric_input(labels, probabilities, predicted, classes, settings, seed)
    figures: Figures = {}
    for metric in metrics_of(classes):
        figures |= metric.figures(answers)
    return rounded(figures)


def flat(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Flatten figures by split and key into one mapping: ``test_accuracy`` -> number."""
    return {
        f"{split}_{key}": value
        for split in (VALIDATION, TEST)
        for key, value in figures[split].items()
    }
