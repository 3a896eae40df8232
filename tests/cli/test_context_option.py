"""The option --context: as many values as the model has contexts, in their order."""

from __future__ import annotations

import pytest

from sentigate.cli.contexts import checked_contexts
from sentigate.errors import DataError
from sentigate.model.columns import PLAIN, Columns

ONE = Columns(text="text", context="brand")
TWO = Columns(text=("title", "body"), context=("brand", "shop"))


@pytest.mark.parametrize(
    ("columns", "given", "text"),
    [
        (ONE, None, "fine"),
        (ONE, ["Acme"], "__context_acme fine"),
        (ONE, [""], "fine"),
        (PLAIN, ["Acme"], "__context_acme fine"),
        (TWO, None, "fine"),
        (TWO, ["", "Mall"], "__context_shop__mall fine"),
    ],
)
def test_contexts_come_before_the_text(
    columns: Columns, given: list[str] | None, text: str
) -> None:
    assert columns.text_of(["fine"], checked_contexts(given, columns)) == text


@pytest.mark.parametrize(
    ("columns", "given", "says"),
    [
        (TWO, ["Acme"], "given 1 time; allowed: none, or one for each of 'brand', 'shop', in this"),
        (ONE, ["a", "b"], "given 2 times; allowed: none, or one for each of 'brand', in this"),
        (PLAIN, ["a", "b"], 'given 2 times; allowed: none, or one; "" stands for no context'),
    ],
)
def test_fewer_or_more_contexts_are_refused(columns: Columns, given: list[str], says: str) -> None:
    with pytest.raises(DataError) as error:
        checked_contexts(given, columns)
    assert says in str(error.value)
