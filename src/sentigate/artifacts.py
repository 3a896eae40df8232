"""The outputs of each stage: paths relative to the project's folder, and the order of the stages.

This file only names them. The stages in pipeline/ write the outputs, data/stage_files.py and
data/training_files.py read them, and tests/test_artifacts.py compares this file with dvc.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from .model.model_files import LINEAR_FILES, NETWORK_WEIGHTS


class Table(NamedTuple):
    """A table in a file; its suffix says whether it is Parquet or CSV.

    Attributes:
        path: Path relative to the project's folder.
        columns: Name -> dtype, as pandas reads the column.
    """

    path: Path
    columns: Mapping[str, str]


# ingest

_TEXT = {"id": "str", "group": "str", "slice": "str"}
RAW_TEXTS = Table(
    Path("data/raw/texts.parquet"),
    {**_TEXT, "sentiment": "str", "text": "str", "fold": "str", "date": "str"},
)

# clean

CLEAN_TEXTS = Table(
    Path("data/clean/texts.parquet"),
    {**_TEXT, "fold": "str", "date": "str", "label": "int8", "text": "str"},
)
CONFLICTS = Table(
    Path("data/clean/conflicts.parquet"), {"id": "str", "label": "int8", "text": "str"}
)
"""The rows whose text has several labels, before they are dropped."""
CLEAN_REPORT = Path("reports/clean.json")
"""How many rows each rule dropped, in total and from each published fold; and how many rows
corrections.csv relabelled."""

# split

SPLIT_TEXTS = Table(Path("data/split/texts.parquet"), {**CLEAN_TEXTS.columns, "split": "str"})
SPLIT_REPORT = Path("reports/split.json")
"""Sizes, balance, leakage and near-copies."""

# vocab

VOCAB_TOKENIZER = Path("data/vocab/tokenizer.json")
WORD_VECTORS = Path("data/vocab/vectors.safetensors")
"""A row for each entry of the vocabulary; the width is 0 without word vectors."""
VOCAB_REPORT = Path("reports/vocab.json")

# pad

PADDED = Path("data/padded")
"""A folder for each split, with ids.npy (rows, max_length), lengths.npy (rows,) int32, labels.npy
(rows,) int8 and ``padded_rows``."""
READING = PADDED / "reading.json"
"""max_length, and how many of these tokens come from the end of a longer text."""
PAD_REPORT = Path("reports/pad.json")
"""``READING``, and how much of each split the network does not read."""


def padded_rows(split: str) -> Table:
    """Return the table of the ids of a padded split's rows."""
    return Table(PADDED / split / "rows.parquet", {"id": "str"})


# baseline

LINEAR_MODEL = Path("data/baseline")
BASELINE_REPORT = Path("reports/baseline.json")
BASELINE_PREDICTIONS = Table(
    Path("reports/baseline_predictions.parquet"), {"id": "str", "split": "str", "label": "int8"}
)
"""It also has float32 columns ``logit_k`` for each logit, and ``probability_k`` for each class."""
DATA_PAGE = Path("reports/data.html")
SUSPECTS = Path("reports/suspects.csv")
"""Suspect labels, as lines to copy into a corrections.csv."""

# train

TRAINED_MODEL = Path("models")
TRAINED_WEIGHTS = TRAINED_MODEL / NETWORK_WEIGHTS
EPOCHS = Table(
    Path("reports/training.csv"),
    {
        "epoch": "int64",
        "train_loss": "float64",
        "validation_loss": "float64",
        "validation_accuracy": "float64",
        "kept": "int64",
    },
)

# evaluate

METRICS_REPORT = Path("reports/metrics.json")
PREDICTIONS = Table(
    Path("reports/predictions.parquet"),
    {
        "id": "str",
        "split": "str",
        "slice": "str",
        "label": "int8",
        "predicted": "int8",
        "network_predicted": "int8",
        "baseline_predicted": "int8",
    },
)
"""It also has float32 columns ``probability_k``, ``network_probability_k`` and
``baseline_probability_k`` for each class."""
SLICES = Path("reports/slices.csv")
FAILURES = Path("reports/failures.csv")
BEHAVIOUR = Path("reports/behaviour.csv")
REPORT = Path("reports/report.html")
PLOTS = Path("reports/plots")
CONFUSION = Table(PLOTS / "confusion.csv", {"actual": "str", "predicted": "str"})
ROC = Table(PLOTS / "roc.csv", {"fpr": "float64", "tpr": "float64", "baseline_tpr": "float64"})
PRECISION_RECALL = Table(
    PLOTS / "precision_recall.csv",
    {"recall": "float64", "precision": "float64", "baseline_precision": "float64"},
)
CALIBRATION = Table(
    PLOTS / "calibration.csv",
    {
        "low": "float64",
        "high": "float64",
        "mean_probability": "float64",
        "positives": "float64",
        "rows": "int64",
    },
)
DVC_PLOTS = (EPOCHS, CONFUSION, ROC, PRECISION_RECALL, CALIBRATION)
"""The tables that ``dvc plots`` draws."""

# register

REGISTRATION = Path("reports/registration.json")

# all

GATES, FAILED = Path("reports/gates"), Path("reports/failed")
"""Folders of the gates' verdicts, <stage>.json and <stage>.html. A gate that fails writes to
FAILED, which is not an output of any stage."""
OUTPUTS = {
    "ingest": (RAW_TEXTS.path,),
    "clean": (CLEAN_TEXTS.path, CONFLICTS.path, CLEAN_REPORT),
    "split": (SPLIT_TEXTS.path, SPLIT_REPORT),
    "vocab": (VOCAB_TOKENIZER, WORD_VECTORS, VOCAB_REPORT),
    "pad": (PADDED, PAD_REPORT),
    "baseline": (
        *(LINEAR_MODEL / name for name in LINEAR_FILES),
        BASELINE_REPORT,
        BASELINE_PREDICTIONS.path,
        DATA_PAGE,
        SUSPECTS,
    ),
    "train": (TRAINED_MODEL, EPOCHS.path),
    "evaluate": (
        PREDICTIONS.path,
        SLICES,
        FAILURES,
        BEHAVIOUR,
        PLOTS,
        REPORT,
        METRICS_REPORT,
    ),
    "register": (REGISTRATION,),
}
"""Stage -> its outputs, except its gate's verdict; the stages are in their order."""
STAGES = tuple(OUTPUTS)
