"""clean: map sentiments to labels, clean the texts, and drop rows that cannot be used."""

from __future__ import annotations

import pandas as pd

from pipeline.stage import GateInput, StageRun, run
from sentigate import artifacts
from sentigate.data.filtering import class_checks, label_and_clean, text_checks
from sentigate.data.stage_files import read_table
from sentigate.progress import doing


def clean(stage: StageRun) -> GateInput:
    """Write the clean texts, and a report: the number of rows that each rule dropped.

    ``folds`` in the report has these numbers for each published fold.
    """
    dataset = stage.params.chosen_dataset
    classes = dataset.classes.names
    with doing("labelling and cleaning the texts"):
        texts, taken, folds = label_and_clean(
            read_table(artifacts.RAW_TEXTS), dataset.labels, classes, dataset.clean
        )
    texts = stage.write_table(texts, artifacts.CLEAN_TEXTS)
    stage.write_json({"rows": taken, "folds": folds}, artifacts.CLEAN_REPORT)
    for rule, rows in taken.items():
        print(f"  {rule:<20} {rows:>7,}")
    return GateInput(
        pd.concat([texts, text_checks(texts), class_checks(texts, classes)], axis=1),
        {
            "labels": list(range(len(classes))),
            "classes": list(classes),
            "min_class_share": stage.params.min_class_share,
            "max_rows_per_text": 1 if dataset.clean.drop_duplicates else len(texts),
            "max_labels_per_text": 1 if dataset.clean.drop_conflicts else len(classes),
        },
    )


if __name__ == "__main__":
    run("clean", clean)
