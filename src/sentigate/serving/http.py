"""The HTTP service of one model: answers, explanations, health, metrics, and a page to try it."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from importlib import metadata
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentigate.model.predictor import Answers

from .batching import Batcher, Served
from .request_errors import RequestError, refusal
from .request_texts import (
    CSV,
    JSON,
    MAX_TEXTS,
    invocation_texts,
    object_of,
    read_body,
    texts_of,
)

PAGE = Path(__file__).with_name("page.html")
REFERENCE = Path(__file__).with_name("reference.html")
SMALL_BODY = 1 << 16
"""Bytes of a body that is parsed at once; a larger one is parsed in a thread."""
MAX_EXPLAINED = 1_000
"""Characters of the longest explained text: the time grows with the number of tokens."""
MAX_EXPLANATIONS = 8
"""Explanations that may run or wait."""
POLL_SECONDS = 5.0
"""Time between two looks at the registry."""
PREDICT_EXAMPLE = '{"texts": ["a text", "another"]}, or {"text": "a text"}'
EXPLAIN_EXAMPLE = '{"text": "a text"}'

_TEXT = {"type": "string", "example": "A fine film, warm and funny."}
_TEXTS = {"type": "array", "items": _TEXT, "maxItems": MAX_TEXTS}
_PREDICT_SCHEMA = {
    "oneOf": [
        {
            "type": "object",
            "properties": {"text": _TEXT},
            "required": ["text"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"texts": _TEXTS},
            "required": ["texts"],
            "additionalProperties": False,
        },
    ]
}
_INVOCATIONS_SCHEMA = {
    "type": "object",
    "properties": {"inputs": _TEXTS},
    "required": ["inputs"],
    "additionalProperties": False,
}
_EXPLAIN_SCHEMA = {
    "type": "object",
    "properties": {"text": _TEXT, "class": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}

Explain = Callable[[Served, str, str | None], dict[str, Any]]
"""Explains the answer of a model to a text, about a class or, with None, the class answered."""
Newer = Callable[[Served], Served | None]
"""Returns the model that should answer from now on, or None if that is the given one."""


class Service:
    """The state of the service: the model, its batches, and what it has counted."""

    def __init__(self, model: Served, explain: Explain, newer: Newer | None) -> None:
        self.batcher = Batcher(model)
        self.explain, self.newer = explain, newer
        self.explainer = ThreadPoolExecutor(1, thread_name_prefix="explain")
        self.explaining = 0
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "sentigate_requests",
            "Requests, by path and status.",
            ["path", "status"],
            registry=self.registry,
        )
        self.texts = Counter("sentigate_texts", "Texts judged, by label.", ["label"],
                             registry=self.registry)  # fmt: skip
        self.notes = Counter("sentigate_notes", "Texts with a note.", registry=self.registry)
        self.seconds = Histogram(
            "sentigate_request_seconds",
            "Time to answer a request, by path.",
            ["path"],
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
            registry=self.registry,
        )
        Gauge("sentigate_waiting_texts", "Texts that wait.", registry=self.registry).set_function(
            lambda: self.batcher.waiting
        )
        Gauge(
            "sentigate_batches", "Batches answered since the start.", registry=self.registry
        ).set_function(lambda: self.batcher.batches)

    async def predict(self, texts: list[str]) -> tuple[Served, list[dict[str, Any]]]:
        """Return the model, and an answer for each text as MLflow's clients expect it."""
        if not texts:
            return self.batcher.model, []
        model, answers = await self.batcher.answer(texts)
        for label in answers.labels:
            self.texts.labels(label).inc()
        self.notes.inc(sum(map(bool, answers.notes)))
        return model, records_of(model, answers)

    async def watch(self) -> None:
        """Look for a newer model again and again, and let it answer new requests."""
        assert self.newer is not None
        log = logging.getLogger("uvicorn.error")
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                newer = await asyncio.to_thread(self.newer, self.batcher.model)
            except Exception as error:  # the registry may be away for a while
                log.warning("the registry cannot be read: %s", " ".join(str(error).split())[:300])
                continue
            if newer is not None:
                self.batcher.model = newer
                log.info("version %s of %s answers from now on", newer.version, newer.name)


def records_of(model: Served, answers: Answers) -> list[dict[str, Any]]:
    """Return label, confidence, ``probability_<class>`` for each class, and note of each text."""
    names = [f"probability_{name}" for name in model.judge.classes.names]
    return [
        {
            "label": label,
            "confidence": confidence,
            **dict(zip(names, chances, strict=True)),
            "note": note,
        }
        for label, confidence, chances, note in zip(
            answers.labels,
            map(_shortest, answers.confidences),
            (map(_shortest, row) for row in answers.probabilities),
            answers.notes,
            strict=True,
        )
    ]


def _shortest(value: Any) -> float:
    """Return a float32 as the shortest decimal that is read as the same float32."""
    return float(str(value))


def create_app(service: Service, token: str | None = None) -> FastAPI:
    """Return the application.

    Every answer of status 400 or more is a JSON object with ``error_code`` and ``message``, one
    line. Reasons of failures are only logged.

    Args:
        service: The model and its state.
        token: If given, every request except /healthz must carry it: ``Authorization: Bearer``.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.batcher.start()
        watching = asyncio.create_task(service.watch()) if service.newer else None
        yield
        if watching:
            watching.cancel()
        await service.batcher.stop()
        service.explainer.shutdown(wait=False, cancel_futures=True)

    app = FastAPI(
        title="sentigate",
        version=metadata.version("sentigate"),
        summary="Sentiments of texts, by the promoted model",
        docs_url=None,  # FastAPI's pages load scripts from other servers
        redoc_url=None,
        lifespan=lifespan,
    )

    app.add_middleware(_Counted, service=service, token=token, app_routes=app.routes)

    @app.exception_handler(RequestError)
    async def refused(request: Request, error: RequestError) -> JSONResponse:
        return refusal(error.status, str(error), error.retry_after)

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> JSONResponse:
        return refusal(error.status_code, str(error.detail))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        return refusal(
            HTTPStatus.INTERNAL_SERVER_ERROR, "the service failed; its log has the reason"
        )

    @app.post("/predict", tags=["answers"], openapi_extra=_body(_PREDICT_SCHEMA))
    async def predict(request: Request) -> Response:
        """Judge a text, or a list of texts.

        The answer has `model`, `version`, and `predictions`, in order: `label`, `confidence`,
        `probability_<class>` of each class, and `note`.
        """
        body, _ = await read_body(request, JSON)

        def parse() -> list[str]:
            content = object_of(body, PREDICT_EXAMPLE)
            if content.keys() == {"text"}:
                content = {"texts": [content["text"]]}
            if content.keys() != {"texts"}:
                raise RequestError(
                    HTTPStatus.BAD_REQUEST, f"the body has not only texts; send {PREDICT_EXAMPLE}"
                )
            return texts_of(content["texts"], "texts", service.batcher.model.judge.columns)

        model, records = await service.predict(await _parsed(parse, body))
        return _json({"model": model.name, "version": model.version, "predictions": records})

    @app.post("/invocations", tags=["answers"], openapi_extra=_body(_INVOCATIONS_SCHEMA))
    async def invocations(request: Request) -> Response:
        """Judge texts by MLflow's protocol: `inputs`, `instances`, a table, or CSV."""
        body, kind = await read_body(request, JSON, CSV)
        columns = service.batcher.model.judge.columns
        texts = await _parsed(lambda: invocation_texts(body, kind, columns), body)
        _, records = await service.predict(texts)
        return _json({"predictions": records})

    @app.post("/explain", tags=["answers"], openapi_extra=_body(_EXPLAIN_SCHEMA))
    async def explain(request: Request) -> Response:
        """Explain the answer to a text: how much each token adds to the logit of a class."""
        body, _ = await read_body(request, JSON)
        content = object_of(body, EXPLAIN_EXAMPLE)
        if "text" not in content or content.keys() - {"text", "class"}:
            raise RequestError(
                HTTPStatus.BAD_REQUEST,
                f"the body has not only text and class; send {EXPLAIN_EXAMPLE}",
            )
        model = service.batcher.model
        (text,) = texts_of([content["text"]], "text", model.judge.columns)
        names = model.judge.classes.names
        about = content.get("class")
        if about is not None and about not in names:
            raise RequestError(
                HTTPStatus.BAD_REQUEST, f"the model has no such class; allowed: {', '.join(names)}"
            )
        if len(text) > MAX_EXPLAINED:
            raise RequestError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the text has {len(text):,} characters; an explanation takes at most "
                f"{MAX_EXPLAINED:,}. `sentigate explain` takes any text",
            )
        if service.explaining >= MAX_EXPLANATIONS:
            raise RequestError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"{service.explaining} explanations are under way; send the request again later",
                retry_after=1,
            )
        service.explaining += 1
        try:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(
                service.explainer, service.explain, model, text, about
            )
        finally:
            service.explaining -= 1
        return _json({"model": model.name, "version": model.version, **found})

    @app.get("/healthz", tags=["state"])
    async def healthz() -> dict[str, str]:
        """Say that the process answers."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["state"])
    async def readyz() -> dict[str, Any]:
        """Say which model answers."""
        return _version(service.batcher.model)

    @app.get("/version", tags=["state"])
    async def version() -> dict[str, Any]:
        """Name the model, its version, its classes, and the version of sentigate."""
        return _version(service.batcher.model)

    @app.get("/metrics", tags=["state"], response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Give the metrics in the format of Prometheus."""
        return PlainTextResponse(
            generate_latest(service.registry), media_type="text/plain; version=0.0.4"
        )

    @app.get("/ping", include_in_schema=False)
    @app.get("/health", include_in_schema=False)
    async def ping() -> Response:
        """Answer MLflow's clients."""
        return Response("\n", media_type=JSON)

    @app.get("/", include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(PAGE.read_text("utf-8"))

    @app.get("/docs", include_in_schema=False)
    async def reference() -> HTMLResponse:
        return HTMLResponse(REFERENCE.read_text("utf-8"))

    return app


class _Counted:
    """Counts and times requests, and refuses those without the token."""

    def __init__(
        self, app: ASGIApp, service: Service, token: str | None, app_routes: list[BaseRoute]
    ) -> None:
        self.app, self.service, self.token = app, service, token
        self.paths = {getattr(route, "path", "") for route in app_routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, start = 0, time.perf_counter()

        async def observed(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            if self.token and scope["path"] != "/healthz" and not _may_ask(scope, self.token):
                answer = refusal(
                    HTTPStatus.UNAUTHORIZED, "send the token: -H 'Authorization: Bearer TOKEN'"
                )
                await answer(scope, receive, observed)
            else:
                # The client has disconnected, or the server is stopping.
                with suppress(ClientDisconnect, asyncio.CancelledError):
                    await self.app(scope, receive, observed)
        finally:
            path = scope["path"] if scope["path"] in self.paths else "other"
            self.service.requests.labels(path, status or 499).inc()
            self.service.seconds.labels(path).observe(time.perf_counter() - start)


async def _parsed(parse: Callable[[], list[str]], body: bytes) -> list[str]:
    return parse() if len(body) <= SMALL_BODY else await asyncio.to_thread(parse)


def _json(content: dict[str, Any]) -> Response:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return Response(text.encode(), media_type=JSON)


def _version(model: Served) -> dict[str, Any]:
    return {
        "model": model.name,
        "version": model.version,
        "classes": list(model.judge.classes.names),
        "sentigate": metadata.version("sentigate"),
    }


def _may_ask(scope: Scope, token: str) -> bool:
    given = dict(scope["headers"]).get(b"authorization", b"")
    return hmac.compare_digest(given, f"Bearer {token}".encode())


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    refused = {
        "description": "The request is refused; `message` says why.",
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "error_code": {"type": "string"},
                        "message": {"type": "string"},
                    },
                    "required": ["error_code", "message"],
                }
            }
        },
    }
    statuses = ("400", "413", "415", "429")
    return {
        "requestBody": {"required": True, "content": {JSON: {"schema": schema}}},
        "responses": dict.fromkeys(statuses, refused),
    }
