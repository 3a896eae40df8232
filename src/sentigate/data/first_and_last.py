"""Reading a long text at both ends, as params.yaml asks for it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sentigate.model.strict_model import StrictModel

Length = Annotated[int, Field(ge=1, le=100_000)]


class FirstAndLast(StrictModel):
    """What the network reads of a text that is longer than both together (Sun et al. 2019)."""

    first: Length
    last: Length
