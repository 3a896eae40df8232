"""How much of the loss's gradient reaches a token, by its distance from the end of the text.

Hochreiter (1991) and Bengio et al. (1994) show that in a plain recurrent network the derivative
of the last state with respect to an earlier one, a product of a Jacobian per step, shrinks or grows
exponentially with the distance; Pascanu, Mikolov and Bengio (2013, eq. 5) write that product out.
Here the derivative is measured, by automatic differentiation of the cells in cells.py, in float64.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from sentigate.errors import DataError
from sentigate.model.network.architecture import Architecture
from sentigate.model.network.batches import Batches, EncodedSplit
from sentigate.model.network.cells import LSTMStep, Recurrence
from sentigate.model.network.network import Layer, Network
from sentigate.model.network.padded_layout import PaddedLayout
from sentigate.model.text.encoding import UNKNOWN_ID
from sentigate.settings.model import TrainingParams
from sentigate.training.best_epoch import Epoch
from sentigate.training.engine import fit

Doubles = npt.NDArray[np.float64]
BATCH_SIZE = 64
"""Texts differentiated at once; every step of each is kept: 128 units, 400 tokens take 1 GB."""


def one_layer(architecture: Architecture, cell: str) -> Architecture:
    """One layer of ``cell``, read left to right, judged by the state at the text's last token.

    Embedding size and hidden units are those nearest the text in ``architecture``. There is no
    dropout, so that networks differ in their cell alone.
    """
    values: dict[str, Any] = {
        "embedding_size": architecture.embedding_size,
        "convolution": None,
        "cell": cell,
        "cell_from_scratch": False,
        "hidden_sizes": architecture.hidden_sizes[:1],
        "bidirectional": False,
        "pooling": "last",
        "word_dropout": 0.0,
        "embedding_dropout": 0.0,
        "layer_dropout": 0.0,
        "head_dropout": 0.0,
    }
    return Architecture(**values)


def only_trained(split: EncodedSplit, entries: int) -> EncodedSplit:
    """The same texts; ids from ``entries`` on, words of no training text, become unknown.

    A network that starts without word vectors can learn nothing of them.
    """
    return split._replace(ids=np.where(split.ids < entries, split.ids, UNKNOWN_ID))


def longest(split: EncodedSplit, texts: int, seed: int) -> EncodedSplit:
    """The longest rows of a split, at most ``texts``; ``seed`` decides among equally long ones.

    Raises:
        DataError: the split has no rows.
    """
    if not len(split.lengths):
        raise DataError("there are no validation rows to measure on: raise split.validation_size")
    order = np.random.default_rng(seed).permutation(len(split.lengths))
    order = order[np.argsort(-split.lengths[order], kind="stable")][:texts]
    return split.take(order)


def before_and_after(
    architecture: Architecture,
    vocabulary_size: int,
    training: EncodedSplit,
    validation: EncodedSplit,
    texts: EncodedSplit,
    params: TrainingParams,
    *,
    seed: int,
    scratch: Path,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> pd.DataFrame:
    """Train a network as ``fit`` does, and measure it on ``texts`` before and after.

    Returns:
        The rows of ``by_distance`` for each moment and state, behind the columns cell, state
        (``hidden`` or ``cell``) and trained (bool).

    Raises:
        DataError: training diverged.
    """
    untrained: list[Network] = []

    def make_network() -> Network:
        network = Network(architecture, vocabulary_size)
        untrained.append(copy.deepcopy(network))
        return network

    weights, _ = fit(
        make_network,
        training,
        validation,
        params,
        seed=seed,
        scratch=scratch,
        on_epoch=on_epoch,
    )
    if not weights:
        raise DataError(
            f"the {architecture.cell}'s loss did not stay finite: lower its learning_rate"
        )
    network = untrained[0]
    curves = []
    for trained in (False, True):
        if trained:
            network.load_state_dict(weights)
        for state, norms in gradient_norms(network, texts).items():
            moment = {"cell": architecture.cell, "state": state, "trained": trained}
            curves.append(by_distance(norms).assign(**moment))
    table = pd.concat(curves, ignore_index=True)
    return table[["cell", "state", "trained", *curves[0].columns[:-3]]]


def gradient_norms(network: Network, split: EncodedSplit) -> dict[str, Doubles]:
    """Norms of the derivative of each text's loss with respect to its states.

    The derivative with respect to a state of step t is total: it passes through everything that
    is computed from that state, and whatever else step t computes is held fixed.

    - ``hidden``, dL/dh_t: through step t+1 and, at the last token, the head. An LSTM's c_t is
      held fixed, so this is what comes back through the gates of step t+1.
    - ``cell``, dL/dc_t, of an LSTM: through h_t = o_t * tanh(c_t), and through
      c_{t+1} = f_{t+1} * c_t + ..., the path that never leaves the cell state.

    Args:
        network: one layer of any cell, left to right, pooling ``last``; it is not changed.
        split: the texts; the loss of each is the binary cross-entropy with its label, in nats.

    Returns:
        State -> (rows, T) float64, the Euclidean norm over hidden units. Column k is the state k
        tokens before the text's last, NaN from the text's length on; T is the longest length.
    """
    network = _readable(network)
    layer = network.encoder.layers[0]
    assert isinstance(layer, Layer)
    assert isinstance(layer.left_to_right, Recurrence)
    shape = len(split.lengths), int(split.lengths.max())
    norms: dict[str, Doubles] = {}
    for batch in Batches(split, BATCH_SIZE):
        ids, lengths = batch.inputs
        layout = PaddedLayout(lengths, ids.shape[1])
        steps = layer.left_to_right.steps(network.encoder.embedding(ids))
        states = {"hidden": [step.hidden for step in steps]}
        if cells := [step.cell for step in steps if isinstance(step, LSTMStep)]:
            states["cell"] = cells
        logits = network.decide(torch.stack(states["hidden"], dim=1), layout)
        # A text's states are in no other text's loss: the sum's derivative is each one's own.
        loss = functional.binary_cross_entropy_with_logits(
            logits, batch.labels.double(), reduction="sum"
        )
        gradients = torch.autograd.grad(loss, [state for kind in states.values() for state in kind])
        for number, name in enumerate(states):
            kind = gradients[number * len(steps) : (number + 1) * len(steps)]
            from_the_end = layout.reverse(_norm(torch.stack(kind, dim=1)))
            values = from_the_end.masked_fill(~layout.mask, torch.nan).squeeze(2)[:, : shape[1]]
            whole = norms.setdefault(name, np.full(shape, np.nan))
            whole[batch.rows.numpy(), : values.shape[1]] = values.numpy()
    return norms


def by_distance(norms: Doubles) -> pd.DataFrame:
    """A row per distance from the last token, over the texts that reach that far back.

    Args:
        norms: (rows, T), as ``gradient_norms`` gives them.

    Returns:
        distance, texts (int64), mean, median, p10, p90 (float64).
    """
    low, middle, high = np.nanquantile(norms, (0.1, 0.5, 0.9), axis=0)
    return pd.DataFrame(
        {
            "distance": np.arange(norms.shape[1]),
            "texts": (~np.isnan(norms)).sum(axis=0),
            "mean": np.nanmean(norms, axis=0),
            "median": middle,
            "p10": low,
            "p90": high,
        }
    )


def fades_at(curve: pd.DataFrame, share: float = 0.01) -> int | None:
    """The first distance at which the median is at most ``share`` of the one at distance 0.

    Args:
        curve: as ``by_distance`` gives it.
        share: of the median at the text's last token.

    Returns:
        A distance in tokens, or None where no text is that long.
    """
    faded = curve["distance"][curve["median"] <= share * curve["median"].iloc[0]]
    return None if faded.empty else int(faded.iloc[0])


def _readable(network: Network) -> Network:
    """The same network in float64, with cells that give every state for differentiation."""
    architecture = network.architecture.model_copy(update={"cell_from_scratch": True})
    vocabulary_size = len(network.encoder.embedding.weight)
    copy = Network.from_weights(architecture, vocabulary_size, network.state_dict())
    return copy.double()


def _norm(vectors: Tensor) -> Tensor:
    """(..., H) -> (..., 1); scaled first, since squares of numbers below 1e-162 underflow."""
    largest = vectors.abs().amax(-1, keepdim=True)
    scale = largest.where(largest > 0, 1.0)
    norms: Tensor = scale * (vectors / scale).norm(dim=-1, keepdim=True)
    return norms
