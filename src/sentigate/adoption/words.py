"""Words by which values and columns are recognized."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from sentigate.model.strict_model import StrictModel
from sentigate.settings.yaml_file import parse_yaml

Role = Literal[
    "text", "title", "label", "score", "group", "slice", "context", "id", "fold", "date", "measure"
]


class Words(StrictModel):
    """The content of words.yaml, which says what each list means."""

    grades: dict[str, list[str]]
    no_label: list[str]
    yes: list[str]
    no: list[str]
    bands: list[str]
    folds: dict[Literal["train", "validation", "test"], list[str]]
    columns: dict[Role, list[str]]


@cache
def words() -> Words:
    """Read words.yaml."""
    path = Path(__file__).with_name("words.yaml")
    return Words.model_validate(parse_yaml(path.read_text("utf-8"), path.name))


def plain_name(name: str) -> str:
    """Return a name as words.yaml writes it: ``reviewText`` and ``Review Text`` as review_text."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", unicodedata.normalize("NFC", name).strip())
    return re.sub(r"[\W_]+", "_", parted.casefold()).strip("_")


def place_in(role: Role, name: str) -> int | None:
    """Return the place in the role's list of the first word that ``name`` has, or None."""
    known = words().columns[role]
    plain = plain_name(name)
    found = [known.index(part) for part in _parts(plain) if part in known]
    return min(found, default=None)


def is_called(role: Role, name: str) -> bool:
    """Return whether a word of the role's list is a part of ``name``."""
    return place_in(role, name) is not None


def _parts(plain: str) -> Iterable[str]:
    """Yield the whole name, then its parts between "_"."""
    yield plain
    yield from plain.split("_")
