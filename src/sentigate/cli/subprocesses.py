"""Starting the command lines of other packages."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import typer

from sentigate.progress import say, watching


def run_module(module: str, *arguments: str) -> int:
    """Run a module's command line, and return its exit code.

    `python` in that command line's own child processes is this process's Python.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", module, *arguments]
    with (
        subprocess.Popen(command, env={**os.environ, "PATH": path}) as process,
        watching(lambda: "" if _has_children(process.pid) else module),
    ):
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.kill()
            raise
        except SystemExit:  # a signal, which the children may not have got
            import psutil

            for each in [*psutil.Process(process.pid).children(recursive=True), process]:
                with suppress(psutil.NoSuchProcess):
                    each.terminate()
            raise


def _has_children(pid: int) -> bool:
    """Return whether a process has children, which show their own progress, or has ended."""
    import psutil

    try:
        return bool(psutil.Process(pid).children())
    except psutil.NoSuchProcess:
        return True


def dvc(*arguments: str) -> None:
    """Run DVC.

    Raises:
        Exit: DVC failed, with code 1.
    """
    say(f"dvc {' '.join(arguments)} ...")
    if run_module("dvc", *arguments):
        raise typer.Exit(1)
