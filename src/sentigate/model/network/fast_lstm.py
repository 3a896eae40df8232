"""The LSTM at inference: the network's answers, except for rounding, with half the arithmetic.

A token has the same vector at every position. So the first layer's W x + b is computed once for
each distinct token of all texts. The longest text comes first, and each time step runs only over
the texts that have not ended, as in packed sequences. So padding costs nothing.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from .architecture import Architecture
from .inputs import Inputs
from .network import Layer, Network
from .padded_layout import PaddedLayout


def has_fast_path(architecture: Architecture) -> bool:
    """Return whether ``FastLSTM`` can replace a network of this architecture."""
    return (
        architecture.cell == "lstm"
        and not architecture.cell_from_scratch
        and architecture.convolution is None
        and not architecture.reads_padding
    )


class DirectionWeights(NamedTuple):
    """One direction's weights. The gates' order i, f, o, g lets one sigmoid call cover three.

    Attributes:
        inputs: (F, 4H), W_ih transposed.
        bias: (4H,), both biases.
        hidden: (H, 4H), W_hh transposed.
    """

    inputs: Tensor
    bias: Tensor
    hidden: Tensor


class FastLSTM:
    """Replaces ``network`` for texts out of ``ids``, as long as its weights do not change.

    Args:
        network: network in eval mode, on the CPU, whose architecture ``has_fast_path``.
        ids: token ids of all texts to predict, (rows, T).
    """

    def __init__(self, network: Network, ids: npt.NDArray[np.integer]) -> None:
        self.network = network
        self.layers = [_directions(cast("Layer", layer)) for layer in network.encoder.layers]
        embedding = network.encoder.embedding.weight
        seen = np.zeros(len(embedding), dtype=bool)
        for start in range(0, len(ids), 4096):  # indexing copies the ids, four times as wide
            seen[ids[start : start + 4096]] = True
        self.places = torch.from_numpy(np.cumsum(seen) - 1)  # (V,), id -> row of the tables
        vectors = embedding[torch.from_numpy(seen)]
        self.tables = [vectors @ way.inputs + way.bias for way in self.layers[0]]

    def __call__(self, inputs: Inputs) -> Tensor:
        """Return logits, (B, S), of texts sorted by length, as ``Batches`` sorts them."""
        ids, lengths = (values.flip(0) for values in inputs)
        count, width = ids.shape
        places = self.places[ids.T.contiguous()]
        running = (lengths > torch.arange(width).unsqueeze(1)).sum(1).tolist()
        below: Tensor | None = None  # (T, B, F), output of the layer below; the first has tables
        for ways in self.layers:
            size = ways[0].hidden.shape[0]
            states = torch.zeros(width, count, size * len(ways))
            for number, way in enumerate(ways):
                out = states[:, :, number * size : (number + 1) * size]
                cell = torch.zeros(count, size)
                steps = [step for step in range(width) if running[step]]
                before: Tensor | None = None
                for step in reversed(steps) if number else steps:
                    rows = running[step]
                    if below is None:
                        gates = self.tables[number].index_select(0, places[step, :rows])
                    else:
                        gates = torch.addmm(way.bias, below[step, :rows], way.inputs)
                    if before is not None:  # zeros for a text that begins here, at its end
                        gates.addmm_(before[:rows], way.hidden)
                    _step(gates, cell[:rows], out[step, :rows])
                    before = out[step]
            below = states
        assert below is not None
        logits = self.network.decide(below.transpose(0, 1), PaddedLayout(lengths, width))
        return logits.flip(0)


def _step(gates: Tensor, cell: Tensor, out: Tensor) -> None:
    """Write c = f * c + i * g to ``cell`` and h = o * tanh(c) to ``out``, both (rows, H)."""
    size = cell.shape[1]
    gates[:, : 3 * size].sigmoid_()
    input_, forget, output, candidate = gates.chunk(4, dim=1)
    candidate.tanh_()
    cell.mul_(forget).addcmul_(input_, candidate)
    torch.tanh(cell, out=out)
    out.mul_(output)


def _directions(layer: Layer) -> list[DirectionWeights]:
    ways = (layer.left_to_right, layer.right_to_left)
    return [_direction(way) for way in ways if isinstance(way, nn.LSTM)]


def _direction(lstm: nn.LSTM) -> DirectionWeights:
    def reordered(weights: Tensor) -> Tensor:
        i, f, g, o = weights.chunk(4)
        return torch.cat((i, f, o, g))

    inputs, hidden, *biases = lstm.all_weights[0]
    return DirectionWeights(
        inputs=reordered(inputs).T.contiguous(),
        bias=reordered(biases[0] + biases[1]),
        hidden=reordered(hidden).T.contiguous(),
    )
