"""Refused requests: each is answered by a status and one line."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import JSONResponse

SHOWN = 300


class RequestError(Exception):
    """A refused request.

    Attributes:
        status: HTTP status of the answer.
        retry_after: Seconds after which the request may succeed, or None.
    """

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.retry_after = status, retry_after


def refusal(status: int, message: str, retry_after: int | None = None) -> JSONResponse:
    """Return the answer to a refused request: ``error_code`` and ``message``, of one line."""
    line = " ".join(message.split())
    # A message may quote half a surrogate pair, which no answer can hold.
    line = line.encode(errors="backslashreplace").decode()
    shown = line if len(line) <= SHOWN else f"{line[:SHOWN]}…"
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return JSONResponse({"error_code": HTTPStatus(status).name, "message": shown}, status, headers)
