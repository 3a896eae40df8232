"""Test `sentigate explain`."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from support.explanations import (
    NGRAMS,
    TEXT,
    WEIGHT,
    Page,
    classes_of,
    long_text,
    make_model,
    page_of,
    tipping_model,
)
from support.project import copy_settings
from support.registry import add_champion

from sentigate.cli.main import main
from sentigate.insight.explanation import explain
from sentigate.model.predictor import Predictor
from sentigate.registry.loading import load_predict
from sentigate.registry.versions import model_name
from sentigate.reporting.explanation_page import render_explanation


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, mlflow_database: Callable[[Path], str]
) -> Iterator[Path]:
    """A project with a registered model."""
    folder = tmp_path_factory.mktemp("project")
    copy_settings(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", mlflow_database(folder / "mlflow.db"))
        files = make_model(folder / "files")
        add_champion(files, model_name("vader"), tmp_path_factory.mktemp("scratch"))
        yield folder


def run_explain(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[object, str]:
    """Run the command; return the exit code or error message, and the output."""
    monkeypatch.setattr(sys, "argv", ["sentigate", "explain", *arguments])
    with pytest.raises(SystemExit) as error:
        main()
    return error.value.code, capsys.readouterr().out


def test_the_command_explains_the_registered_models_answer(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = run_explain(monkeypatch, capsys, "--", TEXT)
    assert code == 0
    answer = load_predict("models:/sentigate-vader@champion")([TEXT])
    label, probability = answer["label"][0], float(answer["probability_positive"][0])
    assert out == f"{label}\t{max(probability, 1 - probability):.4f}\treports/explanation.html\n"
    data = Page((project / "reports/explanation.html").read_text("utf-8")).data
    total = data["start"] + sum(data["contributions"]) + data["remainder"]
    assert 1 / (1 + np.exp(-total)) == pytest.approx(probability, abs=1e-6)
    assert data["model"] == "models:/sentigate-vader@champion"
    assert [path.name for path in (project / "reports").iterdir()] == ["explanation.html"]


def test_the_command_prints_the_contribution_of_each_part(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    copy_settings(tmp_path)
    explanation = explain(Predictor(make_model(Path("models"), ngrams=NGRAMS)), TEXT)
    arguments = ("--model", "latest", "--out", "page.html")
    code, out = run_explain(monkeypatch, capsys, TEXT, *arguments)
    assert code == 0
    first, *others = [line.split("\t") for line in out.splitlines()]
    assert first[1:] == [f"{explanation.probabilities.max():.4f}", "page.html"]
    assert others == [
        ["start", f"{explanation.start[0]:+.4f}"],
        ["LSTM", f"{explanation.from_network.sum():+.4f}"],
        ["linear", f"{explanation.from_ngrams.sum():+.4f}"],
        ["n-gram", f"{-4.0 * WEIGHT:+.4f}", ". warm!"],
        ["n-gram", f"{2.5 * WEIGHT:+.4f}", "fine film"],
        ["n-gram", f"{-2.0 * WEIGHT:+.4f}", "hours"],
        ["n-gram", f"{1.5 * WEIGHT:+.4f}", "fine"],
        ["n-gram", f"{-0.5 * WEIGHT:+.4f}", "two"],
    ]
    code, out = run_explain(monkeypatch, capsys, "zebra", *arguments)
    assert out.splitlines()[1:] == [
        "start\t-0.4000\tno token is known: the share of positive training texts"
    ]


def test_latest_names_the_model_in_models(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    copy_settings(tmp_path)
    arguments = ("A FINE  film", "--model", "latest", "--out", "deep/er/page.html")
    message, _ = run_explain(monkeypatch, capsys, *arguments)
    assert str(message).endswith("models/model.json does not exist; run `make train` first")

    make_model(Path("models"), cell="gru")
    code, out = run_explain(monkeypatch, capsys, *arguments)
    assert code == 0
    assert out.endswith("\tdeep/er/page.html\n")
    data = Page(Path("deep/er/page.html").read_text("utf-8")).data
    assert data["tokens"] == ["a", "fine", "film"]  # cleaned as in training


@pytest.mark.parametrize("older", ["keys", "weights"])
def test_an_older_version_is_refused_in_one_line(
    project: Path, older: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (saved,) = (project / "mlartifacts").glob("models/*/artifacts/artifacts/files")
    before = {path: path.read_bytes() for path in saved.iterdir()}
    if older == "keys":
        described = json.loads((saved / "model.json").read_text())
        del described["network"]["cell"]
        (saved / "model.json").write_text(json.dumps(described))
    else:
        weights = load_file(saved / "weights.safetensors")
        renamed = {name.replace("left_to_right", "forward_lstm"): w for name, w in weights.items()}
        save_file(renamed, saved / "weights.safetensors")
    try:
        page = tmp_path / "page.html"
        message, out = run_explain(monkeypatch, capsys, TEXT, "--out", str(page))
    finally:
        for path, content in before.items():
            path.write_bytes(content)
    assert "champion is damaged, or of another version of sentigate" in str(message)
    assert len(str(message).splitlines()) == 1
    assert len(str(message)) < 500
    assert out == ""
    assert not page.exists()


def test_other_wrong_input_is_refused_in_one_line(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    message, _ = run_explain(monkeypatch, capsys, TEXT, "--model", "models:/nothing@champion")
    assert "no model at models:/nothing@champion" in str(message)
    message, _ = run_explain(monkeypatch, capsys, TEXT, "--model", "no/such/folder")
    assert "no model at no/such/folder" in str(message)
    message, _ = run_explain(monkeypatch, capsys, "bad \udcff byte")
    assert message == "sentigate: the text 'bad \\udcff byte' is not valid UTF-8"
    (tmp_path / "folder").mkdir()
    for out in (tmp_path / "folder", tmp_path / "params/page.html"):
        (tmp_path / "params").write_text("a file")
        message, printed = run_explain(monkeypatch, capsys, TEXT, "--out", str(out))
        assert f"{out} cannot be written: " in str(message)
        assert printed == ""
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "params"]


def test_page_and_command_warn_if_contributions_do_not_add_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here no 32-bit number is near enough to the edge to show which tokens cause the jump."""
    monkeypatch.chdir(tmp_path)
    copy_settings(tmp_path)
    predictor = tipping_model(Path("models"), 4.0, 250)
    explanation = explain(predictor, long_text())
    assert -10 < explanation.remainder[0] < -3  # the jump
    assert not explanation.adds_up
    page = page_of(predictor, long_text())
    assert "do not add up" in page.texts["does-not-add-up"]
    assert page.data["adds_up"] is False
    assert page.html.count('class="bad"') == 2
    code, out = run_explain(
        monkeypatch, capsys, long_text(), "--model", "latest", "--out", "page.html"
    )
    assert code == 0
    last = out.splitlines()[-1].split("\t")
    assert last[:2] == ["remainder", f"{explanation.remainder[0]:+.4f}"]
    assert "do not add up" in last[2]
    short = explain(tipping_model(Path("models"), 0.5, 250), "Good.")
    assert short.adds_up
    assert "do not add up" not in render_explanation(short, "a model")


def test_an_option_chooses_the_class(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    copy_settings(tmp_path)
    classes = classes_of(3)
    explanation = explain(
        Predictor(make_model(Path("models"), ngrams=NGRAMS, classes=classes)), TEXT
    )
    arguments = (TEXT, "--model", "latest", "--out", "page.html")
    answered = explanation.answered
    other = (answered + 1) % 3

    def lines(label: int) -> list[str]:
        linear = explanation.from_ngrams[label].sum()
        return [
            f"start\t{explanation.start[label]:+.4f}",
            f"LSTM\t{explanation.from_network[label].sum():+.4f}",
            f"linear\t{linear:+.4f}",
            *(f"n-gram\t{x:+.4f}\t{each.text}" for each, x in explanation.strongest(label, 5)),
        ]

    first = f"kind {answered}\t{explanation.probabilities[answered]:.4f}\tpage.html"
    _, out = run_explain(monkeypatch, capsys, *arguments)
    assert out.splitlines() == [first, *lines(answered)]
    code, out = run_explain(monkeypatch, capsys, *arguments, "--class", f"kind {other}")
    assert code == 0
    chosen = f"class\t{explanation.probabilities[other]:.4f}\tkind {other}"
    assert out.splitlines() == [first, chosen, *lines(other)]
    assert Page(Path("page.html").read_text("utf-8")).data["opened"] == other
    _, out = run_explain(monkeypatch, capsys, "zebra", *arguments[1:], "--class", "kind 1")
    assert out.splitlines()[1:] == [
        f"class\t{float(Predictor(Path('models'))(['zebra'])[0, 1]):.4f}\tkind 1",
        "start\t+0.0000\tno token is known: the share of kind 1 training texts",
    ]
    Path("page.html").unlink()
    message, out = run_explain(monkeypatch, capsys, *arguments, "--class", "Kind 1")
    assert str(message).endswith(
        "the model has no class 'Kind 1'; its classes: kind 0, kind 1, kind 2"
    )
    assert out == ""
    assert not Path("page.html").exists()
