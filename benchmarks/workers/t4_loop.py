"""Train with the published loop of T4 (bidirectional LSTM on IMDB), packed and shuffled.

`python t4_loop.py FOLDER`. A round is an epoch. It uses torch with default settings, and nothing of
sentigate.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset


class Reviews(Dataset[tuple[Tensor, Tensor]]):
    """Texts without padding, as tensors of ids."""

    def __init__(self, folder: Path) -> None:
        ids, lengths, labels = (np.load(folder / f"{n}.npy") for n in ("ids", "lengths", "labels"))
        self.tokens = int(lengths.sum())
        self.texts = [
            torch.tensor(row[:length].astype(np.int64))
            for row, length in zip(ids, lengths, strict=True)
        ]
        self.labels = torch.tensor(labels, dtype=torch.float32)

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.texts[index], self.labels[index]


def collate(batch: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """Pad the texts to the longest text of the batch."""
    texts, labels = zip(*batch, strict=True)
    lengths = torch.tensor([len(text) for text in texts])
    return pad_sequence(list(texts), batch_first=True), lengths, torch.stack(labels)


class BiLSTM(nn.Module):
    """A bidirectional LSTM; a linear head reads the final states of both directions."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(30_000, 128, padding_idx=0)
        self.lstm = nn.LSTM(128, 128, batch_first=True, bidirectional=True)
        self.head = nn.Linear(256, 1)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return logits."""
        packed = pack_padded_sequence(
            self.embedding(ids), lengths, batch_first=True, enforce_sorted=False
        )
        _, (state, _) = self.lstm(packed)
        logits: Tensor = self.head(torch.cat((state[-2], state[-1]), dim=1)).squeeze(1)
        return logits


def main() -> None:
    """Train an epoch for each input line."""
    torch.manual_seed(42)
    reviews = Reviews(Path(sys.argv[1], "train"))
    loader = DataLoader(reviews, batch_size=64, shuffle=True, collate_fn=collate)
    model = BiLSTM()
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in sys.stdin:
        start, total = time.perf_counter(), 0.0
        for ids, lengths, labels in loader:
            optimizer.zero_grad()
            loss = criterion(model(ids, lengths), labels)
            loss.backward()
            optimizer.step()
            total += loss.item()
        speed = reviews.tokens / (time.perf_counter() - start)
        print(json.dumps({"tokens_per_second": speed, "loss": total / len(loader)}), flush=True)


if __name__ == "__main__":
    main()
