"""The columns of a table from which a model reads its texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from .model_files import named
from .strict_model import StrictModel
from .text.context import with_contexts
from .text.joined import joined
from .text.values import as_text

FILE = "columns.json"
NAMES_SHOWN = 10
Names = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]


class Columns(StrictModel):
    """The columns that a model was trained on."""

    text: str | Names
    """Column of the texts; several columns are joined, in this order."""
    context: str | Names | None
    """Columns that name what a text is about, in the order of their tokens; None in a model without
    a context."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns of texts."""
        return (self.text,) if isinstance(self.text, str) else self.text

    @property
    def contexts(self) -> tuple[str, ...]:
        """The columns of contexts."""
        return (self.context,) if isinstance(self.context, str) else self.context or ()

    def text_of(self, texts: Sequence[str], contexts: Sequence[str]) -> str:
        """Return the raw text of a row, as in training.

        Args:
            texts: the row's values in the columns of texts, or the one text.
            contexts: the row's values in the columns of contexts, "" for a missing one; none for a
                row without a context.
        """
        text = joined(texts)
        return with_contexts(self.contexts or ("",), contexts, text) if contexts else text

    def save(self, folder: Path) -> None:
        """Write columns.json to ``folder``, which exists."""
        text = json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Columns:
        """Read columns.json; without it, the texts are in the column ``text``.

        Raises:
            ModelFileError: the file cannot be read.
        """
        if not (folder / FILE).exists():
            return PLAIN
        with named(folder / FILE) as path:
            return cls.model_validate_json(path.read_text("utf-8"))

    def texts_of(self, given: object) -> list[str]:
        """Return the raw texts of a model's input.

        A DataFrame holds them in the columns that the model was trained on, or else in its only
        column of texts. If it has columns of contexts too, each text begins with their tokens.
        Values are read as in training: a missing text is "".

        Args:
            given: texts as a list, a tuple, a Series or an array (rows,); or a DataFrame.

        Raises:
            ValueError: the input has another type, a value is not a text, or a column of texts is
                missing in the DataFrame, or ambiguous.
        """
        if isinstance(given, pd.DataFrame):
            return self._of_table(given)
        if isinstance(given, np.ndarray) and given.ndim != 1:
            raise ValueError(f"the array has the shape {given.shape}; allowed: (rows,)")
        if isinstance(given, pd.Series | np.ndarray):
            given = given.tolist()
        if not isinstance(given, list | tuple):
            raise ValueError(
                f"the input is of type {type(given).__name__}; allowed: texts as a list, tuple, "
                "Series or array, or a DataFrame"
            )
        for number, text in enumerate(given):
            if not isinstance(text, str):
                raise ValueError(f"text {number} (from 0) is {text!r:.80}; allowed: a text")
        return list(given)

    def _of_table(self, table: pd.DataFrame) -> list[str]:
        names = table.columns.tolist()
        parts = [_values(table, name) for name in self._text_columns(table)]
        if not any(name in names for name in self.contexts):
            return list(map(joined, zip(*parts, strict=True)))
        without = [""] * len(table)
        contexts = [_values(table, n) if n in names else without for n in self.contexts]
        rows = zip(zip(*parts, strict=True), zip(*contexts, strict=True), strict=True)
        return [self.text_of(texts, named) for texts, named in rows]

    def _text_columns(self, table: pd.DataFrame) -> tuple[Any, ...]:
        names = table.columns.tolist()
        lacking = [name for name in self.texts if name not in names]
        if not lacking:
            return self.texts
        shown = ", ".join(map(repr, names[:NAMES_SHOWN])) + " …" * (len(names) > NAMES_SHOWN)
        if len(lacking) < len(self.texts):
            raise ValueError(
                f"the model was trained on {_listed(self.texts)}; the table has {shown}, but not "
                f"{_listed(lacking)}; add what is missing, with empty texts if there are none"
            )
        found = [
            name
            for place, name in enumerate(names)
            if name not in self.contexts and _holds_texts(table.iloc[:, place])
        ]
        if len(found) != 1:
            raise ValueError(
                f"the model was trained on {_listed(self.texts)}; the table has "
                f"{shown or 'no column'}, of which {len(found) or 'none'} may hold the texts; "
                f"rename one to {self.texts[0]!r}, or give a list of texts"
            )
        return (found[0],)


def _listed(names: Sequence[str]) -> str:
    """Return "the column 'a'" or "the columns 'a', 'b'"."""
    return f"the column{'s' * (len(names) > 1)} {', '.join(map(repr, names))}"


PLAIN = Columns(text="text", context=None)
"""Columns of a model without columns.json."""


def _holds_texts(column: pd.Series[Any]) -> bool:
    return all(isinstance(value, str) for value in column.dropna().tolist()) and not (
        pd.api.types.is_numeric_dtype(column)
    )


def _values(table: pd.DataFrame, name: Any) -> list[str]:
    if table.columns.tolist().count(name) > 1:
        raise ValueError(f"the table has the column {name!r} more than once")
    texts = []
    for number, value in enumerate(table[name].tolist()):
        text = as_text(value)
        if text is None:
            raise ValueError(
                f"row {number} (from 0), column {name!r} is {value!r:.80}; allowed: text, a number "
                "or a date"
            )
        texts.append(text)
    return texts
