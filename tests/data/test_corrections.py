"""corrections.csv: what it may say, what its errors say, and what clean does with it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from support.cleaning import cleaning

from sentigate.data.corrections import (
    Corrections,
    check_rows_exist,
    correction_checks,
    read_corrections,
)
from sentigate.data.filtering import Cleaned, label_and_clean
from sentigate.errors import DataError
from sentigate.settings.dataset import CleanParams

CLASSES = ("negative", "positive")
LABELS = {"Positive": "positive", "Negative": "negative", "Neutral": None}
CLEAN = CleanParams(steps=cleaning("lowercase"), drop_duplicates=True, drop_conflicts=True)
HEADER = "id,action,label,reason\n"
RAW = pd.DataFrame(
    [
        ("a", "Positive", "Great", "train"),
        ("b", "Negative", "GREAT", "train"),  # the same text with another label
        ("c", "Neutral", "Fine", "train"),
        ("d", "Negative", "Bad, bad", "test"),
        ("e", "Negative", "worse", "train"),
    ],
    columns=["id", "sentiment", "text", "fold"],
    dtype="str",
).assign(group="g", slice="s", date="")


@pytest.fixture
def read(tmp_path: Path):
    def read_text(text: str | bytes) -> Corrections:
        path = tmp_path / "corrections.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_corrections(path, CLASSES)

    return read_text


def cleaned(corrections: Corrections, **choices: object) -> Cleaned:
    return label_and_clean(RAW, LABELS, CLASSES, CLEAN.model_copy(update=choices), corrections)


def refused(read, text: str | bytes) -> str:
    with pytest.raises(DataError) as error:
        read(text)
    return str(error.value)


def test_rows_are_dropped_and_relabelled_before_any_other_rule(read) -> None:
    found = cleaned(
        read(HEADER + "b,drop,,unclear\nc,relabel,positive,praise\nd,relabel,positive,")
    )
    assert found.texts[["id", "label"]].values.tolist() == [["a", 1], ["c", 1], ["d", 1], ["e", 0]]
    assert found.taken == {
        "dropped_by_correction": 1,
        "sentiment_left_out": 0,  # c has a class now
        "empty": 0,
        "several_labels": 0,  # b is gone, so a stays
        "duplicate": 0,
        "kept": 4,
    }
    assert found.relabelled == 2
    assert found.folds["train"] == {"dropped_by_correction": 1, "kept": 3}
    assert found.conflicts.empty
    assert str(found.texts["label"].dtype) == "int8"


def test_rows_of_texts_with_several_labels_are_listed_whether_or_not_they_are_dropped() -> None:
    for drop in (True, False):
        found = cleaned(Corrections(Path(), {}), drop_conflicts=drop)
        assert found.conflicts.values.tolist() == [["a", 1, "great"], ["b", 0, "great"]]


def test_a_correction_of_a_row_in_a_fold_that_is_left_out_changes_nothing(read) -> None:
    found = cleaned(read(HEADER + "d,drop,,\n"), folds=("train",))
    assert (found.taken["fold_left_out"], found.taken["dropped_by_correction"]) == (1, 0)


def test_no_file_and_a_header_alone_have_no_corrections(read, tmp_path: Path) -> None:
    assert not read_corrections(tmp_path / "none.csv", CLASSES).by_id
    assert not read(HEADER).by_id
    assert "dropped_by_correction" not in cleaned(read(HEADER)).taken


@pytest.mark.parametrize(
    "text",
    [
        HEADER + '"x, y",relabel,positive,"a ""quote"",\nand a line"\n\n z ,drop,,\n',
        "\ufeff" + "id;action;label;reason\r\nx, y;relabel;positive;\r\nz;drop;;\r\n",
        "text\treason\tid\taction\tlabel\n\t\tx, y\trelabel\tpositive\n\t\tz\tdrop\t\n",
        'id,action,label\n"x, y",relabel,positive\nz,drop\n',
    ],
    ids=["comma", "semicolon", "tab", "without reason"],
)
def test_files_as_spreadsheets_save_them(read, text: str) -> None:
    found = read(text)
    assert found.labels == {"x, y": 1}
    assert found.dropped == ["z"]


def test_all_wrong_lines_are_named_with_what_is_allowed(read) -> None:
    message = refused(
        read,
        HEADER
        + "a,relabel,good,\n"
        + '"b\n",delete,,\n'  # two lines
        + "c,drop,positive,\n"
        + ",drop,,\n"
        + "d,drop,,\nd,relabel,positive,\n",
    )
    assert "corrections.csv: 5 lines cannot be used:" in message
    assert "line 2: label is 'good'; allowed: negative, positive (id a)" in message
    assert "line 3: action is 'delete'; allowed: drop, relabel (id b)" in message
    assert "line 5: label is 'positive' with action drop; allowed: no label" in message
    assert "line 6: id is empty" in message
    assert "line 8: id 'd' has a correction already, in line 7; allowed: one" in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,label,reason\na,b,c\n", "line 1 is 'id,label,reason', without action; allowed: id,a"),
        ("", "line 1 is '', without id and action and label"),
        (HEADER + "a,drop,,one,two\n", "line 2 has 5 values for 4 columns"),
        (HEADER + 'a,drop,,"never closed\n', "a quote in a value is written twice"),
        (HEADER.encode() + b"a,drop,,caf\xe9\n", "is not UTF-8 (byte 34)"),
    ],
)
def test_a_file_of_another_form_is_refused(read, text: str | bytes, said: str) -> None:
    assert said in refused(read, text)


def test_all_unknown_ids_are_named_at_once(read) -> None:
    lines = "".join(f"x{number},drop,,\n" for number in range(12))
    with pytest.raises(DataError) as error:
        cleaned(read(HEADER + "a,drop,,\n" + lines))
    message = str(error.value)
    assert "no row with 12 ids of this file" in message
    assert "line 3: 'x0'" in message
    assert "… and 2 more" in message
    assert "for example 'a', 'b', 'c'" in message


def test_a_row_with_another_text_is_refused(read) -> None:
    """As when rows were added in front of a table whose rows are numbered."""
    header = "id,action,label,reason,text\n"
    check_rows_exist(read(header + "a,drop,,,great\nc,drop,,,Fine!\nd,drop,,,\n"), RAW, str.lower)
    with pytest.raises(DataError) as error:
        check_rows_exist(read(header + 'a,drop,,,great\ne,drop,,,"bad, bad"\n'), RAW, str.lower)
    message = str(error.value)
    assert "1 row of the data set has another text than in this file" in message
    assert "line 3: id 'e' is 'worse', not 'bad, bad'" in message


def test_checks_find_rows_that_are_not_as_corrected(read) -> None:
    corrections = read(HEADER + "a,drop,,\nb,relabel,positive,\nc,relabel,positive,\n")
    rows = pd.DataFrame({"id": ["a", "b", "c", "d"], "label": [0, 0, 1, 0]}).astype({"id": "str"})
    assert correction_checks(rows, corrections).tolist() == [0, 0, 1, 1]
