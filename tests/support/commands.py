"""The commands of a copied project, run in processes of their own."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from .project import ROOT

WARM = Path(__file__).parent / "warm"
_FORK_SERVERS: list[subprocess.Popen[bytes]] = []  # kept: their standard input stays open


def environment_of(folder: Path) -> dict[str, str]:
    """The environment in which a copied project runs its own code, and MLflow in the copy."""
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment["PYTHONPATH"] = str(folder / "src")
    return environment


def run_in(
    folder: Path, *command: str, timeout: int = 300, cold: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a command in a copied project; ``cold`` as users do, without the fork server."""
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
    """What a Python of its own prints that runs ``code`` in ``folder``, with more variables.

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
    """What was printed less the lines of ``sentigate.progress``, which depend on time."""
    return re.sub(r"(?m)^  \S.*( \.\.\.|: \d+ s)\n", "", printed)


def warm(environment: dict[str, str]) -> dict[str, str]:
    """``environment``, in which the project's commands are forked with the libraries imported.

    The code of the project, its processes and what they exchange stay the real ones: a stage takes
    a third of a second in place of three.
    """
    if not hasattr(os, "pidfd_open"):  # as on macOS
        return environment
    paths = [environment.get("PYTHONPATH", ""), str(WARM)]
    return environment | {
        "SENTIGATE_WARM": fork_server(),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


@cache
def fork_server() -> str:
    """The address of this process's fork server, which ends when this process does."""
    address = str(Path(tempfile.mkdtemp(prefix="warm-")) / "socket")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "PYTHON"))}
    server = subprocess.Popen(
        [sys.executable, WARM / "fork_server.py", address],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    atexit.register(shutil.rmtree, Path(address).parent)
    _FORK_SERVERS.append(server)
    return address
