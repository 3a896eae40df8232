"""What a network starts training from."""

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
    """A network whose encoder is a language model's (Dai and Le 2015).

    Attributes:
        weights: the language model's.
    """

    weights: Mapping[str, Tensor]


class FromVectors(NamedTuple):
    """A network whose embedding is word vectors.

    Attributes:
        vectors: of each entry of the vocabulary.
        learned: how many leading ids have a correction that is learned.
        learning_rate: of the corrections; None takes that of the network's other weights.
    """

    vectors: WordVectors
    learned: int
    learning_rate: float | None


def from_vectors(
    vectors: WordVectors, correction: VectorCorrection | None, train: EncodedSplit
) -> FromVectors:
    """Word vectors, and which of them are corrected.

    What comes before the first vector (padding, the unknown word, contexts) is learned in any case.
    Words are ranked by frequency: all up to the last that the training rows hold often enough.
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


def start_network(architecture: Architecture, vocabulary_size: int, start: Start) -> Network:
    """A network as it is before the first step of training.

    Raises:
        DataError: the word vectors are of another width than the network's embedding.
    """
    if isinstance(start, FromVectors):
        return Network(architecture, vocabulary_size, _embedding(architecture, start))
    network = Network(architecture, vocabulary_size)
    return network if start is None else start_from(network, start.weights)


def start_from(network: Network, language_model: Mapping[str, Tensor]) -> Network:
    """``network`` with its encoder as in a language model's weights; pooling and head stay."""
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
