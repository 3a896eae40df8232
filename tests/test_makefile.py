"""The Makefile: a user's value reaches the program unchanged, and is never run as code."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.project import ROOT

# Variable -> target and its program's arguments, with {} for the variable's value.
TARGETS = {
    "TEXT": ("predict", ["predict", "--", "{}"]),
    "FILE": ("predict", ["predict", "--file={}"]),
    "OUT": ("predict", ["predict", "--out={}"]),
    "COLUMN": ("predict", ["predict", "--column={}"]),
    "DATASET": ("train", ["train", "--dataset={}"]),
    "MODEL": ("train", ["train", "--model={}"]),
    "PROMPT": ("generate", ["generate", "--prompt={}"]),
    "PORT": ("ui", ["ui", "--port={}"]),
    "BASE": ("ci-report", ["ci-report", "--base={}"]),
}
VALUES = [
    "$(shell touch pwned)fine",
    "${shell touch pwned}",
    "$(eval $(shell touch pwned))",
    "$(error no)",
    "1; touch pwned",
    "`touch pwned` $(touch pwned) && touch pwned | touch pwned",
    "a'; touch pwned; '",
    'a"; touch pwned; "',
    "'\"`\\",
    "5 $ and $$ and $x and $(x) and $@",
    "a # no comment",
    "two\nlines\n\tof text\n",
    "-n",
    "--help",
    "@touch pwned",
    "naïve 😀 \u2028 ﬁ",
    "100 % sure = yes := no",
    "ends in \\",
    "trailing  ",
    "* ? [a-z] ~ {a,b}",
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with the Makefile, and programs that write their arguments to a file."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    programs = tmp_path / ".venv/bin"
    programs.mkdir(parents=True)
    for name in ("sentigate", "python"):
        program = programs / name
        program.write_text('#!/bin/sh\nprintf "%s\\0" "$@" >> given\nenv -0 > environment\n')
        program.chmod(0o755)
    for name in (
        "requirements.lock",
        "requirements-dev.lock",
        "pyproject.toml",
        ".cache/peers/installed",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks/peers.txt").touch()
    os.utime(tmp_path / "benchmarks/peers.txt", (0, 0))
    (tmp_path / ".venv/installed").touch()
    return tmp_path


def make(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    names = {*TARGETS, "ONLY", "NAME", "YES", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"}
    kept = {name: value for name, value in os.environ.items() if name not in names}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=kept | variables, capture_output=True, text=True
    )


def given(folder: Path) -> list[str]:
    """Return the arguments of all programs that ran, in order."""
    file = folder / "given"
    return os.fsdecode(file.read_bytes()).split("\0")[:-1] if file.is_file() else []


@pytest.mark.parametrize("form", ["argument", "environment"])
@pytest.mark.parametrize("name", TARGETS)
def test_a_value_reaches_the_program_unchanged(project: Path, name: str, form: str) -> None:
    target, expected = TARGETS[name]
    for value in VALUES:
        (project / "given").unlink(missing_ok=True)
        if form == "argument":
            done = make(project, target, f"{name}={value}")
        else:
            done = make(project, target, **{name: value})
        assert done.returncode == 0, (value, done.stderr)
        assert given(project) == [part.replace("{}", value) for part in expected]
        environment = (project / "environment").read_bytes()
        assert b"\0MAKEFLAGS=\0" in environment  # so a make that a program calls does not expand it
        assert not (project / "pwned").exists(), value


@pytest.mark.parametrize("form", ["argument", "environment"])
@pytest.mark.parametrize("target", ["predict", "serve", "test", "bench"])
def test_no_value_is_run_by_another_target(project: Path, target: str, form: str) -> None:
    names = [*TARGETS, "ONLY", "NAME", "YES", "SENTIGATE_text"]
    variables = dict.fromkeys(names, "$(shell touch pwned)`touch pwned`;touch pwned")
    if form == "argument":
        make(project, target, *(f"{name}={value}" for name, value in variables.items()))
    else:
        make(project, target, **variables)
    assert not (project / "pwned").exists()


@pytest.mark.parametrize("target", ["ui", "serve"])
def test_without_a_port_the_program_gets_no_port(project: Path, target: str) -> None:
    assert make(project, target).returncode == 0
    assert given(project) == [target]


def test_programs_may_keep_compiled_files(project: Path) -> None:
    assert make(project, "test", PYTHONDONTWRITEBYTECODE="1").returncode == 0
    assert b"PYTHONDONTWRITEBYTECODE" not in (project / "environment").read_bytes()


def test_file_and_out_reach_the_program(project: Path) -> None:
    assert make(project, "predict", "FILE=a b.csv", "OUT=-c.csv").returncode == 0
    assert given(project) == ["predict", "--file=a b.csv", "--out=-c.csv"]


@pytest.mark.parametrize(
    "target", [["predict"], ["predict", "TEXT="], ["explain"], ["explain", "TEXT="]]
)
def test_without_a_text_the_program_gets_none(project: Path, target: list[str]) -> None:
    """The program says what is missing."""
    assert make(project, *target).returncode == 0
    assert given(project) == [target[0]]


@pytest.mark.parametrize("form", ["argument", "environment"])
def test_a_table_and_its_name_reach_adopt_unchanged(project: Path, form: str) -> None:
    for value in VALUES:
        (project / "given").unlink(missing_ok=True)
        values = {"FILE": value, "NAME": value, "YES": value}
        if form == "argument":
            done = make(project, "adopt", *(f"{name}={each}" for name, each in values.items()))
        else:
            done = make(project, "adopt", **values)
        assert done.returncode == 0, (value, done.stderr)
        assert given(project) == ["adopt", f"--name={value}", "--yes", "--", value]
        assert not (project / "pwned").exists(), value
    (project / "given").unlink()
    assert make(project, "adopt").returncode == 0
    assert given(project) == ["adopt", "--", ""]  # the program says what is missing


def test_bench_runs_the_scripts_named_by_only(project: Path) -> None:
    assert make(project, "bench", "ONLY=threads startup").returncode == 0
    assert given(project) == [f"benchmarks/{name}.py" for name in ("threads", "startup", "chart")]


@pytest.mark.parametrize("only", ["nothing", "threads nothing", "*", "$(BENCHMARKS)", "a;b"])
def test_bench_refuses_unknown_names_before_it_runs_a_script(project: Path, only: str) -> None:
    done = make(project, "bench", f"ONLY={only}")
    assert done.returncode != 0
    assert done.stderr.startswith("ONLY is one of: training overhead")
    assert given(project) == []
