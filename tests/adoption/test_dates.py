"""The format of a column of dates."""

from __future__ import annotations

import pytest

from sentigate.adoption.dates import date_formats


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2026-11-28", "2026-01-02"], ""),
        (["2026-11-28T10:00:00Z", "2026-11-28 10:00"], ""),
        (["28.11.2026", "1.2.2026"], "%d.%m.%Y"),
        (["28/11/2026 10:30", "01/02/2026 09:00"], "%d/%m/%Y %H:%M"),
        (["11/28/2026", "01/02/2026"], "%m/%d/%Y"),
        (["Nov 28, 2026", "Jan 2, 2026"], "%b %d, %Y"),
        (["Mon Apr 06 22:19:45 +0000 2009"], "%a %b %d %H:%M:%S %z %Y"),
        (["2026-11-28", "28.11.2026"], None),
        (["2026-13-01"], None),
        (["20261128", "20260102"], None),
        (["1234567", "7654321"], None),
        (["a good film", "a bad film"], None),
        ([], None),
    ],
)
def test_the_format_is_one_that_all_values_have(values: list[str], expected: str | None) -> None:
    assert date_formats(values)[:1] == ([] if expected is None else [expected])


def test_days_and_months_up_to_twelve_fit_two_formats() -> None:
    assert date_formats(["03/04/2024", "05/06/2024"]) == ["%d/%m/%Y", "%m/%d/%Y"]


def test_numbers_are_times_only_where_the_name_says_so() -> None:
    times = ["1467810369", "1467810400"]
    assert date_formats(times) == []
    assert date_formats(times, of_numbers=True) == ["unix"]
