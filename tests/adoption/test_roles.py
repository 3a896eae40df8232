"""Which column is taken for what, and what is said about it."""

from __future__ import annotations

import pytest
from support.surveyed import surveyed

from sentigate.adoption.roles import Roles, find_roles
from sentigate.errors import SourceError

ROWS = 200
TEXT = "a fine dull long slow clever plot scene actor song really not very quite"
WORDS = TEXT.split()
TEXTS = [" ".join(WORDS[(n * k) % 14] for k in range(3, 3 + n % 9 + 4)) for n in range(ROWS)]
LABELS = ["positive", "negative"] * (ROWS // 2)


def roles(columns: dict[str, object], **choices: str) -> Roles:
    return find_roles(surveyed(columns), choices)  # type: ignore[arg-type]


def about(found: Roles, key: str) -> str:
    return "; ".join(doubt.said for doubt in found.doubts if doubt.about == key)


def test_names_are_not_needed() -> None:
    found = roles({"1": range(ROWS), "2": LABELS, "3": TEXTS})
    assert (found.texts, found.label, found.id) == (("3",), "2", None)
    assert found.doubts == ()


def test_the_columns_of_a_shop() -> None:
    found = roles(
        {
            "reviewerID": [f"A{n % 60}" for n in range(ROWS)],
            "asin": [f"B{n % 40}" for n in range(ROWS)],
            "reviewText": TEXTS,
            "overall": [n % 5 + 1 for n in range(ROWS)],
            "helpful": [n % 3 for n in range(ROWS)],
            "category": [("books", "games")[n % 2] for n in range(ROWS)],
            "reviewTime": [f"2024-0{n % 9 + 1}-12" for n in range(ROWS)],
        }
    )
    assert found.texts == ("reviewText",)
    assert found.label == "overall"
    assert found.group == "reviewerID"
    assert found.slice == "category"
    assert (found.date, found.date_format) == ("reviewTime", "")
    assert "'asin' could be the group too" in about(found, "group")


def test_an_old_table_of_tweets() -> None:
    """Without a header: target, id, date, flag, user, text; sorted by target."""
    found = roles(
        {
            "1": ["0"] * (ROWS // 2) + ["4"] * (ROWS // 2),
            "2": range(1467810369, 1467810369 + ROWS),
            "3": ["Mon Apr 06 22:19:45 PDT 2009"] * ROWS,
            "4": ["NO_QUERY"] * ROWS,
            "5": [f"user{n % 90}" for n in range(ROWS)],
            "6": TEXTS,
        }
    )
    assert (found.texts, found.label) == (("6",), "1")
    assert found.group is None
    assert "many rows share a value of '5'" in about(found, "group")


def test_sentiments_beside_their_confidence_and_reasons() -> None:
    found = roles(
        {
            "tweet_id": range(ROWS),
            "airline_sentiment": ["negative", "neutral", "positive", "negative"] * (ROWS // 4),
            "airline_sentiment_confidence": [n % 7 / 7 for n in range(ROWS)],
            "negativereason": ["late flight", "", "lost bag", ""] * (ROWS // 4),
            "airline": [("Alpha", "Beta")[n % 2] for n in range(ROWS)],
            "text": TEXTS,
        }
    )
    assert (found.texts, found.label, found.id) == (("text",), "airline_sentiment", "tweet_id")
    assert found.slice == "airline"
    assert about(found, "label") == ""


def test_title_and_body_are_joined_and_asked_about() -> None:
    found = roles({"title": [text[:20] for text in TEXTS[::-1]], "body": TEXTS, "label": LABELS})
    assert found.texts == ("title", "body")
    (doubt,) = found.doubts
    assert (doubt.about, doubt.proposed, doubt.others) == ("text", "title,body", ("body",))


def test_two_columns_of_texts_are_asked_about() -> None:
    found = roles({"english": TEXTS, "original": TEXTS[::-1], "label": LABELS})
    (doubt,) = found.doubts
    assert doubt.about == "text"
    assert {doubt.proposed, *doubt.others} == {"english", "original"}


def test_two_columns_of_labels_are_asked_about() -> None:
    found = roles({"text": TEXTS, "rating": [n % 5 + 1 for n in range(ROWS)], "sentiment": LABELS})
    assert found.label == "sentiment"
    assert "'rating' could hold them too" in about(found, "label")


def test_labels_without_a_reason_must_be_chosen() -> None:
    some = [n % 2 for n in range(ROWS)]
    found = roles({"text": TEXTS, "toxic": some, "obscene": some})
    (doubt,) = found.doubts
    assert doubt.must_choose
    assert (doubt.proposed, doubt.others) == ("toxic", ("obscene",))
    chosen = roles({"text": TEXTS, "toxic": some, "obscene": some}, label="obscene")
    assert (chosen.label, chosen.doubts) == ("obscene", ())


@pytest.mark.parametrize(
    ("values", "folds"),
    [
        (["train", "test"], {"train": "train", "test": "test"}),
        (["Training", "dev", "held-out"],
         {"Training": "train", "dev": "validation", "held-out": "test"}),
    ],
)  # fmt: skip
def test_folds_under_any_name_are_mapped(values: list[str], folds: dict[str, str]) -> None:
    split = [values[n % len(values)] for n in range(ROWS)]
    found = roles({"text": TEXTS, "label": LABELS, "part": split})
    assert (found.fold, found.folds) == ("part", folds)


def test_folds_without_a_test_are_not_used() -> None:
    split = [("train", "dev")[n // 2 % 2] for n in range(ROWS)]
    found = roles({"text": TEXTS, "label": LABELS, "split": split})
    assert found.fold is None
    assert "none for the test" in about(found, "fold")


def test_an_id_that_is_not_unique_is_not_used() -> None:
    found = roles({"id": [n // 2 for n in range(ROWS)], "text": TEXTS, "label": LABELS})
    assert found.id is None
    assert "'id' has a value twice" in about(found, "id")


def test_a_group_that_is_too_large_is_not_used() -> None:
    users = ["anonymous"] * (ROWS // 2) + [f"user {n % 40}" for n in range(ROWS // 2)]
    assert roles({"text": TEXTS, "label": LABELS, "user": users}).group is None


def test_a_date_that_may_be_two_is_not_used() -> None:
    dates = [f"0{n % 9 + 1}/0{n % 7 + 1}/2024" for n in range(ROWS)]
    found = roles({"text": TEXTS, "label": LABELS, "date": dates})
    assert found.date is None
    assert "%d/%m/%Y and %m/%d/%Y" in about(found, "date")


def test_what_the_user_says_comes_first() -> None:
    columns: dict[str, object] = {
        "text": TEXTS, "note": TEXTS, "a, b": LABELS, "user": [n % 50 for n in range(ROWS)],
    }  # fmt: skip
    found = roles(columns, text="note,text", label="a, b", group="none")
    assert (found.texts, found.label, found.group) == (("note", "text"), "a, b", None)
    with pytest.raises(SourceError, match=r"no column 'nope'; it has text, note, a, b, user"):
        roles(columns, label="nope")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"a": range(ROWS), "b": LABELS}, ["hold texts", "--text", "a, b"]),
        ({"text": TEXTS}, ["hold labels", "--label"]),
        ({"text": TEXTS, "n": ["x"] * ROWS}, ["hold labels", "--label", "text, n"]),
    ],
)
def test_a_table_without_texts_or_labels_is_refused(
    columns: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(SourceError) as error:
        roles(columns)
    assert all(word in str(error.value) for word in words), error.value
