"""The classes: which names are allowed, and how many scores a model has for them."""

import pytest
from pydantic import ValidationError

from sentigate.model.labels import BINARY, MOST_CLASSES, Classes


@pytest.mark.parametrize(("count", "scores"), [(2, 1), (3, 3), (8, 8), (MOST_CLASSES, 64)])
def test_two_classes_need_one_score(count: int, scores: int) -> None:
    classes = Classes(names=tuple(f"class {number}" for number in range(count)))
    assert (classes.count, classes.scores, classes.ordered) == (count, scores, False)


def test_the_classes_of_older_models() -> None:
    assert BINARY.names == ("negative", "positive")
    assert Classes.model_validate_json(BINARY.model_dump_json()) == BINARY


@pytest.mark.parametrize(
    ("names", "fragment"),
    [
        ([], "at least 2 items"),
        (["good"], "at least 2 items"),
        ([str(number) for number in range(MOST_CLASSES + 1)], "at most 64 items"),
        (["good", "good"], "'good' occurs twice"),
        (["good", ""], "'' is no name of a class"),
        (["good", " bad"], "' bad' is no name of a class"),
        (["good", "\u00a0"], "is no name of a class"),
        (["good", "b\nad"], "without control characters"),
        (["good", "b\u2028ad"], "without control characters"),
        (["good", 1], "valid string"),
        ("good", "valid tuple"),
    ],
)
def test_names_that_are_refused(names: object, fragment: str) -> None:
    with pytest.raises(ValidationError, match=fragment):
        Classes.model_validate({"names": names})


def test_a_name_may_have_any_letters() -> None:
    names = ("sehr schlecht", "très bien", "好", "👍🏽", "می‌خواهم", "5 / 5")
    assert Classes(names=names).names == names
