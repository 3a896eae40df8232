"""Names of figures and settings that MLflow accepts, whatever the names of the classes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentigate.tracking.dotted_names import flatten, numbers, safe_names


def test_nested_figures_get_dotted_names_and_none_is_left_out() -> None:
    figures = {"test": {"accuracy": 0.5, "auroc": None}, "classes": {"so so": {"f1": 1, "b": {}}}}
    assert numbers(figures) == {"test.accuracy": 0.5, "classes.so so.f1": 1.0}
    assert dict(flatten(figures))["test.auroc"] is None


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["accuracy", "train.log_loss", "so-so", "1.0", "ça va", "愛"], None),
        (["joy/fun", "why?", "a:b", "50 %"], ["joy_fun", "why_", "a_b", "50 _"]),
        (["C+", "C-", "C*", "C_"], ["C_", "C-", "C__2", "C__3"]),
        (["😀", "😢", "_"], ["_", "__2", "__3"]),
        (["Good", "good"], ["Good", "good_2"]),
        (["x" * 99, "x" * 98 + "y"], ["x" * 60, "x" * 60 + "_2"]),
        (["a_2", "a", "A"], ["a_2", "a", "A_3"]),
    ],
)  # fmt: skip
def test_a_name_changes_only_where_mlflow_would_refuse_it(
    keys: list[str], names: list[str] | None
) -> None:
    assert safe_names(keys) == (names or keys)


@given(st.lists(st.text(min_size=1), unique=True, max_size=64))
def test_all_names_differ_and_are_short(keys: list[str]) -> None:
    names = safe_names(keys)
    assert len({name.casefold() for name in names}) == len(keys)
    assert max(map(len, names), default=0) <= 63
