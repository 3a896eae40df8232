"""The columns on which a data set's models are trained."""

from __future__ import annotations

from sentigate.model.columns import Columns

from .dataset import Source, TwitterSource
from .table import TableSource


def columns_of(source: Source) -> Columns:
    """Return the columns on which a model of this source is trained."""
    return Columns(
        text=source.text_column if isinstance(source, TableSource) else "text",
        context=source.context_column if isinstance(source, TableSource | TwitterSource) else None,
    )
