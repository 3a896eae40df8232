"""Read the texts of a request; everything else is refused in one line."""

from __future__ import annotations

import io
import json
from http import HTTPStatus
from typing import Any

import pandas as pd
from starlette.requests import Request

from sentigate.model.columns import Columns

from .request_errors import RequestError

MAX_BYTES = 16 << 20
MAX_TEXTS = 100_000
EXAMPLE = '{"inputs": ["a text", "another"]}'
JSON, CSV = "application/json", "text/csv"
LISTS, TABLES = ("inputs", "instances"), ("dataframe_split", "dataframe_records")


async def read_body(request: Request, *kinds: str) -> tuple[bytes, str]:
    """Return the body of a request, and its type, one of ``kinds``.

    Raises:
        RequestError: the body is larger than MAX_BYTES, or of another type.
    """
    body, size = bytearray(), 0
    async for chunk in request.stream():  # whole, as many clients read nothing before they sent all
        size += len(chunk)
        if size <= MAX_BYTES:
            body += chunk
    if size > MAX_BYTES:
        raise RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body has {size:,} bytes; allowed: {MAX_BYTES:,}",
        )
    kind, _, options = request.headers.get("content-type", "").lower().partition(";")
    if kind.strip() not in kinds:
        raise RequestError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"the Content-Type is {kind[:80]!r}; send {' or '.join(kinds)} "
            f"(curl -H 'Content-Type: {kinds[0]}')",
        )
    charset = options.partition("charset=")[2].strip(' "')
    if charset not in ("", "utf-8"):
        raise RequestError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the charset is {charset[:80]!r}; send UTF-8"
        )
    return bytes(body), kind.strip()


def object_of(body: bytes, example: str) -> dict[str, Any]:
    """Return the JSON object in a body.

    Raises:
        RequestError: the body is not a JSON object.
    """
    try:
        content = json.loads(body)
    except RecursionError:
        raise RequestError(HTTPStatus.BAD_REQUEST, "the JSON is nested too deeply") from None
    except ValueError as error:
        raise RequestError(
            HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}; send {example}"
        ) from None
    if not isinstance(content, dict):
        raise RequestError(HTTPStatus.BAD_REQUEST, f"the body is not a JSON object; send {example}")
    return content


def invocation_texts(body: bytes, kind: str, columns: Columns) -> list[str]:
    """Return the texts of a request to /invocations, in any form of MLflow's protocol.

    Args:
        body: The body.
        kind: JSON or CSV.
        columns: The columns that the model was trained on.

    Raises:
        RequestError: the body has no texts, too many, or anything else.
    """
    if kind == CSV:
        return _of_table(_csv(body), columns)
    content = object_of(body, EXAMPLE)
    found = [name for name in (*LISTS, *TABLES) if name in content]
    if len(found) != 1:
        raise RequestError(
            HTTPStatus.BAD_REQUEST, f"the body has no list of texts under inputs; send {EXAMPLE}"
        )
    (name,) = found
    if len(content) > 1:
        other = next(key for key in content if key != name)
        raise RequestError(
            HTTPStatus.BAD_REQUEST, f"the body has {other!r} beside {name}; send {EXAMPLE}"
        )
    if name == "dataframe_split":
        return _of_table(_split(content[name]), columns)
    if name == "dataframe_records" and not _are_objects(content[name]):
        raise RequestError(HTTPStatus.BAD_REQUEST, f"{name} is not a list of objects")
    return texts_of(content[name], name, columns)


def texts_of(given: Any, name: str, columns: Columns) -> list[str]:
    """Return a list's texts; a table's row as an object of columns is read as in training.

    Args:
        given: The list: texts, or objects with the model's columns.
        name: Name of the list in messages.
        columns: The columns that the model was trained on.

    Raises:
        RequestError: ``given`` is no such list, or has too many items.
    """
    if not isinstance(given, list):
        raise RequestError(HTTPStatus.BAD_REQUEST, f"{name} is not a list of texts; send {EXAMPLE}")
    _check_count(len(given), name)
    if given and _are_objects(given):
        return _of_table(pd.DataFrame.from_records(given).astype(object), columns)
    for number, text in enumerate(given):
        if not isinstance(text, str):
            raise RequestError(
                HTTPStatus.BAD_REQUEST, f"{name}[{number}] is not a text; send {EXAMPLE}"
            )
        _check_text(text, f"{name}[{number}]")
    return given


def _of_table(table: pd.DataFrame, columns: Columns) -> list[str]:
    _check_count(len(table), "the table")
    try:
        texts = columns.texts_of(table)
    except ValueError as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, str(error)) from None
    for number, text in enumerate(texts):
        _check_text(text, f"row {number}")
    return texts


def _are_objects(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(each, dict) for each in given)


def _split(given: Any) -> pd.DataFrame:
    """Return the table that MLflow's clients send as ``columns``, ``data`` and ``index``."""
    columns, data = (
        given.get(key) if isinstance(given, dict) else None for key in ("columns", "data")
    )
    if (
        not isinstance(columns, list)
        or not isinstance(data, list)
        or not all(isinstance(name, str | int) for name in columns)
        or not all(isinstance(row, list) and len(row) == len(columns) for row in data)
    ):
        raise RequestError(
            HTTPStatus.BAD_REQUEST,
            'dataframe_split is not a table; send {"columns": ["text"], "data": [["a text"]]}',
        )
    return pd.DataFrame(data, columns=columns, dtype=object)


def _csv(body: bytes) -> pd.DataFrame:
    try:
        return pd.read_csv(io.BytesIO(body), dtype=str, keep_default_na=False)
    except (ValueError, pd.errors.ParserError) as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, f"the body is not CSV: {error}") from None


def _check_count(count: int, name: str) -> None:
    if count > MAX_TEXTS:
        raise RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"{name} has {count:,} texts; allowed: {MAX_TEXTS:,}",
        )


def _check_text(text: str, place: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RequestError(
            HTTPStatus.BAD_REQUEST,
            f"{place} has half a surrogate pair (\\ud800 to \\udfff), which is not a character",
        ) from None
