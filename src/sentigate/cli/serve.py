"""`sentigate serve`: the HTTP service, in one process, which a signal ends."""

from __future__ import annotations

import os
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentigate.errors import ServerError
from sentigate.progress import doing

from .listening import HOST, bound, run
from .selection import promoted

if TYPE_CHECKING:
    from sentigate.model.predictor import Predictor
    from sentigate.serving.batching import Served

TOKEN = "SENTIGATE_TOKEN"  # noqa: S105 (the name of a variable)


def serve(
    port: Annotated[int, typer.Option(help="Port.", min=1, max=65535)] = 5001,
    model: Annotated[
        str,
        typer.Option(
            help="An MLflow model URI; by default the data set's promoted version, and each later "
            "one as soon as it is promoted."
        ),
    ] = "",
    host: Annotated[
        str,
        typer.Option(
            help=f"Address to listen on. Any but this machine's own needs a token in {TOKEN}."
        ),
    ] = HOST,
) -> None:
    """Serve a registered model over HTTP: a page at /, and POST /predict, /explain, /invocations.

    Example: curl 127.0.0.1:5001/predict -H 'Content-Type: application/json'
    -d '{"text": "A fine film, warm and funny."}'
    """
    token = os.environ.get(TOKEN)
    if not token and not _is_local(host):
        raise ServerError(
            f"host {host} lets other machines ask, so requests need a token; set {TOKEN}, for "
            f"example: export {TOKEN}=$(openssl rand -hex 16)"
        )
    with bound(port, host) as listener, TemporaryDirectory() as folder:
        with doing("loading the model"):
            uri = model or promoted()
            from sentigate.registry.served_version import load_served, newer_version
            from sentigate.serving.http import Service, create_app

            served = load_served(uri, Path(folder))
            service = Service(served, explain, lambda now: newer_version(uri, now, Path(folder)))
            app = create_app(service, token)
        name = f"version {served.version} of {served.name}" if served.version else served.name
        print(f"serving {name} on http://{host}:{port} (Ctrl-C ends it)", flush=True)
        run(app, listener)


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=1)
def _predictor(files: Path) -> Predictor:
    from sentigate.model.predictor import Predictor

    return Predictor(files)


def explain(model: Served, text: str, about: str | None) -> dict[str, Any]:
    """Explain a model's answer to a text, for the service.

    Returns:
        The label, its confidence, the probability of each class, the class explained, and in units
        of its logit: the start, the contribution of each token, the remainder, and the sum.

    Raises:
        RequestError: the model is of another version of sentigate, which this one cannot read.
    """
    from sentigate.insight.explanation import explain as take_apart
    from sentigate.model.model_files import ModelFileError
    from sentigate.serving.request_errors import RequestError

    try:
        predictor = _predictor(model.files)
    except ModelFileError:
        raise RequestError(
            HTTPStatus.NOT_IMPLEMENTED,
            "another version of sentigate registered this model, and only that one can explain it",
        ) from None
    explanation = take_apart(predictor, text)
    names = explanation.classes.names
    label = names.index(about) if about else explanation.answered
    row = explanation.row(label)
    return {
        "label": names[explanation.answered],
        "confidence": float(explanation.probabilities[explanation.answered]),
        "probabilities": dict(zip(names, map(float, explanation.probabilities), strict=True)),
        "class": names[1] if len(names) == 2 else names[label],
        "start": float(explanation.start[row]),
        "tokens": [
            {
                "before": token.before,
                "text": token.text,
                "unknown": token.unknown,
                "contribution": float(contribution),
            }
            for token, contribution in zip(
                explanation.tokens, explanation.contributions[row], strict=True
            )
        ],
        "beyond": float(explanation.beyond[row]),
        "remainder": float(explanation.remainder[row]),
        "adds_up": bool(explanation.adds_up[row]),
        "logit": float(explanation.logits[row]),
    }
