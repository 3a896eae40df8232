"""Train models of params.yaml, with optional changes, on a folder from padded_data."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sentigate.data.word_vectors import WordVectors, read_vectors
from sentigate.language.pretraining import pretrain
from sentigate.model.answers import Logits
from sentigate.model.labels import BINARY
from sentigate.model.network.batches import EncodedSplit, load_split
from sentigate.settings.model import ModelPreset
from sentigate.settings.params import load_params
from sentigate.training.best_epoch import Epoch
from sentigate.training.hardware import Hardware
from sentigate.training.train_model import Trained, train_model

PARAMS = Path(__file__).parents[2] / "params.yaml"
Changes = Mapping[str, Any]
"""Dotted key of a model, such as ``network.word_dropout`` -> value."""


def changed(entry: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Copy the entry of a model with changed values.

    Raises:
        KeyError: The entry has no such key.
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
    """Return an entry of ``models:``, checked again with its changes."""
    entry = load_params(PARAMS).models[name].model_dump()
    return ModelPreset.model_validate(changed(entry, changes or {}))


def train_preset(
    model: ModelPreset,
    folder: Path,
    *,
    hardware: Hardware,
    seed: int,
    vectors: WordVectors | None = None,
    train: EncodedSplit | None = None,
    validation: EncodedSplit | None = None,
    linear: Logits | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Trained:
    """Train on the folder's training rows.

    ``vectors``, ``train`` and ``validation`` take the place of the folder's own; ``linear`` is as
    ``train_model`` takes it.
    """
    vectors = vectors or read_vectors(folder / "vectors.safetensors")
    train = train or load_split(folder / "train")
    validation = validation or load_split(folder / "validation")
    with tempfile.TemporaryDirectory() as scratch:
        language_model = pretrain(
            model.network,
            len(vectors.values),
            train,
            validation,
            model.training.pretraining,
            hardware=hardware,
            seed=seed,
            scratch=Path(scratch),
        )
        return train_model(
            model,
            BINARY,  # the data sets of the benchmarks have two classes
            vectors,
            train,
            validation,
            linear,
            language_model,
            hardware=hardware,
            seed=seed,
            scratch=Path(scratch),
            on_epoch=on_epoch,
        )
