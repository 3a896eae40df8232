"""From raw strings to probabilities.

Each registered model holds a copy of this package under the name ``sentigate_model``.
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

from .answers import Logits, Probabilities, confidences, predicted_labels, probabilities
from .columns import Columns
from .network.batches import Batch, Batches, EncodedSplit
from .network.fast_lstm import FastLSTM, has_fast_path
from .network.network import Network
from .notes import CUT, EMPTY, NO_KNOWN_WORD
from .saved_model import SavedModel
from .text.cleaning import make_cleaner
from .text.encoding import UNKNOWN_ID, Encoded, Padded, encode_texts, pad

BATCH_SIZE = 256
# Categories of white space, control and format characters and combining marks; blank letters.
INVISIBLE = {"Zs", "Zl", "Zp", "Cc", "Cf", "Mn"}
FILLERS = set("\u115f\u1160\u2800\u3164\uffa0")


def network_logits(network: Network, split: EncodedSplit) -> Logits:
    """Return the network's logits of every row: (rows, S) float32, in order.

    Batches run in parallel, each on one thread; torch's number of threads limits how many. The same
    rows give the same bits on one processor with one number of threads. Another number of threads,
    or other rows in the split, may change a logit by less than 1e-6.
    """
    if network.training:  # eval() takes a tenth of a millisecond
        network.eval()
    architecture = network.architecture
    several = len(split.lengths) > BATCH_SIZE
    with torch.inference_mode():  # for one batch, the tables of FastLSTM cost more than they save
        fast = several and has_fast_path(architecture)
        model = FastLSTM(network, split.ids) if fast else network

    @torch.inference_mode()  # each thread has its own setting
    def answer(batch: Batch) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        return batch.rows.numpy(), model(batch.inputs).numpy()

    batches = Batches(split, BATCH_SIZE, full_width=architecture.reads_padding)
    logits = np.empty((len(split.lengths), network.head.out_features), dtype=np.float32)
    with _parallel_map(several) as apply:
        for rows, values in apply(answer, batches):
            logits[rows] = values
    return logits


@contextmanager
def _parallel_map(several: bool) -> Iterator[Callable[..., Iterator[Any]]]:
    """Yield a ``map`` that runs on torch's number of threads, with one thread per torch call."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # for this thread, and for threads that start from now on
    try:
        if several and threads > 1:
            with ThreadPoolExecutor(threads, thread_name_prefix="batch") as pool:
                yield pool.map
        else:
            yield map
    finally:
        torch.set_num_threads(threads)


def is_blank(text: str) -> bool:
    """Return whether no character of the text is visible."""
    return all(unicodedata.category(c) in INVISIBLE or c in FILLERS for c in text)


def has_known_token(ids: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Return whether each row of padded ids (rows, T) has a known token: (rows,) bool."""
    known: npt.NDArray[np.bool_] = np.any(ids > UNKNOWN_ID, axis=1)
    return known


class Answers(NamedTuple):
    """The answers of a model to texts.

    Attributes:
        labels: the name of the class answered, for each text.
        confidences: (texts,) float32, the probability of that class.
        probabilities: (texts, K) float32, in the order of ``Predictor.classes``.
        notes: the notes on each text, "" for none: it has nothing to judge, or it was cut.
    """

    labels: list[str]
    confidences: npt.NDArray[np.float32]
    probabilities: Probabilities
    notes: list[str]


class Predictor:
    """Predicts raw texts with the ``SavedModel`` in a folder."""

    def __init__(self, folder: Path) -> None:
        saved = SavedModel.load(folder)
        self.columns = Columns.load(folder)
        self.classes = saved.description.classes
        self.threshold = saved.description.threshold
        self.clean = make_cleaner(saved.description.cleaning)
        self.tokenizer = saved.tokenizer
        self.max_length = saved.description.max_length
        self.last_tokens = saved.description.last_tokens
        self.network = saved.network
        self.linear = saved.linear
        self.fusion = saved.description.fusion
        vocabulary = self.tokenizer.get_vocab()
        self.informative = np.zeros(len(vocabulary), dtype=bool)
        """(V,) bool, true for a token to judge by: not padding, the unknown token or a blank."""
        for token, token_id in vocabulary.items():
            self.informative[token_id] = token_id > UNKNOWN_ID and not is_blank(token)

    def __call__(self, texts: Sequence[str]) -> Probabilities:
        """Return the probability of each class for raw texts, (texts, K) float32.

        An empty text is one unknown token.
        """
        return self.judge(texts).probabilities

    def pad(self, encoded: Encoded) -> Padded:
        """Return the part of each text that the network reads."""
        return pad(encoded, self.max_length, len(self.informative), self.last_tokens)

    def logits(self, encoded: Encoded, padded: Padded) -> Logits:
        """Return the logits of the answers, (texts, S) float32.

        Args:
            encoded: whole texts, for the linear model.
            padded: the same texts, cut and padded, for the network.
        """
        unlabelled = np.zeros(len(padded.lengths), dtype=np.int8)
        return self.fusion(
            network_logits(self.network, EncodedSplit(padded.ids, padded.lengths, unlabelled)),
            self.linear.logits(*encoded) if self.linear else None,
            has_known_token(padded.ids),
        )

    def judge(self, texts: Sequence[str]) -> Answers:
        """Answer raw texts, with notes on texts that are cut or cannot be judged."""
        cleaned = [self.clean(text) for text in texts]
        encoded = encode_texts(self.tokenizer, cleaned)
        padded = self.pad(encoded)
        chances = probabilities(self.logits(encoded, padded))
        labels = predicted_labels(chances, self.threshold)
        names = [self.classes.names[label] for label in labels]
        notes = self._notes(cleaned, encoded, padded)
        return Answers(names, confidences(chances, labels), chances, notes)

    def _notes(self, cleaned: Sequence[str], encoded: Encoded, padded: Padded) -> list[str]:
        can_judge = self.informative[padded.ids].any(axis=1)
        totals = np.diff(encoded.offsets)
        cut = np.flatnonzero(totals > padded.lengths)
        # If the network knows no token, the answer is the prior, without the linear model.
        whole = has_known_token(padded.ids) & (self.linear is not None)
        for row in cut[whole[cut]]:
            start, end = encoded.offsets[row : row + 2]
            can_judge[row] = self.informative[encoded.ids[start:end]].any()
        # With byte pairs, the bytes of an invisible character are known tokens.
        notes = [
            EMPTY if is_blank(text) else "" if known else NO_KNOWN_WORD
            for text, known in zip(cleaned, can_judge, strict=True)
        ]
        for row in cut:
            if notes[row] != EMPTY:
                part = f"{padded.lengths[row]:,} of {totals[row]:,} tokens"
                extent = f"the network read {part}" if whole[row] else f"{part} read"
                notes[row] = "; ".join(filter(None, [notes[row], f"{CUT}: {extent}"]))
        return notes
