"""Explain an answer: the contribution of each token, and the gates and states of every layer.

Through the network, a token contributes its integrated gradient (Sundararajan, Taly and Yan 2017,
eq. 1) on the straight path from a blank text, which is all padding, to the text itself. Where the
vector of padding is zero, the path starts at zero. Through the linear model, each n-gram adds a
known weight, which is divided evenly among its tokens. The contributions sum to the text's logit
minus the blank text's logit (completeness, their proposition 1), except for a remainder, the error
of numerical integration. All contributions are in units of the answer's logits: they include the
fusion's share and temperature.

A model of two classes has one logit, that of the later class. A model of K > 2 classes has K
scores, and softmax does not change when the same number is added to all of them. A score by itself
therefore means nothing; the explained logit of a class is its score minus the mean of all K scores.
Both cases have S explained logits: S = 1 for two classes, else S = K.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.cluster.hierarchy import leaves_list, linkage
from torch import Tensor, nn

from sentigate.model.answers import predicted_labels, probabilities
from sentigate.model.labels import Classes
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
        shares: (S,) float64, contribution to each logit, summed over all its places.
    """

    text: str
    places: tuple[int, ...]
    length: int
    shares: FloatArray


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
        classes: The model's K classes.
        threshold: The probability from which a model of two classes answers the later one; None if
            it answers the most probable class.
        tokens: The T tokens that the network reads, at least one.
        left_out: Number of tokens of a long text that the network does not read. The linear model
            reads them.
        beyond: (S,) float64, contribution of these tokens to each logit.
        padding: Number of columns after the text, in a network that reads its padding.
        known: Whether the model knows any token of the text. If it knows none, it answers with its
            prior, the shares of the classes in training: the prior is the start, and all
            contributions are zero.
        start: (S,) float64, logits of the blank text, which include the linear model's biases.
        from_network: (S, T) float64, contribution of each token through the network, in logits.
        from_ngrams: (S, T) float64, contribution of each token through the linear model, in logits:
            an even part of the share of each n-gram that contains the token. Zeros without a linear
            model.
        ngrams: N-grams of the text that have a weight in the linear model, largest absolute share
            in any logit first. None without a linear model.
        logits: (S,) float64, the model's explained logits for the text.
        probabilities: (K,) float32, the model's probability of each class.
        answered: Index of the class that the model answers.
        running: (T, K) float32, the model's probabilities for the first 1, 2, … T tokens.
        cell: Cell of the recurrent layers, as ``Architecture`` names it.
        convolution: The convolution before the recurrent layers, or None. With a convolution, a
            layer reads windows; each step is shown at the tokens in the middle of its windows.
        layers: One entry per layer and direction: layer 1 first, left to right before right to
            left.
    """

    text: str
    classes: Classes
    threshold: float | None
    tokens: tuple[Token, ...]
    left_out: int
    beyond: FloatArray
    padding: int
    known: bool
    start: FloatArray
    from_network: FloatArray
    from_ngrams: FloatArray
    ngrams: tuple[Ngram, ...] | None
    logits: FloatArray
    probabilities: FloatArray
    answered: int
    running: FloatArray
    cell: str
    convolution: Convolution | None
    layers: tuple[LayerStates, ...]

    @property
    def contributions(self) -> FloatArray:
        """(S, T) float64, contribution of each token to each logit, through both parts."""
        return self.from_network + self.from_ngrams

    @property
    def remainder(self) -> FloatArray:
        """(S,) float64, error of integration: logits minus start, contributions and ``beyond``."""
        remainder: FloatArray = self.logits - self.start - self.contributions.sum(1) - self.beyond
        return remainder

    @property
    def adds_up(self) -> npt.NDArray[np.bool_]:
        """(S,) bool, whether each remainder is small enough (``MAX_REMAINDER``)."""
        allowed = MAX_REMAINDER * np.maximum(1.0, np.abs(self.logits - self.start))
        small: npt.NDArray[np.bool_] = np.abs(self.remainder) <= allowed
        return small

    def row(self, label: int) -> int:
        """Return the row of a class in the arrays of S rows; two classes share one."""
        return 0 if self.classes.count == 2 else label

    def strongest(self, row: int, number: int) -> list[tuple[Ngram, float]]:
        """Return the n-grams with the largest absolute shares of a row, and these shares."""
        shares = [(ngram, float(ngram.shares[row])) for ngram in self.ngrams or ()]
        return sorted(shares, key=lambda each: -abs(each[1]))[:number]


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
    answer = predictor.logits(encoded, padded)
    logits = _centred(answer[0])
    start = logits
    from_network: FloatArray = np.zeros((len(logits), tokens))
    ngrams: tuple[Ngram, ...] | None = None if linear is None else ()
    if known:
        start, from_network = _integrated_gradients(network, batch, fusion.network_weight)
        if linear is not None:
            start = start + fusion.linear_weight * _centred(linear.bias)
            ngrams = _ngrams(linear, fusion.linear_weight, encoded.ids, all_tokens)
    from_ngrams = _divide_among_tokens(ngrams or (), len(logits), len(all_tokens))
    read = read_places(len(all_tokens), predictor.max_length, predictor.last_tokens)
    running = _running(predictor, encoded.ids[read])
    answered = probabilities(answer)
    return Explanation(
        text=text,
        classes=predictor.classes,
        threshold=predictor.threshold,
        tokens=tuple(all_tokens[place] for place in read),
        left_out=len(all_tokens) - tokens,
        beyond=np.delete(from_ngrams, read, axis=1).sum(1),
        padding=columns - tokens,
        known=known,
        start=start,
        from_network=from_network[:, :tokens],
        from_ngrams=from_ngrams[:, read],
        ngrams=ngrams,
        logits=logits,
        probabilities=answered[0],
        answered=int(predicted_labels(answered, predictor.threshold)[0]),
        running=running,
        cell=network.architecture.cell,
        convolution=network.architecture.convolution,
        layers=_layer_states(network, batch, columns),
    )


def _centred(scores: npt.NDArray[Any]) -> FloatArray:
    """Return the explained logits of (S,) scores, float64: see the module's docstring."""
    exact: FloatArray = scores.astype(np.float64)
    return exact if len(exact) == 1 else exact - exact.mean()


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
) -> tuple[FloatArray, FloatArray]:
    """Integrate the gradients of the network, without the linear model.

    All logits share the path and the forward passes; each has its own backward pass. The trapezoid
    rule takes smaller steps where its error is largest in any logit. The error is known, because
    the contributions over a step must sum to the difference in logits. With max pooling, the
    gradient jumps at many places, and even steps would need ten times as many points.

    Over a long text, the logit itself can jump: a cell state flips to another value within one step
    of a 32-bit number. Near this cliff, the logit depends only on the distance from the edge.
    Therefore the slopes on both sides are steep and proportional to each other, and the jump is
    divided in proportion to them. A cliff without steep slopes beside it stays in the remainder.

    Returns:
        The blank text's logits, (S,) float64, and the contribution of each position to each logit,
        (S, columns) float64; both are multiplied by ``weight``.
    """
    ids, lengths = batch.inputs
    embedding = network.encoder.embedding
    with torch.no_grad():
        blank = embedding(torch.full_like(ids, PAD_ID))
        path = embedding(ids) - blank  # (1, columns, width)

    def at(shares: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (S, points) and slopes (S, points, columns) at these shares of the path."""
        vectors = (blank + shares.view(-1, 1, 1) * path).requires_grad_()
        layout = PaddedLayout(lengths.expand(len(shares)), vectors.shape[1])
        logits = weight * network.decide(*network.encoder.read(vectors, layout))
        if logits.shape[1] > 1:
            logits = logits - logits.mean(1, keepdim=True)
        slopes = []
        for of_class in logits.unbind(1):
            (gradients,) = torch.autograd.grad(of_class.sum(), vectors, retain_graph=True)
            slopes.append((gradients * path).sum(2).double())  # on a cliff, 32 bits may overflow
        return logits.detach().T.double(), torch.stack(slopes).nan_to_num(0.0, 0.0, 0.0)

    shares = torch.linspace(0, 1, BATCH + 1)
    logits, slopes = at(shares)
    while True:
        widths = shares.double().diff()
        pieces = widths.unsqueeze(1) * (slopes[:, 1:] + slopes[:, :-1]) / 2
        cliffs, proportions = _cliffs(widths, slopes)
        rises = logits.diff()
        pieces[cliffs] = rises[cliffs].unsqueeze(1) * proportions[cliffs]
        errors = (rises - pieces.sum(2)).abs()
        worse_than_nothing = (widths < NARROW) & (errors > rises.abs().clamp(min=MAX_REMAINDER))
        pieces[worse_than_nothing] = 0.0  # slopes beside a cliff can reach 1e30
        errors = (rises - pieces.sum(2)).abs()
        if errors.sum(1).max() < TOLERANCE or len(shares) + BATCH > MAX_POINTS:
            return logits[:, 0].numpy(), pieces.sum(1).numpy()
        worst = errors.amax(0).topk(BATCH).indices
        middles = (shares[worst] + shares[worst + 1]) / 2
        more_logits, more_slopes = at(middles)
        shares, order = torch.cat((shares, middles)).sort()
        logits = torch.cat((logits, more_logits), dim=1)[:, order]
        slopes = torch.cat((slopes, more_slopes), dim=1)[:, order]


def _cliffs(widths: Tensor, slopes: Tensor) -> tuple[Tensor, Tensor]:
    """Find the steps that hold a cliff, and each token's part of the jump.

    Args:
        widths: (steps,), widths of the steps as shares of the path.
        slopes: (S, steps + 1, columns), slopes of each logit at the ends of the steps.

    Returns:
        (S, steps) bool, true where the logit has a cliff in the step; and (S, steps, columns), the
        parts of the tokens, which sum to 1 where there is a cliff.
    """
    before, after = slopes[:, :-1], slopes[:, 1:]
    alike = nn.functional.cosine_similarity(before, after, dim=2).abs() > ALIKE
    steepness = slopes.abs().sum(2)
    usual = steepness.median(1, keepdim=True).values
    steep = torch.minimum(steepness[:, :-1], steepness[:, 1:]) > STEEP * usual
    slope = torch.where((steepness[:, 1:] > steepness[:, :-1]).unsqueeze(2), after, before)
    total = slope.sum(2)
    clear = total.abs() * CANCELLING > slope.abs().sum(2)
    cliffs = (widths < NARROW) & alike & steep & clear
    return cliffs, slope / torch.where(clear, total, 1.0).unsqueeze(2)


def _ngrams(
    linear: LinearModel, weight: float, ids: npt.NDArray[np.int64], tokens: tuple[Token, ...]
) -> tuple[Ngram, ...]:
    """Return the n-grams of a text that the linear model knows, their shares times ``weight``."""

    def text(place: int, length: int) -> str:
        run = "".join(token.before + token.text for token in tokens[place : place + length])
        return run.removeprefix(tokens[place].before)

    found: dict[tuple[int, ...], tuple[set[int], Any]] = {}
    # A token can come twice: with its own share, and with the share of its characters.
    for known in linear.contributions(ids):
        ngram = tuple(ids[known.places[0] : known.places[0] + known.length].tolist())
        places, shares = found.get(ngram, (set(), 0.0))
        found[ngram] = places | set(known.places), shares + weight * _centred(known.logits)
    ngrams = [
        Ngram(text(min(places), len(ngram)), tuple(sorted(places)), len(ngram), shares)
        for ngram, (places, shares) in found.items()
    ]
    return tuple(sorted(ngrams, key=lambda ngram: -np.abs(ngram.shares).max()))


def _divide_among_tokens(ngrams: tuple[Ngram, ...], scores: int, tokens: int) -> FloatArray:
    """Divide each n-gram's shares evenly among its tokens; return (scores, tokens) float64."""
    contributions = np.zeros((scores, tokens))
    for ngram in ngrams:
        for place in ngram.places:
            parts = ngram.shares / len(ngram.places) / ngram.length
            contributions[:, place : place + ngram.length] += parts[:, np.newaxis]
    return contributions


def _running(predictor: Predictor, ids: npt.NDArray[np.int64]) -> FloatArray:
    """Return the probabilities for the first 1, 2, … tokens, (tokens, K) float32."""
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
