"""A process that has imported the heavy libraries and forks itself for each command.

Started as ``fork_server.py ADDRESS``; it ends when its standard input does. It imports nothing of
this project: each command imports the code of the folder in which it was given.
"""

from __future__ import annotations

import atexit
import copy
import functools
import gc
import json
import os
import runpy
import select
import shutil
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

# As sentigate sets them before these imports.
os.environ |= {
    "OMP_WAIT_POLICY": "PASSIVE",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
LIBRARIES = (
    "great_expectations",
    "torch",
    "pytorch_lightning",
    "mlflow",
    "mlflow.pyfunc",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "pandas",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "scipy.stats",
    "sklearn.feature_extraction.text",
    "sklearn.linear_model",
    "sklearn.model_selection",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "tokenizers",
    "safetensors.torch",
    "typer",
    "rich.console",
    "jinja2",
    "dvc.cli.parser",
    "dvc.repo",
    "dvc.cachemgr",
    "dulwich.repo",
)


def serve(address: str) -> dict[str, Any]:
    """Answer requests for as long as standard input is open; return in each forked process.

    A client is told how its process ended; one that goes away takes the process with it.
    """
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    print("ready", flush=True)
    running: dict[int, tuple[int, socket.socket]] = {}  # by file descriptor: of process, of client
    while True:
        clients = {client.fileno(): process for process, client in running.values()}
        ready, _, _ = select.select([sys.stdin, listener, *running, *clients], [], [])
        if sys.stdin in ready:
            shutil.rmtree(Path(address).parent)
            sys.exit()
        for gone in clients.keys() & set(ready):
            os.kill(clients[gone], signal.SIGKILL)
        for ended in running.keys() & set(ready):
            process, client = running.pop(ended)
            os.close(ended)
            status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            with client, suppress(OSError):
                client.sendall(str(status).encode())
        if listener in ready:
            client, _ = listener.accept()
            files, request = receive(client)
            process = os.fork()
            if process == 0:
                for number, file in enumerate(files):
                    os.dup2(file, number)
            for file in files:
                os.close(file)
            if process == 0:
                return request
            running[os.pidfd_open(process)] = process, client


def receive(client: socket.socket) -> tuple[list[int], dict[str, Any]]:
    """The client's standard files, and its request."""
    size, files, _, _ = socket.recv_fds(client, 4, 3)
    with client.makefile("rb") as stream:
        return files, json.loads(stream.read(int.from_bytes(size, "big")))


def prepare(request: dict[str, Any]) -> list[str]:
    """Put this process where the client is; give the command."""
    os.chdir(request["folder"])
    for name in os.environ.keys() - request["environment"].keys():
        del os.environ[name]
    os.environ.update(request["environment"])
    command: list[str] = request["command"]
    first = str(Path.cwd() if command[0] in ("-m", "-c") else Path(command[0]).parent)
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [first, *filter(None, paths)]
    return command


def keep_parsed() -> None:
    """Have DVC parse the same content once: for each stage, it reads all settings again."""
    from dvc.utils.serialize import _yaml

    parse = functools.cache(_yaml.parse_yaml)
    _yaml.parse_yaml = lambda text, path, typ="safe": copy.deepcopy(parse(text, path, typ))


def run(command: list[str]) -> int:
    """Run it as Python does, and give the exit status."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  (as with -u)
    try:
        if command[0] == "-m":
            sys.argv = command[1:]
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        elif command[0] == "-c":
            sys.argv = ["-c", *command[2:]]
            exec(command[1], {"__name__": "__main__"})  # noqa: S102
        else:
            sys.argv = command
            runpy.run_path(command[0], run_name="__main__")
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


gc.disable()  # while imports make objects that stay
for library in LIBRARIES:
    __import__(library)
keep_parsed()
del sys.path[0]  # this file's folder
gc.freeze()
gc.set_threshold(100_000, 20, 100)
gc.enable()
status = run(prepare(serve(sys.argv[1])))
threading._shutdown()  # type: ignore[attr-defined]
atexit._run_exitfuncs()
sys.stdout.flush()
sys.stderr.flush()
os._exit(status & 255)  # taking down thousands of modules would copy all their memory
