"""Read params.yaml into plain values, by the same rules as DVC, which edits and compares them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, Event, NodeEvent, ScalarEvent

from sentigate.errors import ParamsError


def parse_yaml(text: str, origin: str) -> Any:
    """Return the values of a YAML text, parsed by YAML 1.2 like DVC.

    PyYAML reads YAML 1.1, in which ``no`` is false and ``1e-05`` is a text.

    Args:
        text: Content of the file.
        origin: Name of the file, for messages.

    Raises:
        ParamsError: the text is not YAML, repeats a key, or has an anchor, an alias or a merge key:
            ``dvc exp run -S`` would set a shared value in every entry, or in none.
    """
    try:
        for event in YAML(typ="safe").parse(text):
            if sharing := _sharing(event):
                raise ParamsError(
                    f"{origin}, line {event.start_mark.line + 1}: {sharing} shares values between "
                    "entries, so `dvc exp run -S` could not change one entry alone; write all "
                    "values in each entry"
                )
        return YAML(typ="safe").load(text)
    except YAMLError as error:
        said = (
            str(error).partition("To suppress this check")[0].replace(' in "<unicode string>"', "")
        )
        raise ParamsError(f"{origin} is not YAML: {' '.join(said.split())}") from None


def _sharing(event: Event) -> str | None:
    if isinstance(event, AliasEvent):
        return f"the alias *{event.anchor}"
    if isinstance(event, NodeEvent) and event.anchor:
        return f"the anchor &{event.anchor}"
    if isinstance(event, ScalarEvent) and event.value == "<<" and event.implicit[0]:
        return "the merge key <<"
    return None


def flow_mapping(values: Mapping[str, str | None]) -> str:
    """Write texts and nulls as YAML, on one line: ``{good: positive, "1": null}``."""
    items = (f"{flow_scalar(key)}: {flow_scalar(value)}" for key, value in values.items())
    return "{" + ", ".join(items) + "}"


def flow_sequence(values: Iterable[str]) -> str:
    """Write texts as YAML, on one line: ``[negative, "1"]``."""
    return "[" + ", ".join(map(flow_scalar, values)) + "]"


# Texts that YAML 1.1, 1.2 and DVC read as the same text without quotes.
_PLAIN = re.compile(
    r"(?!(?:true|false|null|yes|no|on|off|y|n|nan|inf)$)[a-z](?:[a-z0-9_ -]*[a-z0-9_-])?",
    re.IGNORECASE,
)


# Characters that YAML refuses in quotes, or reads as the end of a line, and JSON does not escape.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufffe\uffff]")


def flow_scalar(text: str | None) -> str:
    """Write a text or null as YAML, on one line: ``good``, ``"1"``, ``null``."""
    if text is None:
        return "null"
    if _PLAIN.fullmatch(text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def read_yaml(path: Path) -> Any:
    """Return the values of a YAML file.

    Raises:
        ParamsError: the file is missing, is not UTF-8, or ``parse_yaml`` refuses it.
    """
    try:
        return parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise ParamsError(f"{path} does not exist; run from the project's root") from None
    except UnicodeDecodeError as error:
        raise ParamsError(f"{path} is not YAML: {error}") from None
