"""The input of a network."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Inputs(NamedTuple):
    """Texts as token ids; T is at least the longest text's length.

    Attributes:
        ids: (B, T) int64 token ids, 0 after each text's end.
        lengths: (B,) int64, tokens of each text, from 1 to T.
    """

    ids: Tensor
    lengths: Tensor
