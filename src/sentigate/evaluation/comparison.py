"""Compare a model, its network, the linear baseline and the majority class on the same rows."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sentigate.language.language_model import language_model_of, perplexity
from sentigate.language.ngram_model import ngram_perplexities
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.saved_model import SavedModel
from sentigate.settings.params import EvaluateParams

from .difference import accuracy_difference
from .metrics import Figures, classification_figures


def compare(held_out: pd.DataFrame, settings: EvaluateParams, seed: int) -> dict[str, Figures]:
    """Compute the content of reports/metrics.json.

    Args:
        held_out: columns split (validation or test), label (0 or 1), and the probabilities of label
            1: probability (the model's), network_probability (the network's alone) and
            baseline_probability.
        settings: number of bootstrap resamples, and number of bins of the calibration error.
        seed: seed of the bootstrap.

    Returns:
        The ``classification_figures`` of ``test`` (the model), ``network`` and ``baseline`` on
        test, and of ``validation`` (the model). ``majority``: the test accuracy of always
        predicting the more common label. ``difference`` and ``network_difference``: the
        ``accuracy_difference`` of model and of network from the baseline on test.
    """

    def figures(split: str, column: str) -> Figures:
        part = held_out.loc[held_out["split"] == split]
        labels, probabilities = part["label"].to_numpy(), part[column].to_numpy()
        return classification_figures(labels, probabilities, settings, seed)

    test = held_out.loc[held_out["split"] == "test"]
    positives = float(test["label"].mean())

    def difference(column: str) -> Figures:
        return accuracy_difference(
            *(test[name].to_numpy() for name in ("label", column, "baseline_probability")),
            samples=settings.bootstrap_samples,
            seed=seed,
        )

    return {
        "test": figures("test", "probability"),
        "network": figures("test", "network_probability"),
        "baseline": figures("test", "baseline_probability"),
        "validation": figures("validation", "probability"),
        "majority": {"accuracy": round(max(positives, 1 - positives), 6)},
        "difference": difference("probability"),
        "network_difference": difference("network_probability"),
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
