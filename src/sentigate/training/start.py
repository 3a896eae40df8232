"""The starting point of a training: random weights, word vectors or a language model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sentigate.data.word_vectors import WordVectors
from sentigate.errors import DataError
from sentigate.model.network.architecture import Architecture
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.network.corrected_embedding import CorrectedEmbedding
from sentigate.model.network.network import Network
from sentigate.settings.model import VectorCorrection


class FromLanguageModel(NamedTuple):
    """A start with the encoder of a language model (Dai and Le 2015).

    Attributes:
        weights: weights of the language model.
    """

    weights: Mapping[str, Tensor]


class FromVectors(NamedTuple):
    """A start with word vectors as the embedding.

    Attributes:
        vectors: a vector for each vocabulary entry.
        learned: number of leading ids with a learned correction.
        learning_rate: learning rate of the corrections; None for the rate of the other weights.
    """

    vectors: WordVectors
    learned: int
    learning_rate: float | None


def from_vectors(
    vectors: WordVectors, correction: VectorCorrection | None, train: EncodedSplit
) -> FromVectors:
    """Choose the word vectors that get a learned correction.

    The entries before the first vector (padding, the unknown token, contexts) always get one. With
    ``correction``, so do all words up to the last one that occurs at least ``min_count`` times in
    the training rows; the vocabulary lists words by frequency.
    """
    with_vector = np.flatnonzero(vectors.values.any(axis=1))
    learned = int(with_vector[0]) if len(with_vector) else len(vectors.values)
    if correction is None:
        return FromVectors(vectors, learned, None)
    counts = np.bincount(np.asarray(train.ids).ravel())
    often = np.flatnonzero(counts >= correction.min_count)
    return FromVectors(vectors, max([learned, *often + 1]), correction.learning_rate)


Start = FromLanguageModel | FromVectors | None
"""None is random weights."""


def start_network(
    architecture: Architecture, vocabulary_size: int, scores: int, start: Start
) -> Network:
    """Return the network before its first training step.

    Args:
        architecture: shape of the network.
        vocabulary_size: number of tokenizer entries.
        scores: number of logits.
        start: starting point of the network.

    Raises:
        DataError: the width of the word vectors differs from the width of the embedding.
    """
    if isinstance(start, FromVectors):
        return Network(architecture, vocabulary_size, scores, _embedding(architecture, start))
    network = Network(architecture, vocabulary_size, scores)
    return network if start is None else start_from(network, start.weights)


def start_from(network: Network, language_model: Mapping[str, Tensor]) -> Network:
    """Give ``network`` the encoder of a language model; pooling and head keep their weights."""
    prefix = "encoder."
    network.encoder.load_state_dict(
        {
            name.removeprefix(prefix): weight
            for name, weight in language_model.items()
            if name.startswith(prefix)
        }
    )
    return network


def _embedding(architecture: Architecture, start: FromVectors) -> CorrectedEmbedding:
    values = start.vectors.values
    if (width := values.shape[1]) != architecture.embedding_size:
        raise DataError(
            f"network.embedding_size is {architecture.embedding_size}, and the word vectors have "
            f"{width} numbers; allowed with them: {width}"
        )
    vectors = torch.from_numpy(values).float()
    return CorrectedEmbedding(vectors, start.learned, start.learning_rate)
