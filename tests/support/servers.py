"""Free ports, waiting for a server, and `sentigate serve` in a project."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .commands import environment_of
from .trained import SENTIGATE


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str, process: subprocess.Popen[str]) -> None:
    for _ in range(240):
        assert process.poll() is None, process.stdout and process.stdout.read()
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.25)
    raise AssertionError(f"{url} did not answer within a minute")


@contextmanager
def serving(project: Path) -> Iterator[str]:
    """Serve the project's promoted model in this block; yield the server's address."""
    port = free_port()
    process = subprocess.Popen(
        [*SENTIGATE, "serve", f"--port={port}"],
        cwd=project,
        env=environment_of(project),
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/ping", process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)
