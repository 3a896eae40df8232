"""reports/data.html: its figures, its texts, and what it fetches; and suspects.csv."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.pages import Page

from sentigate.data.corrections import read_corrections
from sentigate.evaluation.data_figures import (
    Families,
    Languages,
    class_balance,
    conflicting_texts,
    text_lengths,
)
from sentigate.evaluation.suspects import Suspects
from sentigate.model.labels import Classes
from sentigate.reporting.data_page import (
    LISTED_LANGUAGES,
    LISTED_SUSPECTS,
    render_data_page,
    suspects_csv,
)

CLASSES = Classes(names=("bad", "fair & square", "good"))
NASTY = "</div><script>alert(1)</script><img src=https://x.y onerror=alert(1)> &amp; \"' ünï"


def suspect_table(rows: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"row, {number}" for number in range(rows)],
            "split": "test",
            "slice": "films",
            "label": "good",
            "suggested": "fair & square",
            "probability": [round(0.05 + number / 10_000, 4) for number in range(rows)],
            "suggested_probability": 0.9,
            "text": [f'text "{number}",\nof two lines' for number in range(rows)],
        }
    )


@pytest.fixture
def context() -> dict[str, Any]:
    splits = pd.DataFrame(
        {
            "split": ["train"] * 6 + ["test"] * 2,
            "label": np.array([0, 1, 2, 0, 1, 2, 0, 2], dtype=np.int8),
            "text": pd.array(["some words here"] * 8, dtype="str"),
        }
    )
    counts = {"families": 1, "rows": 1234}
    kinds = ("all", "one_group", "several_groups", "several_splits", "several_labels")
    family = {"rows": 3, "groups": 2, "splits": ["train"], "labels": [0, 2], "texts": ["a", "b"]}
    conflicts = pd.DataFrame({"id": ["i1", "i2"], "label": [0, 2], "text": ["same", "same"]})
    return {
        "dataset": "phones",
        "classes": CLASSES,
        "balance": class_balance(splits, CLASSES),
        "cleaned": {"rows": {"empty": 7, "duplicate": 0, "kept": 8}, "relabelled": 5},
        "lengths": text_lengths(splits, CLASSES),
        "languages": Languages({"en": 0.9, "": 0.0504, "de": 0.0496}, 500, 8000),
        "families": Families(dict.fromkeys(kinds, counts), [family]),
        "conflicts": conflicting_texts(conflicts, 5),
        "conflicting": 1,
        "suspects": Suspects(suspect_table(3), 8, ["The class bad was not judged."]),
        "corrections": Path("data/own/phones/corrections.csv"),
    }


def says(html: str, *sentences: str) -> None:
    """Check that the page has each sentence; the blanks between cells of a table do not count."""
    words = "".join(Page(html).words.split())
    for sentence in sentences:
        assert "".join(sentence.split()) in words, sentence


def test_the_page_shows_the_figures_of_each_part(context: dict[str, Any]) -> None:
    says(
        render_data_page(**context),
        "Suspect labels 3 37.5 % of 8 judged",
        "train 6 2 33.3 %",
        "the stage clean dropped 7 with an empty text.",
        "corrections.csv gave 5 rows another class",
        "Judged on 500 of 8,000 texts",
        "English 90.0 %",
        "unknown 5.0 %",
        "across groups 1 1,234",
        "bad, good",
        "bad: i1 good: i2",
        "The class bad was not judged.",
        "good 0 3 0",
        "data/own/phones/corrections.csv",
        "row, 0",
    )


def test_every_text_is_escaped(context: dict[str, Any]) -> None:
    context["dataset"] = NASTY
    context["suspects"].table.loc[0, ["id", "slice", "text"]] = NASTY
    context["families"].table[0]["texts"] = [NASTY]
    context["conflicts"][0]["text"] = NASTY
    context["classes"] = Classes(names=(NASTY, "b", "c"))
    html = render_data_page(**context)
    page = Page(html)
    assert page.tags.count("script") == 2  # the data and the page's own
    assert "img" not in page.tags
    assert page.words.count(NASTY) > 8
    data = re.search('<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])["classes"] == [NASTY, "b", "c"]


def test_nothing_is_fetched_and_nothing_depends_on_time_or_place(context: dict[str, Any]) -> None:
    html = render_data_page(**context)
    page = Page(html)
    targets = {value for _, name, value in page.attributes if name in ("src", "href", "action")}
    assert {value for value in targets if not value.startswith("#")} == {
        "report.html",
        "suspects.csv",
    }
    assert not re.search(r"https?://|url\(|@import|fetch\(", html)
    assert str(Path.cwd()) not in html
    assert render_data_page(**context) == html


def test_columns_that_the_script_names_are_where_it_expects_them(context: dict[str, Any]) -> None:
    """Its places count the column that it inserts, Correction, after the text."""
    html = render_data_page(**context)
    table = html[html.index('<table id="suspect-table">') :]
    heads = re.findall(r"<th scope=\"col\"[^>]*>(.*?)</th>", table)
    names = re.search(r"const \[([A-Z, ]+)\] = Array\((\d)\)", html)
    assert names is not None
    places = [name.strip().capitalize() for name in names[1].split(",")]
    heads.insert(1, "Correction")
    assert int(names[2]) == len(heads) == len(places)
    for place, head in zip(places, heads, strict=True):
        assert place in ("", head) or (place, head) == ("Id", "Row")


def test_a_page_without_suspects_says_why(context: dict[str, Any]) -> None:
    context["suspects"] = Suspects(suspect_table(0), 0, ["No label was judged: one group."])
    context["conflicts"], context["conflicting"] = [], 0
    context["cleaned"] = {"rows": {"empty": 0, "kept": 8}, "relabelled": 0}
    html = render_data_page(**context)
    says(
        html,
        "No label was judged: one group.",
        "Suspect labels 0 no label was judged",
        "the stage clean dropped none.",
    )
    assert "script" not in Page(html).tags


def test_long_lists_are_cut_and_long_texts_are_folded(context: dict[str, Any]) -> None:
    table = suspect_table(LISTED_SUSPECTS + 7)
    table.loc[0, "text"] = "long " * 200
    context["suspects"] = Suspects(table, 8000, [])
    many = {f"{number}": 1 / 20 for number in range(20)}
    context["languages"] = Languages(many, 20, 20)
    html = render_data_page(**context)
    says(
        html,
        f"suspects.csv has all {LISTED_SUSPECTS + 7}",
        f"shows the {LISTED_SUSPECTS} least probable labels",
        "(1,000 characters)",
        "others 40.0 %",
    )
    assert html.count('data-value="0.9"') == LISTED_SUSPECTS
    assert html.count("<details>") == 1
    assert html.count('class="bar"') == LISTED_LANGUAGES + 1


def test_suspects_csv_can_be_read_as_corrections(context: dict[str, Any], tmp_path: Path) -> None:
    text = suspects_csv(context["suspects"])
    assert text.startswith("id,action,label,reason,text\n")
    assert "suspect: labelled good (0.0500), the linear model says fair & square (0.9000)" in text
    (tmp_path / "corrections.csv").write_text(text, "utf-8")
    found = read_corrections(tmp_path / "corrections.csv", CLASSES.names)
    assert found.labels == {"row, 0": 1, "row, 1": 1, "row, 2": 1}
    assert found.by_id["row, 1"].text == 'text "1",\nof two lines'
    empty = Suspects(suspect_table(0), 0, [])
    assert suspects_csv(empty) == "id,action,label,reason,text\n"
