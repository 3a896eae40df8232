"""From raw strings to probabilities.

The package travels inside each registered model as ``sentigate_model``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from .columns import Columns
from .fusion import Logits, probabilities
from .network.batches import Batch, Batches, EncodedSplit
from .network.fast_lstm import FastLSTM, has_fast_path
from .network.network import Network
from .notes import CUT, EMPTY, NO_KNOWN_WORD
from .saved_model import SavedModel
from .text.cleaning import make_cleaner
from .text.encoding import UNKNOWN_ID, Encoded, Padded, encode_texts, pad

BATCH_SIZE = 256
# White space, control and format characters, marks without a letter; and letters that are blank.
INVISIBLE = {"Zs", "Zl", "Zp", "Cc", "Cf", "Mn"}
FILLERS = set("\u115f\u1160\u2800\u3164\uffa0")


def network_logits(network: Network, split: EncodedSplit) -> npt.NDArray[np.float32]:
    """The network's logit of the positive label of every row: (rows,) float32, in their order.

    Batches are computed side by side, each on one thread; torch's own number of threads is how
    many are in work at a time. The same rows give the same bits on one processor with one number
    of threads; another number, or other rows beside them, may change them by less than 1e-6.
    """
    if network.training:  # costs a tenth of a millisecond
        network.eval()
    architecture = network.architecture
    several = len(split.lengths) > BATCH_SIZE
    with torch.inference_mode():  # for one batch, the tables cost more than they spare
        quick = several and has_fast_path(architecture)
        model = FastLSTM(network, split.ids) if quick else network

    @torch.inference_mode()  # a thread's own setting
    def answer(batch: Batch) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        return batch.rows.numpy(), model(batch.inputs).numpy()

    batches = Batches(split, BATCH_SIZE, full_width=architecture.reads_padding)
    logits = np.empty(len(split.lengths), dtype=np.float32)
    with _side_by_side(several) as apply:
        for rows, values in apply(answer, batches):
            logits[rows] = values
    return logits


@contextmanager
def _side_by_side(several: bool) -> Iterator[Callable[..., Iterator[Any]]]:
    """A ``map`` over as many threads as torch would use, and one thread in each torch call."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # of this thread, and of those that start from now on
    try:
        if several and threads > 1:
            with ThreadPoolExecutor(threads, thread_name_prefix="batch") as pool:
                yield pool.map
        else:
            yield map
    finally:
        torch.set_num_threads(threads)


def is_blank(text: str) -> bool:
    """Whether nothing of the text can be seen."""
    return all(unicodedata.category(c) in INVISIBLE or c in FILLERS for c in text)


def has_known_token(ids: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Whether a text has a token that the vocabulary knows, (rows,), of padded ids (rows, T)."""
    known: npt.NDArray[np.bool_] = np.any(ids > UNKNOWN_ID, axis=1)
    return known


class Answers(NamedTuple):
    """What a model says of some texts.

    Attributes:
        probabilities: P(positive), (texts,) float32.
        notes: for each text "", or why it holds nothing to go by, or how much of it was read.
    """

    probabilities: npt.NDArray[np.float32]
    notes: list[str]


class Predictor:
    """From raw texts to answers, as a ``SavedModel`` in a folder gives them."""

    def __init__(self, folder: Path) -> None:
        saved = SavedModel.load(folder)
        self.columns = Columns.load(folder)
        self.clean = make_cleaner(saved.description.cleaning)
        self.tokenizer = saved.tokenizer
        self.max_length = saved.description.max_length
        self.last_tokens = saved.description.last_tokens
        self.network = saved.network
        self.linear = saved.linear
        self.fusion = saved.description.fusion
        vocabulary = self.tokenizer.get_vocab()
        self.telling = np.zeros(len(vocabulary), dtype=bool)
        """Of each token id, whether it says anything: padding, unknown and blanks do not."""
        for token, token_id in vocabulary.items():
            self.telling[token_id] = token_id > UNKNOWN_ID and not is_blank(token)

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """P(positive) of raw texts: (texts,) float32. An empty text is one unknown token."""
        return self.judge(texts).probabilities

    def pad(self, encoded: Encoded) -> Padded:
        """What the network reads of each text."""
        return pad(encoded, self.max_length, len(self.telling), self.last_tokens)

    def logits(self, encoded: Encoded, padded: Padded) -> Logits:
        """Logits of the answers to texts, whole for the linear model and padded for the network."""
        unlabelled = np.zeros(len(padded.lengths), dtype=np.int8)
        return self.fusion(
            network_logits(self.network, EncodedSplit(padded.ids, padded.lengths, unlabelled)),
            self.linear.logits(*encoded) if self.linear else None,
            has_known_token(padded.ids),
        )

    def judge(self, texts: Sequence[str]) -> Answers:
        """P(positive) of raw texts, and a note on each that is cut or holds nothing to go by."""
        cleaned = [self.clean(text) for text in texts]
        encoded = encode_texts(self.tokenizer, cleaned)
        padded = self.pad(encoded)
        logits = self.logits(encoded, padded)
        return Answers(probabilities(logits), self._notes(cleaned, encoded, padded))

    def _notes(self, cleaned: Sequence[str], encoded: Encoded, padded: Padded) -> list[str]:
        told = self.telling[padded.ids].any(axis=1)
        totals = np.diff(encoded.offsets)
        cut = np.flatnonzero(totals > padded.lengths)
        # Where the network knows no token, the linear model has no part in the answer either.
        whole = has_known_token(padded.ids) & (self.linear is not None)
        for row in cut[whole[cut]]:
            start, end = encoded.offsets[row : row + 2]
            told[row] = self.telling[encoded.ids[start:end]].any()
        # Bytes are tokens of their own in byte pairs, also those of what cannot be seen.
        notes = [
            EMPTY if is_blank(text) else "" if telling else NO_KNOWN_WORD
            for text, telling in zip(cleaned, told, strict=True)
        ]
        for row in cut:
            if notes[row] != EMPTY:
                of = f"{padded.lengths[row]:,} of {totals[row]:,} tokens"
                said = f"the network read {of}" if whole[row] else f"{of} read"
                notes[row] = "; ".join(filter(None, [notes[row], f"{CUT}: {said}"]))
        return notes
