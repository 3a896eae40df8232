"""The progress of an epoch: Lightning's bar on a terminal, occasional lines elsewhere."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any

import pytorch_lightning as lightning
from pytorch_lightning.callbacks import Callback, TQDMProgressBar

from sentigate.progress import watching


def epoch_progress() -> Callback:
    """Return a callback that shows a bar if stderr is a terminal, or else lines."""
    return _Bar() if sys.stderr.isatty() else _Lines()


class _Lines(Callback):
    def __init__(self) -> None:
        super().__init__()
        self.epoch = ExitStack()

    def on_train_epoch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        self.epoch.close()
        # Another thread makes the text, so that a batch takes no longer.
        self.epoch.enter_context(
            watching(
                lambda: (
                    f"epoch {trainer.current_epoch}, batch {trainer.fit_loop.batch_idx + 1} of "
                    f"{trainer.num_training_batches}"
                )
            )
        )

    def on_train_end(self, *_: Any) -> None:
        self.epoch.close()

    def on_exception(self, *_: Any) -> None:
        self.epoch.close()


class _Bar(TQDMProgressBar):
    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        self.silence = ExitStack()
        self.silence.enter_context(watching(lambda: ""))  # the bar shows enough
        super().on_train_start(trainer, pl_module)

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        super().on_train_epoch_end(trainer, pl_module)
        self.train_progress_bar.clear()  # the line about the epoch needs an empty line

    def on_train_end(self, *arguments: Any) -> None:
        super().on_train_end(*arguments)
        self.silence.close()

    def on_exception(self, *_: Any) -> None:
        self.silence.close()
