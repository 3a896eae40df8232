"""artifacts.py and dvc.yaml have the same stages, in the same order, with the same outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from support.project import ROOT

from sentigate import artifacts
from sentigate.artifacts import STAGES

DVC: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))


def paths(entries: list[str | dict[str, Any]]) -> list[Path]:
    """Return the paths of a list in dvc.yaml; an entry may have options."""
    return [Path(entry if isinstance(entry, str) else next(iter(entry))) for entry in entries]


def test_stages_are_in_the_order_of_dvc() -> None:
    assert list(DVC["stages"]) == list(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_outputs_equal_those_of_dvc(stage: str) -> None:
    entry = DVC["stages"][stage]
    verdict = [artifacts.GATES / f"{stage}.{kind}" for kind in ("json", "html")]
    written = paths(entry["outs"] + entry.get("metrics", []))
    assert sorted(written) == sorted([*artifacts.OUTPUTS[stage], *verdict])


def test_plots_equal_those_of_dvc() -> None:
    assert paths(DVC["plots"]) == [table.path for table in artifacts.DVC_PLOTS]
    for table, entry in zip(artifacts.DVC_PLOTS, DVC["plots"], strict=True):
        ((_, axes),) = entry.items()
        drawn = [axes["x"], *([axes["y"]] if isinstance(axes["y"], str) else axes["y"])]
        assert set(drawn) <= set(table.columns)


def test_every_named_file_is_an_output_of_a_stage() -> None:
    outputs = [path for stage in STAGES for path in artifacts.OUTPUTS[stage]]
    assert len(set(outputs)) == len(outputs)
    for name, value in vars(artifacts).items():
        path = value.path if isinstance(value, artifacts.Table) else value
        if isinstance(path, Path) and name not in ("GATES", "FAILED"):
            assert any(path.is_relative_to(out) or path in out.parents for out in outputs), name
