"""Guesses about separators, headers and quotes, from the first rows of a file."""

from __future__ import annotations

import pytest

from sentigate.tables.shape import looks_like_data, separators, stray_quotes


@pytest.mark.parametrize(
    ("text", "separator", "names"),
    [
        ("a,b\n1,2\n", ",", ["a", "b"]),
        ("a;b\n1,5;2\n2,5;3\n", ";", ["a", "b"]),
        ("text\tstars\nwell, fine\t1\nwell\t2\n", "\t", ["text", "stars"]),
        ("a|b|c\n1|2|3\n", "|", ["a", "b", "c"]),
        ('text;n\n"a, b; c";1\n"d, e";2\n', ";", ["text", "n"]),
    ],
)
def test_the_separator_whose_rows_agree_comes_first(
    text: str, separator: str, names: list[str]
) -> None:
    best = separators(text)[0]
    assert (best.separator, best.names, best.fields) == (separator, names, len(names))
    assert best.agree == 1


def test_one_column_has_no_separator() -> None:
    assert separators("text\nfine\n") == []
    assert separators("") == []


@pytest.mark.parametrize(
    "first", [["text", "sentiment"], ["", "id", "text"], ["Title of the review", "Stars"], ["q1"]]
)
def test_a_header_does_not_look_like_data(first: list[str]) -> None:
    rows = [["fine"] * len(first), ["poor"] * len(first), ["fine"] * len(first)]
    assert looks_like_data(first, rows) == ""


@pytest.mark.parametrize("value", ["5", "-1.5", "3,5", "12%", "2024-05-01", "01.05.2024 10:30"])
def test_a_value_is_not_a_name(value: str) -> None:
    assert looks_like_data(["text", value], []).startswith(repr(value))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('a\tb\n"x\t1\ny\t2\n', "a quote is not closed"),
        ('a\tb\n"x" y\t1\n', "goes on after its closing quote (line 2)"),
        ('a\tb\n"x\t1\ny\t2\nz"\t3\n', "holds several lines, each of which has all columns"),
    ],
)
def test_a_stray_quote_is_found(text: str, reason: str) -> None:
    assert reason in stray_quotes(text, "\t")


@pytest.mark.parametrize(
    "text", ['a\tb\n"x"\t1\n', 'a\tb\n"x\ny"\t1\n', 'a\tb\n"say ""no"""\t1\n', "a\tb\nx\t1\n"]
)
def test_quotes_around_values_are_not_stray(text: str) -> None:
    assert stray_quotes(text, "\t") == ""
