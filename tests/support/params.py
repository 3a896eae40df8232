"""The settings of a small project: 600 rows, and a network that trains in two seconds."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml

from sentigate.settings.entry_files import entry_file, with_entries
from sentigate.settings.yaml_file import read_yaml

from .project import ROOT, SMALL_TABLE

TINY_MODEL = {
    "vocab": {
        "level": "glove",
        "min_count": 1,
        "max_size": 20_000,
        "order": "frequency",
    },
    "max_length": 32,
    "min_validation_mcc": -1.0,
    "network": {
        "embedding_size": 16,
        "cell": "lstm",
        "hidden_sizes": [16],
        "bidirectional": True,
        "pooling": "max",
        "word_dropout": 0.1,
    },
    "training": {
        "batch_size": 32,
        "max_epochs": 4,
        "monitor": "validation_loss",
        "learning_rate": 0.01,
        "learning_rate_decay": "linear",
        "weight_decay": 0.01,
        "gradient_clip": 1.0,
        "average_decay": 0.9,
        "fused": True,
    },
}


def read_values(folder: Path = ROOT) -> dict[str, Any]:
    """Return the values of params.yaml, with the files of datasets/ under ``datasets``."""
    values: dict[str, Any] = with_entries(read_yaml(folder / "params.yaml"), folder)
    return values


def tiny_values(folder: Path = ROOT) -> dict[str, Any]:
    """Return settings with a small table and a network that trains in two seconds.

    A network learns little from 600 rows, so the gates' minimum accuracies are low.
    """
    values = read_values(folder)
    values |= {"dataset": "csv", "model": "tiny"}
    values["models"] = {name: values["models"][name] for name in ("bilstm", "lstm")}
    values["models"]["tiny"] = copy.deepcopy(TINY_MODEL)
    csv = values["datasets"]["csv"]
    csv["source"] |= {
        "path": SMALL_TABLE,
        "id_column": "id",
        "group_column": "document",
        "slice_column": "source",
    }
    csv["gates"] = {"min_rows": 100, "min_test_accuracy": 0.3}
    values["gates"] |= {"min_baseline_mcc": -1.0, "max_balance_difference": 0.1}
    values["evaluate"]["bootstrap_samples"] = 100
    return values


def write_values(values: dict[str, Any], folder: Path) -> None:
    """Write params.yaml, and the values under ``datasets``, if any, as files of datasets/."""
    unshared = json.loads(json.dumps(values))  # otherwise YAML writes repeated values as anchors
    entries = unshared.pop("datasets", {})
    (folder / "datasets").mkdir(exist_ok=True)
    for file, content in [
        (folder / "params.yaml", unshared),
        *((folder / entry_file(name), entry) for name, entry in entries.items()),
    ]:
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        file.write_text(text, encoding="utf-8")


def file_and_key(name: str) -> tuple[str, str]:
    """Split a parameter's name, as in ``dvc exp run -S``, into its file and dotted key."""
    file, _, key = name.rpartition(":")
    return file or "params.yaml", key


def set_value(values: dict[str, Any], key: str, value: object) -> None:
    """Set a dotted key."""
    *sections, last = key.split(".")
    for section in sections:
        values = values[section]
    values[last] = value
