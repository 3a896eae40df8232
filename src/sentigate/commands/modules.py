"""Starting the command lines of other packages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import typer


def run_module(module: str, *arguments: str, **settings: str) -> int:
    """Run a module's command line; the `python` that it starts is the one that runs this."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env={**os.environ, **settings, "PATH": path}).returncode


def dvc(*arguments: str) -> None:
    """Run DVC, and end here when it fails."""
    if run_module("dvc", *arguments):
        raise typer.Exit(1)
