"""ingest: fetch the chosen data set and write it as one table."""

from __future__ import annotations

from pathlib import Path

from pipeline.stage import GateInput, StageRun, run
from sentigate import artifacts
from sentigate.progress import doing
from sentigate.sources import read_source


def ingest(stage: StageRun) -> GateInput:
    """Write the raw texts."""
    dataset, gates = stage.params.chosen_dataset, stage.params.gates
    with doing(f"reading {stage.params.dataset}"):
        raw = read_source(
            dataset.source,
            dataset.labels,
            gates.max_text_characters,
            Path(".cache/archives"),
            stage.params.dataset,
        )
    raw = stage.write_table(raw, artifacts.RAW_TEXTS)
    return GateInput(
        raw.assign(characters=raw["text"].str.len()),
        {
            "min_rows": dataset.gates.min_rows,
            "sentiments": list(dataset.labels),
            "max_text_characters": gates.max_text_characters,
        },
    )


if __name__ == "__main__":
    run("ingest", ingest)
