"""The network: embedding, LSTM layers, pooling over time, linear head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .architecture import Architecture


class Network(nn.Module):
    """A text classifier over padded token ids; T is the longest text of the batch.

    Padded sequences are used as they are rather than packed: on a CPU, packed ones bypass
    oneDNN and cost up to ten times as much. The right-to-left direction reads each text reversed
    within its own length and pooling masks what lies behind, so padding never changes a result.
    """

    def __init__(self, architecture: Architecture, vocabulary_size: int) -> None:
        super().__init__()
        sizes = architecture.hidden_sizes
        directions = 2 if architecture.bidirectional else 1
        self.embedding = nn.Embedding(vocabulary_size, architecture.embedding_size, padding_idx=0)
        inputs = (architecture.embedding_size, *(directions * size for size in sizes[:-1]))
        self.layers = nn.ModuleList(
            Layer(width, size, architecture.bidirectional)
            for width, size in zip(inputs, sizes, strict=True)
        )
        self.pooling = Pooling(architecture.pooling, architecture.bidirectional)
        self.head = nn.Linear(directions * sizes[-1], 1)
        self.embedding_dropout = nn.Dropout(architecture.embedding_dropout)
        self.layer_dropout = nn.Dropout(architecture.layer_dropout)
        self.head_dropout = nn.Dropout(architecture.head_dropout)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits of the positive label.

        Args:
            ids: (B, T) int64 token ids, 0 after each text's end.
            lengths: (B,) int64, tokens of each text, from 1 to T.

        Returns:
            (B,) float32.
        """
        reading = Reading(lengths, ids.shape[1])
        states = self.embedding_dropout(self.embedding(ids))  # (B, T, embedding_size)
        for number, layer in enumerate(self.layers):
            if number:
                states = self.layer_dropout(states)
            states = layer(states, reading)  # (B, T, directions * hidden)
        pooled = self.pooling(states, reading)  # (B, directions * hidden)
        logits: Tensor = self.head(self.head_dropout(pooled)).squeeze(1)
        return logits


class Reading:
    """Where the texts of a batch lie in their padded rows.

    Attributes:
        mask: (B, T, 1) bool, true on tokens.
        last: (B,) int64, the position of each text's last token.
        reversal: (B, T) int64, the position to read at each step from right to left: tokens in
            reverse, then the padding in place. It is its own inverse.
    """

    def __init__(self, lengths: Tensor, steps: int) -> None:
        positions = torch.arange(steps, device=lengths.device).expand(len(lengths), steps)
        inside = positions < lengths.unsqueeze(1)
        self.mask = inside.unsqueeze(2)
        self.last = lengths - 1
        self.reversal = torch.where(inside, self.last.unsqueeze(1) - positions, positions)

    def reverse(self, states: Tensor) -> Tensor:
        """(B, T, F) with each text reversed within its length."""
        return states.gather(1, self.reversal.unsqueeze(2).expand_as(states))


class Layer(nn.Module):
    """One LSTM layer (Hochreiter and Schmidhuber 1997, with forget gate), one or both ways."""

    def __init__(self, width: int, size: int, bidirectional: bool) -> None:
        super().__init__()
        self.forward_lstm = nn.LSTM(width, size, batch_first=True)
        self.backward_lstm = nn.LSTM(width, size, batch_first=True) if bidirectional else None

    def forward(self, states: Tensor, reading: Reading) -> Tensor:
        """(B, T, width) -> (B, T, size), or (B, T, 2 * size) when bidirectional."""
        outputs: Tensor = self.forward_lstm(states)[0]
        if self.backward_lstm is None:
            return outputs
        reverse = reading.reverse(self.backward_lstm(reading.reverse(states))[0])
        return torch.cat((outputs, reverse), dim=2)


class Pooling(nn.Module):
    """(B, T, F) -> (B, F), padding left out."""

    def __init__(self, kind: str, bidirectional: bool) -> None:
        super().__init__()
        self.kind = kind
        self.bidirectional = bidirectional

    def forward(self, states: Tensor, reading: Reading) -> Tensor:
        """The largest, the mean, or the last state of each direction (to the left: the first)."""
        if self.kind == "max":
            return states.masked_fill(~reading.mask, -torch.inf).amax(1)
        if self.kind == "mean":
            total = (states * reading.mask).sum(1)
            return total / (reading.last + 1).unsqueeze(1)
        final = states[torch.arange(len(states), device=states.device), reading.last]
        if not self.bidirectional:
            return final
        half = states.shape[2] // 2
        return torch.cat((final[:, :half], states[:, 0, half:]), dim=1)
