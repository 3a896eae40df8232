"""Train with the published loop of T1 (characters of tweets), which encodes row by row.

`python t1_loop.py FOLDER`. A round is an epoch. It uses torch with default settings, and nothing of
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
from torch.utils.data import DataLoader, Dataset

LENGTH = 200


class Tweets(Dataset[tuple[Tensor, Tensor]]):
    """Tweets, encoded on access, and cut or padded to 200 characters."""

    def __init__(self, folder: Path) -> None:
        self.texts: list[str] = json.loads((folder / "texts.json").read_text("utf-8"))
        self.labels = np.load(folder / "train/labels.npy")
        characters = dict.fromkeys("".join(self.texts))
        self.ids = {character: number for number, character in enumerate(characters, 1)}
        self.unknown = len(self.ids) + 1
        self.tokens = sum(min(len(text), LENGTH) for text in self.texts)

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        ids = [self.ids.get(character, self.unknown) for character in self.texts[index]]
        ids = ids[:LENGTH] + [0] * (LENGTH - len(ids))
        return torch.tensor(ids), torch.tensor(self.labels[index], dtype=torch.float32)


class CharLSTM(nn.Module):
    """An LSTM of one unit, read at the last position, after the padding."""

    def __init__(self, entries: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(entries, 16)
        self.lstm = nn.LSTM(16, 1, batch_first=True)
        self.head = nn.Linear(1, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Return probabilities."""
        outputs, _ = self.lstm(self.embedding(ids))
        return torch.sigmoid(self.head(outputs[:, -1])).squeeze(1)


def main() -> None:
    """Train an epoch for each input line."""
    torch.manual_seed(42)
    tweets = Tweets(Path(sys.argv[1]))
    loader = DataLoader(tweets, batch_size=32, shuffle=True)
    model = CharLSTM(tweets.unknown + 1)
    criterion = nn.BCELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in sys.stdin:
        start, total = time.perf_counter(), 0.0
        for ids, labels in loader:
            optimizer.zero_grad()
            loss = criterion(model(ids), labels)
            loss.backward()
            optimizer.step()
            total += loss.item()
        speed = tweets.tokens / (time.perf_counter() - start)
        print(json.dumps({"tokens_per_second": speed, "loss": total / len(loader)}), flush=True)


if __name__ == "__main__":
    main()
