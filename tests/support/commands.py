"""Running the commands of a copied project in child processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from . import shared_folder
from .project import ROOT

WARM = Path(__file__).parent / "warm"


def environment_of(folder: Path) -> dict[str, str]:
    """Return an environment in which a copied project uses its own code and its own MLflow."""
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment["PYTHONPATH"] = str(folder / "src")
    return environment


def run_in(
    folder: Path, *command: str, timeout: int = 300, cold: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a command in a copied project; ``cold`` means without the fork server, as for users."""
    environment = environment_of(folder)
    return subprocess.run(
        command,
        cwd=folder,
        env=environment if cold else warm(environment),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def run_python(code: str, *arguments: object, folder: Path = ROOT, **variables: str) -> str:
    """Run ``code`` in a new Python process, and return its output.

    Args:
        code: Python code.
        arguments: arguments for the code, in ``sys.argv``.
        folder: the working directory.
        variables: additional environment variables.

    Raises:
        AssertionError: the code failed.
    """
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def without_signs(printed: str) -> str:
    """Return the output without the lines of ``sentigate.progress``, which depend on time."""
    return re.sub(r"(?m)^  \S.*( \.\.\.|: \d+ s)\n", "", printed)


def warm(environment: dict[str, str]) -> dict[str, str]:
    """Return ``environment``, with the project's commands forked from a process with libraries.

    The project's code, its processes and their communication stay the same, but a stage takes a
    third of a second instead of three seconds.
    """
    if not hasattr(os, "pidfd_open"):  # macOS has no such function
        return environment
    paths = [environment.get("PYTHONPATH", ""), str(WARM)]
    return environment | {
        "SENTIGATE_WARM": fork_server(),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


@cache
def fork_server() -> str:
    """Return the address of the run's fork server, which ends with the last process that uses it.

    It ends when nobody holds its standard input, a named pipe, open for writing.
    """
    folder = shared_folder.made_once("warm", _start_fork_server)
    os.open(folder / "users", os.O_WRONLY)  # stays open
    return str((folder / "socket").readlink())


def _start_fork_server(folder: Path) -> None:
    folder.mkdir()
    os.mkfifo(folder / "users")
    # A socket's path has at most 107 characters, and that of the folder may have more.
    address = Path(tempfile.mkdtemp(prefix="warm-")) / "socket"
    (folder / "socket").symlink_to(address)
    os.open(folder / "users", os.O_RDWR)  # waits for nobody; stays open until this process ends
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "PYTHON"))}
    server = subprocess.Popen(
        [sys.executable, WARM / "fork_server.py", address],
        env=environment,
        stdin=os.open(folder / "users", os.O_RDONLY),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    server.stdout.close()
    server.returncode = 0  # otherwise Python warns of a process that still runs
