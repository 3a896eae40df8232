"""Every command in the README is run, in order, in a clone whose networks are made tiny."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml
from support import ROOT, commit_all, copy_project

MIRROR = Path(os.environ.get("SENTIGATE_MIRROR", ROOT.parent / "shared/data"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [
    block.strip().splitlines()
    for block in re.findall(r"^```bash\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
]
# A block that activates the environment is one script; elsewhere each line stands alone.
COMMANDS = [
    command
    for lines in BLOCKS
    for command in (["\n".join(lines)] if lines[0].startswith("source") else lines)
]
SERVERS = {"make ui": 5000, "make serve": 5001}


def shrink(params: Path) -> None:
    """Networks so small that what is left to take time is the pipeline itself."""
    values = yaml.safe_load(params.read_text("utf-8"))
    for model in values["models"].values():
        model |= {"max_length": 16, "min_validation_mcc": -1.0}
        model["vocab"]["max_size"] = 1000
        model["network"] |= {"embedding_size": 8, "hidden_sizes": [8], "layer_dropout": 0.0}
        for training in (model["training"], model["training"].get("pretraining")):
            if training:
                training["max_epochs"] = 1
    for dataset in values["datasets"].values():
        dataset["gates"]["min_test_accuracy"] = 0.0
    values["gates"] |= {"min_coverage": 0.0, "max_unknown_share": 1.0}
    values["baseline"]["max_ngram"] = 1
    params.write_text(yaml.safe_dump(values, sort_keys=False), "utf-8")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("readme") / "sentigate")
    shrink(folder / "params.yaml")
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
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "PYTEST", "MAKE"))}
    extra = {"PYTHONPATH": str(clone / "src"), "BROWSER": "true", "SENTIGATE_MIRROR": str(MIRROR)}
    if not MIRROR.is_dir():
        del extra["SENTIGATE_MIRROR"]
    # The exact name of the interpreter is of no matter: .venv is there.
    return kept | extra


@pytest.fixture(scope="module")
def servers(clone: Path, environment: dict[str, str]) -> Iterator[dict[str, subprocess.Popen[str]]]:
    started: dict[str, subprocess.Popen[str]] = {}
    yield started
    for process in started.values():
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def start(command: str, folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start a server in a process group of its own and wait until it answers."""
    process = subprocess.Popen(
        shlex.split(command),
        cwd=folder,
        env=environment,
        text=True,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    page = f"http://127.0.0.1:{SERVERS[command]}/{'health' if 'ui' in command else 'ping'}"
    for _ in range(120):
        assert process.poll() is None, f"`{command}` ended with {process.returncode}"
        try:
            with urllib.request.urlopen(page, timeout=2) as answer:
                assert answer.status == 200
                return process
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"`{command}` did not answer within a minute")


def test_readme_has_the_commands_of_the_surface() -> None:
    assert COMMANDS[:2] == ["make train", "make test"]
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
        assert any(command.startswith(f"make {target}") for command in COMMANDS), target


@pytest.mark.parametrize("page", sorted((ROOT / "benchmarks").glob("*.md")), ids=lambda p: p.stem)
def test_the_figures_are_the_benchmarks(page: Path) -> None:
    rows = [line for line in page.read_text("utf-8").splitlines() if line.startswith("|")]
    assert len(rows) > 2
    missing = [row for row in rows if row not in README.splitlines()]
    assert missing == []


@pytest.mark.parametrize("command", COMMANDS)
def test_command(
    command: str,
    clone: Path,
    environment: dict[str, str],
    servers: dict[str, subprocess.Popen[str]],
) -> None:
    if command == "make test":
        done = subprocess.run(
            ["make", "-n", "test"], cwd=clone, env=environment, capture_output=True, text=True
        )
        assert "pytest" in done.stdout  # which is what is running here
        return
    if command in SERVERS:
        servers[command] = start(command, clone, environment)
        return
    if re.search("DATASET=(twitter|imdb)", command) and not MIRROR.is_dir():
        pytest.skip("needs the archives: SENTIGATE_MIRROR names no folder")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    if command.startswith("make train"):
        metrics = json.loads((clone / "reports/metrics.json").read_text("utf-8"))
        assert 0 < metrics["test"]["accuracy"] < 1
        assert f"{metrics['test']['accuracy']:.4f}" in done.stdout
        assert f"{metrics['baseline']['accuracy']:.4f}" in done.stdout
    elif command.startswith("make predict FILE"):
        answers = pd.read_csv(clone / "reports/answers.csv")
        asked = pd.read_csv(clone / "data/own/example.csv")
        assert answers["text"].tolist() == asked["text"].tolist()
        assert answers["probability"].between(0, 1).all()
    elif command.startswith("make predict"):
        assert re.search(r"^(positive|negative)\t0\.\d{4}\twhat a lovely day$", done.stdout, re.M)
    elif command.startswith("make explain"):
        assert re.search(
            r"^(positive|negative)\t0\.\d{4}\treports/explanation.html$", done.stdout, re.M
        )
        assert "wonderful" in (clone / "reports/explanation.html").read_text("utf-8")
    elif command.startswith("make generate"):
        assert done.stdout.splitlines()[-1].startswith("the film was")
    elif command.startswith("make gradients"):
        assert (clone / "reports/gradients.png").is_file()
    elif command.startswith("curl"):
        (answer,) = json.loads(done.stdout)["predictions"]
        assert answer["label"] in ("positive", "negative")
        assert 0 <= answer["probability"] <= 1
    elif command.startswith("make ci-report"):
        assert "accuracy" in done.stdout
