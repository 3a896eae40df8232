"""params.yaml as plain values, read by the rules of DVC, which edits it and compares its values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, Event, NodeEvent, ScalarEvent

from sentigate.errors import ParamsError


def parse_yaml(text: str, origin: str) -> Any:
    """The values of a YAML text, by YAML 1.2 as DVC reads it.

    By YAML 1.1, which PyYAML reads, ``no`` is false and ``1e-05`` a text.

    Args:
        text: of the file.
        origin: its name.

    Raises:
        ParamsError: it is not YAML, a key is there twice, or it has an anchor, an alias or a merge
            key: ``dvc exp run -S`` sets a value at each place that shares it, or at none.
    """
    try:
        for event in YAML(typ="safe").parse(text):
            if sharing := _sharing(event):
                raise ParamsError(
                    f"{origin}, line {event.start_mark.line + 1}: {sharing} shares values between "
                    "entries, and `dvc exp run -S` would not change one entry alone; write out "
                    "what each entry has"
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


def read_yaml(path: Path) -> Any:
    """The values of a YAML file.

    Raises:
        ParamsError: as ``parse_yaml``, or the file is missing or not UTF-8.
    """
    try:
        return parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise ParamsError(f"{path} does not exist; run from the project's root") from None
    except UnicodeDecodeError as error:
        raise ParamsError(f"{path} is not YAML: {error}") from None
