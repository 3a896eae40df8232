"""What a network starts training from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from sentigate.data.word_vectors import WordVectors
from sentigate.errors import DataError
from sentigate.model.network.architecture import Architecture
from sentigate.model.network.corrected_embedding import CorrectedEmbedding
from sentigate.model.network.network import Network

UNKNOWN_AND_PADDING = 2


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
        learning_rate: with which those of training words are corrected; None leaves all vectors
            as they are, except the unknown word's, which is learned.
    """

    vectors: WordVectors
    learning_rate: float | None


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
    values, learning_rate = start.vectors.values, start.learning_rate
    if (width := values.shape[1]) != architecture.embedding_size:
        raise DataError(
            f"network.embedding_size is {architecture.embedding_size}, and the word vectors have "
            f"{width} numbers; allowed with them: {width}"
        )
    learned = start.vectors.trained_entries if learning_rate else UNKNOWN_AND_PADDING
    return CorrectedEmbedding(torch.from_numpy(values).float(), learned, learning_rate)
