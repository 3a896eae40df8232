"""A linear model of n-grams of token ids. It is saved in two files and predicts with numpy alone.

A text has S logits: one for the later of two classes, or else one for each class. A logit is a
bias, plus the weight of each n-gram times its value, plus the weights of the tokens' characters
divided by the square root of the number of tokens. The weighting decides the values of the n-grams:

- ``tfidf``: (1 + ln count) times inverse document frequency, scaled to length 1 over the text;
- ``naive_bayes``: 1 for each different n-gram; its weights include its log-count ratios
  (Wang and Manning 2012).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field
from safetensors.numpy import load_file, save_file

from .model_files import LINEAR_DESCRIPTION, LINEAR_WEIGHTS, named
from .strict_model import StrictModel
from .text.code_table import CodeTable
from .text.ngram_codes import FIRST_WORD, Ids, check_codes_fit, digits, find_ngrams

AT_ONCE = 32768
"""Number of tokens scored at a time: the arrays for them fit into the processor's cache."""

Floats = npt.NDArray[np.float32]
Weighting = Literal["tfidf", "naive_bayes"]


class LinearDescription(StrictModel):
    """The content of linear.json: all of a model except its arrays of numbers."""

    description: str
    """A sentence that describes the model."""
    ngrams: Annotated[tuple[int, int], Field(strict=False)]
    """Lengths of the shortest and the longest n-gram, in tokens."""
    weighting: Weighting
    words: Annotated[tuple[str, ...], Field(strict=False)]
    """Vocabulary by id; 0 is padding, 1 the unknown token."""


class Contribution(NamedTuple):
    """The contribution of an n-gram, or of a token's characters, to a text's logits.

    Attributes:
        places: indices of the tokens at which the n-gram begins.
        length: number of its tokens.
        logits: (S,) float32, sums of the contributions of all its occurrences.
    """

    places: tuple[int, ...]
    length: int
    logits: Floats


class Known(NamedTuple):
    """The n-grams of a batch that have a weight, shorter ones first.

    Attributes:
        places: (n,) int64, index of each n-gram's first token among the batch's ids.
        features: (n,) int32, index of each n-gram among the model's codes.
    """

    places: Ids
    features: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class LinearModel:
    """A fitted linear model.

    Attributes:
        about: description of the model, with its vocabulary of V entries.
        codes: (n,) int64, sorted codes, from ``find_ngrams``, of the n-grams that have a weight.
        weights: (S, n) float32, weights of each code.
        idf: (n,) float32, inverse document frequencies; None unless weighting is ``tfidf``.
        characters: (S, V) float32, weights of each token's characters; None without them.
        bias: (S,) float32, logits of a text without any known n-gram.
    """

    about: LinearDescription
    codes: Ids
    weights: Floats
    idf: Floats | None
    characters: Floats | None
    bias: Floats

    def save(self, folder: Path) -> None:
        """Write both files to ``folder``, which exists."""
        text = json.dumps(self.about.model_dump(mode="json"), indent=2, ensure_ascii=False)
        (folder / LINEAR_DESCRIPTION).write_text(text + "\n", encoding="utf-8")
        tensors: dict[str, npt.NDArray[Any] | None] = {
            "bias": self.bias,
            "characters": self.characters,
            "codes": self.codes,
            "idf": self.idf,
            "weights": self.weights,
        }
        # safetensors 0.8 writes an array in the order of its memory, whatever its strides say.
        found = {k: np.ascontiguousarray(v) for k, v in tensors.items() if v is not None}
        save_file(found, folder / LINEAR_WEIGHTS)

    @classmethod
    def load(cls, folder: Path) -> LinearModel:
        """Read what ``save`` wrote.

        Raises:
            ModelFileError: a file cannot be read, or does not fit the other.
            FileNotFoundError: a file is missing.
        """
        with named(folder / LINEAR_DESCRIPTION) as path:
            about = LinearDescription.model_validate_json(path.read_text("utf-8"))
            shortest, longest = about.ngrams
            if not 1 <= shortest <= longest:
                raise ValueError(f"ngrams are {shortest} to {longest}; allowed: 1 or more, rising")
            check_codes_fit(len(about.words), longest)
        with named(folder / LINEAR_WEIGHTS) as path:
            tensors = load_file(path)
            _check(tensors, about)
            return cls(
                about,
                tensors["codes"],
                tensors["weights"],
                tensors.get("idf"),
                tensors.get("characters"),
                tensors["bias"],
            )

    def logits(self, ids: npt.NDArray[Any], offsets: npt.NDArray[Any]) -> Floats:
        """Return the logits of each text.

        Args:
            ids: (tokens,) integers, token ids of one text after another.
            offsets: (rows + 1,) integers, start of each text, then the number of tokens.

        Returns:
            (rows, S) float32. Other texts do not change a text's logits, not even their last bits.

        Raises:
            ValueError: an id is outside the vocabulary.
        """
        ids, offsets = (np.asarray(array, dtype=np.int64) for array in (ids, offsets))
        size = len(self.about.words)
        if len(ids) and not (ids.min() >= 0 and ids.max() < size):
            raise ValueError(f"token ids {ids.min()} to {ids.max()}; allowed: 0 to {size - 1}")
        logits = np.empty((len(offsets) - 1, len(self.bias)), dtype=np.float32)
        for start, end in _parts(offsets):
            bounds = offsets[start : end + 1]
            own = ids[bounds[0] : bounds[-1]]
            logits[start:end] = self._logits(own, np.diff(bounds))
        return logits

    def contributions(self, ids: npt.NDArray[Any] | Sequence[int]) -> list[Contribution]:
        """Return the contributions to one text's logits of its known n-grams and its characters.

        The logits are the bias plus their sum.
        """
        ids = np.asarray(ids, dtype=np.int64)
        known = self._known(ids, np.zeros_like(ids))
        features, which, counts = np.unique(known.features, return_inverse=True, return_counts=True)
        added = self.weights[:, features]
        if self.idf is not None:
            values = (1 + np.log(counts)) * self.idf[features]
            added = added * values / (np.sqrt(np.square(values).sum()) or 1)
        ends = [part.stop for part in self._slices.values()]
        lengths = self.about.ngrams[0] + np.searchsorted(ends, features, side="right")
        contributions = [
            Contribution(tuple(known.places[which == i].tolist()), length, logits)
            for i, (length, logits) in enumerate(zip(lengths.tolist(), added.T, strict=True))
        ]
        if self.characters is not None:
            weights = self.characters[:, ids] / np.sqrt(max(1, len(ids)))
            contributions += [Contribution((i,), 1, w) for i, w in enumerate(weights.T) if w.any()]
        return contributions

    def renumbered(self, tokens: Sequence[str]) -> LinearModel:
        """Return the same model for the token ids of another vocabulary.

        Args:
            tokens: the other vocabulary by id; 0 is padding, 1 the unknown token.

        Raises:
            ValueError: the other vocabulary lacks words that have a weight, or is too large for the
                codes of the n-grams.
        """
        check_codes_fit(len(tokens), self.about.ngrams[1])
        size = len(self.about.words)
        parts = [digits(self.codes[part], size) for part in self._slices.values()]
        weighs = np.zeros(size, dtype=bool)
        for own in (ids for part in parts for ids in part):
            weighs[own] = True
        if self.characters is not None:
            weighs |= (self.characters != 0).any(axis=0)
        theirs = {token: place for place, token in enumerate(tokens)}
        places = np.array([theirs.get(word, -1) for word in self.about.words], dtype=np.int64)
        places[:FIRST_WORD] = range(FIRST_WORD)
        lacking = np.flatnonzero(weighs & (places < 0))
        if len(lacking):
            shown = ", ".join(repr(self.about.words[i]) for i in lacking[:5])
            raise ValueError(
                f"the other vocabulary lacks {len(lacking):,} of {weighs.sum():,} words that have "
                f"a weight in the linear model: {shown}{' …' if len(lacking) > 5 else ''}; build "
                "it from the same training texts, without a limit"
            )
        codes = np.empty_like(self.codes)
        for part, each in zip(self._slices.values(), parts, strict=True):
            number = np.zeros(part.stop - part.start, dtype=np.int64)
            for own in each:
                number = number * len(tokens) + places[own]
            codes[part] = number
        order = np.argsort(codes)
        characters = None
        if self.characters is not None:
            characters = np.zeros((len(self.bias), len(tokens)), dtype=np.float32)
            characters[:, places[weighs]] = self.characters[:, weighs]
        return replace(
            self,
            about=self.about.model_copy(update={"words": tuple(tokens)}),
            codes=codes[order],
            weights=np.ascontiguousarray(self.weights[:, order]),
            idf=None if self.idf is None else self.idf[order],
            characters=characters,
        )

    def _logits(self, ids: Ids, lengths: Ids) -> Floats:
        """Return the logits, (rows, S), of one part of the texts, whose arrays fit the cache."""
        count = len(lengths)
        rows = np.repeat(np.arange(count), lengths)
        shift = len(self.codes).bit_length()  # a key is a row's number, then a feature's bits
        known = self._known(ids, rows)
        key = rows[known.places] << shift | known.features
        key.sort()
        starts = np.flatnonzero(np.diff(key, prepend=-1))
        key, times = key[starts], np.diff(starts, append=len(key))
        row, feature = key >> shift, key & ((1 << shift) - 1)
        values: Floats | None = None
        if self.idf is not None:
            values = (1 + np.log(times, dtype=np.float32)) * self.idf[feature]
            norms = np.sqrt(np.bincount(row, values * values, count)).clip(min=1e-12)
        columns = []
        for score, bias in enumerate(self.bias.tolist()):
            weights = self.weights[score, feature]
            if values is None:
                logits = np.bincount(row, weights, count)
            else:
                logits = np.bincount(row, values * weights, count) / norms
            if self.characters is not None:
                of_tokens = np.bincount(rows, self.characters[score, ids], count)
                logits = logits + of_tokens / np.sqrt(lengths.clip(min=1))
            columns.append(logits + bias)
        return np.stack(columns, axis=1).astype(np.float32)

    def _known(self, ids: Ids, rows: Ids) -> Known:
        found = [*find_ngrams(ids, rows, self.about.ngrams, len(self.about.words))]
        places = np.concatenate([each.places for each in found])
        features = self._table.find(np.concatenate([each.codes for each in found]))
        known = np.flatnonzero(features >= 0)
        return Known(places[known], features[known])

    @cached_property
    def _table(self) -> CodeTable:
        return CodeTable(self.codes)

    @cached_property
    def _slices(self) -> dict[int, slice]:
        """Map each length to the slice of ``codes`` that holds its n-grams."""
        shortest, longest = self.about.ngrams
        size = len(self.about.words)
        bounds = [0, *np.searchsorted(self.codes, [size**n for n in range(shortest, longest)])]
        ends = pairwise([*map(int, bounds), len(self.codes)])
        return {n: slice(*each) for n, each in zip(range(shortest, longest + 1), ends, strict=True)}


def _parts(offsets: Ids) -> Iterator[tuple[int, int]]:
    """Yield ranges of rows, (start, end), of at most ``AT_ONCE`` tokens or of one longer row."""
    start, rows = 0, len(offsets) - 1
    while start < rows:
        within = int(np.searchsorted(offsets, offsets[start] + AT_ONCE, side="right")) - 1
        yield start, (start := max(start + 1, within))


def _check(tensors: dict[str, npt.NDArray[Any]], about: LinearDescription) -> None:
    """Refuse arrays that do not fit the description.

    Raises:
        ValueError: an array is missing, superfluous, of another type or shape, or not finite, or
            the codes are out of order.
    """
    size = len(about.words)
    codes, scores = tensors.get("codes", np.empty(0)), len(tensors.get("bias", np.empty(0)))
    expected: dict[str, tuple[Any, ...]] = {
        "bias": (np.float32, scores),
        "codes": (np.int64, len(codes)),
        "weights": (np.float32, scores, len(codes)),
    }
    if about.weighting == "tfidf":
        expected |= {"idf": (np.float32, len(codes))}
    if "characters" in tensors:
        expected |= {"characters": (np.float32, scores, size)}
    found = {name: (array.dtype.type, *array.shape) for name, array in tensors.items()}
    if found != expected:
        wrong = sorted(n for n in {*found, *expected} if found.get(n) != expected.get(n))
        raise ValueError(f"{wrong[0]} does not fit {LINEAR_DESCRIPTION}")
    if not all(np.isfinite(array).all() for array in tensors.values()):
        raise ValueError("a number is not finite")
    shortest, longest = about.ngrams
    inside = len(codes) == 0 or (codes[0] >= size ** (shortest - 1) and codes[-1] < size**longest)
    if not inside or (np.diff(codes) <= 0).any():
        raise ValueError("its n-grams are out of order, or of other lengths")
