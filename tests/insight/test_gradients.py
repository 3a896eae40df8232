"""Test gradient norms: with finite differences, a product of Jacobians, and by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.commands import run_in
from support.models import architecture
from support.params import tiny_values, write_values
from support.project import ROOT, commit_all, copy_project
from torch import Tensor
from torch.nn import functional

from sentigate import artifacts
from sentigate.errors import DataError
from sentigate.insight.gradients import (
    before_and_after,
    by_distance,
    fades_at,
    gradient_norms,
    longest,
    one_layer,
    only_trained,
)
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.network.network import Network
from sentigate.reporting.gradient_chart import CURVES, gradient_chart, write_gradient_chart
from sentigate.settings.model import TrainingParams
from sentigate.settings.params import load_params

VOCABULARY = 9
SMALL = architecture(
    embedding_size=3,
    cell="lstm",
    hidden_sizes=(4,),
    bidirectional=False,
    pooling="last",
    embedding_dropout=0.5,
    layer_dropout=0.0,
    head_dropout=0.5,
)
cells = pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
lengths_lists = st.lists(st.integers(1, 7), min_size=1, max_size=4)


def network(cell: str, seed: int = 0, scores: int = 1) -> Network:
    torch.manual_seed(seed)
    made = Network(one_layer(SMALL, cell), VOCABULARY, scores)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter)  # large weights also test saturation
    return made


def split(
    lengths: list[int], seed: int = 0, width: int | None = None, classes: int = 2
) -> EncodedSplit:
    rng = np.random.default_rng(seed)
    counts = np.array(lengths, dtype=np.int32)
    ids = rng.integers(2, VOCABULARY, (len(lengths), width or max(lengths)))
    ids[np.arange(ids.shape[1]) >= counts[:, None]] = 0
    return EncodedSplit(ids, counts, rng.integers(0, classes, len(lengths)).astype(np.int8))


def numerical_norm(net: Network, ids: Tensor, label: int, position: int, state: str) -> float:
    """Compute the norm by central differences with torch's cells: change a state after a token."""
    fast = net.encoder.layers[0].left_to_right
    vectors = net.encoder.embedding(ids).unsqueeze(0)

    def loss(changed: Any) -> float:
        rest = vectors[:, position + 1 :]
        hidden = changed[0] if isinstance(changed, tuple) else changed
        if rest.shape[1]:
            hidden = fast(rest, changed)[0][:, -1:].transpose(0, 1)
        logits = net.head(hidden[0])[0]
        if len(logits) == 1:
            logits = torch.cat((torch.zeros_like(logits), logits))  # the same two probabilities
        return -functional.log_softmax(logits, dim=0)[label].item()

    made = fast(vectors[:, : position + 1])[1]
    partials = []
    for step in 1e-5 * torch.eye(4, dtype=torch.float64):
        if state == "cell":
            hidden, cell = made
            output = hidden / torch.tanh(cell)  # h = o * tanh(c), and o does not depend on c
            sides = [(output * torch.tanh(cell + d), cell + d) for d in (step, -step)]
        elif isinstance(made, tuple):
            sides = [(made[0] + d, made[1]) for d in (step, -step)]
        else:
            sides = [made + d for d in (step, -step)]
        partials.append((loss(sides[0]) - loss(sides[1])) / 2e-5)
    return float(np.linalg.norm(partials))


@cells
@settings(max_examples=8)
@given(lengths=lengths_lists, seed=st.integers(0, 1000), classes=st.sampled_from([2, 3, 7]))
def test_norms_equal_finite_differences(
    cell: str, lengths: list[int], seed: int, classes: int
) -> None:
    net = network(cell, seed, scores=1 if classes == 2 else classes)
    rows = split(lengths, seed, classes=classes)
    norms = gradient_norms(net, rows)
    assert list(norms) == (["hidden", "cell"] if cell == "lstm" else ["hidden"])
    net = net.double()
    with torch.no_grad():
        for state, values in norms.items():
            assert values.shape == (len(lengths), max(lengths))
            for row, length in enumerate(lengths):
                ids = torch.from_numpy(rows.ids[row, :length])
                label = int(rows.labels[row])
                expected = [
                    numerical_norm(net, ids, label, length - 1 - distance, state)
                    for distance in range(length)
                ]
                assert values[row, :length] == pytest.approx(expected, rel=1e-5, abs=1e-9)
                assert np.isnan(values[row, length:]).all()


def test_norms_in_a_plain_rnn_are_products_of_jacobians() -> None:
    """Pascanu, Mikolov and Bengio (2013), eq. 5: one factor diag(tanh') W for each step."""
    net, rows = network("rnn", 5), split([12], 5)
    weights = {name: value.double().numpy() for name, value in net.state_dict().items()}
    cell = "encoder.layers.0.left_to_right."
    recurrent, head = weights[f"{cell}weight_hh_l0"], weights["head.weight"][0]
    hidden, states = np.zeros(4), []
    for token in rows.ids[0]:
        hidden = np.tanh(
            weights[f"{cell}weight_ih_l0"] @ weights["encoder.embedding.weight"][token]
            + weights[f"{cell}bias_ih_l0"]
            + recurrent @ hidden
            + weights[f"{cell}bias_hh_l0"]
        )
        states.append(hidden)
    positive = 1 / (1 + np.exp(-(head @ hidden + weights["head.bias"][0])))
    gradient, expected = (positive - rows.labels[0]) * head, []
    for hidden in reversed(states):
        expected.append(np.linalg.norm(gradient))
        gradient = gradient @ (np.diag(1 - hidden**2) @ recurrent)
    assert gradient_norms(net, rows)["hidden"][0] == pytest.approx(expected, rel=1e-9)


@cells
@settings(max_examples=10)
@given(lengths=lengths_lists, more=st.integers(0, 5), seed=st.integers(0, 1000))
def test_padding_and_other_texts_change_nothing(
    cell: str, lengths: list[int], more: int, seed: int
) -> None:
    net, rows = network(cell), split(lengths, seed, max(lengths) + more)
    together = gradient_norms(net, rows)
    for row, length in enumerate(lengths):
        alone = EncodedSplit(rows.ids[[row], :length], rows.lengths[[row]], rows.labels[[row]])
        for state, values in gradient_norms(net, alone).items():
            assert values.shape == (1, length)
            assert together[state][row, :length] == pytest.approx(values[0], rel=1e-9)


def test_several_batches_keep_the_order_of_texts() -> None:
    net, rows = network("gru"), split([*range(1, 40)] * 4)
    norms = gradient_norms(net, rows)["hidden"]
    assert (~np.isnan(norms)).sum(axis=1).tolist() == rows.lengths.tolist()
    one = EncodedSplit(rows.ids[[100]], rows.lengths[[100]], rows.labels[[100]])
    length = rows.lengths[100]
    assert norms[100, :length] == pytest.approx(gradient_norms(net, one)["hidden"][0], rel=1e-9)


@pytest.mark.parametrize(("weight", "length"), [(0.5, 400), (1e-3, 90), (2.0, 400)])
def test_norms_of_a_linear_rnn_are_powers_of_its_weight(weight: float, length: int) -> None:
    """Near zero, tanh is the identity, so each step back multiplies by ``weight``.

    This holds even if the square of the norm underflows: 1e-3 ** 89.
    """
    net = network("rnn")
    for parameter in net.parameters():
        torch.nn.init.zeros_(parameter)
    layer = net.encoder.layers[0].left_to_right
    with torch.no_grad():
        layer.weight_hh_l0.copy_(weight * torch.eye(4))
    torch.nn.init.constant_(net.head.weight, 3.0)
    norms = gradient_norms(net, split([length]))["hidden"][0]
    factor = float(np.float32(weight))
    last = 0.5 * 3.0 * 4**0.5  # the probability is 0.5, and its error is 0.5
    assert norms == pytest.approx(last * factor ** np.arange(length), rel=1e-9, abs=0)


def test_a_missing_gradient_is_zero_and_not_nan() -> None:
    net = network("lstm")
    torch.nn.init.zeros_(net.head.weight)
    for values in gradient_norms(net, split([3, 5])).values():
        assert np.nanmax(values) == 0
        assert np.isnan(values).sum() == 2


def test_words_outside_the_training_texts_become_unknown() -> None:
    ids = np.array([[2, 5, 6, 8, 0]], dtype=np.uint16)
    rows = EncodedSplit(ids, np.array([4], np.int32), np.array([1], np.int8))
    found = only_trained(rows, 6)
    assert found.ids.tolist() == [[2, 5, 1, 1, 0]]
    assert found.ids.dtype == np.uint16
    assert (found.lengths, found.labels) == (rows.lengths, rows.labels)


def test_dropout_is_off() -> None:
    torch.manual_seed(0)
    net, rows = Network(SMALL, VOCABULARY, 1), split([3, 5])
    assert net.training
    first, second = gradient_norms(net, rows), gradient_norms(net, rows)
    for state in ("hidden", "cell"):
        np.testing.assert_array_equal(first[state], second[state])


def test_the_network_is_not_changed() -> None:
    net = network("gru")
    before = {name: value.clone() for name, value in net.state_dict().items()}
    gradient_norms(net, split([3, 5]))
    assert net.training
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])
        assert value.dtype == torch.float32
    assert all(parameter.grad is None for parameter in net.parameters())


def test_each_distance_counts_the_texts_that_reach_it() -> None:
    nan = np.nan
    table = by_distance(np.array([[1.0, 8.0, nan], [3.0, nan, nan], [8.0, 2.0, 7.0]]))
    assert table.columns.tolist() == ["distance", "texts", "mean", "median", "p10", "p90"]
    assert table["distance"].tolist() == [0, 1, 2]
    assert table["texts"].tolist() == [3, 2, 1]
    assert table["mean"].tolist() == [4, 5, 7]
    assert table["median"].tolist() == [3, 5, 7]
    assert table["p10"].tolist() == pytest.approx([1.4, 2.6, 7])
    assert table["p90"].tolist() == pytest.approx([7, 7.4, 7])


def test_fades_at_the_distance_with_one_per_cent_left() -> None:
    curve = by_distance(np.array([[50.0, 0.6, 0.5, 0.4, 2.0]]))
    assert fades_at(curve) == 2
    assert fades_at(curve, share=0.001) is None


def test_the_longest_texts_are_taken_and_the_seed_breaks_ties() -> None:
    rows = split([2, 7, 5, 7, 5, 5, 1])
    assert longest(rows, 2, seed=0).lengths.tolist() == [7, 7]
    assert longest(rows, 99, seed=0).lengths.tolist() == [7, 7, 5, 5, 5, 2, 1]
    for taken in (longest(rows, 3, seed=4), longest(rows, 3, seed=4)):
        position = int(np.flatnonzero((rows.ids == taken.ids[2]).all(axis=1))[0])
        assert rows.labels[position] == taken.labels[2]
    thirds = {longest(rows, 3, seed).ids[2].tobytes() for seed in range(30)}
    assert len(thirds) == 3


def test_an_empty_split_is_an_error_that_names_the_setting() -> None:
    empty = EncodedSplit(np.zeros((0, 4), np.int32), np.zeros(0, np.int32), np.zeros(0, np.int8))
    with pytest.raises(DataError, match=r"no validation rows .* raise split\.validation_size"):
        longest(empty, 5, seed=0)


@pytest.mark.parametrize("name", list(load_params(ROOT / "params.yaml").models))
def test_every_model_gives_one_layer(name: str) -> None:
    chosen = load_params(ROOT / "params.yaml").models[name].network
    for cell in ("rnn", "gru", "lstm"):
        made = one_layer(chosen, cell)
        assert (made.cell, made.pooling, made.convolution) == (cell, "last", None)
        assert made.hidden_sizes == chosen.hidden_sizes[:1]
        assert made.embedding_size == chosen.embedding_size
        assert not made.bidirectional
        assert made.embedding_dropout == made.layer_dropout == made.head_dropout == 0


def test_before_and_after_measure_the_initial_and_the_kept_weights(tmp_path: Path) -> None:
    architecture = one_layer(SMALL, "gru")
    rows, texts = split([4, 6, 3, 6] * 8), split([6, 2, 5], seed=1)
    params = TrainingParams(
        monitor="validation_loss",
        batch_size=8, max_epochs=2, patience=2, learning_rate=0.05, weight_decay=0.0,
        gradient_clip=None, average_decay=None,
    )  # fmt: skip
    seen: list[dict[str, float]] = []
    table = before_and_after(
        architecture, VOCABULARY, 1, rows, rows, texts, params,
        seed=3, scratch=tmp_path, on_epoch=seen.append,
    )  # fmt: skip
    assert [row["epoch"] for row in seen] == [0, 1]
    torch.manual_seed(3)
    norms = gradient_norms(Network(architecture, VOCABULARY, 1), texts)["hidden"]
    expected = by_distance(norms)
    before, after = (table[table["trained"] == trained] for trained in (False, True))
    pd.testing.assert_frame_equal(before[expected.columns].reset_index(drop=True), expected)
    assert (before["mean"].to_numpy() != after["mean"].to_numpy()).all()


def curves(value: float = 0.5) -> pd.DataFrame:
    """Make a table of every curve; the norms halve at each step."""
    distance = np.arange(40)
    parts = [
        pd.DataFrame({"distance": distance, "median": value**distance}).assign(
            cell=cell, state=state, trained=trained
        )
        for cell, state in CURVES
        for trained in (False, True)
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(p10=table["median"] / 2, p90=table["median"] * 2)


def test_the_chart_has_every_curve_in_both_panels() -> None:
    figure = gradient_chart(curves())
    for axes in figure.axes:
        lines = axes.get_lines()
        assert [line.get_label() for line in lines] == [name for name, _, _ in CURVES.values()]
        assert len({line.get_linestyle() for line in lines}) == len(lines)
        assert axes.get_yscale() == "log"
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


def test_zeros_leave_the_chart_and_same_data_gives_same_bytes(tmp_path: Path) -> None:
    table = curves()
    table.loc[table["distance"] > 20, ["median", "p10", "p90"]] = 0.0
    for name in ("a.png", "b.png"):
        write_gradient_chart(table, tmp_path / name)
    content = (tmp_path / "a.png").read_bytes()
    assert content == (tmp_path / "b.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert b"Software" not in content
    axes = gradient_chart(table).axes[0]
    for line in axes.get_lines():
        drawn = np.asarray(line.get_ydata())
        assert (drawn[21:] > 0).all()
        assert (drawn[21:] < axes.get_ylim()[0]).all()
        assert (drawn[:21] == 0.5 ** np.arange(21)).all()


ASK_MLFLOW = """
import json, logging
logging.disable(logging.INFO)
from mlflow import MlflowClient
client = MlflowClient("sqlite:///mlflow.db")
experiment = client.get_experiment_by_name("sentigate")
print(json.dumps([{
    "id": run.info.run_id, "name": run.info.run_name, "status": run.info.status,
    "params": run.data.params, "metrics": run.data.metrics,
    "artifacts": [item.path for item in client.list_artifacts(run.info.run_id, "reports")],
} for run in client.search_runs([experiment.experiment_id])]))
"""


@pytest.fixture(scope="module")
def measured(
    tmp_path_factory: pytest.TempPathFactory, mlflow_database: Callable[[Path], str]
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Run the command in a copy of the project whose params.yaml names another data set."""
    project = copy_project(tmp_path_factory.mktemp("copy") / "project")
    write_values(tiny_values() | {"dataset": "vader"}, project)
    commit_all(project)
    mlflow_database(project / "mlflow.db")
    command = (sys.executable, "-m", "sentigate.cli.main", "gradients", "--dataset", "csv")
    return project, run_in(project, *command, "--epochs", "1")


def test_the_command_publishes_a_table_and_a_chart(
    measured: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    project, done = measured
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    for number, cell in enumerate(("rnn", "gru", "lstm"), start=1):
        assert f"{cell}: training {number} of 3, epochs: 1" in done.stdout
    table = pd.read_csv(project / "reports/gradients.csv")
    assert table.columns.tolist() == [
        *("dataset", "cell", "state", "trained", "distance"),
        *("texts", "mean", "median", "p10", "p90"),
    ]
    assert set(table["dataset"]) == {"csv"}
    groups = table.groupby(["cell", "state", "trained"])
    assert set(groups.groups) == {(*curve, trained) for curve in CURVES for trained in (0, 1)}
    lengths = np.sort(np.load(project / artifacts.PADDED / "validation/lengths.npy"))
    for _, curve in groups:
        assert curve["distance"].tolist() == list(range(lengths.max()))
        expected = [(lengths > distance).sum() for distance in curve["distance"]]
        assert curve["texts"].tolist() == expected
        assert (curve["p10"] <= curve["median"]).all()
        assert (curve["median"] <= curve["p90"]).all()
        assert (curve["mean"] > 0).all()
    write_gradient_chart(table, tmp_path / "again.png")
    drawn = (project / "reports/gradients.png").read_bytes()
    assert (tmp_path / "again.png").read_bytes() == drawn
    assert load_params(project / "params.yaml").dataset == "csv"
    assert not (project / ".stage/gradients").exists()


def test_the_command_is_one_run_in_mlflow(
    measured: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    project, done = measured
    asked = run_in(project, sys.executable, "-c", ASK_MLFLOW)
    (run,) = json.loads(asked.stdout)
    assert run["id"] in done.stdout
    assert (run["name"], run["status"]) == ("csv-gradients", "FINISHED")
    assert run["artifacts"] == ["reports/gradients.csv", "reports/gradients.png"]
    assert run["params"]["seed"] == "42"
    assert run["params"]["model.training.max_epochs"] == "1"
    assert run["params"]["model.network.pooling"] == "last"
    assert run["params"]["cells"] == "rnn, gru, lstm"
    assert "model.network.cell" not in run["params"]
    assert (
        run["params"]["model.fused"] == "False"
    )  # the tiny model is fused; these networks are not
    table = pd.read_csv(project / "reports/gradients.csv")
    first = table[(table["distance"] == 0) & table["trained"]].set_index(["cell", "state"])
    for cell, state in CURVES:
        logged = run["metrics"][f"{cell}.after.{state}.last"]
        assert logged == pytest.approx(first.loc[(cell, state), "median"], rel=1e-5)
        assert f"{cell}.before.{state}.farthest" in run["metrics"]
        assert f"{cell}.validation.log_loss" in run["metrics"]


def test_an_unknown_data_set_is_a_one_line_error_and_changes_nothing(tmp_path: Path) -> None:
    write_values(tiny_values(), tmp_path)
    before = (tmp_path / "params.yaml").read_bytes()
    command = (sys.executable, "-m", "sentigate.cli.main", "gradients", "--dataset", "nope")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "dataset is 'nope'; allowed: csv, imdb, imdb_8" in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"datasets", "params.yaml"}
    assert (tmp_path / "params.yaml").read_bytes() == before
