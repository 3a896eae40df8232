"""A column's description: counts are exact, shapes come from a sample of the whole table."""

from __future__ import annotations

from support.surveyed import surveyed

from sentigate.adoption.describe import MOST_VALUES, SAMPLE


def test_counts_are_of_all_rows_in_all_chunks() -> None:
    (label,) = surveyed({"label": ["good", " ", "bad", "", "good"] * 100}, chunk=7)
    assert (label.rows, label.filled, label.distinct) == (500, 300, 2)
    assert label.counts == {"good": 200, "bad": 100}


def test_the_sample_is_spread_over_a_sorted_table() -> None:
    rows = 5 * SAMPLE
    (label,) = surveyed({"label": ["0"] * (rows // 2) + ["4"] * (rows // 2)}, chunk=16_384)
    assert SAMPLE // 2 <= len(label.sample) <= SAMPLE
    assert abs(label.sample.count("0") - len(label.sample) / 2) <= 1
    assert label.counts == {"0": rows // 2, "4": rows // 2}


def test_distinct_values_are_exact_beyond_those_that_are_counted() -> None:
    rows = 3 * MOST_VALUES
    number, half = surveyed({"id": range(rows), "half": [n // 2 for n in range(rows)]}, chunk=999)
    assert number.counts is None
    assert number.is_unique
    assert half.distinct == rows // 2
    assert not half.is_unique


def test_long_values_are_not_counted() -> None:
    (text,) = surveyed(
        {"text": [f"a rather long text about the number {n} " * 2 for n in range(9)]}
    )
    assert text.is_long
    assert text.counts is None
    assert text.distinct == 9


def test_words_are_pairs_of_characters_where_no_spaces_separate_them() -> None:
    english, chinese = surveyed(
        {"english": ["a fine film, really"] * 3, "chinese": ["这家餐厅的菜真的非常好吃"] * 3}
    )
    assert english.words == 4
    assert english.without_spaces == 0
    assert chinese.words == 6
    assert chinese.without_spaces == 1


def test_numbers_and_links_are_recognized() -> None:
    number, link, text = surveyed(
        {
            "number": ["1", " -2.5", "3e2"],
            "link": ["https://a.org/1", "www.b.org", "http://c.org"],
            "text": ["1 of 2", "see https://a.org", "x"],
        }
    )
    assert number.is_number
    assert link.is_link
    assert not text.is_number
    assert not text.is_link
