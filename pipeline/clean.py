"""clean: map sentiments to labels, clean the texts, and drop rows that cannot be used."""

from __future__ import annotations

import pandas as pd

from pipeline.stage import GateInput, StageRun, run
from sentigate import artifacts
from sentigate.data.corrections import correction_checks, corrections_file, read_corrections
from sentigate.data.filtering import class_checks, label_and_clean, text_checks
from sentigate.data.stage_files import read_table
from sentigate.progress import doing


def clean(stage: StageRun) -> GateInput:
    """Write the clean texts, the rows whose text has several labels, and a report.

    The report has the number of rows that each rule dropped, in total and, under ``folds``, from
    each published fold; and the number of rows that corrections.csv gave another class.
    """
    dataset = stage.params.chosen_dataset
    classes = dataset.classes.names
    corrections = read_corrections(corrections_file(stage.params.dataset), classes)
    raw = read_table(artifacts.RAW_TEXTS)
    with doing("labelling and cleaning the texts"):
        cleaned = label_and_clean(raw, dataset.labels, classes, dataset.clean, corrections)
    texts = stage.write_table(cleaned.texts, artifacts.CLEAN_TEXTS)
    stage.write_table(cleaned.conflicts, artifacts.CONFLICTS)
    counts = {"rows": cleaned.taken, "relabelled": cleaned.relabelled, "folds": cleaned.folds}
    stage.write_json(counts, artifacts.CLEAN_REPORT)
    for rule, rows in cleaned.taken.items():
        print(f"  {rule:<21} {rows:>7,}")
    if corrections.by_id:
        print(f"  {'relabelled':<21} {cleaned.relabelled:>7,}")
    return GateInput(
        pd.concat([texts, text_checks(texts), class_checks(texts, classes)], axis=1).assign(
            as_corrected=correction_checks(texts, corrections),
            corrected_share=len(corrections.by_id) / max(len(raw), 1),
        ),
        {
            "labels": list(range(len(classes))),
            "classes": list(classes),
            "min_class_share": stage.params.min_class_share,
            "max_corrected_share": stage.params.gates.max_corrected_share,
            "max_rows_per_text": 1 if dataset.clean.drop_duplicates else len(texts),
            "max_labels_per_text": 1 if dataset.clean.drop_conflicts else len(classes),
        },
    )


if __name__ == "__main__":
    run("clean", clean)
