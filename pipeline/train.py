"""train: fit the network, as one MLflow run, and keep the best epoch's weights."""

from __future__ import annotations

import math
from pathlib import Path

from safetensors.torch import save_file
from sklearn.metrics import matthews_corrcoef

from pipeline.stage import Output, StageRun, run
from sentigate.data.training_files import read_epochs, read_split
from sentigate.data.vocabulary import read_tokenizer
from sentigate.files import sha256_of
from sentigate.model.labels import predicted_labels
from sentigate.model.predictor import load_network, predict
from sentigate.progress import doing
from sentigate.tracking.provenance import git_commit
from sentigate.tracking.runs import run_or_fail
from sentigate.training.classifier import fit_classifier
from sentigate.training.hardware import settle
from sentigate.training.language_model import WEIGHTS


def train(stage: StageRun) -> Output:
    """Write models/weights.safetensors, models/model.json and reports/training.csv.

    With pretraining, also the language model's weights to models/, from which the network starts.
    """
    params, model = stage.params, stage.params.chosen_model
    training, validation = (read_split(Path("data/padded", s)) for s in ("train", "validation"))
    hardware = settle(params.trainer, model.network)
    print(f"  on {hardware.devices} {hardware.accelerator}, precision {hardware.precision}")
    vocabulary_size = read_tokenizer(Path("data/vocab/tokenizer.json")).get_vocab_size()
    about = {"dataset": params.dataset, "model": params.model, "git_commit": git_commit()}
    doing("opening an MLflow run")
    with run_or_fail(f"{params.dataset}-{params.model}", about) as tracked:
        tracked.log_params({**params.chosen(), "trainer": hardware._asdict()})
        doing("training")
        fitted = fit_classifier(
            model,
            vocabulary_size,
            training,
            validation,
            hardware=hardware,
            seed=params.seed,
            scratch=stage.out,
            on_epoch=tracked.log_epoch,
        )
        if fitted.language_model:
            save_file(fitted.language_model, stage.path(f"models/{WEIGHTS}"))
            tracked.log_kept(fitted.language_model_epochs, "language_model.")
        path = stage.path("models/weights.safetensors")
        save_file(fitted.weights, path)
        tracked.log_kept(fitted.epochs)
        tracked.tag_weights(path)
        description = {
            "network": model.network.model_dump(mode="json"),
            "vocabulary_size": vocabulary_size,
            "max_length": params.max_length,
            "dataset": params.dataset,
            "tokenizer_sha256": sha256_of(Path("data/vocab/tokenizer.json")),
            "pretrained": fitted.language_model is not None,
            "precision": hardware.precision,
        }
        stage.write_json(description, "models/model.json")
        table = stage.path("reports/training.csv")
        fitted.epochs.to_csv(table, index=False, lineterminator="\n")
        epochs = read_epochs(table)
        judged, kept = epochs.assign(kept_mcc=math.nan), epochs["kept"] == 1
        if kept.any():  # else no epoch's loss was finite
            probability = predict(load_network(stage.out / "models"), validation)
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
