"""Wrong answers."""

from __future__ import annotations

from support.answers import answers_frame as frame
from support.answers import class_answers

from sentigate.evaluation.mistakes import confident_errors, mark_correct


def test_errors_are_sorted_by_confidence_then_id():
    table = frame([1, 0, 1, 0, 1], [0.25, 0.75, 0.9, 0.99, 0.0], ["s"] * 5)
    shuffled = table.iloc[[1, 4, 0, 3, 2]].set_axis([7] * 5)  # an index must not matter
    got = confident_errors(shuffled, 10)
    assert got["id"].tolist() == ["r0004", "r0003", "r0000", "r0001"]
    assert got.columns.tolist() == ["id", "slice", "text", "label", "predicted", "confidence"]
    assert got["confidence"].tolist() == [1.0, got["confidence"][1], 0.75, 0.75]
    assert got.loc[0, "text"] == "text of r0004"
    assert confident_errors(shuffled, 2)["id"].tolist() == ["r0004", "r0003"]


def test_no_errors_give_an_empty_table():
    table = frame([1, 0], [0.9, 0.1], ["s", "s"])
    assert confident_errors(table, 5).to_dict("list") == {
        name: [] for name in ("id", "slice", "text", "label", "predicted", "confidence")
    }
    assert confident_errors(frame([0], [0.9], ["s"]), 0).empty


def test_errors_of_several_classes_show_the_answer_and_its_probability():
    labels, probabilities = class_answers(5)
    got = confident_errors(frame(labels, probabilities, "s"), 1000)
    predicted = probabilities.argmax(axis=1)
    assert len(got) == (predicted != labels).sum() > 0
    assert (got["label"] != got["predicted"]).all()
    assert got["confidence"].is_monotonic_decreasing
    row = int(got.loc[0, "id"][1:])
    assert (got.loc[0, "predicted"], got.loc[0, "label"]) == (predicted[row], labels[row])
    assert got.loc[0, "confidence"] == probabilities[row].max()


def test_a_threshold_decides_which_answers_are_wrong():
    table = frame([0, 1], [0.3, 0.3], ["s", "s"]).assign(predicted=[1, 1])
    assert confident_errors(table, 5)["id"].tolist() == ["r0000"]
    assert confident_errors(table, 5)["confidence"].tolist() == [0.3]
    assert mark_correct(table)["correct"].tolist() == [0.0, 1.0]


def test_one_half_is_the_later_class_and_other_columns_stay():
    marked = mark_correct(frame([1, 1, 0, 0], [0.5, 0.4, 0.5, 0.4], ["s"] * 4))
    assert marked["correct"].tolist() == [1.0, 0.0, 0.0, 1.0]
    assert marked["correct"].dtype == "float64"
    assert marked["id"].tolist() == ["r0000", "r0001", "r0002", "r0003"]
