"""The linear baseline that a network must beat: the strongest of several linear models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sentigate.errors import DataError
from sentigate.model.answers import log_losses, predicted_labels, probabilities
from sentigate.model.linear_model import LinearModel
from sentigate.model.text.encoding import Encoded
from sentigate.progress import doing
from sentigate.settings.baseline import LinearModelParams

from .linear_fit import TrainingTexts, fit_linear


@dataclass(frozen=True)
class Baseline:
    """The chosen linear model, with the figures of all candidates.

    Attributes:
        chosen: name of the chosen model.
        description: sentence that describes the chosen model.
        model: chosen model.
        candidates: ``accuracy`` and ``log_loss`` of each candidate on validation, by name.
    """

    chosen: str
    description: str
    model: LinearModel
    candidates: dict[str, dict[str, float]]


def strongest(
    training: TrainingTexts,
    texts: Encoded,
    labels: npt.NDArray[np.int8],
    candidates: Mapping[str, LinearModelParams],
    seed: int,
) -> Baseline:
    """Fit all candidates and choose the one with the highest accuracy on validation.

    Among equal candidates the lower log loss decides, then the order.

    Args:
        training: training texts.
        texts: validation texts, as token ids of ``training.tokenizer``.
        labels: classes of the validation texts, (texts,).
        candidates: settings by name, at least one.
        seed: seed of the solver.

    Raises:
        DataError: there are no validation texts, or training lacks a class or has no n-gram.
    """
    if not len(labels):
        raise DataError(
            "there are no validation rows to choose a linear model on: raise split.validation_size"
        )
    figures: dict[str, dict[str, float]] = {}

    def fitted() -> Iterator[tuple[str, LinearModel]]:
        for number, (name, settings) in enumerate(candidates.items(), start=1):
            with doing(f"fitting linear model {number} of {len(candidates)}, {name}"):
                model = fit_linear(training, settings, seed)
                answers = probabilities(model.logits(*texts))
            figures[name] = {
                "accuracy": round(float(np.mean(predicted_labels(answers) == labels)), 6),
                "log_loss": round(float(np.mean(log_losses(labels, answers))), 6),
            }
            yield name, model

    def rank(candidate: tuple[str, LinearModel]) -> tuple[float, float]:
        name, _ = candidate
        return -figures[name]["accuracy"], figures[name]["log_loss"]

    chosen, model = min(fitted(), key=rank)  # holds at most two models in memory
    among = f"the strongest of {len(candidates)} linear models on validation"
    kind = among if len(candidates) > 1 else "a linear model"
    description = f"{chosen}, {kind}: {model.about.description}"
    about = model.about.model_copy(update={"description": description})
    return Baseline(chosen, description, replace(model, about=about), figures)
