"""vocab: build the tokenizer from the training texts only, and look up word vectors."""

from __future__ import annotations

from typing import Any

from pipeline.stage import GateInput, StageRun, run
from pipeline.vocabulary import make_vocabulary
from sentigate import artifacts
from sentigate.data.negations import is_negation
from sentigate.data.spacing import spacing
from sentigate.data.stage_files import read_table
from sentigate.data.vocabulary import read_tokenizer, vocabulary_table
from sentigate.data.word_vectors import read_vectors, token_shares, vector_checks, write_vectors
from sentigate.progress import doing


def vocab(stage: StageRun) -> GateInput:
    """Write the tokenizer, its entries' vectors, and a report."""
    params, gates = stage.params.chosen_model.vocab, stage.params.gates
    splits = read_table(artifacts.SPLIT_TEXTS, ["text", "split"])
    made = make_vocabulary(stage.params, splits)
    path = stage.path(artifacts.VOCAB_TOKENIZER)
    path.write_text(made.tokenizer.to_str(pretty=True), encoding="utf-8")
    vectors_path = stage.path(artifacts.WORD_VECTORS)
    write_vectors(vectors_path, made.vectors)
    with doing("counting the entries"):
        texts = splits.loc[splits["split"] == "train", "text"]
        vectors = read_vectors(vectors_path)
        table = vocabulary_table(read_tokenizer(path), texts).join(vector_checks(vectors))
        table = table.join(token_shares(table))
    spaced, reads_words = spacing(texts), params.level in ("word", "glove")
    negations = int(table["count"].where(table["token"].map(is_negation), 0).sum())
    report: dict[str, Any] = {
        "entries": {
            "special": 2,
            "training": vectors.trained_entries - 2,
            "outside": len(table) - vectors.trained_entries,
        },
        "known_share": round(float(table["known_share"].sum()), 6),
        "vectors": {
            "parts": dict(zip(params.vectors, vectors.widths, strict=True)),
            "entries": int(table["has_vector"].sum()),
            "share_of_tokens": round(float(table["vector_share"].sum()), 6),
            "negations": negations,
            "share_of_negations": round(float(table["negation_share"].sum()), 6),
            "megabytes": round(vectors.values.nbytes / 1e6, 1),
        }
        if params.vectors
        else None,
    }
    stage.write_json(report, artifacts.VOCAB_REPORT)
    _say(report)
    has = bool(params.vectors)
    return GateInput(
        table.assign(characters_per_word=spaced.characters),
        {
            "max_characters_per_word": spaced.most if reads_words else spaced.characters,
            "max_size": params.max_size + params.outside_words,
            "last_id": len(table) - 1,
            "vector_rows": len(vectors.values),
            "min_coverage": gates.min_coverage,
            "min_vector_coverage": gates.min_vector_coverage if has else 0.0,
            "min_negation_coverage": gates.min_negation_coverage if has and negations else 0.0,
        },
    )


def _say(report: dict[str, Any]) -> None:
    entries, vectors = report["entries"], report["vectors"]
    print(
        f"  {sum(entries.values()):,} entries know {report['known_share']:.2%} of training tokens"
    )
    if vectors:
        numbers = sum(vectors["parts"].values())
        print(
            f"  {entries['training']:,} entries from the training texts, {entries['outside']:,} "
            f"more from {' and '.join(vectors['parts'])}"
        )
        print(
            f"  {vectors['share_of_tokens']:.2%} of training tokens and "
            f"{vectors['share_of_negations']:.2%} of {vectors['negations']:,} negations have a "
            f"vector of {numbers} numbers, {vectors['megabytes']:.1f} MB in all"
        )


if __name__ == "__main__":
    run("vocab", vocab)
