"""A port of this machine, and a server that answers there until a signal ends it."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

from sentigate.errors import ServerError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HOST = "127.0.0.1"
SECONDS = 3
"""Time that open requests get to finish when the server ends."""


def bound(port: int, host: str = HOST) -> socket.socket:
    """Return a socket that listens on the port, opened early so that no one else takes the port.

    Raises:
        ServerError: the port is in use or not allowed.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise ServerError(
            f"port {port} on {host} cannot be used: {error.strerror}; "
            "choose another with --port (with make: PORT=)"
        ) from None
    return listener


def run(app: ASGIApp, listener: socket.socket) -> None:
    """Answer requests until SIGTERM, SIGHUP or SIGINT (Ctrl-C)."""
    import uvicorn

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: object) -> None:
            signal.alarm(2 * SECONDS)  # ends the process even if a thread still runs
            super().handle_exit(sig, None)

    server = Server(uvicorn.Config(app, timeout_graceful_shutdown=SECONDS))
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, server.handle_exit)
    try:
        server.run([listener])
    except KeyboardInterrupt:
        return
