"""vocab: build the tokenizer from the training texts alone, and give its words their vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.stage import Output, StageRun, run
from pipeline.vocabulary import make_vocabulary
from sentigate.data.stage_files import read_table
from sentigate.data.vocabulary import read_tokenizer, vocabulary_table
from sentigate.data.word_vectors import read_vectors, vector_checks, write_vectors
from sentigate.progress import doing


def vocab(stage: StageRun) -> Output:
    """Write tokenizer.json and vectors.safetensors to data/vocab/, and reports/vocab.json."""
    params, gates = stage.params.chosen_model.vocab, stage.params.gates
    splits = read_table(Path("data/split/texts.parquet"), ["group", "text", "split"])
    made = make_vocabulary(stage.params, splits)
    path = stage.path("data/vocab/tokenizer.json")
    path.write_text(made.tokenizer.to_str(pretty=True), encoding="utf-8")
    vectors_path = stage.path("data/vocab/vectors.safetensors")
    write_vectors(vectors_path, made.vectors)
    doing("counting the entries")
    texts = splits.loc[splits["split"] == "train", "text"]
    vectors = read_vectors(vectors_path)
    table = vocabulary_table(read_tokenizer(path), texts).join(vector_checks(vectors))
    table["vector_share"] = table["known_share"].where(table["has_vector"].eq(True), 0.0)
    report: dict[str, Any] = {
        "entries": {
            "special": 2,
            "training": vectors.trained_entries - 2,
            "outside": len(table) - vectors.trained_entries,
        },
        "known_share": round(float(table["known_share"].sum()), 6),
        "vectors": None
        if params.vectors is None
        else {
            "name": params.vectors,
            "numbers": vectors.values.shape[1],
            "entries": int(table["has_vector"].sum()),
            "share_of_tokens": round(float(table["vector_share"].sum()), 6),
            "megabytes": round(vectors.values.nbytes / 1e6, 1),
        },
    }
    stage.write_json(report, "reports/vocab.json")
    _say(report)
    return Output(
        table,
        {
            "max_size": params.max_size + params.outside_words,
            "last_id": len(table) - 1,
            "vector_rows": len(vectors.values),
            "min_coverage": gates.min_coverage,
            "min_vector_coverage": 0.0 if params.vectors is None else gates.min_vector_coverage,
        },
    )


def _say(report: dict[str, Any]) -> None:
    entries, vectors = report["entries"], report["vectors"]
    print(
        f"  {sum(entries.values()):,} entries know {report['known_share']:.2%} of training tokens"
    )
    if vectors:
        print(
            f"  {entries['training']:,} entries from the training texts, {entries['outside']:,} "
            f"more from {vectors['name']}; {vectors['share_of_tokens']:.2%} of training tokens "
            f"have a vector of {vectors['numbers']} numbers, {vectors['megabytes']:.1f} MB in all"
        )


if __name__ == "__main__":
    run("vocab", vocab)
