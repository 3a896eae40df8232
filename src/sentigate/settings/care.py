"""The size of what reports/data.html judges: languages and labels."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sentigate.model.strict_model import StrictModel


class CareParams(StrictModel):
    """The parts of reports/data.html whose cost grows with the table."""

    language_texts: Annotated[int, Field(ge=1)]
    """Number of texts whose language is judged, chosen at random."""
    suspect_characters: Annotated[int, Field(ge=10_000)]
    """Most characters of the texts whose labels are judged: of more, whole groups at random."""
    suspect_folds: Annotated[int, Field(ge=2, le=20)]
    """Number of parts; the labels of one are judged by a model fitted on the others."""
