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
SEVERAL = Columns(text=("title", "body"), context=("brand", "Shop No."))


def test_columns_are_saved_and_loaded(tmp_path: Path) -> None:
    assert Columns.load(tmp_path) == PLAIN
    for columns in (ABOUT, SEVERAL):
        columns.save(tmp_path)
        assert Columns.load(tmp_path) == columns
    (tmp_path / "columns.json").write_text("{")
    with pytest.raises(ModelFileError, match=r"columns\.json"):
        Columns.load(tmp_path)


def test_the_columns_of_training_are_used_first() -> None:
    table = pd.DataFrame({"text": ["no"], "product": ["Lens X2"], "review": ["fine"], "n": [1]})
    assert PLAIN.texts_of(table) == ["no"]
    assert ABOUT.texts_of(table) == ["__context_lens_x2 fine"]
    assert ABOUT.texts_of(table.drop(columns="product")) == ["fine"]


def test_several_columns_are_joined_behind_their_contexts() -> None:
    rows = {
        "title": ["Fine", "", None, "Fine", " "],
        "body": ["It works.", "It works.", "", " ", "\n"],
        "brand": ["Acme", "Acme", "Acme", None, "Acme"],
        "Shop No.": ["Acme", 7, "", "7", "7"],
        "stars": [5, 4, 3, 2, 1],
    }
    assert SEVERAL.texts_of(pd.DataFrame(rows)) == [
        "__context_brand__acme __context_shop_no__acme Fine It works.",
        "__context_brand__acme __context_shop_no__7 It works.",
        "",
        "__context_shop_no__7 Fine",
        "",
    ]
    without = pd.DataFrame(rows).drop(columns=["brand"])
    assert SEVERAL.texts_of(without)[0] == "__context_shop_no__acme Fine It works."
    assert SEVERAL.texts_of(without.drop(columns="Shop No."))[0] == "Fine It works."
    assert SEVERAL.texts_of(without[:0]) == []


def test_one_text_or_context_is_read_as_by_older_models() -> None:
    table = pd.DataFrame({"review": [" a ", " "], "product": ["Lens X2", "x"]})
    listed = Columns(text=("review",), context=("product",))
    assert listed.texts_of(table) == ABOUT.texts_of(table) == ["__context_lens_x2  a ", " "]


def test_a_table_with_only_some_of_the_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="trained on the columns 'title', 'body'") as error:
        SEVERAL.texts_of(pd.DataFrame({"body": ["a"], "n": [1]}))
    assert "but not the column 'title'; add what is missing" in str(error.value)
    # A table of another kind, with only one column of texts.
    assert SEVERAL.texts_of(pd.DataFrame({"review": ["a"], "brand": ["b"]})) == [
        "__context_brand__b a"
    ]


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
