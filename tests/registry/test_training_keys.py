"""The training texts that travel with a model, as hashes."""

from __future__ import annotations

import pandas as pd

from sentigate.registry.training_keys import training_keys, unseen


def test_a_text_counts_as_seen_by_its_group_but_not_by_its_row_number() -> None:
    rows = pd.DataFrame(
        {
            "id": ["1", "2", "3", "4"],
            "group": ["a", "a", "3", "4"],
            "raw": ["one", "two", "three", "four"],
            "split": ["train", "validation", "train", "validation"],
        }
    )
    keys = training_keys(rows, "grouped")
    assert unseen(rows, "grouped", keys).tolist() == [False, False, False, True]
    assert unseen(rows, "random", training_keys(rows, "random")).tolist() == [False, True] * 2
    # The same row number with another text counts as unseen.
    other = rows.assign(raw=["five", "six", "seven", "eight"])
    assert unseen(other, "grouped", keys).tolist() == [False, False, True, True]
