"""Why a model answers as it does: each token's share of the logit, and what every cell did.

What a token contributes through the network is its integrated gradient (Sundararajan, Taly and
Yan 2017, eq. 1) on the straight path from a blank text, padding in every place, to the text itself;
where padding is the zero vector, the path starts at zero. What each n-gram adds through the linear
model is known, and is divided evenly among the n-gram's tokens. Contributions sum to the text's
logit minus the blank one's (completeness, their proposition 1), except for an error of numerical
integration, the remainder. All are in units of the answer's logit: shares and temperature are in
them.
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
"""Largest error of a logit, over the whole path: 0.00025 of a probability at most."""
POINTS = 1024
"""Gradients taken at most, even if the error is above ``TOLERANCE`` then."""
BATCH = 32
MOST_MISSED = 0.01
"""Largest remainder with which an explanation adds up: so many logits, or this share of the way
from the start to the answer's logit."""
NARROW, ALIKE, STEEP, CANCELLING = 1e-5, 0.9999, 100.0, 50.0
"""A step of the path with a cliff: its width, how alike the directions of the slopes at its ends
are, how much steeper than the median both are, and how much larger slopes may be than their sum."""
CHEAP_UNITS = 256
"""More are put in a good order, not the optimal one, whose time grows with their cube."""


class Token(NamedTuple):
    """What the model read as one id.

    Attributes:
        before: white space that the tokenizer passed over.
        text: of the cleaned text; empty for all but the last of several tokens that share a
            character, and for a text without tokens.
        unknown: whether the vocabulary lacks it.
    """

    before: str
    text: str
    unknown: bool


class Ngram(NamedTuple):
    """A token or a run of neighbours that has a weight in the linear model.

    Attributes:
        text: of the cleaned text, where it occurs first.
        places: of its first token, from 0, wherever it occurs.
        length: tokens in it.
        share: what it adds to the logit, all its places together.
    """

    text: str
    places: tuple[int, ...]
    length: int
    share: float


class Watched(NamedTuple):
    """One layer read in one direction.

    Attributes:
        layer: 1 is nearest the text.
        direction: ``left to right`` or ``right to left``.
        units: (H,) int, the unit that each row shows: units alike are neighbours.
        parts: by the names in cells.py, in their order, each (H, columns) float32; a column
            belongs to the token at its place in the text, in either direction.
    """

    layer: int
    direction: str
    units: npt.NDArray[np.int32]
    parts: dict[str, FloatArray]


@dataclass(frozen=True)
class Explanation:
    """A model's answer to one text, taken apart.

    Attributes:
        text: as it was given.
        tokens: T of them, at least one.
        left_out: tokens of a long text that the network does not read, and the linear model does.
        beyond: what those add to the logit.
        padding: columns after the text's own, in a network that reads its padding.
        known: whether any token of the text is. If none is, the model answers with its prior, the
            share of positive training texts: that is the start, and contributions are zero.
        start: logit of the blank text; the linear model's bias is in it.
        from_network: (T,) float64, what each token contributes through the network, in logits.
        from_ngrams: (T,) float64, the same through the linear model: of each n-gram that the token
            is in, an even part of the share. Zeros without that model.
        ngrams: what has a weight in the linear model, the largest share, of either sign, first;
            None without that model.
        logit: the model's own, of the text.
        probability: the model's own, of positive.
        running: (T,) float32, the model's probability for the first 1, 2, … T of the tokens.
        cell: of the recurrent layers, as ``Architecture`` names it.
        convolution: if there is one, a layer's steps are windows; each is shown at the tokens in
            the middle of the windows it was made of.
        watched: layer by layer, and in each from left to right first.
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
    watched: tuple[Watched, ...]

    @property
    def contributions(self) -> FloatArray:
        """(T,) float64, what each token adds to the logit."""
        return self.from_network + self.from_ngrams

    @property
    def remainder(self) -> float:
        """What integration missed: ``start``, contributions, ``beyond`` and it are ``logit``."""
        return self.logit - self.start - float(self.contributions.sum()) - self.beyond

    @property
    def adds_up(self) -> bool:
        """Whether the remainder is small beside what is explained (``MOST_MISSED``)."""
        return abs(self.remainder) <= MOST_MISSED * max(1.0, abs(self.logit - self.start))


def explain(predictor: Predictor, text: str) -> Explanation:
    """Take the answer to one raw text apart; an empty one is one unknown token."""
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
    every = _tokens(clean, encoding.offsets, encoding.ids)
    known = bool(has_known_token(padded.ids)[0])
    start = logit = float(predictor.logits(encoded, padded)[0])
    from_network: FloatArray = np.zeros(tokens)
    ngrams: tuple[Ngram, ...] | None = None if linear is None else ()
    if known:
        start, from_network = _integrated_gradients(network, batch, fusion.network_weight)
        if linear is not None:
            start += fusion.linear_weight * linear.bias
            ngrams = _ngrams(linear, fusion.linear_weight, encoded.ids, every)
    dealt = _dealt(ngrams or (), len(every))
    read = read_places(len(every), predictor.max_length, predictor.last_tokens)
    running = _running(predictor, encoded.ids[read])
    return Explanation(
        text=text,
        tokens=tuple(every[place] for place in read),
        left_out=len(every) - tokens,
        beyond=float(np.delete(dealt, read).sum()),
        padding=columns - tokens,
        known=known,
        start=start,
        from_network=from_network[:tokens],
        from_ngrams=dealt[read],
        ngrams=ngrams,
        logit=logit,
        probability=float(probabilities(np.array([logit]))[0]),
        running=running,
        cell=network.architecture.cell,
        convolution=network.architecture.convolution,
        watched=_watch(network, batch, columns),
    )


def _tokens(text: str, offsets: list[tuple[int, int]], ids: list[int]) -> tuple[Token, ...]:
    """Several byte-level tokens can share a character, which goes to the last of them."""
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
    """The blank text's logit, and each position's contribution, (columns,) float64.

    Both are multiplied by ``weight``; the linear model is in neither.

    By the trapezoid rule, with smaller steps where its error is largest: over any step,
    contributions must sum to the difference in logits, which is known. With max pooling the
    gradient jumps in many places, where even steps would have to be ten times as many.

    Over a long text the logit itself can jump: a memory tips over, within less than any step of
    32-bit numbers. Near such a cliff all depends on how far one is from its edge, so that slopes
    before and after it are steep, and multiples of each other. The jump is divided in their
    proportion. A cliff that shows no such slopes beside it is left to the remainder.
    """
    ids, lengths = batch.inputs
    embedding = network.encoder.embedding
    with torch.no_grad():
        blank = embedding(torch.full_like(ids, PAD_ID))
        path = embedding(ids) - blank  # (1, columns, width)

    def at(shares: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and their slopes, (points,) and (points, columns), at these shares of the path."""
        vectors = (blank + shares.view(-1, 1, 1) * path).requires_grad_()
        layout = PaddedLayout(lengths.expand(len(shares)), vectors.shape[1])
        logits = weight * network.decide(*network.encoder.read(vectors, layout))
        (gradients,) = torch.autograd.grad(logits.sum(), vectors)
        found = (gradients * path).sum(2).double()  # on a cliff they may be too steep for 32 bits
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
        worse_than_nothing = (widths < NARROW) & (errors > rises.abs().clamp(min=MOST_MISSED))
        pieces[worse_than_nothing] = 0.0  # a slope of 1e30 beside a cliff
        errors = (rises - pieces.sum(1)).abs()
        if errors.sum() < TOLERANCE or len(shares) + BATCH > POINTS:
            return logits[0].item(), pieces.sum(0).numpy()
        worst = errors.topk(BATCH).indices
        middles = (shares[worst] + shares[worst + 1]) / 2
        more_logits, more_slopes = at(middles)
        shares, order = torch.cat((shares, middles)).sort()
        logits = torch.cat((logits, more_logits))[order]
        slopes = torch.cat((slopes, more_slopes))[order]


def _cliffs(widths: Tensor, slopes: Tensor) -> tuple[Tensor, Tensor]:
    """Which steps may hold a cliff and nothing else, and in what proportion tokens share its jump.

    Args:
        widths: (steps,), of the path.
        slopes: (steps + 1, columns), at the ends of the steps.

    Returns:
        (steps,) bool, and (steps, columns), whose rows sum to 1 where it is true.
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
    """What the linear model knows of a text, each share times ``weight``."""

    def text(place: int, length: int) -> str:
        run = "".join(token.before + token.text for token in tokens[place : place + length])
        return run.removeprefix(tokens[place].before)

    found: dict[tuple[int, ...], tuple[set[int], float]] = {}
    for known in linear.contributions(ids):  # of a token, its own share and that of its characters
        ngram = tuple(ids[known.places[0] : known.places[0] + known.length].tolist())
        places, share = found.get(ngram, (set(), 0.0))
        found[ngram] = places | set(known.places), share + weight * known.logit
    ngrams = [
        Ngram(text(min(places), len(ngram)), tuple(sorted(places)), len(ngram), share)
        for ngram, (places, share) in found.items()
    ]
    return tuple(sorted(ngrams, key=lambda ngram: -abs(ngram.share)))


def _dealt(ngrams: tuple[Ngram, ...], tokens: int) -> FloatArray:
    """What each token gets of the shares of its n-grams, (tokens,) float64."""
    dealt = np.zeros(tokens)
    for ngram in ngrams:
        for place in ngram.places:
            part = ngram.share / len(ngram.places) / ngram.length
            dealt[place : place + ngram.length] += part
    return dealt


def _running(predictor: Predictor, ids: npt.NDArray[np.int64]) -> FloatArray:
    """The model's probability for the first 1, 2, ... tokens, (tokens,) float32."""
    lengths = np.arange(1, len(ids) + 1)
    beginnings = np.concatenate([ids[:length] for length in lengths])
    encoded = Encoded(beginnings, np.concatenate(([0], np.cumsum(lengths))))
    padded = predictor.pad(encoded)
    return probabilities(predictor.logits(encoded, padded))


@torch.inference_mode()
def _watch(network: Network, batch: Batch, columns: int) -> tuple[Watched, ...]:
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
    watched = []
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
            watched.append(Watched(number, direction, units, ordered))
    return tuple(watched)


def _recurrence(cell: str, cells: nn.Module) -> Recurrence:
    """The same cells in the implementation that gives every step."""
    if isinstance(cells, Recurrence):
        return cells
    weights = cells.state_dict()
    size, width = weights["weight_hh_l0"].shape[1], weights["weight_ih_l0"].shape[1]
    recurrence = Recurrence(cell, width, size)
    recurrence.load_state_dict(weights)
    return recurrence


def _order(states: FloatArray) -> npt.NDArray[np.int32]:
    """Units by hierarchical clustering of their states over the text (Ward 1963), (H,)."""
    if len(states) == 1:
        return np.zeros(1, dtype=np.int32)
    best = len(states) <= CHEAP_UNITS
    order: npt.NDArray[np.int32] = leaves_list(linkage(states, "ward", optimal_ordering=best))
    return order
