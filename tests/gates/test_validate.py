"""Gates: the result of a suite as a message, as JSON and as a page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sentigate.artifacts import STAGES
from sentigate.errors import ParamsError
from sentigate.gates.page import to_html
from sentigate.gates.validate import GateResult, describe, validate

ROOT = Path(__file__).parents[2]
SUITES = sorted((ROOT / "expectations").glob("*.json"))
EVIL = """<script src="https://evil.example/x.js">alert('1')</script><img src=x onerror=alert(2)>"""


def expectation(kind: str, says: str, **kwargs: object) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs, "meta": {"notes": says}}


# Two expectations of one type on one column, not adjacent: Great Expectations reorders results.
EXPECTATIONS = [
    expectation("expect_column_values_to_be_between", "x is not above", column="x",
                max_value={"$PARAMETER": "most"}),
    expectation("expect_column_values_to_be_unique", "ids are unique", column="id"),
    expectation("expect_table_row_count_to_be_between", "there are rows", min_value=1),
    expectation("expect_column_values_to_be_in_set", "words are known", column="word",
                value_set={"$PARAMETER": "words"}),
    expectation("expect_column_mean_to_be_between", "x is small on average", column="x",
                max_value={"$PARAMETER": "most"}),
    expectation("expect_column_values_to_be_between", "x is not below", column="x", min_value=0),
]  # fmt: skip
THRESHOLDS: dict[str, Any] = {"most": 9, "words": ["yes", "no"]}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return write_suite(tmp_path, EXPECTATIONS)


def write_suite(folder: Path, expectations: list[dict[str, Any]]) -> Path:
    path = folder / "probe.json"
    path.write_text(json.dumps({"name": "probe", "expectations": expectations}), "utf-8")
    return path


def frame(**changes: object) -> pd.DataFrame:
    good = pd.DataFrame(
        {
            "id": [f"row-{n}" for n in range(10)],
            "x": np.arange(10.0),
            "word": ["yes", "no"] * 5,
        }
    )
    return good.assign(**changes)


def failed(result: GateResult) -> list[str]:
    return [item["says"] for item in result.expectations if not item["success"]]


def test_results_have_the_order_of_the_suite(suite: Path) -> None:
    result = validate(suite, frame(), THRESHOLDS)
    assert result.success
    assert (result.stage, result.rows) == ("probe", 10)
    assert [item["says"] for item in result.expectations] == [
        item["meta"]["notes"] for item in EXPECTATIONS
    ]
    assert [item["type"] for item in result.expectations] == [item["type"] for item in EXPECTATIONS]


def test_thresholds_are_filled_in(suite: Path) -> None:
    result = validate(suite, frame(), THRESHOLDS)
    first, *_, words, _, _ = result.expectations
    assert first["kwargs"] == {"column": "x", "max_value": 9.0}
    assert words["kwargs"] == {"column": "word", "value_set": ["yes", "no"]}
    assert "$PARAMETER" not in json.dumps(result.to_dict())
    # They are checked, too: the same frame fails a lower threshold.
    lower = validate(suite, frame(), THRESHOLDS | {"most": 6})
    assert failed(lower) == ["x is not above"]
    assert lower.expectations[0]["unexpected_count"] == 3


def test_failure_has_count_share_and_sample_rows_with_ids(suite: Path) -> None:
    x = np.array([10.0, 1, 2, 11, 12, 13, 14, 15, 16, -1])
    result = validate(suite, frame(x=x), THRESHOLDS | {"most": 9})
    assert failed(result) == ["x is not above", "x is small on average", "x is not below"]
    above = result.expectations[0]
    assert (above["unexpected_count"], above["unexpected_percent"]) == (7, 70.0)
    assert above["sample"] == [
        {"id": "row-0", "x": 10.0},
        {"id": "row-3", "x": 11.0},
        {"id": "row-4", "x": 12.0},
        {"id": "row-5", "x": 13.0},
        {"id": "row-6", "x": 14.0},
    ]
    lines = result.message().splitlines()
    assert lines[0] == ("gate failed, no output was written: 3 of 6 expectations on 10 rows")
    at = lines.index("  ✗ x is not above [expect_column_values_to_be_between]")
    assert lines[at + 1] == "      7 rows (70.00 %); allowed: max_value 9.0"
    assert lines[at + 2] == "      id: 'row-0', x: 10.0"
    assert "      id: 'row-9', x: -1.0" in lines
    assert "ids are unique" not in result.message()


def test_failure_of_a_mean_names_found_and_allowed_values(suite: Path) -> None:
    result = validate(suite, frame(x=np.full(10, 9.5)), THRESHOLDS)
    lines = result.message().splitlines()
    at = lines.index("  ✗ x is small on average [expect_column_mean_to_be_between]")
    assert lines[at + 1] == "      found 9.5; allowed: max_value 9.0"


def test_samples_have_the_key_column(suite: Path) -> None:
    data = frame(x=[50.0, *range(1, 10)]).rename(columns={"id": "epoch"})
    expectations = [item for item in EXPECTATIONS if item["kwargs"].get("column") != "id"]
    result = validate(write_suite(suite.parent, expectations), data, THRESHOLDS, key="epoch")
    assert result.expectations[0]["sample"] == [{"epoch": "row-0", "x": 50.0}]


def test_a_long_value_is_cut_in_messages(suite: Path) -> None:
    word = ["no" * 5000, *["yes"] * 9]
    message = validate(suite, frame(word=word), THRESHOLDS).message()
    assert "(10,002 characters)" in message
    assert max(map(len, message.splitlines())) < 300


def test_missing_column_is_reported_without_a_traceback(suite: Path) -> None:
    columns = expectation(
        "expect_table_columns_to_match_set", "all columns exist",
        column_set=["id", "x", "word"], exact_match=False,
    )  # fmt: skip
    path = write_suite(suite.parent, [columns, *EXPECTATIONS])
    result = validate(path, frame().drop(columns="x"), THRESHOLDS)
    assert failed(result) == [
        "all columns exist",
        "x is not above",
        "x is small on average",
        "x is not below",
    ]
    message = result.message()
    # In any order, because Great Expectations makes sets of the names.
    assert re.search(r"found \['id', 'word'\]; allowed: column_set \[(?=.*'x')", message)
    assert 'The column "x" in BatchData does not exist.' in message
    for page in (message, to_html(result), json.dumps(result.to_dict())):
        assert "Traceback" not in page
        assert 'File "' not in page


def test_missing_key_column_is_reported(suite: Path) -> None:
    result = validate(suite, frame().drop(columns="id"), THRESHOLDS)
    assert "ids are unique" in failed(result)
    assert 'The column "id" in BatchData does not exist.' in result.message()


def test_empty_frame_is_checked(suite: Path) -> None:
    result = validate(suite, frame().iloc[:0], THRESHOLDS)
    assert "there are rows" in failed(result)
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_result_is_json_even_with_numbers_that_are_not_finite(suite: Path, bad: float) -> None:
    result = validate(suite, frame(x=[bad, *range(9)]), THRESHOLDS)
    json.dumps(result.to_dict(), allow_nan=False)
    assert result.success == np.isnan(bad)  # the expectation not_be_null refuses missing values
    if not result.success:
        assert f"id: 'row-0', x: '{bad}'" in result.message()


def test_json_is_the_same_twice_and_has_no_time_or_id(suite: Path) -> None:
    data = frame(x=np.arange(10.0) * 2, word="maybe")
    texts = [json.dumps(validate(suite, data, THRESHOLDS).to_dict()) for _ in range(2)]
    assert texts[0] == texts[1]
    assert not re.search(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|[0-9a-f]{8}-[0-9a-f]{4}-", texts[0])
    assert not re.search(r"time|batch|run_id|order", texts[0])
    pages = {to_html(validate(suite, data, THRESHOLDS)) for _ in range(2)}
    assert len(pages) == 1


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words += data


def test_page_escapes_and_needs_no_network(suite: Path) -> None:
    word = ["yes", EVIL, "no", "yes", *["no"] * 6]
    ids = [f"<b>{n}</b>" for n in range(10)]
    page = to_html(validate(suite, frame(word=word, id=ids), THRESHOLDS))
    parsed = Tags(page)
    assert not {"script", "img", "b", "link", "iframe", "a"} & parsed.tags
    assert not {"src", "href", "onerror", "onload"} & parsed.attributes
    assert "evil.example" in parsed.words  # shown, as text
    assert "id: '<b>1</b>'" in parsed.words
    without_text = to_html(validate(suite, frame(word="maybe"), THRESHOLDS))
    assert not re.search(r"https?:|//|@import|url\(", without_text)


def test_page_shows_failures_first(suite: Path) -> None:
    words = Tags(to_html(validate(suite, frame(word="maybe"), THRESHOLDS))).words
    assert "5 of 6 expectations met, 10 rows examined." in words
    assert words.index("words are known") < words.index("x is not above")
    assert "10 rows (100.00 %); allowed: value_set ['yes', 'no']" in words


def test_missing_threshold_is_refused(suite: Path) -> None:
    with pytest.raises(ParamsError) as caught:
        validate(suite, frame(), {"most": 9})
    assert str(caught.value) == f"{suite} needs a threshold that the stage does not give: words"


@pytest.mark.parametrize(
    "broken",
    [
        expectation("expect_no_such_thing", "cannot be", column="x"),
        expectation("expect_column_values_to_be_unique", "no column named"),
        expectation("expect_column_values_to_be_unique", "misspelt", colum="x"),
    ],
)
def test_invalid_expectation_is_refused_in_one_line(suite: Path, broken: dict[str, Any]) -> None:
    path = write_suite(suite.parent, [*EXPECTATIONS, broken])
    with pytest.raises(ParamsError) as caught:
        validate(path, frame(), THRESHOLDS)
    assert str(caught.value).startswith(f"{path} is not a valid suite: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"name": "probe"}', '"text"'])
def test_file_that_is_not_a_suite_is_refused(suite: Path, text: str) -> None:
    suite.write_text(text, "utf-8")
    with pytest.raises(ParamsError, match=r"probe\.json is not a valid suite"):
        validate(suite, frame(), THRESHOLDS)


# The nine suites


def test_every_stage_has_a_suite() -> None:
    assert {path.stem for path in SUITES} == set(STAGES)


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_suite_is_well_formed(path: Path) -> None:
    import great_expectations as gx

    content = json.loads(path.read_text("utf-8"))
    assert set(content) == {"name", "expectations"}
    assert content["name"] == path.stem
    suite = gx.ExpectationSuite(**json.loads(path.read_text("utf-8")))
    assert len(suite.expectations) == len(content["expectations"]) >= 5
    for item in content["expectations"]:
        assert set(item) == {"type", "kwargs", "meta"}
        sentence = item["meta"]["notes"]
        assert len(sentence.split()) >= 3
        assert sentence == sentence.strip()
        assert not sentence.endswith(".")  # it is an item of a list
    sentences = [item["meta"]["notes"] for item in content["expectations"]]
    assert len(set(sentences)) == len(sentences)
    once = {json.dumps([item["type"], item["kwargs"]]) for item in content["expectations"]}
    assert len(once) == len(content["expectations"])


def test_one_row_is_singular(suite: Path) -> None:
    result = validate(suite, frame(x=np.array([10.0, *range(9)])).head(1), THRESHOLDS)
    assert result.message().splitlines()[0].endswith("2 of 6 expectations on 1 row")
    assert describe(result.expectations[0]) == "1 row (100.00 %); allowed: max_value 9.0"
    assert "1 row examined" in to_html(result)
