"""The engine: runs the training of a network with PyTorch Lightning, on one device or several."""

from __future__ import annotations

import logging
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

from sentigate.errors import DataError, counted
from sentigate.model.network.batches import Batches, EncodedSplit
from sentigate.progress import watching
from sentigate.settings.model import TrainingParams

from .best_epoch import MODES, BestEpoch, Epoch
from .epoch_progress import epoch_progress
from .hardware import ONE_CPU, Hardware
from .lightning_module import LitModel
from .objective import Objective, classify
from .parallel_directions import read_in_parallel, subnormals_are_zero
from .processes import Rank, ranks
from .steps import steps_of


class Fitted(NamedTuple):
    """A fitted network.

    Attributes:
        weights: weights of the best epoch, on the CPU; empty if no validation loss was finite.
        epochs: a row per epoch: epoch (int64), train_loss, validation_loss, validation_accuracy
            (float64), kept (int64, 1 in the best epoch's row).
    """

    weights: dict[str, Tensor]
    epochs: pd.DataFrame


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
) -> Fitted:
    """Train for ``params.max_epochs``, or until ``params.patience`` epochs bring no improvement.

    The same inputs give the same bits on one kind of processor with one precision, number of
    devices and OMP_NUM_THREADS. A kernel runs on one thread, or on OMP_NUM_THREADS threads; the two
    directions of a layer run in parallel.

    Args:
        make_network: called after the seed is set; makes the network with its first weights.
        train: rows to learn from.
        validation: rows that decide when to stop and which epoch's weights are kept.
        params: optimisation.
        objective: objective to minimise.
        full_width: whether each row keeps all its padding.
        hardware: hardware to run on. With several devices, each process takes its share of every
            batch, and ``make_network`` and ``objective`` must be picklable.
        seed: seed of the first weights, dropout and the order of batches.
        scratch: folder for files that Lightning may write.
        on_epoch: called with each epoch's row as it ends.

    Raises:
        DataError: a split has fewer rows than there are processes.
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
    """The arguments of ``fit`` that all processes get."""

    make_network: Callable[[], nn.Module]
    train: EncodedSplit
    validation: EncodedSplit
    params: TrainingParams
    objective: Objective
    full_width: bool
    hardware: Hardware
    seed: int
    scratch: Path


def _fit(rank: int, job: _Job, on_epoch: Callable[[Epoch], None] = lambda epoch: None) -> Fitted:
    params, (accelerator, devices, precision) = job.params, job.hardware
    steps = steps_of(len(job.train.lengths), params, devices)
    lightning.seed_everything(job.seed, verbose=False)
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    recorder = BestEpoch(params.monitor, on_epoch)
    network = job.make_network()
    read_in_parallel(network)
    learner = LitModel(network, job.objective, params)
    if rank:
        torch.manual_seed(job.seed + rank)  # own dropout; rank 0 sends the initial weights
    callbacks: list[Callback] = [
        *([] if rank else [epoch_progress()]),
        recorder,
        EarlyStopping(
            params.monitor,
            mode=MODES[params.monitor],
            patience=steps.patience or params.max_epochs,  # a loss that is not finite also stops
            check_finite=True,
        ),
    ]
    with warnings.catch_warnings(), _settings():
        # Batches are already in memory; worker processes would only copy them.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        # Lightning 2.6 calls a function that torch 2.13 deprecates.
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
    return Fitted(recorder.best, table.astype({"epoch": "int64", "kept": "int64"}))


@contextmanager
def _settings() -> Iterator[None]:
    """Set torch's switches for training, and set them back afterwards."""
    threads = torch.get_num_threads()
    deterministic: Any = torch.utils.deterministic
    fill = deterministic.fill_uninitialized_memory
    # See parallel_directions.py. More threads make a kernel little faster, and much slower when
    # other processes are busy. OMP_NUM_THREADS is a list, with a number for each level of nesting.
    chosen = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    torch.set_num_threads(int(chosen) if chosen.isdecimal() and int(chosen) else 1)
    # With deterministic algorithms, torch spends a tenth of the time on filling unused memory.
    deterministic.fill_uninitialized_memory = False
    # Deterministic products on a GPU need this variable, which CUDA reads when it starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    try:
        with subnormals_are_zero():
            yield
    finally:
        torch.set_num_threads(threads)
        deterministic.fill_uninitialized_memory = fill
