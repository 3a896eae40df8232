"""The columns of a table from which a model reads its texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .model_files import named
from .strict_model import StrictModel
from .text.context import with_context
from .text.values import as_text

FILE = "columns.json"
NAMES_SHOWN = 10


class Columns(StrictModel):
    """The columns that a model was trained on."""

    text: str
    context: str | None
    """Column that names each text's subject; None in a model without a context."""

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

        A DataFrame holds them in the column that the model was trained on, or else in its only
        column of texts. If it has the context column too, each text begins with its context token.
        Values are read as in training: a missing text is "".

        Args:
            given: texts as a list, a tuple, a Series or an array (rows,); or a DataFrame.

        Raises:
            ValueError: the input has another type, a value is not a text, or the DataFrame's column
                of texts is missing or ambiguous.
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
        texts = _values(table, self._text_column(table))
        if self.context is None or self.context not in names:
            return texts
        return list(map(with_context, _values(table, self.context), texts))

    def _text_column(self, table: pd.DataFrame) -> Any:
        names = table.columns.tolist()
        if self.text in names:
            return self.text
        found = [
            name
            for place, name in enumerate(names)
            if name != self.context and _holds_texts(table.iloc[:, place])
        ]
        if len(found) != 1:
            shown = ", ".join(map(repr, names[:NAMES_SHOWN])) + " …" * (len(names) > NAMES_SHOWN)
            raise ValueError(
                f"the model was trained on the column {self.text!r}; the table has "
                f"{shown or 'no column'}, of which {len(found) or 'none'} may hold the texts; "
                f"rename one to {self.text!r}, or give a list of texts"
            )
        return found[0]


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
