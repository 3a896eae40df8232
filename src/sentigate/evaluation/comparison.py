"""A model, its network, the linear baseline and the majority class on the same rows."""

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
    """What reports/metrics.json holds.

    Args:
        held_out: columns split (validation or test), label (0 or 1), and, each of label 1,
            probability (the model's), network_probability (the network's alone) and
            baseline_probability.
        settings: how often the bootstrap resamples, and the bins of the calibration error.
        seed: of the bootstrap.

    Returns:
        ``test`` (the model), ``network`` and ``baseline``, all on test, and ``validation`` (the
        model), each as ``classification_figures`` gives it, and ``majority``: the test accuracy of
        always predicting the commoner label. ``difference`` and ``network_difference``: those of
        model and of network from the baseline on test, as ``accuracy_difference`` gives them.
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
    """How well the language model predicts test texts, beside n-gram models.

    Args:
        saved: a classifier, perhaps with the language model that it started from.
        splits: train, validation and test.

    Returns:
        ``perplexity`` and what ``ngram_perplexities`` gives; None without a language model.
    """
    if saved.language_model is None:
        return None
    model = language_model_of(saved)
    return {
        "perplexity": round(perplexity(model, splits["test"]), 6),
        **ngram_perplexities(**splits, vocabulary_size=model.decoder.out_features),
    }
