"""What a person sees of an epoch: Lightning's bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys

import pytorch_lightning as lightning
from pytorch_lightning.callbacks import Callback, TQDMProgressBar

from sentigate.progress import done, watch


def epoch_progress() -> Callback:
    """The one that suits where stderr goes."""
    return _Bar() if sys.stderr.isatty() else _Lines()


class _Bar(TQDMProgressBar):
    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        done()  # the bar shows enough
        super().on_train_start(trainer, pl_module)

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        super().on_train_epoch_end(trainer, pl_module)
        self.train_progress_bar.clear()  # so that a line about the epoch stands by itself


class _Lines(Callback):
    def on_train_epoch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        # Asked for by another thread, so that a batch costs nothing more.
        watch(
            lambda: (
                f"epoch {trainer.current_epoch}, batch {trainer.fit_loop.batch_idx + 1} of "
                f"{trainer.num_training_batches}"
            )
        )
