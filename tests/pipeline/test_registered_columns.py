"""The columns of a registered model: it reads the same texts from its table as training did."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from support.project import ROOT

from sentigate.model.columns import Columns
from sentigate.settings.columns import columns_of
from sentigate.settings.params import load_params
from sentigate.settings.table import TableSource
from sentigate.sources import read_source

TABLE = pd.DataFrame(
    {
        "title": ["one", "two", "three", "four"],
        "review": pd.Categorical(["fine", "bad", "fine", None]),
        "day": pd.to_datetime(["2026-11-27", "2026-11-28", None, "2026-11-27"]),
        "sure": [True, False, True, True],
        "stars": [5.0, 1.5, None, 4.0],
        "sentiment": ["positive", "negative", "positive", "positive"],
    }
).assign(date=lambda table: table["day"].dt.date)


@pytest.mark.parametrize("context", [None, "title", "stars", "date"])
@pytest.mark.parametrize("text", ["title", "review", "day", "date", "sure", "stars"])
def test_a_registered_model_reads_its_table_as_training_did(
    tmp_path: Path, text: str, context: str | None
) -> None:
    TABLE.to_parquet(tmp_path / "table.parquet")
    source = TableSource(
        kind="table",
        name=None,
        path=str(tmp_path / "table.parquet"),
        sha256=None,
        text_column=text,
        context_column=context,
        sentiment_column="sentiment",
        id_column=None,
        group_column=None,
        slice_column=None,
        fold_column=None,
    )
    labels: dict[str, str | None] = {"positive": "positive", "negative": "negative"}
    trained = read_source(source, labels, 1000, tmp_path)["text"].tolist()
    assert columns_of(source).texts_of(pd.read_parquet(tmp_path / "table.parquet")) == trained


def test_columns_of_the_other_sources() -> None:
    found = {
        name: columns_of(e.source) for name, e in load_params(ROOT / "params.yaml").datasets.items()
    }
    assert found["vader"] == found["imdb"] == Columns(text="text", context=None)
    assert found["twitter"] == Columns(text="text", context="entity")
