"""What params.yaml chooses, and the model that belongs to it."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML, MappingNode

from sentigate.errors import ParamsError, shorten
from sentigate.files import written_whole
from sentigate.settings.params import Params, load_params, parse_params
from sentigate.settings.yaml_file import parse_yaml

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
            text = _set(text, key, value)
    if text == before:
        return params
    params = parse_params(parse_yaml(text, path.name), path.name)
    try:
        with written_whole(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise ParamsError(f"{path} cannot be written: {error.strerror}") from None
    return params


def _set(text: str, key: str, value: str) -> str:
    """The text of a YAML mapping with the scalar of a top-level key replaced, and all else kept."""
    root = YAML(typ="safe").compose(text)
    assert isinstance(root, MappingNode)  # it has been loaded
    (node,) = (node for name, node in root.value if name.value == key)
    start, end = node.start_mark.index, node.end_mark.index
    changed = f"{text[:start]}{value}{text[end:]}"
    try:
        if parse_yaml(changed, PARAMS.name)[key] == value:
            return changed
    except ParamsError:
        pass
    raise ParamsError(
        f"{key} is {shorten(value)}, which is no name; or its line cannot be set, and should be "
        f"`{key}: NAME`"
    )


def promoted() -> str:
    """The URI of the chosen table's promoted version."""
    from sentigate.registry.versions import model_name

    params = load_params(PARAMS)
    return f"models:/{model_name(params.table)}@{params.register_.alias}"
