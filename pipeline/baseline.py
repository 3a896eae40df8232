"""baseline: fit linear models on the same split, and describe the data with one of them.

Every report compares with the strongest model.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.stage import GateInput, StageRun, run
from sentigate import artifacts
from sentigate.data.corrections import corrections_file
from sentigate.data.stage_files import read_json, read_table
from sentigate.evaluation.baseline import strongest
from sentigate.evaluation.data_figures import (
    class_balance,
    conflicting_texts,
    families,
    text_languages,
    text_lengths,
)
from sentigate.evaluation.linear_fit import TrainingTexts
from sentigate.evaluation.metrics import classification_figures, matthews_correlation
from sentigate.evaluation.suspects import find_suspects
from sentigate.model.answers import (
    named_columns,
    predicted_labels,
    probabilities,
    table_columns,
)
from sentigate.model.linear_model import LinearModel
from sentigate.model.text.encoding import Encoded, encode_texts
from sentigate.progress import doing
from sentigate.reporting.data_page import render_data_page, suspects_csv

LISTED = 20
"""Number of families of near-copies, and of texts with several labels, on the page."""


def baseline(stage: StageRun) -> GateInput:
    """Write the strongest model, its predictions of validation and test rows, and its figures."""
    params, classes = stage.params, stage.params.chosen_dataset.classes
    splits = read_table(artifacts.SPLIT_TEXTS, ["id", "group", "slice", "split", "label", "text"])
    train, validation = (splits.loc[splits["split"] == name] for name in ("train", "validation"))
    with doing("counting tokens"):
        training = TrainingTexts(train["text"].tolist(), train["label"].to_numpy(), classes)
    best = strongest(
        training,
        encode_texts(training.tokenizer, validation["text"]),
        validation["label"].to_numpy(),
        params.baseline.candidates,
        params.seed,
    )
    folder = stage.folder(artifacts.LINEAR_MODEL)
    best.model.save(folder)
    saved = LinearModel.load(folder)  # measure the model that will be served
    others = splits.loc[splits["split"] != "train"]
    with doing(f"predicting validation and test with the strongest, {best.chosen}"):
        tokens = encode_texts(training.tokenizer, others["text"])
        logits = saved.logits(*tokens)
    columns = named_columns("logit", logits) | named_columns("probability", probabilities(logits))
    predictions = stage.write_table(
        others[["id", "split", "label"]].assign(**columns), artifacts.BASELINE_PREDICTIONS
    )
    chances = table_columns(predictions)
    with doing("measuring, with bootstrap intervals"):
        figures = {
            name: classification_figures(
                predictions["label"].to_numpy()[rows],
                chances[rows],
                classes,
                params.evaluate,
                params.seed,
            )
            for name in ("test", "validation")
            for rows in [(predictions["split"] == name).to_numpy()]
        }
    choice = {
        "chosen": best.chosen,
        "description": best.description,
        "candidates": best.candidates,
    }
    stage.write_json({**figures, **choice}, artifacts.BASELINE_REPORT)
    print(f"  {best.description}")
    print(f"  test accuracy {figures['test']['accuracy']:.4f}")
    mcc = matthews_correlation(predictions["label"].to_numpy(), predicted_labels(chances))
    describe_data(stage, pd.concat([train, others]), training, tokens)
    return GateInput(
        predictions.assign(
            mcc=mcc,
            largest_logit=np.abs(table_columns(predictions, "logit")).max(axis=1),
            probability_sum=chances.sum(axis=1),
        ),
        {"min_baseline_mcc": params.gates.min_baseline_mcc},
    )


def describe_data(
    stage: StageRun, splits: pd.DataFrame, training: TrainingTexts, others: Encoded
) -> None:
    """Write the page about the data, and the suspect labels as CSV.

    Args:
        stage: the stage.
        splits: the training rows, then the others.
        training: the training texts.
        others: token ids of the other texts.
    """
    params, classes = stage.params, stage.params.chosen_dataset.classes
    conflicts = read_table(artifacts.CONFLICTS)
    with read_json(artifacts.CLEAN_REPORT) as report:
        cleaned = {key: report[key] for key in ("rows", "relabelled")}
    with doing("looking for suspect labels"):
        offsets = training.tokens.offsets
        tokens = Encoded(
            np.concatenate([training.tokens.ids, others.ids]),
            np.concatenate([offsets, offsets[-1] + others.offsets[1:]]),
        )
        suspects = find_suspects(splits, classes, params.care, params.seed, (training, tokens))
    with doing("describing the texts"):
        page = render_data_page(
            dataset=params.dataset,
            classes=classes,
            balance=class_balance(splits, classes),
            cleaned=cleaned,
            lengths=text_lengths(splits, classes),
            languages=text_languages(splits["text"], params.care.language_texts, params.seed),
            families=families(splits, LISTED),
            conflicts=conflicting_texts(conflicts, LISTED),
            conflicting=conflicts["text"].nunique(),
            suspects=suspects,
            corrections=corrections_file(params.dataset),
        )
    stage.path(artifacts.DATA_PAGE).write_text(page, encoding="utf-8")
    stage.path(artifacts.SUSPECTS).write_text(suspects_csv(suspects), encoding="utf-8")
    found = f"{len(suspects.table):,} of {suspects.judged:,} judged labels are suspect"
    print(f"  {found}: {artifacts.DATA_PAGE}")


if __name__ == "__main__":
    run("baseline", baseline)
