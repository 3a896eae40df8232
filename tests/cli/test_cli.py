"""The command line: help with examples, errors in one line, edits of params.yaml."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.project import ROOT, copy_settings
from typer.testing import CliRunner

from sentigate import artifacts
from sentigate.cli import main as cli
from sentigate.cli.selection import choose
from sentigate.cli.train import train
from sentigate.errors import ParamsError
from sentigate.settings.params import load_params

SETTINGS = ["datasets", "params.yaml"]
COMMANDS = sorted(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with only params.yaml and datasets/ the working directory."""
    copy_settings(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[object, str, str]:
    """Return the exit code, or the message with which Python exits, and both outputs."""
    monkeypatch.setattr(sys, "argv", ["sentigate", *arguments])
    with pytest.raises(SystemExit) as error:
        cli.main()
    out, err = capsys.readouterr()
    return error.value.code, out, err


def test_the_commands_are_complete() -> None:
    assert set(COMMANDS) >= {"train", "predict", "serve", "ui", "ci-report"}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_a_description_and_an_example(command: str) -> None:
    shown = CliRunner().invoke(cli.app, [command, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert len(shown.output.split("Options")[0].split()) > 12  # a sentence or more
    assert re.search(rf"Example: .*({command}|curl)", shown.output)
    undescribed = re.search(r"--\w+ +(TEXT|INTEGER)\s*(│|$)", shown.output)
    assert undescribed is None


def test_help_names_every_command_and_is_shown_without_arguments() -> None:
    runner = CliRunner()
    shown = runner.invoke(cli.app, ["--help"], env={"COLUMNS": "200"})
    assert all(re.search(rf"\b{command} ", shown.output) for command in COMMANDS)
    bare = runner.invoke(cli.app, [], env={"COLUMNS": "200"})
    assert all(command in bare.output for command in COMMANDS)


def test_starting_imports_no_heavy_library() -> None:
    heavy = {"torch", "mlflow", "pandas"}
    script = f"import sys, sentigate.cli.main; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--dataset", "nope"),
        ("--model", "nope"),
        ("--dataset", "bilstm"),
        ("--dataset", "a\\q"),
        ("--dataset", "\\1"),
        ("--dataset", "vader # rest"),
        ("--dataset", "vader\nmodel: lstm"),
        ("--dataset", "{"),
        ("--dataset", "- a"),
        ("--dataset", "null"),
        ("--dataset", "x" * 5000),
    ],
)  # fmt: skip
def test_an_unknown_name_is_refused_and_changes_nothing(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: str,
    value: str,
) -> None:
    before = (project / "params.yaml").read_bytes()
    message, out, err = ended(monkeypatch, capsys, "train", option, value)
    assert isinstance(message, str)
    assert message.startswith("sentigate: ")
    assert len(message) < 400
    assert out + err == ""
    assert (project / "params.yaml").read_bytes() == before
    assert sorted(path.name for path in project.iterdir()) == SETTINGS


def test_the_error_lists_the_allowed_names(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message, _, _ = ended(monkeypatch, capsys, "train", "--dataset", "nope")
    assert "'nope'" in str(message)
    assert all(name in str(message) for name in load_params(project / "params.yaml").datasets)


def test_an_unknown_name_prints_one_line_to_stderr(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sentigate.cli.main", "train", "--dataset", "nope"],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("sentigate: ")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("predict", "fine", "no\udcff"),
        ("explain", "no\udcff"),
        ("generate", "--prompt", "no\udcff"),
    ],
)
def test_a_text_that_is_not_utf_8_is_refused(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    message, out, _ = ended(monkeypatch, capsys, *arguments)
    assert message == r"sentigate: the text 'no\udcff' is not valid UTF-8"
    assert out == ""
    assert sorted(path.name for path in project.iterdir()) == SETTINGS


def test_explain_without_a_text_says_how_to_give_one(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message, _, _ = ended(monkeypatch, capsys, "explain")
    assert message == (
        'sentigate: give a text, as in sentigate explain "a text"; with make, TEXT="a text"'
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), 'TEXT="a text"'),
        (("--file", "a.csv"), "give texts"),
        (("--out", "a.csv"), "give texts"),
        (("a text", "--file", "a.csv", "--out", "b.csv"), "give texts"),
        (("a text", "--column", "b"), "--column (with make: COLUMN=) is for a file"),
        (("a text", "--probabilities"), "--probabilities is for a file"),
        (("a text", "--context-column", "b"), "--context-column is for a file"),
        (("--file", "a.csv", "--out", "b.xlsx"), "b.xlsx has an unknown extension"),
    ],
)
def test_wrong_combinations_of_predict_options_are_refused(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    message, out, _ = ended(monkeypatch, capsys, "predict", *arguments)
    assert str(message).startswith("sentigate: ")
    assert said in str(message)
    assert out == ""
    assert sorted(path.name for path in project.iterdir()) == SETTINGS


COMMAND_LINES = [
    *(("train",), ("leaderboard",), ("gradients",), ("serve",)),
    *(("predict", "a text"), ("explain", "a text"), ("generate", "--prompt", "a text")),
]


@pytest.mark.parametrize("arguments", COMMAND_LINES)
def test_a_folder_without_params_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    message, _, _ = ended(monkeypatch, capsys, *arguments)
    assert message == "sentigate: params.yaml does not exist; run from the project's root"
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_params_file_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "params.yaml").write_text("dataset: [\n")
    message, _, _ = ended(monkeypatch, capsys, "train")
    assert str(message).startswith("sentigate: params.yaml is not YAML")


def test_choosing_changes_two_words_and_nothing_else(project: Path) -> None:
    path = project / "params.yaml"
    before = path.read_text(encoding="utf-8").splitlines()
    params = choose(path, {"dataset": "imdb", "model": "lstm"})
    assert (params.dataset, params.model) == ("imdb", "lstm")
    assert load_params(path) == params
    after = path.read_text(encoding="utf-8").splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [new for _, new in changed] == [
        re.sub(r": \S+", ": imdb", changed[0][0], count=1),
        re.sub(r": \S+", ": lstm", changed[1][0], count=1),
    ]
    assert all("#" in new for _, new in changed)  # the lines keep their comments


DATASETS = {*load_params(ROOT / "params.yaml").datasets} - {"vader"}


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    # Hypothesis also tries strings of the code, such as the name of another data set.
    value=st.text(min_size=1).filter(lambda value: value not in DATASETS)
    | st.lists(st.sampled_from(["vader", "\\", "'", '"', ":", " ", "\n", "#", "&a", "*"])).map(
        "".join
    )
)
def test_no_value_makes_the_file_invalid(project: Path, value: str) -> None:
    path = project / "params.yaml"
    try:
        params = choose(path, {"dataset": value, "model": ""})
    except ParamsError:
        params = load_params(path)
    assert load_params(path) == params
    assert params.dataset == "vader"


def test_choosing_the_current_choice_does_not_write_the_file(project: Path) -> None:
    path = project / "params.yaml"
    os.utime(path, (1, 1))
    params = load_params(path)
    choose(path, {"dataset": params.dataset, "model": ""})
    assert path.stat().st_mtime == 1


def test_line_ends_are_kept(project: Path) -> None:
    path = project / "params.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    before = path.read_bytes()
    choose(path, {"dataset": "imdb"})
    assert path.read_bytes() == before.replace(b"dataset: vader ", b"dataset: imdb ", 1)


def test_a_registry_that_cannot_be_reached_is_one_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such a registry needs no database."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nosuch://server")
    message, out, _ = ended(monkeypatch, capsys, "predict", "a text")
    assert str(message).startswith("sentigate: MLflow at nosuch://server failed")
    assert len(str(message).splitlines()) == 1
    assert out == ""


def test_the_ui_prints_the_address_of_a_tracking_server(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org")
    code, out, _ = ended(monkeypatch, capsys, "ui")
    assert code == 0
    assert "https://mlflow.example.org" in out


def test_an_unknown_option_prints_the_known_ones_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = ended(monkeypatch, capsys, "train", "--datset", "vader")
    assert code == 2
    assert "--dataset" in err
    assert "Traceback" not in out + err


def test_the_page_of_a_failed_gate_is_removed_once_the_stage_has_passed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if a later stage fails; the page of that stage stays."""

    def dvc(*_: str) -> None:
        raise typer.Exit(1)

    monkeypatch.setattr("sentigate.cli.train.dvc", dvc)
    for page in ("gates/pad.html", "failed/pad.html", "failed/pad.json", "failed/train.html"):
        (project / "reports" / page).parent.mkdir(parents=True, exist_ok=True)
        (project / "reports" / page).touch()
    (project / artifacts.GATES / "pad.json").touch()
    (project / artifacts.FAILED / "leaderboard").mkdir()
    with pytest.raises(typer.Exit):
        train()
    left = {path.name for path in (project / artifacts.FAILED).iterdir()}
    assert left == {"train.html", "leaderboard"}
