"""Wrong answers."""

from __future__ import annotations

from support.answers import answers_frame as frame

from sentigate.evaluation.mistakes import confident_errors, mark_correct


def test_errors_are_sorted_by_confidence_then_id():
    table = frame([1, 0, 1, 0, 1], [0.25, 0.75, 0.9, 0.99, 0.0], ["s"] * 5)
    shuffled = table.iloc[[1, 4, 0, 3, 2]].set_axis([7] * 5)  # an index must not matter
    got = confident_errors(shuffled, 10)
    assert got["id"].tolist() == ["r0004", "r0003", "r0000", "r0001"]
    assert got.columns.tolist() == ["id", "slice", "text", "label", "probability"]
    assert got.loc[0, "text"] == "text of r0004"
    assert confident_errors(shuffled, 2)["id"].tolist() == ["r0004", "r0003"]


def test_no_errors_give_an_empty_table():
    table = frame([1, 0], [0.9, 0.1], ["s", "s"])
    assert confident_errors(table, 5).to_dict("list") == {
        name: [] for name in ("id", "slice", "text", "label", "probability")
    }
    assert confident_errors(frame([0], [0.9], ["s"]), 0).empty


def test_the_threshold_is_positive_and_other_columns_stay():
    marked = mark_correct(frame([1, 1, 0, 0], [0.5, 0.4, 0.5, 0.4], ["s"] * 4))
    assert marked["correct"].tolist() == [1.0, 0.0, 0.0, 1.0]
    assert marked["correct"].dtype == "float64"
    assert marked["id"].tolist() == ["r0000", "r0001", "r0002", "r0003"]
