"""The network: embedding, optional convolution, recurrent layers, pooling over time, head."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from ..text.encoding import UNKNOWN_ID
from .architecture import Architecture, Convolution
from .cells import Recurrence
from .corrected_embedding import CorrectedEmbedding
from .dropout import Dropout
from .inputs import Inputs
from .padded_layout import PaddedLayout
from .pooling import Pooling

FAST_CELLS: dict[str, Callable[..., nn.Module]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
Direction = Callable[[Tensor], Tensor]
"""One direction of a layer: (B, T, width) -> (B, T, size)."""


def padding_id(architecture: Architecture) -> int | None:
    """Return the id whose vector is zero; a network that reads padding learns that vector."""
    return None if architecture.reads_padding else 0


class Encoder(nn.Module):
    """Maps token ids to a state per token; T is the longest text of the batch.

    Sequences stay padded, because on a CPU packed sequences bypass oneDNN and cost up to ten times
    as much. The right-to-left direction reads each text reversed within its own length, so padding
    never changes the state of a token.
    """

    def __init__(
        self,
        architecture: Architecture,
        vocabulary_size: int,
        embedding: nn.Embedding | CorrectedEmbedding | None = None,
    ) -> None:
        """``embedding`` takes the place of one that is learned from nothing."""
        super().__init__()
        sizes = architecture.hidden_sizes
        directions = 2 if architecture.bidirectional else 1
        width = architecture.embedding_size
        self.embedding = (
            nn.Embedding(vocabulary_size, width, padding_idx=padding_id(architecture))
            if embedding is None
            else embedding
        )
        self.windows = (
            ConvolutionBlock(width, architecture.convolution) if architecture.convolution else None
        )
        first = architecture.convolution.filters if architecture.convolution else width
        inputs = (first, *(directions * size for size in sizes[:-1]))
        self.layers = nn.ModuleList(
            Layer(architecture, width, size) for width, size in zip(inputs, sizes, strict=True)
        )
        self.features = directions * sizes[-1]
        self.word_dropout = architecture.word_dropout
        self.embedding_dropout = Dropout(architecture.embedding_dropout)
        self.layer_dropout = Dropout(architecture.layer_dropout)

    def forward(self, inputs: Inputs) -> tuple[Tensor, PaddedLayout]:
        """Return the states, and the layout of the texts in them.

        Returns:
            (B, T, features) float32; a convolution divides T and the lengths by ``pool``.
        """
        ids, lengths = inputs
        if self.training and self.word_dropout:
            draws = torch.rand(ids.shape, device=ids.device)
            ids = ids.masked_fill((draws < self.word_dropout) & (ids > UNKNOWN_ID), UNKNOWN_ID)
        return self.read(self.embedding(ids), PaddedLayout(lengths, ids.shape[1]))

    def read(self, vectors: Tensor, layout: PaddedLayout) -> tuple[Tensor, PaddedLayout]:
        """Do the same from token vectors, (B, T, embedding_size)."""
        states = self.embedding_dropout(vectors)
        if self.windows is not None:
            states, layout = self.windows(states, layout)
        for number, layer in enumerate(self.layers):
            if number:
                states = self.layer_dropout(states)
            states = layer(states, layout)
        return states, layout


class Network(nn.Module):
    """A text classifier over padded token ids."""

    def __init__(
        self,
        architecture: Architecture,
        vocabulary_size: int,
        scores: int,
        embedding: nn.Embedding | CorrectedEmbedding | None = None,
    ) -> None:
        """Make a network with random weights.

        Args:
            architecture: shape of the network.
            vocabulary_size: number of tokenizer entries.
            scores: number of logits, S: 1 for two classes, or else one for each class.
            embedding: takes the place of one that is learned from nothing.
        """
        super().__init__()
        self.architecture = architecture
        self.encoder = Encoder(architecture, vocabulary_size, embedding)
        features = self.encoder.features
        self.pooling = Pooling(architecture.pooling, features, architecture.bidirectional)
        self.head_dropout = Dropout(architecture.head_dropout)
        self.head = nn.Linear(features, scores)

    @classmethod
    def from_weights(
        cls, architecture: Architecture, vocabulary_size: int, weights: Mapping[str, Tensor]
    ) -> Network:
        """Return a network in eval mode with ``weights``, as float32, as its ``state_dict``."""
        with torch.device("meta"):  # skips random initial weights, which would take time
            # Torch would import its compiler, for two seconds, to draw this layer's on "meta".
            embedding = nn.Embedding(
                vocabulary_size,
                architecture.embedding_size,
                padding_idx=padding_id(architecture),
                _weight=torch.empty(vocabulary_size, architecture.embedding_size),
            )
            network = cls(architecture, vocabulary_size, len(weights["head.weight"]), embedding)
        network.load_state_dict({k: v.float() for k, v in weights.items()}, assign=True)
        return network.eval()

    def forward(self, inputs: Inputs) -> Tensor:
        """Return logits, (B, S) float32."""
        return self.decide(*self.encoder(inputs))

    def decide(self, states: Tensor, layout: PaddedLayout) -> Tensor:
        """Return logits, (B, S), from the encoder's states."""
        pooled = self.pooling(states, layout)  # (B, features)
        logits: Tensor = self.head(self.head_dropout(pooled))
        return logits


class ConvolutionBlock(nn.Module):
    """Convolution over neighbouring tokens, ReLU, and max pooling over neighbouring windows."""

    def __init__(self, width: int, convolution: Convolution) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(
            width, convolution.filters, convolution.width, padding=convolution.width // 2
        )
        self.pool = nn.MaxPool1d(convolution.pool, ceil_mode=True)
        self.step = convolution.pool

    def forward(self, states: Tensor, layout: PaddedLayout) -> tuple[Tensor, PaddedLayout]:
        """(B, T, width) -> (B, ceil(T / pool), filters); padding must be zero, and stays so."""
        features = self.convolution(states.transpose(1, 2)).relu()
        features = self.pool(features * layout.mask.transpose(1, 2)).transpose(1, 2)
        lengths = torch.div(layout.lengths + self.step - 1, self.step, rounding_mode="floor")
        return features, PaddedLayout(lengths, features.shape[1])


def read_in_sequence(first: Direction, second: Direction, states: Tensor) -> tuple[Tensor, Tensor]:
    """Run both directions of a layer, one after the other."""
    return first(states), second(states)


class Layer(nn.Module):
    """One recurrent layer, in one or both directions.

    Attributes:
        read_both: runs the two directions; training replaces it.
    """

    def __init__(self, architecture: Architecture, width: int, size: int) -> None:
        super().__init__()

        def recurrence() -> nn.Module:
            if architecture.cell_from_scratch:
                return Recurrence(architecture.cell, width, size)
            return FAST_CELLS[architecture.cell](width, size, batch_first=True)

        self.left_to_right = recurrence()
        self.right_to_left = recurrence() if architecture.bidirectional else None
        self.read_both: Callable[[Direction, Direction, Tensor], tuple[Tensor, Tensor]] = (
            read_in_sequence
        )

    def forward(self, states: Tensor, layout: PaddedLayout) -> Tensor:
        """(B, T, width) -> (B, T, size), or (B, T, 2 * size) when bidirectional."""
        right_to_left = self.right_to_left
        if right_to_left is None:
            outputs: Tensor = self.left_to_right(states)[0]
            return outputs
        both = self.read_both(
            lambda states: self.left_to_right(states)[0],
            lambda states: layout.reverse(right_to_left(layout.reverse(states))[0]),
            states,
        )
        return torch.cat(both, dim=2)
