"""Fitting a network with PyTorch Lightning."""

from __future__ import annotations

import logging
import math
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping, ProgressBar
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import LinearLR
from torch.optim.swa_utils import get_ema_multi_avg_fn

from sentigate.errors import DataError, counted
from sentigate.model.network.batches import Batch, Batches, EncodedSplit
from sentigate.model.network.corrected_embedding import CorrectedEmbedding
from sentigate.model.network.network import Network
from sentigate.model.network.parallel_directions import subnormals_are_zero
from sentigate.progress import watching
from sentigate.settings.model import TrainingParams

from .epoch_progress import epoch_progress
from .hardware import ONE_CPU, Hardware
from .processes import Rank, ranks
from .steps import steps_of

Epoch = dict[str, float]
MODES = {"validation_loss": "min", "validation_accuracy": "max"}


class BatchSums(NamedTuple):
    """Sums over a batch.

    Attributes:
        loss: () float32, in nats.
        correct: () int64, right answers.
        predictions: () int64, how many there were.
    """

    loss: Tensor
    correct: Tensor
    predictions: Tensor


Objective = Callable[[Any, Batch], BatchSums]
"""What a network is fitted to: from it and a batch to the sums over it."""


def classify(network: Network, batch: Batch) -> BatchSums:
    """Binary cross-entropy on the logits of a batch."""
    logits = network(batch.inputs)
    loss = functional.binary_cross_entropy_with_logits(logits, batch.labels, reduction="sum")
    correct = ((logits >= 0) == batch.labels.bool()).sum()
    return BatchSums(loss, correct, batch.rows.new_tensor(len(batch.labels)))


class LitModel(lightning.LightningModule):
    """Any network and objective, with AdamW (Loshchilov and Hutter 2019)."""

    def __init__(self, network: nn.Module, objective: Objective, params: TrainingParams) -> None:
        super().__init__()
        self.automatic_optimization = False  # its many hooks cost a small network a third
        self.network = network
        self.objective = objective
        self.params = params
        self.sums: dict[str, list[Tensor]] = {}
        self.average = Average(network, params.average_decay) if params.average_decay else None
        self.decay: LinearLR | None = None

    def training_step(self, batch: Batch) -> None:
        """One update. Of several processes' shares, the gradients' mean is that of the batch."""
        sums = self.objective(self.network, batch)
        self._add("train", sums)
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, torch.optim.Optimizer)
        optimizer.zero_grad()
        processes = self.trainer.world_size
        predictions = sums.predictions
        if processes > 1:
            predictions = self._sum(predictions.clone())
        self.manual_backward(sums.loss * processes / predictions)
        if self.params.gradient_clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.params.gradient_clip)
        optimizer.step()
        if self.decay:
            self.decay.step()
        if self.average:
            self.average.update()

    def on_train_epoch_start(self) -> None:
        """Go on from the last step's weights."""
        if self.average:
            self.average.swap_out()

    def on_validation_epoch_start(self) -> None:
        """Judge the averaged weights, which stay in place until the next epoch starts."""
        if self.average:
            self.average.swap_in()

    def validation_step(self, batch: Batch) -> None:
        """Add up loss and correct answers of a batch."""
        self._add("validation", self.objective(self.network, batch))

    def on_validation_epoch_end(self) -> None:
        """Log what early stopping watches."""
        loss, accuracy = self.take("validation")
        figures = {"validation_loss": loss, "validation_accuracy": accuracy}
        self.log_dict(figures, sync_dist=True)  # alike in all processes by now

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW, fused: one kernel for all parameters. Without weight decay it is Adam."""
        optimizer = torch.optim.AdamW(
            _with_learning_rates(self.network),
            lr=self.params.learning_rate,
            weight_decay=self.params.weight_decay,
            fused=True,
        )
        if self.params.learning_rate_decay == "linear":
            steps = int(self.trainer.estimated_stepping_batches)
            self.decay = LinearLR(optimizer, 1.0, 0.0, total_iters=steps)
        return optimizer

    def take(self, name: str) -> tuple[float, float]:
        """Mean loss and accuracy since the last call, of all processes."""
        loss, correct, predictions = self._sum(torch.stack(self.sums.pop(name))).tolist()
        return loss / predictions, correct / predictions

    def _sum(self, values: Tensor) -> Tensor:
        total = self.trainer.strategy.reduce(values, reduce_op="sum")
        assert isinstance(total, Tensor)
        return total

    def _add(self, name: str, sums: BatchSums) -> None:
        parts = [part.detach() for part in sums]
        if name not in self.sums:
            self.sums[name] = [part.to(torch.float64, copy=True) for part in parts]
        else:
            for total, part in zip(self.sums[name], parts, strict=True):
                total += part

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """The batch, which on a CPU is there: to look for tensors in it takes time."""
        if device.type == "cpu":
            return batch
        moved: Batch = super().transfer_batch_to_device(batch, device, dataloader_idx)
        return moved


def _with_learning_rates(network: nn.Module) -> list[dict[str, Any]]:
    """Parameter groups; corrections of word vectors have a learning rate of their own."""
    own = {
        module.correction: module.learning_rate
        for module in network.modules()
        if isinstance(module, CorrectedEmbedding) and module.learning_rate
    }
    others = [weight for weight in network.parameters() if weight not in own]
    return [{"params": others}, *({"params": [weight], "lr": lr} for weight, lr in own.items())]


class Average:
    """Weights averaged exponentially over steps (Polyak and Juditsky 1992; EMA).

    At step n the share kept is at most (1 + n) / (10 + n), so that the first weights, which are
    random, are soon forgotten. So the average is over about a ninth of the steps so far, as long
    as those are few: any decay suits a small table.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.weights = [weight for weight in network.parameters() if weight.requires_grad]
        self.averages: list[Tensor] = []
        self.swapped = False

    @torch.no_grad()
    def update(self) -> None:
        """Take the weights of a step in."""
        if not self.averages:  # the trainer has put the network on its device by now
            self.averages = [weight.detach().clone() for weight in self.weights]
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        blend = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        blend(self.averages, self.weights, self.steps)

    def swap_in(self) -> None:
        """Let the network have the averages."""
        if not self.swapped:
            self._swap()

    def swap_out(self) -> None:
        """Let the network have its own weights again."""
        if self.swapped:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for weight, average in zip(self.weights, self.averages, strict=True):
            own = weight.clone()
            weight.copy_(average)
            average.copy_(own)
        self.swapped = not self.swapped


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
        """Note the epoch's figures, and its weights where it is the best so far."""
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


def fit(
    make_network: Callable[[], nn.Module],
    train: EncodedSplit,
    validation: EncodedSplit,
    params: TrainingParams,
    *,
    objective: Objective = classify,
    full_width: bool = False,
    hardware: Hardware = ONE_CPU,
    seed: int,
    scratch: Path,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> tuple[dict[str, Tensor], pd.DataFrame]:
    """Train for ``params.max_epochs``, or until ``params.monitor`` is no better for ``patience``.

    The same inputs give the same bits on one kind of processor with one precision, number of
    devices and OMP_NUM_THREADS. Kernels run on one thread, or what that variable says, and the
    directions of a layer beside each other.

    Args:
        make_network: called once the seed is set; its weights are the first.
        train: rows to learn from.
        validation: rows that decide when to stop and which epoch's weights are kept.
        params: optimisation.
        objective: what to minimise.
        full_width: give the network all of each row's padding.
        hardware: what to run on. With several devices, each process takes its share of every
            batch, and ``make_network`` and ``objective`` must be picklable.
        seed: of initial weights, dropout and the order of batches.
        scratch: folder for what Lightning may write.
        on_epoch: called with each epoch's row as it ends.

    Returns:
        The best epoch's weights, on the CPU (none where no validation loss was finite), and a row
        per epoch: epoch (int), train_loss, validation_loss, validation_accuracy (float), kept
        (int, 1 in the best epoch's row).

    Raises:
        DataError: there are fewer rows than processes.
    """
    job = _Job(
        make_network, train, validation, params, objective, full_width, hardware, seed, scratch
    )
    preparing = watching(lambda: "preparing to train")
    if hardware.devices == 1:
        with preparing:
            return _fit(0, job, on_epoch)
    rows = min(len(train.lengths), len(validation.lengths))
    if rows < hardware.devices:
        raise DataError(
            f"{hardware.devices} processes cannot share a split of {counted(rows, 'row')}"
        )
    backend = "nccl" if hardware.accelerator == "gpu" else "gloo"
    with preparing, ranks(hardware.devices, backend, scratch, _fit, job):
        return _fit(0, job, on_epoch)


class _Job(NamedTuple):
    """What all processes are given: ``fit``'s arguments."""

    make_network: Callable[[], nn.Module]
    train: EncodedSplit
    validation: EncodedSplit
    params: TrainingParams
    objective: Objective
    full_width: bool
    hardware: Hardware
    seed: int
    scratch: Path


def _fit(
    rank: int, job: _Job, on_epoch: Callable[[Epoch], None] = lambda epoch: None
) -> tuple[dict[str, Tensor], pd.DataFrame]:
    params, (accelerator, devices, precision) = job.params, job.hardware
    steps = steps_of(len(job.train.lengths), params, devices)
    lightning.seed_everything(job.seed, verbose=False)
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    recorder = BestEpoch(params.monitor, on_epoch)
    learner = LitModel(job.make_network(), job.objective, params)
    if rank:
        torch.manual_seed(job.seed + rank)  # its own dropout; the first weights are rank 0's
    callbacks: list[Callback] = [
        *([] if rank else [epoch_progress()]),
        recorder,
        EarlyStopping(
            params.monitor,
            mode=MODES[params.monitor],
            patience=steps.patience or params.max_epochs,  # it also ends what is not finite
            check_finite=True,
        ),
    ]
    with warnings.catch_warnings(), _settings():
        # Batches come ready from memory; worker processes would only copy them.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        # Lightning 2.6 against torch 2.13; nothing that we call.
        warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
        trainer = lightning.Trainer(
            accelerator=accelerator,
            devices=devices,
            strategy="ddp" if devices > 1 else "auto",
            plugins=[Rank(rank)] if devices > 1 else None,
            precision=precision,
            max_epochs=params.max_epochs,
            deterministic=True,
            callbacks=callbacks,
            default_root_dir=job.scratch,
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=isinstance(callbacks[0], ProgressBar),
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
        batches = partial(Batches, full_width=job.full_width, process_share=(rank, devices))
        trainer.fit(
            learner,
            batches(job.train, steps.batch_size, job.seed),
            batches(job.validation, 4 * params.batch_size),
        )
    table = pd.DataFrame(recorder.rows)
    table["kept"] = table["epoch"] == recorder.best_epoch
    return recorder.best, table.astype({"epoch": "int64", "kept": "int64"})


@contextmanager
def _settings() -> Iterator[None]:
    """Torch's own switches as training wants them, and afterwards as they were."""
    threads = torch.get_num_threads()
    deterministic: Any = torch.utils.deterministic
    fill = deterministic.fill_uninitialized_memory
    # See parallel_directions.py. More threads gain a kernel little, and lose much beside others.
    chosen = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]  # a level of nesting each
    torch.set_num_threads(int(chosen) if chosen.isdecimal() and int(chosen) else 1)
    # With deterministic algorithms torch fills what nothing reads, for a tenth of the time.
    deterministic.fill_uninitialized_memory = False
    # Deterministic products on a GPU need it; read when CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    try:
        with subnormals_are_zero():
            yield
    finally:
        torch.set_num_threads(threads)
        deterministic.fill_uninitialized_memory = fill
