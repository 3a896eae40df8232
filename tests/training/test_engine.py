"""The engine: it learns, repeats its bits, stops, and keeps the best epoch."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from support.models import architecture
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from sentigate import progress
from sentigate.gates.validate import validate
from sentigate.model.network.architecture import Architecture, Convolution
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.network.inputs import Inputs
from sentigate.model.network.network import Network
from sentigate.settings.model import TrainingParams
from sentigate.training.best_epoch import Epoch
from sentigate.training.engine import fit

ROOT = Path(__file__).parents[2]
VOCABULARY = 30
SHAPE = architecture(
    embedding_size=8,
    cell="lstm",
    hidden_sizes=(8,),
    bidirectional=True,
    pooling="max",
    embedding_dropout=0.1,
    layer_dropout=0.0,
    head_dropout=0.1,
)
Weights = dict[str, Tensor]


def texts(rows: int, seed: int, *, noise: float = 0.0, classes: int = 2) -> EncodedSplit:
    """Return random tokens; one, 2 plus the label, shows it, wrongly in a share ``noise``."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 9, rows).astype(np.int32)
    labels = (np.arange(rows) % classes).astype(np.int8)
    others = rng.integers(2 + classes, VOCABULARY, (rows, 8))
    ids = np.where(np.arange(8) < lengths[:, None], others, 0)
    ids[np.arange(rows), rng.integers(0, lengths)] = np.where(
        rng.random(rows) < noise, 2 + (labels + 1) % classes, 2 + labels
    )
    return EncodedSplit(ids.astype(np.uint16), lengths, labels)


def params(**choices: object) -> TrainingParams:
    values = {
        "batch_size": 16,
        "max_epochs": 12,
        "patience": 3,
        "learning_rate": 0.03,
        "weight_decay": 0.01,
        "gradient_clip": 1.0,
        "average_decay": None,
        "monitor": "validation_loss",
    }
    return TrainingParams.model_validate(values | choices)


def trained(
    scratch: Path,
    train: EncodedSplit,
    validation: EncodedSplit,
    *,
    seed: int = 42,
    shape: Architecture = SHAPE,
    scores: int = 1,
    **choices: object,
) -> tuple[Weights, pd.DataFrame]:
    return fit(
        lambda: Network(shape, VOCABULARY, scores),
        train,
        validation,
        params(**choices),
        full_width=shape.reads_padding,
        seed=seed,
        scratch=scratch,
    )


def loss_of(weights: Weights, split: EncodedSplit) -> float:
    logits, labels = logits_of(weights, split), torch.from_numpy(split.labels.astype(np.int64))
    if logits.shape[1] == 1:
        return float(binary_cross_entropy_with_logits(logits.squeeze(1), labels.float()))
    return float(cross_entropy(logits, labels))


def logits_of(weights: Weights, split: EncodedSplit) -> Tensor:
    """Return the logits of a split, (rows, S)."""
    network = Network.from_weights(SHAPE, VOCABULARY, weights)
    ids, lengths = (torch.from_numpy(values.astype(np.int64)) for values in split[:2])
    with torch.no_grad():
        logits: Tensor = network(Inputs(ids, lengths))
    return logits


def same(first: Weights, second: Weights) -> bool:
    assert first.keys() == second.keys()
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_training_memorises_64_texts(tmp_path: Path) -> None:
    split = texts(64, 0)
    weights, table = trained(tmp_path, split, split)
    assert table["train_loss"].iloc[0] > 0.5
    assert table["train_loss"].iloc[-1] < 0.1
    assert table["validation_accuracy"].iloc[-1] == 1.0
    assert loss_of(weights, split) < 0.05


@pytest.mark.parametrize("classes", [3, 7])
def test_training_learns_several_classes(tmp_path: Path, classes: int) -> None:
    """Each class has its token, so that a network that learned them judges new texts rightly."""
    train, validation = (texts(rows, rows, classes=classes) for rows in (40 * classes, 50))
    weights, table = trained(tmp_path, train, validation, scores=classes)
    assert table["validation_accuracy"].iloc[0] < 0.9
    assert table["validation_accuracy"].iloc[-1] == 1.0
    new = texts(99, 1, classes=classes)
    assert (logits_of(weights, new).argmax(dim=1).numpy() == new.labels).mean() > 0.95
    assert loss_of(weights, new) < 0.2


@pytest.mark.numeric
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_cells_from_scratch_train_to_the_same_weights(tmp_path: Path, cell: str) -> None:
    split = texts(96, 0, noise=0.1)
    parts = {"cell": cell, "embedding_dropout": 0.0, "head_dropout": 0.0}
    fast, read = (
        trained(
            tmp_path, split, split, max_epochs=3,
            shape=SHAPE.model_copy(update={**parts, "cell_from_scratch": cell_from_scratch}),
        )
        for cell_from_scratch in (False, True)
    )  # fmt: skip
    assert fast[0].keys() == read[0].keys()
    for name, value in fast[0].items():
        assert (value - read[0][name]).abs().max() < 1e-4, name
    assert np.allclose(fast[1], read[1], atol=1e-4)


def test_full_width_rows_keep_their_padding(tmp_path: Path) -> None:
    """For a network that reads padding, the same texts with more padding are other inputs."""
    split = texts(40, 0)
    longer = split._replace(ids=np.pad(split.ids, ((0, 0), (0, 4))))
    shape = SHAPE.model_copy(update={"bidirectional": False, "pooling": "last_padded"})
    tables = [
        trained(tmp_path, part, part, shape=shape, max_epochs=1)[1] for part in (split, longer)
    ]
    assert not np.allclose(tables[0]["validation_loss"], tables[1]["validation_loss"], atol=1e-5)
    shape = SHAPE.model_copy(update={"bidirectional": False, "pooling": "last"})
    tables = [
        trained(tmp_path, part, part, shape=shape, max_epochs=1)[1] for part in (split, longer)
    ]
    assert np.allclose(tables[0], tables[1], atol=1e-6)


def test_without_gradient_clip_gradients_are_not_clipped(tmp_path: Path) -> None:
    split = texts(64, 0)
    free, clipped = (
        trained(tmp_path, split, split, max_epochs=1, gradient_clip=clip)[0]
        for clip in (None, 1e-4)
    )
    assert not same(free, clipped)


def test_the_table_has_a_row_for_each_epoch(tmp_path: Path) -> None:
    reported: list[Epoch] = []
    split = texts(40, 0)
    _, table = fit(
        lambda: Network(SHAPE, VOCABULARY, 1), split, split, params(max_epochs=2), seed=1,
        scratch=tmp_path, on_epoch=reported.append,
    )  # fmt: skip
    assert {name: str(kind) for name, kind in table.dtypes.items()} == {
        "epoch": "int64",
        "train_loss": "float64",
        "validation_loss": "float64",
        "validation_accuracy": "float64",
        "kept": "int64",
    }
    assert table["epoch"].tolist() == [0, 1]
    assert reported == table.drop(columns="kept").to_dict("records")
    assert table["kept"].sum() == 1


def test_the_weights_of_the_best_epoch_are_returned(tmp_path: Path) -> None:
    """Half of the training labels are random, so that the validation loss rises again."""
    validation = texts(50, 9)
    weights, table = trained(
        tmp_path, texts(80, 1, noise=0.5), validation, max_epochs=10, patience=10
    )
    losses = table["validation_loss"]
    assert len(losses) == 10
    assert losses.idxmin() < 9
    assert loss_of(weights, validation) == pytest.approx(losses.min(), abs=1e-5)
    assert losses.min() < losses.iloc[-1] - 1e-3


@pytest.mark.parametrize(("classes", "scores"), [(2, 1), (3, 3)])
def test_figures_weight_all_rows_equally(tmp_path: Path, classes: int, scores: int) -> None:
    """The last batch is smaller; a mean over batches would give its rows more weight."""
    validation = texts(4 * 16 + 3, 9, classes=classes)
    train = texts(35, 1, classes=classes)
    weights, table = trained(tmp_path, train, validation, scores=scores, max_epochs=1)
    assert loss_of(weights, validation) == pytest.approx(table["validation_loss"].iloc[0], abs=1e-6)
    logits = logits_of(weights, validation)
    answered = logits.argmax(dim=1) if scores > 1 else (logits[:, 0] >= 0).long()
    right = (answered.numpy() == validation.labels).mean()
    assert table["validation_accuracy"].iloc[0] == pytest.approx(right, abs=1e-6)


def test_training_stops_when_the_validation_loss_no_longer_falls(tmp_path: Path) -> None:
    train, validation = texts(64, 1, noise=0.5), texts(50, 9)
    _, table = trained(tmp_path, train, validation, max_epochs=40, patience=2)
    losses = table["validation_loss"]
    assert len(losses) < 40
    assert losses.idxmin() == len(losses) - 3
    _, short = trained(tmp_path, train, validation, max_epochs=1, patience=2)
    assert len(short) == 1


OTHER_PARTS: list[dict[str, object]] = [
    {"cell": "gru"},
    {"cell": "rnn"},
    {"pooling": "attention"},
    {"convolution": Convolution(filters=8, width=3, pool=2)},
]


@pytest.mark.numeric
@pytest.mark.parametrize(("parts", "threads"), [({}, 1), *((parts, None) for parts in OTHER_PARTS)])
def test_the_seed_determines_every_bit(
    tmp_path: Path, parts: dict[str, object], threads: int | None
) -> None:
    """Training sets torch's number of threads, so the earlier number does not matter."""
    split = texts(64, 0)
    shape = SHAPE.model_copy(update=parts)
    first, table = trained(tmp_path, split, split, shape=shape, max_epochs=3)
    torch.rand(7)  # earlier draws do not matter
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        again, table_again = trained(tmp_path, split, split, shape=shape, max_epochs=3)
    finally:
        torch.set_num_threads(before)
    assert same(first, again)
    pd.testing.assert_frame_equal(table, table_again, check_exact=True)
    other, _ = trained(tmp_path, split, split, seed=43, shape=shape, max_epochs=3)
    assert not same(first, other)


@pytest.mark.parametrize("monitor", ["validation_loss", "validation_accuracy"])
def test_the_kept_epoch_is_best_by_the_monitored_figure(tmp_path: Path, monitor: str) -> None:
    """Random labels make the network too sure, so the loss is best long before the accuracy."""
    train, validation = texts(64, 0, noise=0.2), texts(64, 1, noise=0.3)
    weights, table = trained(
        tmp_path, train, validation, monitor=monitor, max_epochs=12, patience=12
    )
    loss, accuracy = table["validation_loss"], table["validation_accuracy"]
    assert loss.idxmin() != accuracy.idxmax()
    best = loss.idxmin() if monitor == "validation_loss" else accuracy.idxmax()
    assert table.index[table["kept"] == 1].tolist() == [best]
    assert loss_of(weights, validation) == pytest.approx(loss[best], abs=1e-5)


@pytest.mark.parametrize("rate", [1e9, 1e30])
def test_a_diverging_training_is_stopped_and_refused_by_the_gate(
    tmp_path: Path, rate: float
) -> None:
    split = texts(64, 0)
    _, table = trained(tmp_path, split, split, learning_rate=rate)
    assert len(table) < 12
    assert not np.isfinite(table["validation_loss"]).all() or table["validation_loss"].max() > 1e6
    gate = validate(
        ROOT / "expectations" / "train.json",
        table.assign(kept_mcc=0.5),
        {"min_validation_mcc": 0.1},
        "epoch",
    )
    failed = [item["says"] for item in gate.expectations if not item["success"]]
    assert any("loss" in sentence for sentence in failed)


def test_two_layers_and_the_other_poolings_learn(tmp_path: Path) -> None:
    split = texts(64, 0)
    for pooling in ("mean", "last"):
        shape = SHAPE.model_copy(
            update={"hidden_sizes": (8, 6), "pooling": pooling, "layer_dropout": 0.1}
        )
        _, table = trained(tmp_path, split, split, shape=shape)
        assert table["validation_loss"].min() < 0.3


def test_training_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, scratch = tmp_path / "work", tmp_path / "scratch"
    work.mkdir()
    scratch.mkdir()
    monkeypatch.chdir(work)
    split = texts(20, 0)
    trained(scratch, split, split, max_epochs=1)
    assert [*work.iterdir(), *scratch.iterdir()] == []


def test_a_long_epoch_prints_its_progress(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.001)
    split = texts(20, 0)
    trained(tmp_path, split, split, max_epochs=2, batch_size=4)
    printed = capfd.readouterr().err
    assert re.search(r"(?m)^  epoch 1, batch [1-5] of 5: 0 s$", printed), printed
    assert "\r" not in printed


@pytest.mark.parametrize("terminal", [False, True])
def test_a_failed_training_ends_its_progress_display(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)

    def fail(epoch: object) -> None:
        raise ValueError

    split = texts(20, 0)
    with progress.doing("training"):
        whole = progress._innermost
        with pytest.raises(ValueError):  # noqa: PT011
            fit(
                lambda: Network(SHAPE, VOCABULARY, 1), split, split, params(max_epochs=1),
                full_width=False, seed=1, scratch=tmp_path, on_epoch=fail,
            )  # fmt: skip
        assert progress._innermost is whole
    assert progress._innermost is None


def test_a_short_training_prints_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY", 60)
    split = texts(20, 0)
    trained(tmp_path, split, split, max_epochs=1)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


@pytest.mark.parametrize(
    "module",
    [
        "pipeline.train",
        "pipeline.evaluate",
        "sentigate.training.engine",
        "sentigate.model.predictor",
    ],
)
def test_the_wait_policy_of_threads_is_set_before_torch_is_imported(module: str) -> None:
    """The setting works only if it is made before torch is imported."""
    script = (
        "import importlib, os, sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'torch':\n"
        "            print(os.environ.get('OMP_WAIT_POLICY'), flush=True)\n"
        "            os._exit(0)\n"
        "sys.meta_path.insert(0, Watch())\n"
        "importlib.import_module(sys.argv[1])\n"
    )
    unset = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", script, module],
        cwd=ROOT,
        env=unset,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "PASSIVE\n"
