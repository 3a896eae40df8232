"""The columns of a table that hold a model's texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sentigate.model.columns import Columns
from sentigate.model.model_files import ModelFileError

PLAIN = Columns(text="text", context=None)
ABOUT = Columns(text="review", context="product")


def test_columns_are_saved_and_loaded(tmp_path: Path) -> None:
    assert Columns.load(tmp_path) == PLAIN
    ABOUT.save(tmp_path)
    assert Columns.load(tmp_path) == ABOUT
    (tmp_path / "columns.json").write_text("{")
    with pytest.raises(ModelFileError, match=r"columns\.json"):
        Columns.load(tmp_path)


def test_the_columns_of_training_are_used_first() -> None:
    table = pd.DataFrame({"text": ["no"], "product": ["Lens X2"], "review": ["fine"], "n": [1]})
    assert PLAIN.texts_of(table) == ["no"]
    assert ABOUT.texts_of(table) == ["__context_lens_x2 fine"]
    assert ABOUT.texts_of(table.drop(columns="product")) == ["fine"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"body": ["a", None], "n": [1, 2]}, ["a", ""]),
        ({"body": pd.Series([], dtype="str"), "n": pd.Series([], dtype="int")}, []),
        ({"product": ["x", "y"], "body": ["a", "b"]}, ["__context_x a", "__context_y b"]),
        ({0: ["a", "b"]}, ["a", "b"]),
    ],
)
def test_otherwise_the_only_column_of_texts_is_used(
    columns: dict[Any, Any], expected: list[str]
) -> None:
    assert ABOUT.texts_of(pd.DataFrame(columns)) == expected


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": ["x"], "b": ["y"]}, "the table has 'a', 'b', of which 2 may hold the texts"),
        ({"n": [1], "at": [pd.Timestamp(0)]}, "the table has 'n', 'at', of which none may"),
        ({}, "the table has no column, of which none"),
        ({str(n): ["x"] for n in range(12)}, "'8', '9' …, of which 12"),
    ],
)
def test_a_table_without_a_clear_column_of_texts_is_refused(
    columns: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match="trained on the column 'text'") as error:
        PLAIN.texts_of(pd.DataFrame(columns))
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_value_that_is_not_a_text_is_refused_with_its_row() -> None:
    with pytest.raises(ValueError, match=r"row 1 \(from 0\), column 'text' is \['a'\]"):
        PLAIN.texts_of(pd.DataFrame({"text": ["a", ["a"]]}))
    with pytest.raises(ValueError, match=r"text 1 \(from 0\) is None"):
        PLAIN.texts_of(["a", None])
