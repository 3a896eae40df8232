"""train: fit the network, as one MLflow run, and keep the best epoch's weights."""

from __future__ import annotations

import math
from pathlib import Path

from sklearn.metrics import matthews_corrcoef

from pipeline.stage import Output, StageRun, run
from sentigate.data.stage_files import read_table
from sentigate.data.training_files import read_epochs, read_model, read_split
from sentigate.data.vocabulary import read_tokenizer, tokens_of
from sentigate.data.word_vectors import read_vectors
from sentigate.model.labels import predicted_labels
from sentigate.model.predictor import predict
from sentigate.model.saved_model import WEIGHTS, Description, SavedModel
from sentigate.progress import doing
from sentigate.tracking.provenance import git_commit
from sentigate.tracking.runs import run_or_fail
from sentigate.training.classifier import Entries, fit_classifier
from sentigate.training.hardware import resolve_hardware


def train(stage: StageRun) -> Output:
    """Write models/, from which alone raw texts can be answered, and reports/training.csv.

    With pretraining models/ also holds the language model from which the network started.
    """
    params, model = stage.params, stage.params.chosen_model
    training, validation = (read_split(Path("data/padded", s)) for s in ("train", "validation"))
    hardware = resolve_hardware(params.trainer, model.network)
    print(f"  on {hardware.devices} {hardware.accelerator}, precision {hardware.precision}")
    tokenizer = read_tokenizer(Path("data/vocab/tokenizer.json"))
    about = {"dataset": params.dataset, "model": params.model, "git_commit": git_commit()}
    doing("opening an MLflow run")
    with run_or_fail(f"{params.dataset}-{params.model}", about) as tracked:
        tracked.log_params({**params.chosen(), "trainer": hardware._asdict()})
        vectors = read_vectors(Path("data/vocab/vectors.safetensors"))
        rows = read_table(Path("data/padded/train/rows.parquet"), ["fold_group"])
        doing("training")
        fitted = fit_classifier(
            model,
            Entries(tokens_of(tokenizer), vectors),
            training,
            validation,
            rows["fold_group"].tolist(),
            hardware=hardware,
            seed=params.seed,
            scratch=stage.out,
            on_epoch=tracked.log_epoch,
        )
        if fitted.language_model:
            tracked.log_kept(fitted.language_model_epochs, "language_model.")
        description = Description(
            dataset=params.dataset,
            model=params.model,
            cleaning=params.chosen_dataset.clean.steps,
            max_length=params.max_length,
            vocabulary_size=tokenizer.get_vocab_size(),
            network=model.network,
            pretrained=fitted.language_model is not None,
            precision=hardware.precision,
        )
        saved = SavedModel(description, tokenizer, fitted.weights, fitted.language_model)
        weights = stage.path(f"models/{WEIGHTS}")
        saved.save(weights.parent)
        tracked.log_kept(fitted.epochs)
        tracked.tag_weights(weights)
        table = stage.path("reports/training.csv")
        fitted.epochs.to_csv(table, index=False, lineterminator="\n")
        epochs = read_epochs(table)
        judged, kept = epochs.assign(kept_mcc=math.nan), epochs["kept"] == 1
        if kept.any():  # else no epoch's loss was finite
            probability = predict(read_model(weights.parent).network, validation)
            judged.loc[kept, "kept_mcc"] = matthews_corrcoef(
                validation.labels, predicted_labels(probability)
            )

    def end(passed: bool) -> None:
        tracked.log_files(stage.out / "reports", "reports")
        tracked.end("FINISHED" if passed else "FAILED")
        if not passed:
            print(f"  MLflow run {tracked.id or 'of this training'} ends as FAILED")

    return Output(
        judged,
        {"min_validation_mcc": params.min_validation_mcc},
        key="epoch",
        after_gate=end,
    )


if __name__ == "__main__":
    run("train", train)
