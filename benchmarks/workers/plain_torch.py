"""Train the default network in plain torch, with torch's own threads; a round is an epoch.

`python plain_torch.py FOLDER`. It uses nothing of sentigate. Batches of similar length are made in
advance.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


class BiLSTM(nn.Module):
    """A bidirectional LSTM with max pooling over time and a linear head."""

    def __init__(self, entries: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(entries, 128, padding_idx=0)
        self.lstm = nn.LSTM(128, 128, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(256, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits."""
        states, _ = self.lstm(self.dropout(self.embedding(ids)))
        states = states.masked_fill((ids == 0).unsqueeze(2), -torch.inf)
        logits: Tensor = self.head(self.dropout(states.amax(1))).squeeze(1)
        return logits


def read_batches(folder: Path) -> list[tuple[Tensor, Tensor]]:
    """Make batches of 64 rows of similar length."""
    ids, lengths, labels = (np.load(folder / f"{n}.npy") for n in ("ids", "lengths", "labels"))
    order = np.argsort(lengths, kind="stable")
    return [
        (
            torch.from_numpy(ids[rows, : lengths[rows].max()].astype(np.int64)),
            torch.from_numpy(labels[rows].astype(np.float32)),
        )
        for rows in np.split(order, range(64, len(order), 64))
    ]


def main() -> None:
    """Train an epoch for each input line."""
    torch.manual_seed(42)
    folder = Path(sys.argv[1])
    entries = json.loads((folder / "vocabulary_size.json").read_text("utf-8"))
    batches = read_batches(folder / "train")
    model = BiLSTM(entries)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1, fused=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        for ids, labels in batches:
            loss = functional.binary_cross_entropy_with_logits(model(ids), labels)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        milliseconds = 1000 * (time.perf_counter() - start) / len(batches)
        figures = {"milliseconds_per_step": milliseconds, "threads": torch.get_num_threads()}
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
