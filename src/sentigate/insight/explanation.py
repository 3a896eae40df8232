"""Explain an answer: the contribution of each token, and the gates and states of every layer.

Through the network, a token contributes its integrated gradient (Sundararajan, Taly and Yan 2017,
eq. 1) on the straight path from a blank text, which is all padding, to the text itself. Where the
vector of padding is zero, the path starts at zero. Through the linear model, each n-gram adds a
known weight, which is divided evenly among its tokens. The contributions sum to the text's logit
minus the blank text's logit (completeness, their proposition 1), except for a remainder, the error
of numerical integration. All contributions are in units of the answer's logit: they include the
fusion's share and temperature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.cluster.hierarchy import leaves_list, linkage
from torch import Tensor, nn

from sentigate.model.fusion import probabilities
from sentigate.model.linear_model import LinearModel
from sentigate.model.network.architecture import Convolution
from sentigate.model.network.batches import Batch, Batches, EncodedSplit
from sentigate.model.network.cells import Recurrence
from sentigate.model.network.network import Layer, Network
from sentigate.model.network.padded_layout import PaddedLayout
from sentigate.model.predictor import Predictor, has_known_token
from sentigate.model.text.encoding import PAD_ID, UNKNOWN_ID, Encoded, encode_texts, read_places

FloatArray = npt.NDArray[np.floating[Any]]

TOLERANCE = 0.001
"""Largest error in the logit over the whole path; at most 0.00025 in probability."""
MAX_POINTS = 1024
"""Largest number of points on the path, even if the error is still above ``TOLERANCE``."""
BATCH = 32
MAX_REMAINDER = 0.01
"""An explanation adds up if its remainder is at most this many logits, or this share of the
difference between the answer's logit and the start."""
NARROW, ALIKE, STEEP, CANCELLING = 1e-5, 0.9999, 100.0, 50.0
"""When a step of the path holds a cliff: its width is below ``NARROW``; the slopes at its ends have
a cosine similarity above ``ALIKE``; both are more than ``STEEP`` times as steep as the median; and
the sizes of the slopes add up to less than ``CANCELLING`` times their sum."""
MAX_OPTIMAL_UNITS = 256
"""Most units that are put in the optimal order, whose cost grows with their cube. More units are
put in a good order."""


class Token(NamedTuple):
    """One token of the cleaned text.

    Attributes:
        before: White space that the tokenizer skipped before the token.
        text: The token's characters. Empty in a text without tokens. If several tokens share a
            character, only the last one has it, and the others are empty.
        unknown: Whether the token is missing from the vocabulary.
    """

    before: str
    text: str
    unknown: bool


class Ngram(NamedTuple):
    """A run of one or more tokens that has a weight in the linear model.

    Attributes:
        text: The n-gram in the cleaned text, at its first place.
        places: Position of its first token, from 0, at each place where it occurs.
        length: Number of tokens in the n-gram.
        share: Contribution to the logit, summed over all its places.
    """

    text: str
    places: tuple[int, ...]
    length: int
    share: float


class LayerStates(NamedTuple):
    """The gates and states of one layer in one direction.

    Attributes:
        layer: Number of the layer; 1 is nearest the text.
        direction: ``left to right`` or ``right to left``.
        units: (H,) int, the unit in each row; similar units are neighbours.
        parts: Name in cells.py -> gate or state, (H, columns) float32, in the order of cells.py.
            Column k belongs to token k of the text, in both directions.
    """

    layer: int
    direction: str
    units: npt.NDArray[np.int32]
    parts: dict[str, FloatArray]


@dataclass(frozen=True)
class Explanation:
    """An explanation of a model's answer to one text.

    Attributes:
        text: The text before cleaning.
        tokens: The T tokens that the network reads, at least one.
        left_out: Number of tokens of a long text that the network does not read. The linear model
            reads them.
        beyond: Contribution of these tokens to the logit.
        padding: Number of columns after the text, in a network that reads its padding.
        known: Whether the model knows any token of the text. If it knows none, it answers with its
            prior, the share of positive training texts: the prior is the start, and all
            contributions are zero.
        start: Logit of the blank text, which includes the linear model's bias.
        from_network: (T,) float64, contribution of each token through the network, in logits.
        from_ngrams: (T,) float64, contribution of each token through the linear model, in logits:
            an even part of the share of each n-gram that contains the token. Zeros without a linear
            model.
        ngrams: N-grams of the text that have a weight in the linear model, largest absolute share
            first. None without a linear model.
        logit: The model's logit for the text.
        probability: The model's probability of positive.
        running: (T,) float32, the model's probability of positive for the first 1, 2, … T tokens.
        cell: Cell of the recurrent layers, as ``Architecture`` names it.
        convolution: The convolution before the recurrent layers, or None. With a convolution, a
            layer reads windows; each step is shown at the tokens in the middle of its windows.
        layers: One entry per layer and direction: layer 1 first, left to right before right to
            left.
    """

    text: str
    tokens: tuple[Token, ...]
    left_out: int
    beyond: float
    padding: int
    known: bool
    start: float
    from_network: FloatArray
    from_ngrams: FloatArray
    ngrams: tuple[Ngram, ...] | None
    logit: float
    probability: float
    running: FloatArray
    cell: str
    convolution: Convolution | None
    layers: tuple[LayerStates, ...]

    @property
    def contributions(self) -> FloatArray:
        """(T,) float64, contribution of each token to the logit, through both parts."""
        return self.from_network + self.from_ngrams

    @property
    def remainder(self) -> float:
        """Error of integration: ``logit`` minus ``start``, contributions and ``beyond``."""
        return self.logit - self.start - float(self.contributions.sum()) - self.beyond

    @property
    def adds_up(self) -> bool:
        """Whether the remainder is small enough (``MAX_REMAINDER``)."""
        return abs(self.remainder) <= MAX_REMAINDER * max(1.0, abs(self.logit - self.start))


def explain(predictor: Predictor, text: str) -> Explanation:
    """Explain the answer to one raw text; an empty text counts as one unknown token."""
    network, linear, fusion = predictor.network, predictor.linear, predictor.fusion
    clean = predictor.clean(text)
    encoded = encode_texts(predictor.tokenizer, [clean])
    padded = predictor.pad(encoded)
    encoding = predictor.tokenizer.encode(clean)
    tokens = int(padded.lengths[0])
    full_width = network.architecture.reads_padding
    unlabelled = np.zeros(1, dtype=np.int8)
    (batch,) = Batches(
        EncodedSplit(padded.ids, padded.lengths, unlabelled), 1, full_width=full_width
    )
    columns = batch.inputs.ids.shape[1] if full_width else tokens
    all_tokens = _tokens(clean, encoding.offsets, encoding.ids)
    known = bool(has_known_token(padded.ids)[0])
    start = logit = float(predictor.logits(encoded, padded)[0])
    from_network: FloatArray = np.zeros(tokens)
    ngrams: tuple[Ngram, ...] | None = None if linear is None else ()
    if known:
        start, from_network = _integrated_gradients(network, batch, fusion.network_weight)
        if linear is not None:
            start += fusion.linear_weight * linear.bias
            ngrams = _ngrams(linear, fusion.linear_weight, encoded.ids, all_tokens)
    from_ngrams = _divide_among_tokens(ngrams or (), len(all_tokens))
    read = read_places(len(all_tokens), predictor.max_length, predictor.last_tokens)
    running = _running(predictor, encoded.ids[read])
    return Explanation(
        text=text,
        tokens=tuple(all_tokens[place] for place in read),
        left_out=len(all_tokens) - tokens,
        beyond=float(np.delete(from_ngrams, read).sum()),
        padding=columns - tokens,
        known=known,
        start=start,
        from_network=from_network[:tokens],
        from_ngrams=from_ngrams[read],
        ngrams=ngrams,
        logit=logit,
        probability=float(probabilities(np.array([logit]))[0]),
        running=running,
        cell=network.architecture.cell,
        convolution=network.architecture.convolution,
        layers=_layer_states(network, batch, columns),
    )


def _tokens(text: str, offsets: list[tuple[int, int]], ids: list[int]) -> tuple[Token, ...]:
    """Cut the cleaned text into tokens.

    Several byte-level tokens can share a character; the last of them gets it.
    """
    if not ids:
        return (Token("", "", True),)
    tokens, read = [], 0
    following = [begin for begin, _ in offsets[1:]] + [len(text)]
    for (begin, end), token_id, then in zip(offsets, ids, following, strict=True):
        piece = text[begin : min(end, then)]
        tokens.append(Token(text[read:begin], piece, token_id == UNKNOWN_ID))
        read = max(read, begin + len(piece))
    return tuple(tokens)


def _integrated_gradients(
    network: Network, batch: Batch, weight: float
) -> tuple[float, FloatArray]:
    """Integrate the gradients of the network, without the linear model.

    The trapezoid rule takes smaller steps where its error is largest. The error is known, because
    the contributions over a step must sum to the difference in logits. With max pooling, the
    gradient jumps at many places, and even steps would need ten times as many points.

    Over a long text, the logit itself can jump: a cell state flips to another value within one step
    of a 32-bit number. Near this cliff, the logit depends only on the distance from the edge.
    Therefore the slopes on both sides are steep and proportional to each other, and the jump is
    divided in proportion to them. A cliff without steep slopes beside it stays in the remainder.

    Returns:
        The blank text's logit, and the contribution of each position, (columns,) float64; both are
        multiplied by ``weight``.
    """
    ids, lengths = batch.inputs
    embedding = network.encoder.embedding
    with torch.no_grad():
        blank = embedding(torch.full_like(ids, PAD_ID))
        path = embedding(ids) - blank  # (1, columns, width)

    def at(shares: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (points,) and slopes (points, columns) at these shares of the path."""
        vectors = (blank + shares.view(-1, 1, 1) * path).requires_grad_()
        layout = PaddedLayout(lengths.expand(len(shares)), vectors.shape[1])
        logits = weight * network.decide(*network.encoder.read(vectors, layout))
        (gradients,) = torch.autograd.grad(logits.sum(), vectors)
        found = (gradients * path).sum(2).double()  # on a cliff, 32 bits may overflow
        return logits.detach().double(), found.nan_to_num(0.0, 0.0, 0.0)

    shares = torch.linspace(0, 1, BATCH + 1)
    logits, slopes = at(shares)
    while True:
        widths = shares.double().diff()
        pieces = widths.unsqueeze(1) * (slopes[1:] + slopes[:-1]) / 2
        cliffs, proportions = _cliffs(widths, slopes)
        rises = logits.diff()
        pieces[cliffs] = rises[cliffs].unsqueeze(1) * proportions[cliffs]
        errors = (rises - pieces.sum(1)).abs()
        worse_than_nothing = (widths < NARROW) & (errors > rises.abs().clamp(min=MAX_REMAINDER))
        pieces[worse_than_nothing] = 0.0  # slopes beside a cliff can reach 1e30
        errors = (rises - pieces.sum(1)).abs()
        if errors.sum() < TOLERANCE or len(shares) + BATCH > MAX_POINTS:
            return logits[0].item(), pieces.sum(0).numpy()
        worst = errors.topk(BATCH).indices
        middles = (shares[worst] + shares[worst + 1]) / 2
        more_logits, more_slopes = at(middles)
        shares, order = torch.cat((shares, middles)).sort()
        logits = torch.cat((logits, more_logits))[order]
        slopes = torch.cat((slopes, more_slopes))[order]


def _cliffs(widths: Tensor, slopes: Tensor) -> tuple[Tensor, Tensor]:
    """Find the steps that hold a cliff, and each token's part of the jump.

    Args:
        widths: (steps,), widths of the steps as shares of the path.
        slopes: (steps + 1, columns), slopes at the ends of the steps.

    Returns:
        (steps,) bool, True where the step holds a cliff; and (steps, columns), the parts of the
        tokens, which sum to 1 in the rows of those steps.
    """
    before, after = slopes[:-1], slopes[1:]
    alike = nn.functional.cosine_similarity(before, after).abs() > ALIKE
    steepness = slopes.abs().sum(1)
    steep = torch.minimum(steepness[:-1], steepness[1:]) > STEEP * steepness.median()
    slope = torch.where((steepness[1:] > steepness[:-1]).unsqueeze(1), after, before)
    total = slope.sum(1)
    clear = total.abs() * CANCELLING > slope.abs().sum(1)
    cliffs = (widths < NARROW) & alike & steep & clear
    return cliffs, slope / torch.where(clear, total, 1.0).unsqueeze(1)


def _ngrams(
    linear: LinearModel, weight: float, ids: npt.NDArray[np.int64], tokens: tuple[Token, ...]
) -> tuple[Ngram, ...]:
    """Return the n-grams of a text that the linear model knows, each share times ``weight``."""

    def text(place: int, length: int) -> str:
        run = "".join(token.before + token.text for token in tokens[place : place + length])
        return run.removeprefix(tokens[place].before)

    found: dict[tuple[int, ...], tuple[set[int], float]] = {}
    # A token can come twice: with its own share, and with the share of its characters.
    for known in linear.contributions(ids):
        ngram = tuple(ids[known.places[0] : known.places[0] + known.length].tolist())
        places, share = found.get(ngram, (set(), 0.0))
        found[ngram] = places | set(known.places), share + weight * known.logit
    ngrams = [
        Ngram(text(min(places), len(ngram)), tuple(sorted(places)), len(ngram), share)
        for ngram, (places, share) in found.items()
    ]
    return tuple(sorted(ngrams, key=lambda ngram: -abs(ngram.share)))


def _divide_among_tokens(ngrams: tuple[Ngram, ...], tokens: int) -> FloatArray:
    """Divide each n-gram's share evenly among its tokens; return (tokens,) float64."""
    contributions = np.zeros(tokens)
    for ngram in ngrams:
        for place in ngram.places:
            part = ngram.share / len(ngram.places) / ngram.length
            contributions[place : place + ngram.length] += part
    return contributions


def _running(predictor: Predictor, ids: npt.NDArray[np.int64]) -> FloatArray:
    """Return the probability of positive for the first 1, 2, … tokens, (tokens,) float32."""
    lengths = np.arange(1, len(ids) + 1)
    beginnings = np.concatenate([ids[:length] for length in lengths])
    encoded = Encoded(beginnings, np.concatenate(([0], np.cumsum(lengths))))
    padded = predictor.pad(encoded)
    return probabilities(predictor.logits(encoded, padded))


@torch.inference_mode()
def _layer_states(network: Network, batch: Batch, columns: int) -> tuple[LayerStates, ...]:
    given: list[tuple[Layer, Tensor, PaddedLayout]] = []
    hooks = [
        layer.register_forward_pre_hook(lambda layer, inputs: given.append((layer, *inputs)))
        for layer in network.encoder.layers
    ]
    network(batch.inputs)
    for hook in hooks:
        hook.remove()
    convolution = network.architecture.convolution
    tokens_of_step = convolution.pool if convolution else 1
    found = []
    for number, (layer, states, layout) in enumerate(given, 1):
        for direction, cells in (
            ("left to right", layer.left_to_right),
            ("right to left", layer.right_to_left),
        ):
            if cells is None:
                continue
            reverse = layout.reverse if cells is layer.right_to_left else lambda states: states
            steps = _recurrence(network.architecture.cell, cells).steps(reverse(states))
            parts = {}
            for name in steps[0]._fields:
                values = reverse(torch.stack([getattr(step, name) for step in steps], dim=1))[0]
                parts[name] = np.repeat(values.numpy().T, tokens_of_step, axis=1)[:, :columns]
            units = _order(parts.get("cell", parts["hidden"]))
            ordered = {name: values[units] for name, values in parts.items()}
            found.append(LayerStates(number, direction, units, ordered))
    return tuple(found)


def _recurrence(cell: str, cells: nn.Module) -> Recurrence:
    """Copy the cells into ``Recurrence``, the implementation that returns every step."""
    if isinstance(cells, Recurrence):
        return cells
    weights = cells.state_dict()
    size, width = weights["weight_hh_l0"].shape[1], weights["weight_ih_l0"].shape[1]
    recurrence = Recurrence(cell, width, size)
    recurrence.load_state_dict(weights)
    return recurrence


def _order(states: FloatArray) -> npt.NDArray[np.int32]:
    """Order the units by hierarchical clustering of their states (Ward 1963); return (H,) int32."""
    if len(states) == 1:
        return np.zeros(1, dtype=np.int32)
    best = len(states) <= MAX_OPTIMAL_UNITS
    order: npt.NDArray[np.int32] = leaves_list(linkage(states, "ward", optimal_ordering=best))
    return order
