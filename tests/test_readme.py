"""The commands of the README and then of docs/*.md run, in order, in one small clone."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tarfile
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from support.commands import warm
from support.mirror import MIRROR
from support.params import read_values, write_values
from support.project import ROOT, commit_all, copy_project
from support.vader import vader_or_skip

from sentigate import artifacts
from sentigate.sources import imdb, twitter

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOT_RUN = {  # `make -n` checks only that the target exists
    "make test": "is what is running here",
    "make leaderboard": "test_leaderboard_entry.py runs it, on fewer models",
    "make bench": "test_benchmarks.py runs the scripts; all of it takes an hour",
    "make docs": "test_docs.py builds the pages",
}
SERVERS = {"make ui": (5000, "health"), "make serve": (5001, "ping")}


class Command(NamedTuple):
    page: str
    text: str


def commands_of(page: Path) -> list[Command]:
    """Return a page's commands: a block that begins with `source`, or a line of another block."""
    name = page.relative_to(ROOT).as_posix()
    found = []
    for block in re.findall(r"^```bash\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.M):
        lines = block.strip().splitlines()
        texts = ["\n".join(lines)] if lines[0].startswith("source") else lines
        found += [Command(name, text) for text in texts]
    return found


COMMANDS = [command for page in PAGES for command in commands_of(page)]


def shrink(folder: Path) -> None:
    """Make all networks so small that training takes little time."""
    values = read_values(folder)
    for model in values["models"].values():
        model |= {"max_length": 16, "min_validation_mcc": -1.0}
        model["network"] |= {"hidden_sizes": [8], "layer_dropout": 0.0}
        if model["vocab"].get(
            "vectors"
        ):  # only GloVe, because MiniLM takes a millisecond for each word
            model["vocab"] |= {"vectors": ["glove_50"], "min_count": 2, "outside_words": 100}
            model["network"]["embedding_size"] = 50
        else:
            model["vocab"]["max_size"] = 1000
            model["network"]["embedding_size"] = 8
        for training in (model["training"], model["training"].get("pretraining")):
            if training:
                training["max_epochs"] = 1
    for dataset in values["datasets"].values():
        dataset["gates"]["min_test_accuracy"] = 0.0
    values["gates"] |= {"min_coverage": 0.0, "max_unknown_share": 1.0, "max_cut_share": 1.0}
    for candidate in values["baseline"]["candidates"].values():
        candidate |= {"word_ngrams": [1, 1], "character_ngrams": None}
    values["evaluate"]["bootstrap_samples"] = 100
    write_values(values, folder)


def shrink_archives(folder: Path, project: Path) -> None:
    """Put small archives into ``folder``: a few tweets, and 50,000 reviews, most of them copies.

    test_real_data.py reads the whole ones.
    """
    values = read_values(project)
    tweets: dict[str, str] = {}
    with (
        zipfile.ZipFile(MIRROR / twitter.ARCHIVE) as whole,
        zipfile.ZipFile(folder / twitter.ARCHIVE, "w") as small,
    ):
        for name in twitter.FOLD_FILES.values():
            # Each tweet has six rows in succession.
            data = b"".join(whole.read(name).splitlines(keepends=True)[:3000])
            small.writestr(name, data)
            tweets[name] = hashlib.sha256(data).hexdigest()
    table = pd.read_csv(ROOT / "data/own/csv/example.csv", nrows=2000)
    with tarfile.open(folder / imdb.ARCHIVE, "w:gz", compresslevel=1) as reviews:
        for (part, fold), (kind, sentiment) in product(
            enumerate(("train", "test")), imdb.SENTIMENTS.items()
        ):
            chosen = table.loc[table["sentiment"] == sentiment.lower(), "text"]
            texts = [text.encode("utf-8") for text in chosen[part::2]]
            for number in range(imdb.REVIEWS_A_FOLD // 2):
                text = texts[number % len(texts)]
                member = tarfile.TarInfo(f"aclImdb/{fold}/{kind}/{number}_5.txt")
                member.size = len(text)
                reviews.addfile(member, io.BytesIO(text))
    digest = hashlib.sha256((folder / imdb.ARCHIVE).read_bytes()).hexdigest()
    for dataset in values["datasets"].values():
        kind = dataset["source"]["kind"]
        if kind in ("twitter", "imdb"):
            dataset["source"]["sha256"] = dict(tweets) if kind == "twitter" else [digest]
            dataset["gates"]["min_rows"] = 1000
    write_values(values, project)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    vader_or_skip()
    folder = copy_project(tmp_path_factory.mktemp("readme") / "sentigate")
    shrink(folder)
    if MIRROR.is_dir():
        (folder.parent / "mirror").mkdir()
        shrink_archives(folder.parent / "mirror", folder)
    (folder / ".venv").symlink_to(sys.prefix)
    for name in (
        "requirements.lock",
        "requirements-dev.lock",
        "pyproject.toml",
    ):  # older than the installed environment
        os.utime(folder / name, (0, 0))
    commit_all(folder)
    subprocess.run(["git", "branch", "-M", "main"], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def environment(clone: Path) -> dict[str, str]:
    left = ("MLFLOW", "PYTEST", "MAKE", "SENTIGATE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(left)}
    extra = {"PYTHONPATH": str(clone / "src"), "BROWSER": "true"}
    if MIRROR.is_dir():
        extra["SENTIGATE_MIRROR"] = str(clone.parent / "mirror")
    # The exact name of the interpreter does not matter, because .venv exists.
    return warm(kept | extra)


@pytest.fixture(scope="module")
def servers(clone: Path, environment: dict[str, str]) -> Iterator[dict[str, subprocess.Popen[str]]]:
    started: dict[str, subprocess.Popen[str]] = {}
    yield started
    for process in started.values():
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def start(command: str, folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start a server in its own process group."""
    return subprocess.Popen(
        shlex.split(command),
        cwd=folder,
        env=environment,
        text=True,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(command: str, process: subprocess.Popen[str]) -> None:
    """Return when the server answers."""
    port, page = SERVERS[command]
    for _ in range(240):
        assert process.poll() is None, f"`{command}` ended with {process.returncode}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=2) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.25)
    raise AssertionError(f"`{command}` did not answer within a minute")


def test_the_pages_show_every_command() -> None:
    texts = [command.text for command in COMMANDS]
    assert texts[:2] == ["make train", "make test"]
    for target in (
        "predict",
        "explain",
        "generate",
        "gradients",
        "ui",
        "report",
        "serve",
        "ci-report",
    ):
        assert any(text.startswith(f"make {target}") for text in texts), target


@pytest.mark.parametrize("page", sorted((ROOT / "benchmarks").glob("*.md")), ids=lambda p: p.stem)
def test_every_row_of_a_benchmark_page_is_in_the_docs(page: Path) -> None:
    shown = {line for each in PAGES for line in each.read_text("utf-8").splitlines()}
    rows = [line for line in page.read_text("utf-8").splitlines() if line.startswith("|")]
    assert len(rows) > 2
    assert [row for row in rows if row not in shown] == []


# Checks of the output and the files of a command, by its beginning


def check_train(clone: Path, output: str) -> None:
    metrics = json.loads((clone / artifacts.METRICS_REPORT).read_text("utf-8"))
    assert 0 < metrics["test"]["accuracy"] < 1
    assert f"{metrics['test']['accuracy']:.4f}" in output
    assert f"{metrics['baseline']['accuracy']:.4f}" in output


def check_predict_file(clone: Path, output: str) -> None:
    answers = pd.read_csv(clone / "reports/answers.csv")
    asked = pd.read_csv(clone / "data/own/csv/example.csv")
    assert answers["text"].tolist() == asked["text"].tolist()
    assert answers["confidence"].between(0.5, 1).all()


def check_predict(clone: Path, output: str) -> None:
    assert re.search(r"^(positive|negative)\t0\.\d{4}\twhat a lovely day$", output, re.M)


def check_explain(clone: Path, output: str) -> None:
    assert re.search(r"^(positive|negative)\t0\.\d{4}\treports/explanation.html$", output, re.M)
    assert "wonderful" in (clone / "reports/explanation.html").read_text("utf-8")


def check_generate(clone: Path, output: str) -> None:
    assert output.splitlines()[-1].startswith("the film was")


def check_gradients(clone: Path, output: str) -> None:
    assert (clone / "reports/gradients.png").is_file()


def check_curl(clone: Path, output: str) -> None:
    (answer,) = json.loads(output)["predictions"]
    assert answer["label"] in ("positive", "negative")
    assert 0.5 <= answer["confidence"] <= 1


def check_experiment(clone: Path, output: str) -> None:
    model = json.loads((clone / artifacts.TRAINED_MODEL / "model.json").read_text("utf-8"))
    assert (model["dataset"], model["model"]) == ("csv", "lstm")


def check_ci_report(clone: Path, output: str) -> None:
    assert "accuracy" in output


CHECKS: dict[str, Callable[[Path, str], None]] = {
    "make train": check_train,
    "make predict FILE": check_predict_file,
    "make predict TEXT": check_predict,
    "make explain": check_explain,
    "make generate": check_generate,
    "make gradients": check_gradients,
    "curl": check_curl,
    "source .venv/bin/activate\ndvc repro\ndvc exp run": check_experiment,
    "make ci-report": check_ci_report,
}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.page}-{command.text}")
def test_command(
    command: Command,
    clone: Path,
    environment: dict[str, str],
    servers: dict[str, subprocess.Popen[str]],
) -> None:
    """DVC restores a training that ran before, and a started server keeps running."""
    text = command.text
    if text.startswith(tuple(NOT_RUN)):
        text = text.replace("make", "make -n", 1)
    if text in SERVERS:
        if text not in servers:
            servers[text] = start(text, clone, environment)
        wait_for(text, servers[text])
        return
    if re.search("DATASET=(twitter|imdb)", text) and not MIRROR.is_dir():
        pytest.skip("needs the archives: SENTIGATE_MIRROR names no folder")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    for start_of, check in CHECKS.items():
        if text.startswith(start_of):
            check(clone, done.stdout)
