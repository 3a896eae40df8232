"""The YAML of an entry: commented, and the same values for every reader."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from sentigate.adoption.entry import COMMENT_COLUMN, entry_text
from sentigate.settings.yaml_file import parse_yaml

ENTRY: dict[str, Any] = {
    "source": {
        "kind": "table",
        "path": "data/own/x/x y.csv",
        "separator": ";",
        "no_header": True,
        "text_column": ["title", "body: of"],
        "bands": [4, 7.5],
        "folds": {"dev": "validation", "on": "train"},
    },
    "classes": {"names": ["bad", "no", "1"], "ordered": True},
    "labels": {"1": "bad", "": None, "null": "no", "a#b": "1", "ü": "bad"},
    "clean": {"steps": {"lowercase": True}, "drop_conflicts": True},
    "gates": {"min_rows": 100, "min_test_accuracy": 0.52},
}


@pytest.mark.parametrize("read", [yaml.safe_load, lambda text: parse_yaml(text, "x.yaml")])
def test_the_values_can_be_read_back(read: Any) -> None:
    many = ENTRY | {"labels": {f"label number {n}": f"class {n}" for n in range(40)}}
    for entry in (ENTRY, many):
        assert read(entry_text(["x"], entry, {})) == entry


def test_comments_say_what_a_key_is_for() -> None:
    text = entry_text(["A table.", "", "More."], ENTRY, {"gates": "always bad: 0.50"})
    lines = text.splitlines()
    assert lines[:4] == ["# A table.", "#", "# More.", "source:"]
    assert "  no_header: true" + " " * (COMMENT_COLUMN - 17) + "# columns are named" in text
    assert lines[-1] == "gates: {min_rows: 100, min_test_accuracy: 0.52}  # always bad: 0.50"


def test_short_mappings_are_one_line_and_long_ones_have_a_line_for_each_item() -> None:
    assert '\nlabels: {"1": bad, "": null, "null": no, ' in entry_text([], ENTRY, {}).replace(
        '"no"', "no"
    )
    long = ENTRY | {"labels": {f"label number {n}": f"class {n}" for n in range(40)}}
    text = entry_text([], long, {})
    assert "\nlabels:" in text
    assert "\n  label number 7: class 7\n" in text
    assert all(len(line) <= 120 for line in text.splitlines())
