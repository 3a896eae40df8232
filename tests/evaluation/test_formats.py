"""Formats of figures for people."""

from __future__ import annotations

import math

import pytest

from sentigate.evaluation.formats import count, difference, figure, number, points, precise, share


@pytest.mark.parametrize(
    ("function", "value", "shown"),
    [
        (share, 0, "0.0 %"),
        (share, 0.0004, "< 0.1 %"),
        (share, 0.8125, "81.2 %"),
        (share, 0.9996, "> 99.9 %"),
        (share, 1, "100.0 %"),
        (number, 0.12345, "0.123"),
        (number, -0.12345, "−0.123"),
        (count, 12345, "12,345"),
        (points, 0.05, "+5.0 points"),
        (points, -0.05, "−5.0 points"),
        (points, None, "–"),
    ],
)
def test_numbers_as_shown(function, value, shown):
    assert function(value) == shown


@pytest.mark.parametrize(
    ("unit", "shown", "more", "exact"),
    [
        ("share", "> 99.9 %", "+100.0 points", "0.9999"),
        ("number", "1.000", "+1.000", "0.9999"),
        ("count", "1", "+1", "1"),
    ],
)
def test_the_unit_decides_the_format(unit, shown, more, exact):
    assert figure(0.99991, unit) == shown
    assert difference(0.99991, unit) == more
    assert difference(-0.99991, unit) == more.replace("+", "−")
    assert precise(0.99991, unit) == exact
    for missing in (None, math.nan, math.inf):
        assert (figure(missing, unit), precise(missing, unit)) == ("–", "")
