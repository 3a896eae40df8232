"""The option --context: what a text on the command line is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sentigate.errors import DataError, counted

if TYPE_CHECKING:
    from sentigate.model.columns import Columns

Context = Annotated[
    list[str] | None,
    typer.Option(
        help="What the text is about, for a model trained with a context. Once for each context of "
        "the model, in their order."
    ),
]


def checked_contexts(given: Sequence[str] | None, columns: Columns) -> Sequence[str]:
    """Return the contexts for ``Columns.text_of``.

    Raises:
        DataError: there are fewer or more than the model has.
    """
    contexts = given or ()
    if contexts and len(contexts) != max(1, len(columns.contexts)):
        names = ", ".join(map(repr, columns.contexts))
        allowed = f"one for each of {names}, in this order" if names else "one"
        raise DataError(
            f"--context is given {counted(len(contexts), 'time')}; allowed: none, or {allowed}; "
            '"" stands for no context'
        )
    return contexts
