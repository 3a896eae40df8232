"""Classes proposed for the labels that people have."""

from __future__ import annotations

import pytest
from support.surveyed import column

from sentigate.adoption.labels import Labels, propose_labels
from sentigate.errors import SourceError


def proposed(name: str, counts: dict[object, int], how: str = "") -> Labels:
    return propose_labels(column(name, counts), how)


def said(labels: Labels) -> str:
    return "; ".join(doubt.said for doubt in labels.doubts)


NEGATIVE_POSITIVE = ("negative", "positive")
THREE = ("negative", "neutral", "positive")


@pytest.mark.parametrize(
    ("name", "values", "names"),
    [
        ("sentiment", ["pos", "neg"], NEGATIVE_POSITIVE),
        ("sentiment", ["Positive", "Neutral", "Negative"], THREE),
        ("y", ["neu", "neg", "pos"], THREE),
        ("label", [1, 0], NEGATIVE_POSITIVE),
        ("label", ["1.0", "0.0"], NEGATIVE_POSITIVE),
        ("label", [1, -1], NEGATIVE_POSITIVE),
        ("label", [1, 0, -1], THREE),
        ("label", [0, 1, 2], THREE),
        ("1", [4, 0], NEGATIVE_POSITIVE),
        ("polarity", [4, 2, 0], THREE),
        ("polarity", [2, 1], NEGATIVE_POSITIVE),
        ("sentiment", ["True", "False"], NEGATIVE_POSITIVE),
        ("is_positive", ["true", "false"], NEGATIVE_POSITIVE),
        ("recommended", ["yes", "no"], ("not recommended", "recommended")),
        ("toxic", [0, 1], ("not toxic", "toxic")),
        ("stars", [5, 4, 3, 2, 1], ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")),
        ("rating", ["1 star", "5 stars", "3 stars"], ("1 star", "3 stars", "5 stars")),
        ("rating", ["★★★", "★", "★★"], ("1 star", "2 stars", "3 stars")),
        ("emotion", ["joy", "anger", "fear"], ("anger", "fear", "joy")),
        ("stimmung", ["schlecht", "gut", "neutral"], THREE),
        ("情感", ["好评", "差评"], NEGATIVE_POSITIVE),
        ("quality", ["excellent", "good", "poor"], ("poor", "good", "excellent")),
        ("label", [0, 1, 2, 3, 4, 5], tuple(f"label {n}" for n in range(6))),
        ("score", [-2, -1, 0, 1, 2], ("very negative", "negative", "neutral", "positive",
                                     "very positive")),
    ],
)  # fmt: skip
def test_names_and_order_of_the_classes(
    name: str, values: list[object], names: tuple[str, ...]
) -> None:
    assert proposed(name, dict.fromkeys(values, 50)).names == names


def test_three_classes_or_more_of_a_scale_are_ordered() -> None:
    assert proposed("sentiment", dict.fromkeys(["neg", "neu", "pos"], 50)).ordered
    assert proposed("stars", dict.fromkeys([1, 2, 3, 4, 5], 50)).ordered
    assert not proposed("sentiment", dict.fromkeys(["neg", "pos"], 50)).ordered
    assert not proposed("emotion", dict.fromkeys(["joy", "anger", "fear"], 50)).ordered
    assert not proposed("label", dict.fromkeys(range(6), 50)).ordered


def test_the_meaning_of_numbers_is_never_silent() -> None:
    for values in ([0, 1], [0, 4], [0, 1, 2], [1, 2], [0, 1, 2, 3, 4, 5]):
        assert said(proposed("label", dict.fromkeys(values, 50))), values
    assert not said(proposed("sentiment", dict.fromkeys(["neg", "pos"], 50)))


def test_spellings_of_one_label_are_one_class() -> None:
    labels = proposed("emotion", {"Joy": 40, "joy ": 30, "JOY": 20, "anger": 50, "1": 20, "1.0": 9})
    assert labels.names == ("1", "anger", "Joy")
    assert labels.labels == {"1": "1", "anger": "anger", "Joy": "Joy"}
    assert labels.rows == {"1": 29, "anger": 50, "Joy": 90}


def test_values_that_are_no_label_get_null_and_are_listed() -> None:
    counts: dict[object, int] = {"pos": 50, "neg": 50, "": 7, "mixed": 6, "NaN": 5}
    labels = proposed("sentiment", counts)
    assert labels.names == NEGATIVE_POSITIVE
    assert labels.labels == {
        "neg": "negative", "pos": "positive", "mixed": None, "NaN": None, "": None,
    }  # fmt: skip
    for part in ("7 rows with an empty label", "6 rows", "'mixed'", "5 rows", "'NaN'"):
        assert part in said(labels)


def test_unknown_words_beside_known_ones_get_null() -> None:
    labels = proposed("sentiment", {"positive": 50, "negative": 50, "sarcastic": 20})
    assert labels.labels["sarcastic"] is None
    assert "'sarcastic' (20 rows)" in said(labels)


def test_a_rare_misspelling_is_taken_for_the_frequent_label() -> None:
    labels = proposed("sentiment", {"positive": 500, "negative": 500, "postive": 2})
    assert labels.labels["postive"] == "positive"
    assert labels.rows["positive"] == 502
    assert "'postive' (2 rows) is taken as a misspelling of 'positive' (500 rows)" in said(labels)


def test_stars_are_classes_or_bands_as_the_user_says() -> None:
    counts: dict[object, int] = {1: 100, 2: 100, 3: 100, 4: 100, 5: 100}
    (doubt,) = proposed("stars", counts).doubts
    assert (doubt.about, doubt.proposed, doubt.others) == ("classes", "each", ("three", "two"))
    three = proposed("stars", counts, "three")
    assert (three.names, three.bands) == (("bad", "fair", "good"), (3, 4))
    assert three.labels == {"1": "bad", "2": "fair", "3": "good"}
    assert three.rows == {"bad": 200, "fair": 100, "good": 200}
    two = proposed("stars", counts, "two")
    assert (two.names, two.bands) == (NEGATIVE_POSITIVE, (3,))


def test_a_rare_star_makes_bands_of_all() -> None:
    labels = proposed("stars", {1: 3, 2: 100, 3: 100, 4: 100, 5: 100})
    assert labels.names == ("bad", "fair", "good")
    assert labels.bands == (3, 4)


def test_bands_of_stars_that_are_no_numbers_are_in_the_labels() -> None:
    counts: dict[object, int] = {f"{n}/5": 100 for n in range(1, 6)}
    labels = proposed("rating", counts, "three")
    assert labels.bands == ()
    assert labels.labels == {
        "1/5": "bad",
        "2/5": "bad",
        "3/5": "fair",
        "4/5": "good",
        "5/5": "good",
    }


def test_scores_are_cut_into_parts_of_about_as_many_rows() -> None:
    counts: dict[object, int] = {n / 2: 10 for n in range(5, 21)}  # 2.5 to 10
    labels = proposed("score", counts)
    assert labels.names == ("bad", "fair", "good")
    assert labels.bands == (5.0, 8.0)
    assert labels.rows == {"bad": 50, "fair": 60, "good": 50}
    assert "scores from 2.5 to 10" in said(labels)


def test_scores_on_both_sides_of_zero_are_cut_there() -> None:
    labels = proposed("score", {-0.5: 50, -0.25: 50, 0: 50, 0.25: 50, 0.75: 50})
    assert labels.names == THREE
    assert labels.bands == (0, 0.25)
    assert labels.rows == {"negative": 100, "neutral": 50, "positive": 100}
    two = proposed("score", {-0.5: 50, -0.25: 50, 0.25: 50, 0.75: 50})
    assert (two.names, two.bands) == (NEGATIVE_POSITIVE, (0,))


def test_scores_with_too_many_values_to_count_are_cut_as_well() -> None:
    labels = proposed("score", {n / 1000: 1 for n in range(9000)})
    assert labels.names == ("bad", "fair", "good")
    assert all(abs(rows - 3000) < 20 for rows in labels.rows.values())


def test_an_empty_score_has_no_band() -> None:
    labels = proposed("score", {n / 2: 10 for n in range(20)} | {"": 8})
    assert labels.labels == {"1": "bad", "2": "fair", "3": "good", "": None}
    assert "8 rows with an empty label" in said(labels)


def test_a_few_values_among_numbers_are_no_labels() -> None:
    labels = proposed("Score", {"1.0": 100, "2.0": 90, "3.0": 800, "continuous": 1, "": 1})
    assert labels.names == ("1 star", "2 stars", "3 stars")
    assert labels.labels == {
        "1": "1 star", "2": "2 stars", "3": "3 stars", "continuous": None, "": None,
    }  # fmt: skip
    assert "1 row with the label 'continuous'" in said(labels)
    bands = proposed("Score", {n / 2: 50 for n in range(20)} | {"unknown": 3})
    assert bands.bands == ()
    assert len(bands.labels) == 21


def test_a_class_with_too_few_rows_gets_null() -> None:
    labels = proposed("emotion", {"joy": 100, "anger": 100, "boredom": 3})
    assert labels.names == ("anger", "joy")
    assert labels.labels["boredom"] is None
    assert "'boredom' has only 3 rows" in said(labels)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"joy": 100}, ["no two labels", "'joy' (100)", "--label"]),
        ({"joy": 100, "anger": 2}, ["no two labels", "'anger' (2)", "--label"]),
        ({"": 100}, ["no two labels", "none"]),
        ({f"topic {n}": 20 for n in range(70)}, ["70 distinct values", "up to 64", "--label"]),
    ],
)
def test_a_column_without_two_classes_is_refused(
    counts: dict[object, int], words: list[str]
) -> None:
    with pytest.raises(SourceError) as error:
        proposed("label", counts)
    assert all(word in str(error.value) for word in words), error.value
