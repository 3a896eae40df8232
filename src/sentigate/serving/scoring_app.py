"""MLflow's scoring server, with requests checked beforehand and each error in one line."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 16 << 20
MAX_TEXTS = 100_000
SHOWN = 300
EXAMPLE = '{"inputs": ["a text", "another"]}'


class _RequestError(Exception):
    """A refused request: the HTTP status, and one line with the reason."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ScoringApp:
    """MLflow's app for one model: /ping, /health, /version and /invocations.

    /invocations takes only JSON, with a list of texts under ``inputs``. Every answer of status 400
    or more is a JSON object with ``error_code`` and ``message``. Stack traces are only logged.
    """

    def __init__(self, model: PyFuncModel) -> None:
        from mlflow.pyfunc import scoring_server

        self.app: ASGIApp = scoring_server.init(model)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # The client has disconnected, or the server is stopping.
        with suppress(ClientDisconnect, asyncio.CancelledError):
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "POST" and scope["path"] == "/invocations":
            request = Request(scope, receive)
            try:
                body = await _read(request)
                texts = await run_in_threadpool(texts_of, body)
            except _RequestError as error:
                await _refuse(error.status, "", str(error))(scope, receive, send)
                return
            # MLflow parses the body again: it gets the checked texts and nothing else.
            kind = b"content-type"  # MLflow accepts it only in lower case
            headers = [(k, v.lower() if k == kind else v) for k, v in scope["headers"]]
            scope = {**scope, "headers": headers}
            receive = _again(json.dumps({"inputs": texts}).encode(), receive)
        await self.app(scope, receive, _with_plain_errors(scope, receive, send))


async def _read(request: Request) -> bytes:
    body, size = bytearray(), 0
    async for chunk in request.stream():  # whole, as many clients read nothing before they sent all
        size += len(chunk)
        if size <= MAX_BYTES:
            body += chunk
    if size > MAX_BYTES:
        raise _RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body has {size:,} bytes; allowed: {MAX_BYTES:,}",
        )
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise _RequestError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"the Content-Type is {kind[:80]!r}; send application/json "
            "(curl -H 'Content-Type: application/json')",
        )
    return bytes(body)


def texts_of(body: bytes) -> list[str]:
    """Return the texts in the body of a request.

    Raises:
        _RequestError: the body is not JSON with a list of at most MAX_TEXTS texts under ``inputs``.
    """
    try:
        request = json.loads(body)
    except RecursionError:
        raise _RequestError(HTTPStatus.BAD_REQUEST, "the JSON is nested too deeply") from None
    except ValueError as error:
        raise _RequestError(
            HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}; send {EXAMPLE}"
        ) from None
    texts = request.get("inputs") if isinstance(request, dict) else None
    if not isinstance(texts, list):
        raise _RequestError(
            HTTPStatus.BAD_REQUEST, f"the body has no list of texts under inputs; send {EXAMPLE}"
        )
    if len(request) > 1:
        other = next(key for key in request if key != "inputs")
        raise _RequestError(
            HTTPStatus.BAD_REQUEST, f"the body has {other!r} beside inputs; send {EXAMPLE}"
        )
    if len(texts) > MAX_TEXTS:
        raise _RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"inputs has {len(texts):,} texts; allowed: {MAX_TEXTS:,}",
        )
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise _RequestError(
                HTTPStatus.BAD_REQUEST, f"inputs[{number}] is not a text; send {EXAMPLE}"
            )
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _RequestError(
                HTTPStatus.BAD_REQUEST,
                f"inputs[{number}] has half a surrogate pair (\\ud800 to \\udfff), which is not a "
                "character",
            ) from None
    return texts


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives ``body`` first, and then the messages of ``receive``."""
    first = True

    async def replay() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return replay


def _with_plain_errors(scope: Scope, receive: Receive, send: Send) -> Send:
    """Return a ``send`` that passes answers on, and turns each error into JSON of one line."""
    status, body = 0, bytearray()

    async def send_plain(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start" and message["status"] >= 400:
            status = message["status"]
            return
        if not status:
            await send(message)
            return
        body.extend(message.get("body", b""))
        if not message.get("more_body"):
            await _refuse(status, *_error_of(bytes(body)))(scope, receive, send)

    return send_plain


def _error_of(body: bytes) -> tuple[str, str]:
    """Return MLflow's error code and message, or "" and FastAPI's message or the plain text."""
    try:
        error: Any = json.loads(body)
    except ValueError:
        error = body.decode("utf-8", "replace")
    if not isinstance(error, dict):
        return "", str(error)
    if trace := error.get("stack_trace"):
        logging.getLogger("uvicorn.error").error(trace)
    return error.get("error_code", ""), str(error.get("message", error.get("detail")))


def _refuse(
    status: int, code: str, message: str
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    line = " ".join(message.split())
    shown = line if len(line) <= SHOWN else f"{line[:SHOWN]}…"
    content = {"error_code": code or HTTPStatus(status).name, "message": shown}
    return JSONResponse(content, status)
