"""A Python that starts with SENTIGATE_WARM set asks the fork server to run its command.

Python imports this module by itself, before anything else, from the PYTHONPATH that
``support.commands.warm`` gives. A command that the server does not know, or an ended server,
runs here as ever.
"""

import os
import sys

MODULES = ("pipeline.", "sentigate.cli.main", "dvc")
SCRIPTS = ("sentigate", "dvc")


def command() -> list[str]:
    """``-m`` and a module, ``-c`` and code, or a script, with arguments; empty if not ours."""
    words = sys.orig_argv[1:]
    if words[:1] == ["-u"]:
        words = words[1:]
    if words[:1] == ["-m"] and len(words) > 1 and words[1].startswith(MODULES):
        return words
    folder, _, name = words[0].rpartition("/") if words else ("", "", "")
    return words if name in (*SCRIPTS, "-c") or folder == "benchmarks" else []


def ask(address: str, words: list[str]) -> None:
    """Have the server run it with this process's files, folder and environment; end as it ends."""
    import json
    import signal
    import socket

    folder = os.getcwd()  # noqa: PTH109  (pathlib takes as long as all the rest)
    request = json.dumps({"command": words, "folder": folder, "environment": dict(os.environ)})
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(address)
        except OSError:
            return
        socket.send_fds(client, [len(request.encode()).to_bytes(4, "big")], [0, 1, 2])
        client.sendall(request.encode())
        status = int(client.recv(16) or b"1")
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


if os.environ.get("SENTIGATE_WARM") and command():
    ask(os.environ["SENTIGATE_WARM"], command())
