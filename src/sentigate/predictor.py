"""From raw strings to probabilities, with all that a model carries.

This file and the ones it imports travel inside each registered model as the package
``sentigate_model``, so they import nothing but each other and third parties.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file

from .architecture import Architecture
from .batching import Batches, Split
from .cleaning import make_cleaner
from .cleaning_steps import CleaningSteps
from .network import Network
from .padding import pad_texts

BATCH_SIZE = 256


def load_network(folder: Path) -> Network:
    """The network in ``folder``: model.json and weights.safetensors, as train writes them."""
    model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    network = Network(Architecture(**model["network"]), model["vocabulary_size"])
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    return network.eval()


@torch.inference_mode()
def predict(network: Network, split: Split) -> npt.NDArray[np.float32]:
    """P(positive) of every row: (rows,) float32, in the split's order."""
    network.eval()
    probabilities = np.empty(len(split.lengths), dtype=np.float32)
    full_width = network.architecture.reads_padding
    for batch in Batches(split, BATCH_SIZE, full_width=full_width):
        probabilities[batch.rows.numpy()] = network(batch.ids, batch.lengths).sigmoid().numpy()
    return probabilities


class Predictor:
    """Cleaning, tokenizer and network of one model.

    Loaded from a folder that holds cleaning.json, tokenizer.json, model.json and
    weights.safetensors.
    """

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        cleaning: dict[str, Any] = json.loads((folder / "cleaning.json").read_text("utf-8"))
        model: dict[str, Any] = json.loads((folder / "model.json").read_text("utf-8"))
        self.clean = make_cleaner(CleaningSteps(**cleaning))
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.max_length: int = model["max_length"]
        self.network = load_network(folder)

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """P(positive) of raw texts: (texts,) float32. An empty text is one unknown token."""
        padded = pad_texts(self.tokenizer, [self.clean(text) for text in texts], self.max_length)
        unlabelled = np.zeros(len(texts), dtype=np.int8)
        return predict(self.network, Split(padded.ids, padded.lengths, unlabelled))
