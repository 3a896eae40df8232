"""Models of params.yaml, perhaps changed, trained from a folder of padded_data as train does it."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sentigate.data.stage_files import read_table
from sentigate.data.vocabulary import read_tokenizer, tokens_of
from sentigate.data.word_vectors import read_vectors
from sentigate.model.network.batches import EncodedSplit, load_split
from sentigate.settings.model import ModelPreset
from sentigate.settings.params import load_params
from sentigate.training.classifier import Entries, Fitted, fit_classifier
from sentigate.training.fit import Epoch
from sentigate.training.hardware import Hardware

PARAMS = Path(__file__).parents[2] / "params.yaml"
Changes = Mapping[str, Any]
"""Dotted key of a model -> value, as ``network.word_dropout``."""


def changed(entry: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """A copy of a model's entry with other values at some keys.

    Raises:
        KeyError: the entry has no such key.
    """
    values = copy.deepcopy(dict(entry))
    for key, value in changes.items():
        *sections, last = key.split(".")
        section: Any = values
        for name in sections:
            section = section[name]
        if last not in section:
            raise KeyError(key)
        section[last] = value
    return values


def preset(name: str, changes: Changes | None = None) -> ModelPreset:
    """An entry of ``models:``, checked again with its changes."""
    entry = load_params(PARAMS).models[name].model_dump()
    return ModelPreset.model_validate(changed(entry, changes or {}))


def read_entries(folder: Path) -> Entries:
    """What the folder's token ids stand for."""
    vectors = read_vectors(folder / "vectors.safetensors")
    return Entries(tokens_of(read_tokenizer(folder / "tokenizer.json")), vectors)


def fold_groups(folder: Path) -> list[str]:
    """Of each training row."""
    rows = read_table(folder / "train/rows.parquet", ["fold_group"])
    groups: list[str] = rows["fold_group"].tolist()
    return groups


def train_preset(
    model: ModelPreset,
    folder: Path,
    *,
    hardware: Hardware,
    seed: int,
    validation: EncodedSplit | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Fitted:
    """Train on the folder's training rows; ``validation`` takes the place of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        return fit_classifier(
            model,
            read_entries(folder),
            load_split(folder / "train"),
            validation or load_split(folder / "validation"),
            fold_groups(folder),
            hardware=hardware,
            seed=seed,
            scratch=Path(scratch),
            on_epoch=lambda row, prefix: None if prefix else on_epoch(row),
        )
