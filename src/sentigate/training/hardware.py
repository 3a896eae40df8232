"""The hardware for training, and the decisions that params.yaml leaves open with ``auto``."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch

from sentigate.errors import ParamsError
from sentigate.model.network.architecture import Architecture
from sentigate.model.network.inputs import Inputs
from sentigate.model.network.network import Network
from sentigate.settings.params import TrainerParams

from .bfloat16 import multiplies_bfloat16

# Narrower layers spend little time on the multiplications that bfloat16 speeds up.
SMALLEST_LAYER = 32


class Hardware(NamedTuple):
    """Arguments of Lightning's Trainer.

    Attributes:
        accelerator: kind of device.
        devices: number of devices, each with its own process.
        precision: bf16-mixed multiplies in bfloat16, and keeps weights and sums in float32.
    """

    accelerator: Literal["cpu", "gpu"]
    devices: int
    precision: Literal["32-true", "bf16-mixed"]


ONE_CPU = Hardware("cpu", 1, "32-true")


def resolve_hardware(trainer: TrainerParams, architecture: Architecture) -> Hardware:
    """Decide every ``auto`` of ``trainer`` for this machine and network.

    bfloat16 is chosen where measurements show that it is faster (benchmarks/bfloat16.md) and costs
    no more accuracy than another seed does (benchmarks/spread.md): with torch's LSTM, on CPUs that
    multiply bfloat16 with AMX or AVX-512, and on GPUs that multiply it in hardware. The decision
    reads the processor's instructions and measures no time, so a machine always decides alike.

    Raises:
        ParamsError: params.yaml asks for more GPUs than exist, or for bf16-mixed on a processor on
            which torch cannot train this network in bfloat16.
    """
    gpus = torch.cuda.device_count()
    accelerator = trainer.accelerator
    if accelerator == "auto":
        accelerator = "gpu" if gpus else "cpu"
    if accelerator == "gpu" and gpus < trainer.devices:
        raise ParamsError(
            f"trainer: accelerator gpu with devices {trainer.devices}, and torch sees {gpus} GPUs "
            "here; allowed: accelerator cpu, or at most as many devices as GPUs"
        )
    precision = trainer.precision
    if precision == "auto":
        fast = multiplies_bfloat16(accelerator) and _is_worth_it(architecture)
        runs = fast and (accelerator == "gpu" or _trains_in_bfloat16(architecture))
        precision = "bf16-mixed" if runs else "32-true"
        return Hardware(accelerator, trainer.devices, precision)
    on_cpu = precision == "bf16-mixed" and accelerator == "cpu"
    if on_cpu and not _trains_in_bfloat16(architecture):
        raise ParamsError(
            f"trainer.precision is bf16-mixed, and this processor lacks instructions that "
            f"torch's {architecture.cell} needs for bfloat16; allowed: 32-true or auto"
        )
    return Hardware(accelerator, trainer.devices, precision)


def _trains_in_bfloat16(architecture: Architecture) -> bool:
    """Try two tokens, because torch offers no other way to ask whether this CPU has kernels."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        network = Network(architecture, vocabulary_size=2, scores=1)
        try:
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(Inputs(torch.ones(1, 2, dtype=torch.int64), torch.tensor([2])))
            logits.float().sum().backward()
        except RuntimeError:
            return False
    return True


def _is_worth_it(architecture: Architecture) -> bool:
    return (
        architecture.cell == "lstm"
        and not architecture.cell_from_scratch
        and min(architecture.hidden_sizes) >= SMALLEST_LAYER
    )
