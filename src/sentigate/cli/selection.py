"""Choosing the data set and the model in params.yaml, and the promoted version for the choice."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML, MappingNode

from sentigate.errors import ParamsError, shorten
from sentigate.files import written_whole
from sentigate.settings.entry_files import with_entries
from sentigate.settings.params import Params, load_params, parse_params
from sentigate.settings.yaml_file import parse_yaml

PARAMS = Path("params.yaml")


def choose(path: Path, choices: dict[str, str]) -> Params:
    """Set top-level keys in a params.yaml; everything else in the file stays the same.

    Args:
        path: the file.
        choices: key -> value; an empty value does not change the key.

    Returns:
        The file's params.

    Raises:
        ParamsError: the file would not be valid, or cannot be written; it is not changed.
    """
    params = load_params(path)
    before = text = path.read_bytes().decode()  # bytes, because text mode changes line ends
    for key, value in choices.items():
        if value:
            text = _set(text, key, value)
    if text == before:
        return params
    params = parse_params(with_entries(parse_yaml(text, path.name), path.parent), path.name)
    try:
        with written_whole(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise ParamsError(f"{path} cannot be written: {error.strerror}") from None
    return params


def _set(text: str, key: str, value: str) -> str:
    """Return a YAML mapping's text with a new scalar for one top-level key.

    Raises:
        ParamsError: ``value`` is not a plain scalar, or the key's line cannot be edited.
    """
    root = YAML(typ="safe").compose(text)
    assert isinstance(root, MappingNode)  # load_params has checked the file
    (node,) = (node for name, node in root.value if name.value == key)
    start, end = node.start_mark.index, node.end_mark.index
    changed = f"{text[:start]}{value}{text[end:]}"
    try:
        if parse_yaml(changed, PARAMS.name)[key] == value:
            return changed
    except ParamsError:
        pass
    raise ParamsError(
        f"{key} cannot be set to {shorten(value)}: it must be a name, and the line in params.yaml "
        f"must be `{key}: NAME`"
    )


def promoted() -> str:
    """Return the URI of the chosen table's promoted version."""
    from sentigate.registry.versions import model_name

    params = load_params(PARAMS)
    return f"models:/{model_name(params.table)}@{params.register_.alias}"
