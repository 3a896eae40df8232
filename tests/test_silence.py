"""Commands and stages print progress before they load a heavy library, and in each part.

The tests check the order of messages and imports, because times depend on the machine.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.project import ROOT, copy_settings

from pipeline.ingest import ingest
from pipeline.stage import run
from sentigate import progress
from sentigate.artifacts import STAGES
from sentigate.cli import main as cli

# Python runs this first. It prints the current progress when a heavy library is imported first.
PROBE = """
import os, sys

class Probe:
    def find_spec(self, name, path=None, target=None):
        if name in ("pandas", "numpy", "torch", "mlflow", "psutil", "matplotlib"):
            module = sys.modules.get("sentigate.progress")
            signs = module._innermost if module else None
            watched = signs.state() if signs else None
            sys.stderr.write(f"{name} is wanted while: {watched}\\n")
            sys.stderr.flush()
            os._exit(1)

sys.meta_path.insert(0, Probe())
"""
COMMANDS = {
    "predict": (["a text"], "  loading the model ..."),
    "explain": (["a text"], "  loading the model ..."),
    "generate": ([], "  loading the language model ..."),
    "serve": (["--port={port}"], "  loading the model ..."),
    "ui": (["--port={port}"], "  starting the MLflow UI ..."),
    "ci-report": ([], "  comparing with main ..."),
    "adopt": (["a.csv"], "  getting ready ..."),
    "train": ([], "dvc repro ..."),
    "leaderboard": ([], "dvc repro baseline ..."),
    "gradients": ([], "dvc repro pad ..."),
}


@pytest.fixture
def probed(tmp_path: Path) -> Callable[..., list[str]]:
    """Return a function that runs a module up to its first heavy import, and returns the output."""
    (tmp_path / "probe").mkdir()
    (tmp_path / "probe/sitecustomize.py").write_text(PROBE, "utf-8")
    copy_settings(tmp_path)

    def said(*command: str) -> list[str]:
        path = os.pathsep.join(map(str, (tmp_path / "probe", ROOT / "src", ROOT)))
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
        )
        assert done.stdout == ""  # stdout is for the results that scripts read
        return done.stderr.splitlines()

    return said


def test_every_command_is_tested_here() -> None:
    import typer

    assert set(COMMANDS) == set(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_prints_progress_before_it_loads_a_heavy_library(
    probed: Callable[..., list[str]], command: str
) -> None:
    arguments, first = COMMANDS[command]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [argument.format(port=port) for argument in arguments]
    assert probed("sentigate.cli.main", command, *arguments)[0] == first


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_watched_before_it_loads_a_heavy_library(
    probed: Callable[..., list[str]], stage: str
) -> None:
    """DVC has just printed the name of the stage."""
    (wanted,) = probed(f"pipeline.{stage}")
    assert wanted.endswith(f" is wanted while: {stage}")


def test_importing_a_stage_starts_no_progress() -> None:
    import pipeline.train  # noqa: F401

    assert progress._innermost is None


def test_each_part_of_a_stage_prints_progress(
    small_project: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "EVERY", 60)
    small_project()
    run("ingest", ingest)
    assert capsys.readouterr().err == "  reading csv ...\n  checking the gate ...\n"
    assert progress._innermost is None


# make setup, which shows pip's output

VENV = """#!/bin/sh
case "$2" in venv) ;; *) exit 0; esac
mkdir -p "$3/bin"
cat > "$3/bin/python" << end
#!/bin/sh
echo "Collecting one"
echo "ERROR: no space left" >&2
exit 7
end
chmod +x "$3/bin/python"
"""


def test_setup_shows_the_output_of_pip_and_fails_with_pip(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "python").write_text(VENV, "utf-8")
    (tmp_path / "python").chmod(0o755)
    done = subprocess.run(
        ["make", "setup", f"PYTHON={tmp_path}/python"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
        env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")},
    )  # fmt: skip
    first, *printed = done.stdout.splitlines()
    assert re.match(r"Setting up \.venv: \d+ packages", first)
    assert printed == ["Collecting one"]
    assert done.stderr.startswith("ERROR: no space left\n")
    assert done.returncode == 2
    assert "Error 7" in done.stderr
    assert not (tmp_path / ".venv/installed").exists()
