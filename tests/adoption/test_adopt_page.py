"""docs/your-data.md shows what adopt says about the example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.project import ROOT

from sentigate.adoption.look import look
from sentigate.adoption.propose import propose
from sentigate.adoption.show import overview
from sentigate.adoption.trial import try_out
from sentigate.settings.params import load_params


def test_the_page_shows_what_adopt_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / "docs/your-data.md").read_text("utf-8")
    (shown,) = re.findall(r"^```text\n(data/own/csv/example.csv: .*?)^```", text, re.M | re.DOTALL)
    choices = {"name": "reviews"}
    proposal = propose(look("data/own/csv/example.csv", choices, tmp_path), choices)
    trial = try_out(proposal, load_params(ROOT / "params.yaml"), tmp_path)
    said = "\n".join(overview(trial))
    assert said.startswith(shown)
