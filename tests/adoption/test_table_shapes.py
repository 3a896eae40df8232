"""Each shape of table: what adopt says, the entry it writes, and the rows that ingest reads."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from contextlib import chdir, redirect_stdout
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from support.project import ROOT
from support.table_shapes import SHAPES
from support.table_shapes_page import PAGE, page

from sentigate.adoption.trial import Trial
from sentigate.cli.adopt import adopt_table
from sentigate.errors import SourceError
from sentigate.settings.dataset import Dataset
from sentigate.settings.yaml_file import read_yaml
from sentigate.sources import read_source


class Adopted(NamedTuple):
    """What the command did with a shape, once for all tests."""

    folder: Path
    trial: Trial
    out: str


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Adopted]:
    """Return a function that adopts a shape in a project of its own."""

    @cache
    def adopt(name: str) -> Adopted:
        shape, folder = SHAPES[name], tmp_path_factory.mktemp("project")
        shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
        (folder / "datasets").mkdir()
        shutil.copyfile(ROOT / "datasets/vader.yaml", folder / "datasets/vader.yaml")
        out = io.StringIO()
        with chdir(folder), redirect_stdout(out):
            shape.make(folder)
            trial = adopt_table(shape.given, dict(shape.options), yes=True, ask=None)
        return Adopted(folder, trial, out.getvalue())

    return adopt


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_adopted_and_read(adopted: Callable[[str], Adopted], name: str) -> None:
    shape, (folder, trial, out) = SHAPES[name], adopted(name)
    said = [doubt.said for doubt in trial.proposal.doubts]
    for part in shape.said:
        assert any(part in sentence for sentence in said), said
    assert len(said) == len(shape.said), said

    written = folder / f"datasets/{trial.proposal.name}.yaml"
    values = read_yaml(written)
    for key, value in shape.source.items():
        assert values["source"].get(key) == value, key
    for key, value in shape.entry.items():
        assert values[key] == value, key
    entry = Dataset.model_validate(values)
    assert entry.model == shape.model
    assert entry.classes.names == shape.classes
    with chdir(folder):
        rows = read_source(entry.source, entry.labels, 100_000, Path("cache"))
    classes = [entry.labels[sentiment] for sentiment in rows["sentiment"]]
    assert list(zip(rows["text"], classes, strict=True)) == list(shape.rows)

    corrections = folder / "data/own" / trial.proposal.name / "corrections.csv"
    assert corrections.read_text("utf-8") == "id,action,label,reason\n"
    assert all(sentence in out for sentence in said)
    assert out.endswith(f"make train DATASET={trial.proposal.name}\n")


def test_a_choice_that_must_be_made_is_refused_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    (tmp_path / "datasets").mkdir()
    shutil.copyfile(ROOT / "datasets/vader.yaml", tmp_path / "datasets/vader.yaml")
    monkeypatch.chdir(tmp_path)
    shape = SHAPES["two questions"]
    shape.make(tmp_path)
    with pytest.raises(SourceError, match="Say which: --label toxic or --label threat"):
        adopt_table(shape.given, {}, yes=True, ask=None)
    assert not (tmp_path / "data").exists()


def test_the_page_shows_what_adopt_says_about_each_shape(
    adopted: Callable[[str], Adopted],
) -> None:
    """If it does not, run PYTHONPATH=tests python -m support.table_shapes_page."""
    proposals = {name: adopted(name).trial.proposal for name in SHAPES}
    assert PAGE.read_text("utf-8") == page(proposals)
