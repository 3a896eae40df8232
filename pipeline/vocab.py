"""vocab: build the tokenizer from the training texts alone."""

from __future__ import annotations

from pathlib import Path

from pipeline.stage import Output, StageRun, run
from sentigate.data.stage_files import read_table
from sentigate.data.vocabulary import build_tokenizer, read_tokenizer, vocabulary_table
from sentigate.progress import doing


def vocab(stage: StageRun) -> Output:
    """Write data/vocab/tokenizer.json."""
    params = stage.params.chosen_model.vocab
    splits = read_table(Path("data/split/texts.parquet"), ["text", "split"])
    texts = splits.loc[splits["split"] == "train", "text"]
    doing("building the tokenizer")
    tokenizer = build_tokenizer(
        texts,
        params.level,
        min_count=params.min_count,
        max_size=params.max_size,
        order=params.order,
    )
    path = stage.path("data/vocab/tokenizer.json")
    path.write_text(tokenizer.to_str(pretty=True), encoding="utf-8")
    table = vocabulary_table(read_tokenizer(path), texts)
    print(f"  {len(table):,} entries know {table['known_share'].sum():.2%} of training tokens")
    return Output(
        table,
        {
            "max_size": params.max_size,
            "last_id": len(table) - 1,
            "min_coverage": stage.params.gates.min_coverage,
        },
    )


if __name__ == "__main__":
    run("vocab", vocab)
