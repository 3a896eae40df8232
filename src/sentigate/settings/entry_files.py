"""The data sets: each is a file, datasets/NAME.yaml, so that DVC tracks it alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sentigate.errors import ParamsError

from .yaml_file import read_yaml

FOLDER = "datasets"
NAME = r"^[A-Za-z0-9_-]+$"
"""A name that DVC can interpolate into a path, and that is valid in one."""


def entry_file(name: str) -> str:
    """Return the path of a data set's file, relative to the project's folder."""
    return f"{FOLDER}/{name}.yaml"


def with_entries(values: Any, folder: Path) -> Any:
    """Return the values of a params.yaml with those of datasets/*.yaml, under ``datasets``.

    Args:
        values: The values of params.yaml; anything but a mapping is returned unchanged.
        folder: The folder that has params.yaml.

    Raises:
        ParamsError: ``values`` has data sets itself, a file of datasets/ is not YAML, or its name
            is not allowed.
    """
    if not isinstance(values, dict):
        return values
    if FOLDER in values:
        raise ParamsError(
            "params.yaml has a section datasets; each data set is a file of its own. Move the "
            f"lines of an entry NAME to {entry_file('NAME')}, without their indentation"
        )
    entries = {}
    for file in sorted((folder / FOLDER).glob("*.y*ml")):
        if file.suffix != ".yaml" or not re.fullmatch(NAME, file.stem):
            raise ParamsError(
                f"{FOLDER}/{file.name}: the file's name is the name of the data set; allowed: "
                "letters, digits, _ and -, and then .yaml"
            )
        entries[file.stem] = read_yaml(file)
    return values | {FOLDER: entries}
