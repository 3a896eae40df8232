"""Compare a model, its network, the linear baseline and the majority class on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sentigate.language.language_model import language_model_of, perplexity
from sentigate.language.ngram_model import ngram_perplexities
from sentigate.model.answers import table_columns
from sentigate.model.labels import Classes
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.saved_model import SavedModel
from sentigate.settings.params import EvaluateParams

from .class_figures import class_figures
from .difference import accuracy_difference
from .metrics import Figures, classification_figures


def compare(
    held_out: pd.DataFrame, classes: Classes, settings: EvaluateParams, seed: int
) -> dict[str, dict[str, Any]]:
    """Compute the content of reports/metrics.json.

    Args:
        held_out: columns split (validation or test) and label; and for the model, without a prefix,
            its network alone, ``network_``, and the baseline, ``baseline_``: predicted, and the
            probability of each class, probability_0 to probability_{K-1}. Labels are 0 to K-1.
        classes: names of the K classes.
        settings: number of bootstrap resamples, and number of bins of the calibration error.
        seed: seed of the bootstrap.

    Returns:
        The ``classification_figures`` of ``test`` (the model), ``network`` and ``baseline`` on
        test, and of ``validation`` (the model). ``classes``: the model's ``class_figures`` on test.
        ``majority``: the test accuracy of always predicting the most common label. ``difference``
        and ``network_difference``: the ``accuracy_difference`` of model and of network from the
        baseline on test.
    """

    def figures(split: str, prefix: str = "") -> Figures:
        part = held_out.loc[held_out["split"] == split]
        return classification_figures(
            part["label"].to_numpy(),
            table_columns(part, f"{prefix}probability"),
            classes,
            settings,
            seed,
            part[f"{prefix}predicted"].to_numpy(),
        )

    test = held_out.loc[held_out["split"] == "test"]
    labels = test["label"].to_numpy()

    def difference(prefix: str = "") -> Figures:
        return accuracy_difference(
            labels,
            test[f"{prefix}predicted"].to_numpy(),
            test["baseline_predicted"].to_numpy(),
            samples=settings.bootstrap_samples,
            seed=seed,
        )

    return {
        "test": figures("test"),
        "network": figures("test", "network_"),
        "baseline": figures("test", "baseline_"),
        "validation": figures("validation"),
        "classes": class_figures(
            labels,
            table_columns(test),
            test["predicted"].to_numpy(),
            classes,
            settings,
            seed,
        ),
        "majority": {"accuracy": round(float(np.bincount(labels).max()) / len(labels), 6)},
        "difference": difference(),
        "network_difference": difference("network_"),
    }


def perplexities(saved: SavedModel, splits: Mapping[str, EncodedSplit]) -> Figures | None:
    """Measure the perplexity of the language model and of n-gram models on test texts.

    Args:
        saved: classifier that may hold the language model from which it started.
        splits: the splits train, validation and test.

    Returns:
        ``perplexity`` and the figures of ``ngram_perplexities``; None without a language model.
    """
    if saved.language_model is None:
        return None
    model = language_model_of(saved)
    return {
        "perplexity": round(perplexity(model, splits["test"]), 6),
        **ngram_perplexities(**splits, vocabulary_size=model.decoder.out_features),
    }
