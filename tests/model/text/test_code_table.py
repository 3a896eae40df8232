"""The hash table of codes."""

import numpy as np
import pytest

from sentigate.model.text.code_table import CodeTable


@pytest.mark.parametrize("size", [0, 1, 5, 3000])
def test_exactly_the_codes_of_the_table_are_found(size: int) -> None:
    rng = np.random.default_rng(size)
    codes = np.unique(rng.integers(0, 2**62, size))
    asked = np.concatenate([codes, codes + 1, [0, 2**62], codes[::-1]])
    place = {each: i for i, each in enumerate(codes.tolist())}
    expected = [place.get(each, -1) for each in asked.tolist()]
    assert CodeTable(codes).find(asked).tolist() == expected


def test_codes_that_share_a_slot_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """All codes hash to the last slot, so the search continues at the first slot."""
    monkeypatch.setattr(CodeTable, "_hash", lambda self, codes: np.full(len(codes), self._last))
    codes = np.arange(10, 30)
    asked = np.arange(5, 35)
    expected = [code - 10 if 10 <= code < 30 else -1 for code in asked.tolist()]
    assert CodeTable(codes).find(asked).tolist() == expected
