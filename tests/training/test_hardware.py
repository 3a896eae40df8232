"""The hardware for training: decisions for ``auto``, refusals, precisions, processes, GPUs."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from support.models import architecture

from sentigate.errors import ParamsError
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.network.inputs import Inputs
from sentigate.model.network.network import Network
from sentigate.settings.model import TrainingParams
from sentigate.settings.params import TrainerParams
from sentigate.training import hardware
from sentigate.training.engine import fit
from sentigate.training.hardware import Hardware, resolve_hardware

SHAPE = architecture(
    embedding_size=32,
    cell="lstm",
    hidden_sizes=(32,),
    bidirectional=True,
    pooling="max",
    embedding_dropout=0.0,
    layer_dropout=0.0,
    head_dropout=0.0,
)
PARAMS = TrainingParams(
    monitor="validation_loss",
    batch_size=16,
    max_epochs=3,
    patience=3,
    learning_rate=0.01,
    weight_decay=0.01,
    gradient_clip=1.0,
    average_decay=None,
)
AUTO = TrainerParams(accelerator="auto", devices=1, precision="auto")
BFLOAT16 = TrainerParams(accelerator="cpu", devices=1, precision="bf16-mixed")
CAPABILITIES = torch.cpu.get_capabilities()
MULTIPLIES = bool(CAPABILITIES.get("amx_bf16") or CAPABILITIES.get("avx512_bf16"))
GPUS = torch.cuda.device_count()
REFUSAL = r"^trainer\.precision is bf16-mixed.* lacks .* lstm .*allowed: 32-true or auto$"


def lstm_in_bfloat16() -> bool:
    """Return whether torch has such an LSTM for this processor; oneDNN requires AVX-512."""
    try:
        with torch.autocast("cpu", torch.bfloat16):
            torch.nn.LSTM(32, 32, batch_first=True)(torch.zeros(16, 8, 32))
    except RuntimeError:
        return False
    return True


LSTM_IN_BFLOAT16 = lstm_in_bfloat16()


def texts(rows: int) -> EncodedSplit:
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 9, rows).astype(np.int32)
    labels = (np.arange(rows) % 2).astype(np.int8)
    ids = np.where(np.arange(8) < lengths[:, None], rng.integers(4, 30, (rows, 8)), 0)
    ids[:, 0] = 2 + labels
    return EncodedSplit(ids.astype(np.uint16), lengths, labels)


def test_explicit_choices_are_kept() -> None:
    asked = TrainerParams(accelerator="cpu", devices=3, precision="32-true")
    assert resolve_hardware(asked, SHAPE) == Hardware("cpu", 3, "32-true")
    gru = SHAPE.model_copy(update={"cell": "gru"})  # torch's GRU needs no special instructions
    assert resolve_hardware(BFLOAT16, gru) == Hardware("cpu", 1, "bf16-mixed")


@pytest.mark.numeric
@pytest.mark.skipif(GPUS > 0, reason="auto takes the GPU")
def test_auto_is_bfloat16_only_where_it_is_fast() -> None:
    expected = "bf16-mixed" if MULTIPLIES and LSTM_IN_BFLOAT16 else "32-true"
    assert resolve_hardware(AUTO, SHAPE) == Hardware("cpu", 1, expected)
    for slow in ({"cell": "gru"}, {"cell_from_scratch": True}, {"hidden_sizes": (32, 1)}):
        assert resolve_hardware(AUTO, SHAPE.model_copy(update=slow)).precision == "32-true"


def test_a_missing_gpu_is_refused() -> None:
    asked = TrainerParams(accelerator="gpu", devices=GPUS + 1, precision="auto")
    with pytest.raises(ParamsError, match=rf"devices {GPUS + 1}.*torch sees {GPUS} GPUs.*allowed"):
        resolve_hardware(asked, SHAPE)


@pytest.mark.numeric
def test_bfloat16_without_the_kernels_is_refused_before_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The network fails like torch's LSTM on a processor without bfloat16 kernels."""

    class Fails(Network):
        def forward(self, inputs: Inputs) -> torch.Tensor:
            raise RuntimeError("could not create a primitive")

    monkeypatch.setattr(hardware, "Network", Fails)
    monkeypatch.setattr(hardware, "multiplies_bfloat16", lambda accelerator: True)
    with pytest.raises(ParamsError, match=REFUSAL):
        resolve_hardware(BFLOAT16, SHAPE)
    on_cpu = AUTO.model_copy(update={"accelerator": "cpu"})
    assert resolve_hardware(on_cpu, SHAPE).precision == "32-true"
    monkeypatch.undo()
    monkeypatch.setattr(hardware, "multiplies_bfloat16", lambda accelerator: True)
    assert resolve_hardware(on_cpu, SHAPE).precision == (
        "bf16-mixed" if LSTM_IN_BFLOAT16 else "32-true"
    )


def test_the_trial_draws_no_random_numbers() -> None:
    dropping = SHAPE.model_copy(update={"cell": "gru", "head_dropout": 0.5})
    before = torch.get_rng_state()
    resolve_hardware(BFLOAT16, dropping)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.numeric
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_every_precision_learns_and_keeps_float32_weights(tmp_path: Path, precision: str) -> None:
    asked = TrainerParams(accelerator="cpu", devices=1, precision=precision)
    if precision == "bf16-mixed" and not LSTM_IN_BFLOAT16:
        with pytest.raises(ParamsError, match=REFUSAL):
            resolve_hardware(asked, SHAPE)
        return
    weights, table = fit(
        partial(Network, SHAPE, 30, 1), texts(64), texts(64), PARAMS,
        hardware=resolve_hardware(asked, SHAPE), seed=1, scratch=tmp_path,
    )  # fmt: skip
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    assert table["validation_accuracy"].iloc[-1] == 1.0


@pytest.mark.numeric
def test_precisions_differ(tmp_path: Path) -> None:
    """Otherwise bf16-mixed would have no effect."""
    shape = SHAPE.model_copy(update={"cell": "lstm" if LSTM_IN_BFLOAT16 else "gru"})
    fitted = [
        fit(
            partial(Network, shape, 30, 1), texts(64), texts(64), PARAMS,
            hardware=Hardware("cpu", 1, precision), seed=1, scratch=tmp_path,
        )[1]
        for precision in ("32-true", "bf16-mixed")
    ]  # fmt: skip
    losses = [table["train_loss"].to_numpy() for table in fitted]
    assert not np.array_equal(*losses)
    assert np.allclose(*losses, atol=0.02)


def test_two_processes_fit_the_same_weights_as_one(tmp_path: Path) -> None:
    """Without dropout, the gradient of a batch does not depend on how it is divided."""
    train, validation = texts(67), texts(35)  # the last batch has 3 rows: 2 and 1
    one, two = (
        fit(
            partial(Network, SHAPE, 30, 1), train, validation, PARAMS,
            hardware=Hardware("cpu", devices, "32-true"), seed=1, scratch=tmp_path,
        )
        for devices in (1, 2)
    )  # fmt: skip
    for name, weight in one[0].items():
        assert torch.allclose(weight, two[0][name], atol=1e-4), name
    assert np.allclose(one[1], two[1], atol=1e-4)
    assert not (tmp_path / "ranks").exists()
    assert not torch.distributed.is_initialized()


@pytest.mark.skipif(not GPUS, reason="there is no GPU here")
def test_a_gpu_fits_the_network(tmp_path: Path) -> None:
    weights, table = fit(
        partial(Network, SHAPE, 30, 1), texts(64), texts(64), PARAMS,
        hardware=resolve_hardware(AUTO, SHAPE), seed=1, scratch=tmp_path,
    )  # fmt: skip
    assert {weight.device.type for weight in weights.values()} == {"cpu"}
    assert table["validation_accuracy"].iloc[-1] == 1.0
