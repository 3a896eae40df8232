"""Fitting a network with PyTorch Lightning."""

from __future__ import annotations

import logging
import math
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping, TQDMProgressBar
from torch import Tensor, nn
from torch.nn import functional

from .batching import Batch, Batches, Split
from .network import Network
from .params import TrainingParams

Epoch = dict[str, float]
MODES = {"validation_loss": "min", "validation_accuracy": "max"}


class Totals(NamedTuple):
    """Sums over a batch.

    Attributes:
        loss: () float32, in nats.
        hits: () int64, right answers.
        answers: () int64, how many there were.
    """

    loss: Tensor
    hits: Tensor
    answers: Tensor


Objective = Callable[[Any, Batch], Totals]
"""What a network is fitted to: from it and a batch to the batch's totals."""


def classify(network: Network, batch: Batch) -> Totals:
    """Binary cross-entropy on the logits of a batch."""
    logits = network(batch.ids, batch.lengths)
    loss = functional.binary_cross_entropy_with_logits(logits, batch.labels, reduction="sum")
    hits = ((logits > 0) == (batch.labels > 0.5)).sum()
    return Totals(loss, hits, batch.lengths.new_tensor(len(batch.labels)))


class Learner(lightning.LightningModule):
    """Any network and objective, with AdamW (Loshchilov and Hutter 2019)."""

    def __init__(self, network: nn.Module, objective: Objective, params: TrainingParams) -> None:
        super().__init__()
        self.network = network
        self.objective = objective
        self.params = params
        self.sums: dict[str, Tensor] = {}

    def training_step(self, batch: Batch) -> Tensor:
        """Mean loss of a batch."""
        totals = self.objective(self.network, batch)
        self._add("train", totals)
        return totals.loss / totals.answers

    def validation_step(self, batch: Batch) -> None:
        """Add up loss and hits of a batch."""
        self._add("validation", self.objective(self.network, batch))

    def on_validation_epoch_end(self) -> None:
        """Log what early stopping watches."""
        loss, accuracy = self.take("validation")
        self.log_dict({"validation_loss": loss, "validation_accuracy": accuracy})

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW, fused: one kernel for all parameters. Without weight decay it is Adam."""
        return torch.optim.AdamW(
            self.network.parameters(),
            lr=self.params.learning_rate,
            weight_decay=self.params.weight_decay,
            fused=True,
        )

    def take(self, name: str) -> tuple[float, float]:
        """Mean loss and accuracy since the last call."""
        loss, hits, answers = self.sums.pop(name).tolist()
        return loss / answers, hits / answers

    def _add(self, name: str, totals: Totals) -> None:
        step = torch.stack([part.detach().double() for part in totals])
        self.sums[name] = self.sums[name] + step if name in self.sums else step


class _Recorder(Callback):
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
        assert isinstance(pl_module, Learner)
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
            self.best = {k: v.detach().clone() for k, v in pl_module.network.state_dict().items()}
        self.on_epoch(row)


def fit(
    make_network: Callable[[], nn.Module],
    train: Split,
    validation: Split,
    params: TrainingParams,
    *,
    objective: Objective = classify,
    full_width: bool = False,
    seed: int,
    scratch: Path,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> tuple[dict[str, Tensor], pd.DataFrame]:
    """Train until what ``params.monitor`` names is no better for ``params.patience`` epochs.

    The same inputs give the same bits on one kind of processor with one number of threads; without
    RNN or GRU cells of torch's, attention, convolution and language models with any number.

    Args:
        make_network: called once the seed is set; its weights are the first.
        train: rows to learn from.
        validation: rows that decide when to stop and which epoch's weights are kept.
        params: optimisation.
        objective: what to minimise.
        full_width: give the network all of each row's padding.
        seed: of initial weights, dropout and the order of batches.
        scratch: folder for what Lightning may write.
        on_epoch: called with each epoch's row as it ends.

    Returns:
        The best epoch's weights (none where no validation loss was finite), and a row per epoch:
        epoch (int), train_loss, validation_loss, validation_accuracy (float), kept (int, 1 in the
        best epoch's row).
    """
    lightning.seed_everything(seed, verbose=False)
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    recorder = _Recorder(params.monitor, on_epoch)
    learner = Learner(make_network(), objective, params)
    callbacks: list[Callback] = [
        recorder,
        EarlyStopping(
            params.monitor,
            mode=MODES[params.monitor],
            patience=params.patience,
            check_finite=True,
        ),
    ]
    on_terminal = sys.stderr.isatty()
    if on_terminal:
        callbacks.append(TQDMProgressBar())
    with warnings.catch_warnings():
        # Batches come ready from memory; worker processes would only copy them.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        # Lightning 2.6 against torch 2.13; nothing that we call.
        warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=params.max_epochs,
            gradient_clip_val=params.gradient_clip,
            deterministic=True,
            callbacks=callbacks,
            default_root_dir=scratch,
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=on_terminal,
            num_sanity_val_steps=0,
        )
        trainer.fit(
            learner,
            Batches(train, params.batch_size, shuffle_seed=seed, full_width=full_width),
            Batches(validation, 4 * params.batch_size, full_width=full_width),
        )
    table = pd.DataFrame(recorder.rows)
    table["kept"] = table["epoch"] == recorder.best_epoch
    return recorder.best, table.astype({"epoch": "int64", "kept": "int64"})
