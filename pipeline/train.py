"""train: fit the network in an MLflow run, keep the best epoch, and fuse it with the baseline."""

from __future__ import annotations

import math
from functools import partial
from typing import Literal

from sklearn.metrics import matthews_corrcoef

from pipeline.stage import GateInput, StageRun, run
from sentigate import artifacts
from sentigate.data.stage_files import read_ids
from sentigate.data.training_files import (
    read_baseline_logits,
    read_epochs,
    read_linear,
    read_reading,
    read_split,
)
from sentigate.data.vocabulary import read_tokenizer, tokens_of
from sentigate.data.word_vectors import read_vectors
from sentigate.language.pretraining import pretrain
from sentigate.model.answers import predicted_labels, probabilities
from sentigate.model.fusion import Fusion
from sentigate.model.saved_model import Description, SavedModel
from sentigate.progress import doing
from sentigate.tracking.training_run import end_training_run, open_training_run
from sentigate.training.fusion import share_sentences
from sentigate.training.hardware import resolve_hardware
from sentigate.training.start import FromLanguageModel, FromVectors, Start
from sentigate.training.steps import steps_of, steps_sentence
from sentigate.training.threshold import choose_threshold, threshold_sentences
from sentigate.training.train_model import train_model


def train(stage: StageRun) -> GateInput:
    """Write the model, which needs no other file to predict raw texts, and a row for each epoch.

    With pretraining, the model's folder also has the language model from which it started.
    """
    params, model = stage.params, stage.params.chosen_model
    classes = params.chosen_dataset.classes
    training, validation = map(read_split, ("train", "validation"))
    reading = read_reading()
    hardware = resolve_hardware(params.trainer, model.network)
    print(f"  on {hardware.devices} {hardware.accelerator}, precision {hardware.precision}")
    steps = steps_of(len(training.lengths), model.training, hardware.devices)
    print(f"  {steps_sentence(steps, model.training)}")
    tokenizer = read_tokenizer(artifacts.VOCAB_TOKENIZER)
    # Read before the long training, because a word that the linear model lacks is an error.
    linear = read_linear(tokens_of(tokenizer)) if model.training.fused else None
    resolved = {"trainer": hardware._asdict(), "steps": steps._asdict()}
    with open_training_run(params, resolved) as tracked:
        with doing("training"):
            vectors = read_vectors(artifacts.WORD_VECTORS)
            language_model = pretrain(
                model.network,
                len(vectors.values),
                training,
                validation,
                model.training.pretraining,
                hardware=hardware,
                seed=params.seed,
                scratch=stage.out,
                on_epoch=partial(tracked.log_epoch, prefix="language_model."),
            )
            trained = train_model(
                model,
                classes,
                vectors,
                training,
                validation,
                read_baseline_logits(read_ids("validation")) if linear else None,
                language_model,
                hardware=hardware,
                seed=params.seed,
                scratch=stage.out,
                on_epoch=tracked.log_epoch,
            )
        unfitted = Fusion(share=0.0, temperature=1.0, prior=(0.0,) * classes.scores)
        fusion = trained.fusion or unfitted
        if language_model:
            tracked.log_kept(language_model.epochs, "language_model.")
        if linear:
            for sentence in share_sentences(fusion, len(validation.labels)):
                print(f"  {sentence}")
        if trained.threshold:
            for sentence in threshold_sentences(trained.threshold, classes, validation.labels):
                print(f"  {sentence}")
        description = Description(
            dataset=params.dataset,
            model=params.model,
            classes=classes,
            threshold=trained.threshold,
            threshold_metric=model.training.threshold_metric,
            cleaning=params.chosen_dataset.clean.steps,
            max_length=reading.max_length,
            last_tokens=reading.last,
            vocabulary_size=tokenizer.get_vocab_size(),
            network=model.network,
            start=_name_of(trained.start),
            precision=hardware.precision,
            fusion=fusion,
        )
        saved = SavedModel(
            description,
            tokenizer,
            trained.classifier.weights,
            linear if fusion.share else None,
            language_model.weights if language_model else None,
        )
        saved.save(stage.folder(artifacts.TRAINED_MODEL))
        tracked.log_kept(trained.classifier.epochs)
        tracked.tag_weights(stage.path(artifacts.TRAINED_WEIGHTS))
        table = stage.path(artifacts.EPOCHS.path)
        trained.classifier.epochs.to_csv(table, index=False, lineterminator="\n")
        epochs = read_epochs(table)
        judged, kept = epochs.assign(kept_mcc=math.nan), epochs["kept"] == 1
        if trained.logits is not None:  # otherwise no epoch's loss was finite, and the gate fails
            chances, metric = probabilities(trained.logits), model.training.threshold_metric
            threshold = choose_threshold(validation.labels, chances, metric) if metric else None
            answers = predicted_labels(chances, threshold)
            judged.loc[kept, "kept_mcc"] = matthews_corrcoef(validation.labels, answers)

    return GateInput(
        judged,
        {"min_validation_mcc": model.min_validation_mcc},
        key="epoch",
        after_gate=partial(end_training_run, tracked, stage.out / "reports"),
    )


def _name_of(start: Start) -> Literal["random", "vectors", "language_model"]:
    match start:
        case FromVectors():
            return "vectors"
        case FromLanguageModel():
            return "language_model"
    return "random"


if __name__ == "__main__":
    run("train", train)
