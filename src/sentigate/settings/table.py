"""The source of a data set that is the user's own table."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from sentigate.errors import shorten
from sentigate.model.strict_model import StrictModel

from .plain_names import Name, Sha256, plain_name, with_plain_names

Fold = Literal["train", "validation", "test"]
Column = Annotated[str, BeforeValidator(plain_name)]
"""Name of a column; a number is read as the name in a table without a header."""
Columns = Annotated[tuple[Column, ...], Field(min_length=1, strict=False)]
TABS = ("tab", r"\t")


class TableSource(StrictModel):
    """The user's table at a path or URL."""

    kind: Literal["table"]
    path: str
    """File, http(s) URL, pattern with ``*``, or a folder of Parquet files."""
    name: Name | None = None
    """Name of the table, under which its models are registered; None: the name of the file."""
    sha256: Sha256 | None = None
    encoding: str | None = None
    """None: UTF-8, or UTF-16 with a byte-order mark."""
    separator: str | None = None
    """None: by the extension, a comma or a tab."""
    no_header: bool = False
    """Whether the first row is a row like the others; the columns are then named "1", "2", ..."""
    plain_quotes: bool = False
    """Whether a double quote is only a character."""
    sheet: str | None = None
    """Name of the sheet; None: the only sheet."""
    text_column: Column | Columns
    """Column of the texts; several columns are joined."""
    sentiment_column: Column
    bands: Annotated[tuple[float, ...], Field(min_length=1, strict=False)] | None = None
    """Borders between bands of the numbers in ``sentiment_column``, which have the sentiments "1",
    "2", ... A number at a border is in the band above it."""
    context_column: Column | Columns | None = None
    """Columns that name what a text is about; each value becomes one of the text's first tokens."""
    id_column: Column | None = None
    group_column: Column | None = None
    slice_column: Column | None = None
    fold_column: Column | None = None
    folds: dict[str, Fold | None] | None = Field(default=None, min_length=1)
    """Each value of ``fold_column`` -> its fold; None: its rows are dropped."""
    date_column: Column | None = None
    date_format: str | None = None
    """Format of strptime, or unix or unix_ms; None: ISO 8601."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns of texts."""
        return (self.text_column,) if isinstance(self.text_column, str) else self.text_column

    @property
    def contexts(self) -> tuple[str, ...]:
        """The columns of contexts."""
        given = self.context_column
        return (given,) if isinstance(given, str) else given or ()

    @property
    def other_columns(self) -> tuple[str, ...]:
        """The columns of something else than texts and contexts, each once."""
        given = (
            *(self.sentiment_column, self.id_column, self.group_column, self.slice_column),
            *(self.fold_column, self.date_column),
        )
        return tuple(dict.fromkeys(name for name in given if name is not None))

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns to read, each once."""
        return tuple(dict.fromkeys((*self.texts, *self.contexts, *self.other_columns)))

    @model_validator(mode="before")
    @classmethod
    def _numbers_and_truth_values_are_names(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and isinstance(values.get("folds"), Mapping):
            return {**values, "folds": with_plain_names(values["folds"], "folds")}
        return values

    @model_validator(mode="after")
    def _encoding_is_a_codec(self) -> TableSource:
        if self.encoding is None:
            return self
        try:
            is_text = codecs.lookup(self.encoding)._is_text_encoding
        except (LookupError, ValueError):
            is_text = False
        if not is_text:
            raise ValueError(
                f"encoding is {shorten(self.encoding)}; allowed: a text encoding that Python "
                "knows, such as cp1252, latin-1, cp1251, utf-16, shift_jis or gb18030"
            )
        return self

    @model_validator(mode="after")
    def _separator_is_a_character(self) -> TableSource:
        given = self.separator
        if given is not None and given not in TABS and (len(given) != 1 or given in '"\r\n'):
            raise ValueError(
                f"separator is {shorten(given)}; allowed: one character, such as ';' or '|', or "
                "tab, and neither a double quote nor a line break"
            )
        return self

    @model_validator(mode="after")
    def _columns_fit_together(self) -> TableSource:
        for key, names in (("text_column", self.texts), ("context_column", self.contexts)):
            if self.sentiment_column in names:
                raise ValueError(
                    f"{key} and sentiment_column are both {shorten(self.sentiment_column)}, so "
                    "that a model would read the answer; allowed: different columns"
                )
            if len(set(names)) < len(names):
                raise ValueError(f"{key} is {shorten(list(names))}; allowed: each column once")
        words = [name for name in self.columns if not (name.isdecimal() and int(name))]
        if self.no_header and words:
            raise ValueError(
                f"no_header is true, so that the columns are named by their numbers, 1, 2 and so "
                f"on; allowed: such names instead of {', '.join(map(shorten, words))}"
            )
        return self

    @model_validator(mode="after")
    def _bands_rise(self) -> TableSource:
        if self.bands is not None and list(self.bands) != sorted(set(self.bands)):
            raise ValueError(f"bands is {shorten(list(self.bands))}; allowed: rising numbers")
        return self

    @model_validator(mode="after")
    def _what_a_key_needs_is_there(self) -> TableSource:
        for key, needed in (("folds", "fold_column"), ("date_format", "date_column")):
            if getattr(self, key) is not None and getattr(self, needed) is None:
                raise ValueError(
                    f"{key} is {shorten(getattr(self, key))} without {needed}; allowed: no {key}, "
                    f"or a {needed}"
                )
        return self

    @model_validator(mode="after")
    def _date_format_can_be_read(self) -> TableSource:
        given = self.date_format
        if given is None or given in ("unix", "unix_ms"):
            return self
        now = datetime(2026, 11, 27, 10, 30, tzinfo=UTC)
        try:
            fits = "%" in given and bool(datetime.strptime(now.strftime(given), given))
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(
                f"date_format is {shorten(given)}; allowed: a format in the way of Python's "
                'strptime, such as "%d.%m.%Y" or "%m/%d/%Y %H:%M", or unix or unix_ms for seconds '
                "or milliseconds since 1970"
            )
        return self
