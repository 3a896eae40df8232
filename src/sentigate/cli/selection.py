"""What params.yaml chooses, and the model that belongs to it."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from sentigate.errors import ParamsError, shorten
from sentigate.files import written_whole
from sentigate.settings.params import Params, load_params, parse_params

PARAMS = Path("params.yaml")


def choose(path: Path, choices: dict[str, str]) -> Params:
    """Set top-level keys in a params.yaml, comments and all else as they were.

    Args:
        path: the file.
        choices: key -> value; an empty value leaves the key as it is.

    Returns:
        The file's params.

    Raises:
        ParamsError: the file would not be valid, or cannot be written; it is left as it was.
    """
    params = load_params(path)
    before = text = path.read_bytes().decode()  # as they are, line ends too
    for key, value in choices.items():
        if value:
            escaped = value.replace("\\", r"\\")
            text, count = re.subn(rf"(?m)^({key}:\s*)\S+", rf"\g<1>{escaped}", text)
            if count != 1:
                raise ParamsError(f"{path} has no line `{key}: ...` to set")
    if text == before:
        return params
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError:
        values = {}
    for key, value in choices.items():
        if value and values.get(key) != value:
            raise ParamsError(f"{key} is {shorten(value)}, which is no name")
    params = parse_params(values, path.name)
    try:
        with written_whole(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise ParamsError(f"{path} cannot be written: {error.strerror}") from None
    return params


def promoted() -> str:
    """The URI of the chosen table's promoted version."""
    from sentigate.registry.versions import model_name

    params = load_params(PARAMS)
    return f"models:/{model_name(params.table)}@{params.register_.alias}"
