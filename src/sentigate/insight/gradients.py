"""Measure the norm of the loss's gradient at each token, by its distance from the text's end.

In a plain recurrent network, the derivative of the last state with respect to an earlier state is a
product of one Jacobian per step. Hochreiter (1991) and Bengio et al. (1994) show that it shrinks or
grows exponentially with the distance; Pascanu, Mikolov and Bengio (2013, eq. 5) write out the
product. This module measures the derivative by automatic differentiation of the cells in cells.py,
in float64.
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
"""Texts differentiated at once. All their steps are kept: 128 units and 400 tokens take 1 GB."""


def one_layer(architecture: Architecture, cell: str) -> Architecture:
    """Return an architecture with one layer of ``cell``, left to right, pooling ``last``.

    Its embedding size and hidden units are those of the first layer of ``architecture``. It has no
    dropout: networks made from it differ only in their cell.
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
    """Replace ids from ``entries`` on with the unknown id.

    These ids belong to words outside the training texts. A network without word vectors cannot
    learn anything about them.
    """
    return split._replace(ids=np.where(split.ids < entries, split.ids, UNKNOWN_ID))


def longest(split: EncodedSplit, texts: int, seed: int) -> EncodedSplit:
    """Return the longest rows of a split, at most ``texts``; ``seed`` breaks ties in length.

    Raises:
        DataError: The split has no rows.
    """
    if not len(split.lengths):
        raise DataError("there are no validation rows to measure on: raise split.validation_size")
    order = np.random.default_rng(seed).permutation(len(split.lengths))
    order = order[np.argsort(-split.lengths[order], kind="stable")][:texts]
    return split.take(order)


def before_and_after(
    architecture: Architecture,
    vocabulary_size: int,
    scores: int,
    training: EncodedSplit,
    validation: EncodedSplit,
    texts: EncodedSplit,
    params: TrainingParams,
    *,
    seed: int,
    scratch: Path,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> pd.DataFrame:
    """Train a network with ``fit``, and measure its gradient norms on ``texts`` before and after.

    The network has ``scores`` logits.

    Returns:
        The columns cell, state (``hidden`` or ``cell``) and trained (bool), followed by those of
        ``by_distance``; its rows for each state, before and after training.

    Raises:
        DataError: The loss did not stay finite.
    """
    untrained: list[Network] = []

    def make_network() -> Network:
        network = Network(architecture, vocabulary_size, scores)
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
    """Return the norms of the derivative of each text's loss with respect to its states.

    The derivative with respect to a state of step t is total: it passes through everything that
    is computed from this state. All other results of step t are held fixed.

    - ``hidden``, dL/dh_t, passes through step t+1 and, at the last token, through the head. In an
      LSTM, c_t is held fixed, so only the gates of step t+1 pass the derivative back.
    - ``cell``, dL/dc_t, only in an LSTM, passes through h_t = o_t * tanh(c_t), and through
      c_{t+1} = f_{t+1} * c_t + ..., the path that never leaves the cell state.

    Args:
        network: One layer of any cell, left to right, pooling ``last``. It is not changed.
        split: The texts. The loss of each text is the cross-entropy with its label, in nats.

    Returns:
        State -> (rows, T) float64, the Euclidean norm over hidden units. Column k holds the state k
        tokens before the last token, NaN from the text's length on; T is the longest length.
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
        # No text's loss depends on another text's states, so the sum has the same derivatives.
        if logits.shape[1] == 1:  # two classes
            loss = functional.binary_cross_entropy_with_logits(
                logits.squeeze(1), batch.labels.double(), reduction="sum"
            )
        else:
            loss = functional.cross_entropy(logits, batch.labels, reduction="sum")
        gradients = torch.autograd.grad(loss, [state for kind in states.values() for state in kind])
        for number, name in enumerate(states):
            kind = gradients[number * len(steps) : (number + 1) * len(steps)]
            from_the_end = layout.reverse(_norm(torch.stack(kind, dim=1)))
            values = from_the_end.masked_fill(~layout.mask, torch.nan).squeeze(2)[:, : shape[1]]
            whole = norms.setdefault(name, np.full(shape, np.nan))
            whole[batch.rows.numpy(), : values.shape[1]] = values.numpy()
    return norms


def by_distance(norms: Doubles) -> pd.DataFrame:
    """Summarise the norms at each distance, over the texts that are long enough.

    Args:
        norms: (rows, T), as ``gradient_norms`` returns them.

    Returns:
        A row per distance: distance, texts (int64), mean, median, p10, p90 (float64).
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
    """Return the first distance at which the median is at most ``share`` of that at distance 0.

    Args:
        curve: A table as ``by_distance`` returns it.
        share: Share of the median at the last token.

    Returns:
        A distance in tokens, or None if the median stays above that share.
    """
    faded = curve["distance"][curve["median"] <= share * curve["median"].iloc[0]]
    return None if faded.empty else int(faded.iloc[0])


def _readable(network: Network) -> Network:
    """Copy the network to float64, with cells that return every state for differentiation."""
    architecture = network.architecture.model_copy(update={"cell_from_scratch": True})
    vocabulary_size = len(network.encoder.embedding.weight)
    copy = Network.from_weights(architecture, vocabulary_size, network.state_dict())
    return copy.double()


def _norm(vectors: Tensor) -> Tensor:
    """Return the Euclidean norm, (..., H) -> (..., 1).

    The vectors are scaled first, because squares of numbers below 1e-162 underflow.
    """
    largest = vectors.abs().amax(-1, keepdim=True)
    scale = largest.where(largest > 0, 1.0)
    norms: Tensor = scale * (vectors / scale).norm(dim=-1, keepdim=True)
    return norms
