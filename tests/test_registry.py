"""The registry: models that load without this repository, versions, and which is promoted."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from mlflow.exceptions import MlflowException
from safetensors.torch import save_file

from sentigate.architecture import Architecture
from sentigate.cleaning_steps import CleaningSteps
from sentigate.cli import main
from sentigate.errors import RegistryError
from sentigate.network import Network
from sentigate.predictor import Predictor
from sentigate.registry import (
    CARRIED,
    champion,
    find_version,
    git_commit,
    load_model,
    log_model,
    model_files,
    model_name,
    register,
)
from sentigate.tracking import Run, connect, start_run, tracking_uri
from sentigate.vocabulary import build_tokenizer

ROOT = Path(__file__).parent.parent
TEXTS = [
    "A fine film, warm and funny.",
    "I want my two hours back.",
    "",
    " ",
    "😀",
    "word " * 10_000,
]
Model = Callable[[Any], pd.DataFrame]


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project as the working directory; its database is made once, for that takes 5 s."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # Absolute, for MLflow keeps one connection for each URI, wherever that was made.
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        yield folder


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a model is made of, around a network nobody has trained."""
    folder = tmp_path_factory.mktemp("files")
    tokenizer = build_tokenizer([t.lower() for t in TEXTS], "word", min_count=1, max_size=100)
    tokenizer.save(str(folder / "tokenizer.json"))
    shape = Architecture(
        embedding_size=8, cell="lstm", hidden_sizes=(6,), bidirectional=True, pooling="max",
        embedding_dropout=0.5, layer_dropout=0.0, head_dropout=0.5,
    )  # fmt: skip
    torch.manual_seed(0)  # one that gives both labels
    network = Network(shape, tokenizer.get_vocab_size())
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    save_file(network.state_dict(), folder / "weights.safetensors")
    described = {
        "network": shape.model_dump(mode="json"),
        "vocabulary_size": tokenizer.get_vocab_size(),
        "max_length": 24,
    }
    (folder / "model.json").write_text(json.dumps(described))
    steps = CleaningSteps(lowercase=True, squeeze_whitespace=True)
    (folder / "cleaning.json").write_text(json.dumps(steps.model_dump(mode="json")))
    return folder


@pytest.fixture(scope="module")
def run(project: Path) -> Run:
    opened = start_run("vader-bilstm")
    opened.end()
    return opened


@pytest.fixture(scope="module")
def uri(run: Run, files: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return log_model(run, files, tmp_path_factory.mktemp("scratch"))


@pytest.fixture(scope="module")
def served(uri: str) -> Model:
    return load_model(uri)


def test_it_answers_as_the_predictor_does(served: Model, files: Path) -> None:
    answers = served(TEXTS)
    probabilities = Predictor(files)(TEXTS)
    assert np.abs(answers["probability"].to_numpy() - probabilities).max() < 1e-6
    assert (
        answers["label"].tolist() == np.where(probabilities >= 0.5, "positive", "negative").tolist()
    )
    assert set(answers["label"]) == {"positive", "negative"}
    assert answers["note"].tolist() == Predictor(files).judge(TEXTS).notes
    assert "nothing to go by" in answers["note"][2]


@pytest.mark.parametrize(
    "wrong",
    [None, 3, "a bare text", [None], ["a", None], [1.5], [["a"]], {"text": "a"}, b"a"],
    ids=repr,
)
def test_wrong_input_is_refused_rather_than_answered(served: Model, wrong: Any) -> None:
    with pytest.raises(MlflowException):
        served(wrong)


def test_half_a_surrogate_pair_is_refused(served: Model) -> None:
    with pytest.raises(MlflowException, match=r"text 1 \(from 0\) holds half a") as error:
        served(["fine", "no \ud800"])
    assert error.value.error_code == "INVALID_PARAMETER_VALUE"


def test_nothing_is_pickled(uri: str, project: Path) -> None:
    logged = [path for path in (project / "mlartifacts").rglob("*") if path.is_file()]
    assert {path.name for path in logged} >= {"MLmodel", "weights.safetensors", "served_model.py"}
    for path in logged:
        assert path.suffix not in {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin"}, path
        assert not path.read_bytes().startswith(b"\x80"), f"{path} looks like a pickle"


def test_the_code_carried_is_all_it_needs(uri: str, project: Path, tmp_path: Path) -> None:
    """Another process, to which the package sentigate is forbidden."""
    script = (
        "import sys, warnings; warnings.simplefilter('ignore'); sys.modules['sentigate'] = None\n"
        "import mlflow; mlflow.set_tracking_uri(sys.argv[1])\n"
        "print(mlflow.pyfunc.load_model(sys.argv[2]).predict(['fine film'])['label'][0])\n"
        "print(sorted(n for n in sys.modules if n.startswith('sentigate_model.')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tracking_uri(), uri],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    label, modules = done.stdout.splitlines()
    assert label in {"positive", "negative"}
    # What is carried is what is used.
    assert modules == str(
        [f"sentigate_model.{name.removesuffix('.py')}" for name in sorted(CARRIED)]
    )


def test_requirements_are_pinned_to_public_versions(uri: str, project: Path) -> None:
    (found,) = (project / "mlartifacts").rglob("requirements.txt")
    lines = found.read_text().splitlines()
    assert any(line.startswith("torch==") for line in lines)
    assert all("==" in line and "+" not in line for line in lines)


def test_logging_leaves_no_module_behind(uri: str) -> None:
    assert not [path for path in sys.path if "scratch" in path]


def tags(loss: float, split: str = "a", **more: str) -> dict[str, str]:
    return {"split_sha256": split, "validation.log_loss": str(loss), **more}


def test_which_version_is_promoted(run: Run, uri: str) -> None:
    def add(loss: float, split: str = "a") -> tuple[int, bool, str | None]:
        made = register(run, uri, "rule", "champion", tags(loss, split))
        assert made["name"] == "rule"
        assert made["reason"]
        return made["version"], made["promoted"], made["alias"]

    def promoted() -> str:
        best = champion("rule", "champion")
        assert best is not None
        return str(best.version)

    assert champion("rule", "champion") is None
    assert add(0.5) == (1, True, "champion")  # the first
    assert add(0.6) == (2, False, None)  # worse
    assert promoted() == "1"
    assert add(0.5) == (3, True, "champion")  # as good: the newer
    assert add(0.4) == (4, True, "champion")  # better
    assert promoted() == "4"
    assert add(0.9, "b") == (5, True, "champion")  # not comparable
    assert add(0.4) == (6, True, "champion")  # nor is the old split with the new one
    assert promoted() == "6"


def test_a_reason_gives_both_losses(run: Run, uri: str) -> None:
    register(run, uri, "reasons", "champion", tags(0.25))
    made = register(run, uri, "reasons", "champion", tags(0.75))
    assert "0.75" in made["reason"]
    assert "version 1 has 0.25" in made["reason"]
    assert json.loads(json.dumps(made)) == made


def test_versions_are_found_by_tags(run: Run, uri: str) -> None:
    for weights in ("x", "y", "x"):
        register(run, uri, "found", "champion", tags(0.5, weights_sha256=weights))
    newest = find_version("found", {"weights_sha256": "x"})
    assert newest is not None
    assert int(newest.version) == 3
    assert newest.run_id == run.id
    assert find_version("found", {"weights_sha256": "y", "split_sha256": "a"}) is not None
    assert find_version("found", {"weights_sha256": "y", "split_sha256": "b"}) is None
    assert find_version("never-registered", {}) is None


def test_ten_versions_are_more_than_nine(run: Run, uri: str) -> None:
    client = connect()
    client.create_registered_model("many")
    for _ in range(10):
        client.create_model_version("many", uri, run.id, tags={"t": "1"})
    newest = find_version("many", {"t": "1"})
    assert newest is not None
    assert int(newest.version) == 10


@pytest.mark.parametrize(
    "missing",
    [
        "models:/nothing@champion",
        "models:/nothing/1",
        "models:/m-0123456789",
        "runs:/0/model",
        "no/such/folder",
    ],
)
def test_a_model_that_is_not_there(missing: str) -> None:
    with pytest.raises(RegistryError) as error:
        load_model(missing)
    message = str(error.value)
    assert missing in message
    assert tracking_uri() in message
    assert "make train" in message
    assert "\n" not in message


def test_the_command_line_judges_by_the_promoted_version(
    run: Run,
    uri: str,
    served: Model,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    register(run, uri, model_name("vader"), "champion", tags(0.5))
    texts = ["A fine film, warm and funny.", "two\tlines\nof text", ""]
    monkeypatch.setattr(sys, "argv", ["sentigate", "predict", *texts])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    answers = served(texts)
    assert lines == [
        f"{label}\t{probability:.4f}\t{text}"
        for label, probability, text in zip(
            answers["label"],
            answers["probability"],
            [texts[0], "two lines of text", "\t" + answers["note"][2]],
            strict=True,
        )
    ]


def test_the_command_line_judges_a_file(
    run: Run,
    uri: str,
    served: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tweets, out = tmp_path / "tweets.csv", tmp_path / "answers.parquet"
    pd.DataFrame({"tweet": TEXTS * 60}).to_csv(tweets, index=False)
    arguments = ["--file", str(tweets), "--out", str(out), "--column", "tweet", "--model", uri]
    monkeypatch.setattr(sys, "argv", ["sentigate", "predict", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    found, answers = pd.read_parquet(out), served(TEXTS * 60)
    assert found["tweet"].tolist() == TEXTS * 60
    assert found["label"].tolist() == answers["label"].tolist()
    assert np.abs(found["probability"] - answers["probability"]).max() < 1e-6
    assert found["note"].tolist() == answers["note"].tolist()
    assert not [name for name in sys.modules if name.startswith("sentigate_model")]


def test_a_model_of_an_older_version_is_judged_without_notes(
    uri: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    older = model_files(uri, tmp_path / "older").parents[1]
    code = next(older.rglob("sentigate_model/predictor.py"))
    text = code.read_text("utf-8")
    before, after = text.index("        return self.judge("), text.index("    def judge(")
    body = text[after:].split("\n        told =")[0].split('"""\n')[1]
    code.write_text(text[:before] + body + "\n        return probabilities\n", "utf-8")
    monkeypatch.setattr(sys, "argv", ["sentigate", "predict", "", "--model", str(older)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.rstrip("\n").split("\t")) == 3


def git(*arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def test_the_commit_says_when_files_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_commit() == "unknown"
    git("init", "-q")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-qm", "one")
    clean = git_commit()
    assert len(clean) == 40
    (tmp_path / "untracked").write_text("1")
    assert git_commit() == clean
    (tmp_path / "a").write_text("2")
    assert git_commit() == f"{clean}-dirty"
