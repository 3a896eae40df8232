"""The LSTM at inference: the network's own answers, but for rounding, with half the arithmetic.

A token's vector is the same wherever it stands, so the first layer's W x + b is computed once for
each distinct token of all texts, not at every place. And with the longest text first, each time
step runs over the texts that have not ended (as packed sequences do), so padding costs nothing.
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
    """Whether ``FastLSTM`` can stand for a network of this shape."""
    return (
        architecture.cell == "lstm"
        and not architecture.cell_from_scratch
        and architecture.convolution is None
        and not architecture.reads_padding
    )


class DirectionWeights(NamedTuple):
    """One direction's weights; gates in the order i, f, o, g, so that one call squashes three.

    Attributes:
        inputs: (F, 4H), W_ih transposed.
        bias: (4H,), both biases.
        hidden: (H, 4H), W_hh transposed.
    """

    inputs: Tensor
    bias: Tensor
    hidden: Tensor


class FastLSTM:
    """Takes the place of ``network`` for texts out of ``ids``, and keeps none of its weights.

    Args:
        network: in eval mode, on the CPU, of a shape that ``has_fast_path``.
        ids: token ids of all texts that it will be asked about, (rows, T).
    """

    def __init__(self, network: Network, ids: npt.NDArray[np.integer]) -> None:
        self.network = network
        self.layers = [_directions(cast("Layer", layer)) for layer in network.encoder.layers]
        embedding = network.encoder.embedding.weight
        seen = np.zeros(len(embedding), dtype=bool)
        for start in range(0, len(ids), 4096):  # an index is a copy, four times as wide
            seen[ids[start : start + 4096]] = True
        self.places = torch.from_numpy(np.cumsum(seen) - 1)  # (V,), of each id among those seen
        vectors = embedding[torch.from_numpy(seen)]
        self.tables = [vectors @ way.inputs + way.bias for way in self.layers[0]]

    def __call__(self, inputs: Inputs) -> Tensor:
        """Logits, (B,), of texts whose shortest is first, as ``Batches`` has them."""
        ids, lengths = (values.flip(0) for values in inputs)
        count, width = ids.shape
        places = self.places[ids.T.contiguous()]
        running = (lengths > torch.arange(width).unsqueeze(1)).sum(1).tolist()
        below: Tensor | None = None  # (T, B, F): the layer below; the first has tables
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
                    if before is not None:  # zero where a text begins, from its right end
                        gates.addmm_(before[:rows], way.hidden)
                    _step(gates, cell[:rows], out[step, :rows])
                    before = out[step]
            below = states
        assert below is not None
        logits = self.network.decide(below.transpose(0, 1), PaddedLayout(lengths, width))
        return logits.flip(0)


def _step(gates: Tensor, cell: Tensor, out: Tensor) -> None:
    """One step: c = f * c + i * g and h = o * tanh(c), into ``cell`` and ``out``, all (rows, H)."""
    size = cell.shape[1]
    gates[:, : 3 * size].sigmoid_()
    keep, forget, show, new = gates.chunk(4, dim=1)
    new.tanh_()
    cell.mul_(forget).addcmul_(keep, new)
    torch.tanh(cell, out=out)
    out.mul_(show)


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
