"""The params.yaml of a small project: 600 rows, and a network that trains in two seconds."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml

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


def tiny_values(path: Path = ROOT / "params.yaml") -> dict[str, Any]:
    """Return a params.yaml with a small table and a network that trains in two seconds.

    A network learns little from 600 rows, so the gates' minimum accuracies are low.
    """
    values: dict[str, Any] = read_yaml(path)
    values |= {"dataset": "csv", "model": "tiny"}
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


def write_values(values: object, folder: Path) -> None:
    unshared = json.loads(json.dumps(values))  # otherwise YAML writes repeated values as anchors
    text = yaml.safe_dump(unshared, sort_keys=False, allow_unicode=True)
    (folder / "params.yaml").write_text(text, encoding="utf-8")


def set_value(values: dict[str, Any], key: str, value: object) -> None:
    """Set a dotted key."""
    *sections, last = key.split(".")
    for section in sections:
        values = values[section]
    values[last] = value
