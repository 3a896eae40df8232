"""Find suspect labels: labels that contradict a linear model, which was fitted on other rows.

Confident learning (Northcutt et al. 2021, "Confident Learning: Estimating Uncertainty in Dataset
Labels"). Each class has a threshold, the mean probability of the class over the rows with its
label. A label is suspect if the most probable class that reaches its threshold is another one. The
probabilities are out of fold: a row is judged by a model that has seen neither the row, nor its
group, nor a row with the same text.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.data.clusters import clusters_of
from sentigate.errors import DataError, counted
from sentigate.model.answers import Probabilities, confidences, probabilities
from sentigate.model.labels import Classes
from sentigate.model.text.encoding import Encoded
from sentigate.settings.baseline import LinearModelParams
from sentigate.settings.care import CareParams

from .folds import stratified_folds
from .linear_fit import PartOfTexts, TokenizedTexts, TrainingTexts, fit_linear, take

MODEL = LinearModelParams(
    word_ngrams=(1, 2), naive_bayes_smoothing=1.0, min_count=2, inverse_regularization=0.1
)
"""The judge: as good as the strongest baseline of vader here, and fitted in a fifth of a second."""
DECIMALS = 4
"""Probabilities are rounded before rows are ranked, so that last bits do not change the order."""
Rows = npt.NDArray[np.int64]


class Suspects(NamedTuple):
    """The suspect labels of a table.

    Attributes:
        table: columns id, split, slice, label, suggested (name of the most probable other class),
            probability (of the label's class), suggested_probability and text. The row with the
            least probable label comes first.
        judged: number of rows that were judged.
        notes: sentences about rows that were not judged.
    """

    table: pd.DataFrame
    judged: int
    notes: list[str]


def find_suspects(
    texts: pd.DataFrame,
    classes: Classes,
    settings: CareParams,
    seed: int,
    tokenized: tuple[TrainingTexts, Encoded] | None = None,
) -> Suspects:
    """Judge the labels of rows of all splits: a wrong label in the test split makes figures wrong.

    Args:
        texts: columns id, group, slice, split, text (str) and label (int8).
        classes: the classes; a label is the index of a name.
        settings: the number of folds, and the largest size of the judged texts.
        seed: seed of the sample, of the folds and of the solver.
        tokenized: texts whose tokenizer is used, and its token ids of ``texts``, which saves time;
            None: the judged texts have a tokenizer of their own.
    """
    clusters = clusters_of(texts)
    notes: list[str] = []
    lengths = np.asarray(texts["text"].str.len(), dtype=np.int64)
    chosen = _sample(clusters, lengths, settings.suspect_characters, seed)
    if len(chosen) < len(texts):
        notes.append(
            f"Of {counted(len(texts), 'row')}, {len(chosen):,} were chosen to be judged: a random "
            "sample of whole groups (care.suspect_characters)."
        )
    labels = texts["label"].to_numpy(dtype=np.int64)[chosen]
    folds = stratified_folds(labels, clusters[chosen], settings.suspect_folds, seed)
    judged = _in_several_folds(labels, folds, classes, notes)[labels]
    chosen, labels, folds = chosen[judged], labels[judged], folds[judged]
    known, labels = np.unique(labels, return_inverse=True)  # numbers of the classes -> 0, 1, ...
    rows, names = texts.iloc[chosen], [classes.names[label] for label in known]
    try:
        if len(known) < 2:
            raise DataError("this takes two classes with rows in two groups")
        known_labels, known_classes = labels.astype(np.int8), Classes(names=tuple(names))
        if tokenized is None:
            whole = TrainingTexts(rows["text"].tolist(), known_labels, known_classes)
        else:
            like, tokens = tokenized
            whole = TokenizedTexts(like, take(tokens, chosen), known_labels, known_classes)
        chances = out_of_fold(whole, folds, seed)
    except DataError as error:
        notes.append(f"No label was judged: {error}.")
        return Suspects(_table(rows.iloc[:0], labels[:0], np.empty((0, 2)), list("ab")), 0, notes)
    return Suspects(_table(rows, labels, chances, names), len(rows), notes)


def out_of_fold(whole: TrainingTexts, folds: Rows, seed: int) -> Probabilities:
    """Return the probabilities of each text, (texts, K), from models of the other folds.

    Args:
        whole: the texts; each class occurs in two folds or more.
        folds: (texts,) number of each text's fold.
        seed: seed of the solver.

    Raises:
        DataError: no n-gram is in enough texts.
    """
    chances = np.full((len(folds), whole.classes.count), np.nan, dtype=np.float32)
    for fold in np.unique(folds):
        held_out = np.flatnonzero(folds == fold)
        model = fit_linear(PartOfTexts(whole, np.flatnonzero(folds != fold)), MODEL, seed)
        chances[held_out] = probabilities(model.logits(*take(whole.tokens, held_out)))
    return chances


def label_issues(labels: Rows, chances: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.bool_]:
    """Return which labels are suspect, (rows,).

    cleanlab misses errors, and says nothing, if a probability is not a number. It takes a class
    without a label, or a column of zeros, for a class of errors. So neither may occur.

    Args:
        labels: (rows,) classes, 0 to K - 1; each occurs.
        chances: (rows, K) finite out-of-fold probabilities.
    """
    from cleanlab.filter import find_label_issues

    count = chances.shape[1]
    if not np.isfinite(chances).all():
        raise ValueError("a probability is missing or not finite")
    if not (chances > 0).any(axis=0).all() or set(labels.tolist()) != set(range(count)):
        raise ValueError("a class has no label, or no probability above 0")
    found: npt.NDArray[np.bool_] = find_label_issues(
        labels, chances, filter_by="confident_learning", n_jobs=1
    )
    return found


def _sample(clusters: Rows, lengths: Rows, most: int, seed: int) -> Rows:
    """Return indices of rows with ``most`` characters or a few less: whole clusters, at random."""
    of_cluster = np.bincount(clusters, lengths).astype(np.int64)
    order = np.random.default_rng(seed).permutation(len(of_cluster))
    chosen = np.zeros(len(order), dtype=bool)
    chosen[order[np.cumsum(of_cluster[order]) <= most]] = True
    return np.flatnonzero(chosen[clusters])


def _in_several_folds(
    labels: Rows, folds: Rows, classes: Classes, notes: list[str]
) -> npt.NDArray[np.bool_]:
    """Return which classes occur in two folds or more, (K,), and add a note about each other."""
    held = np.zeros((classes.count, int(folds.max(initial=0)) + 1), dtype=bool)
    held[labels, folds] = True
    several: npt.NDArray[np.bool_] = held.sum(axis=1) > 1
    for label in np.flatnonzero(~several):
        rows = counted(int((labels == label).sum()), "row")
        notes.append(
            f"The class {classes.names[label]} was not judged: its {rows} are in one group, so a "
            "model of the other groups does not know the class. Neither are these rows suspect, "
            "nor is a row that should be one of them."
        )
    return several


def _table(
    rows: pd.DataFrame, labels: Rows, chances: npt.NDArray[Any], names: list[str]
) -> pd.DataFrame:
    found = np.flatnonzero(label_issues(labels, chances)) if len(rows) else np.arange(0)
    rows, labels, chances = rows.iloc[found], labels[found], chances[found].astype(np.float64)
    others = chances.copy()
    others[np.arange(len(found)), labels] = -1.0
    suggested = others.argmax(axis=1)
    table = pd.DataFrame(
        {
            "id": rows["id"],
            "split": rows["split"],
            "slice": rows["slice"],
            "label": pd.array(names, dtype="str").take(labels),
            "suggested": pd.array(names, dtype="str").take(suggested),
            "probability": confidences(chances, labels).round(DECIMALS),
            "suggested_probability": confidences(chances, suggested).round(DECIMALS),
            "text": rows["text"],
        }
    )
    return table.sort_values("probability", kind="stable", ignore_index=True)
