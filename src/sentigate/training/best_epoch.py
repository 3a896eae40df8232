"""The epochs of a training: their figures, and the weights of the best one."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytorch_lightning as lightning
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from .lightning_module import LitModel

Epoch = dict[str, float]
"""epoch, train_loss, validation_loss (nats a prediction) and validation_accuracy."""
MODES = {"validation_loss": "min", "validation_accuracy": "max"}
"""Figure that can be monitored -> whether the lowest or the highest is best."""


class BestEpoch(Callback):
    """Keeps a row per epoch, and the weights of the epoch that is best by the monitored figure."""

    def __init__(self, monitor: str, on_epoch: Callable[[Epoch], None]) -> None:
        self.monitor = monitor
        self.sign = 1 if MODES[monitor] == "max" else -1
        self.on_epoch = on_epoch
        self.rows: list[Epoch] = []
        self.best_score = -math.inf
        self.best_epoch = -1
        self.best: dict[str, Tensor] = {}

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Keep the epoch's figures, and its weights if it is the best epoch so far."""
        assert isinstance(pl_module, LitModel)
        loss, _ = pl_module.take("train")
        validation_loss = float(trainer.callback_metrics["validation_loss"])
        row = {
            "epoch": len(self.rows),
            "train_loss": loss,
            "validation_loss": validation_loss,
            "validation_accuracy": float(trainer.callback_metrics["validation_accuracy"]),
        }
        self.rows.append(row)
        score = self.sign * row[self.monitor]
        if math.isfinite(validation_loss) and score > self.best_score:
            self.best_score, self.best_epoch = score, len(self.rows) - 1
            weights = pl_module.network.state_dict()
            self.best = {name: weight.to("cpu", copy=True) for name, weight in weights.items()}
        self.on_epoch(row)
