"""One entry of the leaderboard: train a model of params.yaml and measure it."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from pipeline.vocabulary import Vocabulary, make_vocabulary
from sentigate import artifacts
from sentigate.data.reading_length import resolve_reading
from sentigate.data.stage_files import SPLITS, read_table
from sentigate.data.training_files import read_baseline_logits
from sentigate.errors import DataError, ParamsError, SentigateError, shorten
from sentigate.evaluation.metrics import classification_figures, flat
from sentigate.files import written_whole
from sentigate.language.pretraining import pretrain
from sentigate.leaderboard.entry import entry_path, failure_path
from sentigate.model.answers import Probabilities, predicted_labels, probabilities
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.network.network import Network
from sentigate.model.predictor import has_known_token, network_logits
from sentigate.model.text.encoding import pad_texts
from sentigate.progress import doing
from sentigate.settings.params import Params, load_params
from sentigate.tracking.open_run import OpenRun, run_or_fail
from sentigate.training.hardware import resolve_hardware
from sentigate.training.steps import steps_of
from sentigate.training.train_model import Trained, train_model

TAG = "sentigate.leaderboard"
REPEATS = 3


def measure(params: Params, tracked: OpenRun) -> dict[str, Any]:
    """Train the chosen model on the chosen data set, and measure its quality and speed.

    Returns:
        The content of an entry's file: model, dataset, seed, the figures of both splits under names
        like test_accuracy, parameters, training_seconds (with pretraining), texts_per_second (from
        token ids to probabilities, on the test split), and epochs.

    Raises:
        DataError: the data has no validation rows or no tokens, or a loss is not finite.
    """
    vocabulary, splits, ids = _padded(params)
    start = time.perf_counter()
    with doing("training"):
        trained = _trained(params, vocabulary, splits, ids["validation"], tracked)
    training_seconds = time.perf_counter() - start
    with doing("measuring"):
        size = vocabulary.tokenizer.get_vocab_size()
        network = Network.from_weights(
            params.chosen_model.network, size, trained.classifier.weights
        )
        figures = {}
        for name in ("validation", "test"):
            chances = _answers(trained, network, splits[name], ids[name])
            figures[name] = classification_figures(
                splits[name].labels,
                chances,
                params.chosen_dataset.classes,
                params.evaluate,
                params.seed,
                predicted_labels(chances, trained.threshold),
            )
        epochs = len(trained.classifier.epochs)
        costs = {
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "training_seconds": round(training_seconds, 1),
            "texts_per_second": round(_texts_per_second(network, splits["test"])),
        }
    tracked.log_metrics({**figures, **costs}, step=epochs)
    chosen = {"model": params.model, "dataset": params.dataset, "seed": params.seed}
    return {**chosen, **flat(figures), **costs, "epochs": epochs}


def _padded(
    params: Params,
) -> tuple[Vocabulary, dict[str, EncodedSplit], dict[str, pd.Series[str]]]:
    """Return the model's vocabulary, and each split as the pad stage writes it, with its ids."""
    table = read_table(artifacts.SPLIT_TEXTS, ["id", "label", "text", "split"])
    vocabulary = make_vocabulary(params, table)
    with doing("encoding the texts"):
        training = table.loc[table["split"] == "train", "text"]
        wanted, tokenizer = params.chosen_model.max_length, vocabulary.tokenizer
        reading = resolve_reading(wanted, tokenizer, training)
        splits, ids = {}, {}
        for name in SPLITS:
            part = table.loc[table["split"] == name]
            padded = pad_texts(tokenizer, part["text"].tolist(), *reading)
            splits[name] = EncodedSplit(
                padded.ids, padded.lengths, part["label"].to_numpy(dtype=np.int8)
            )
            ids[name] = part["id"]
    return vocabulary, splits, ids


def _trained(
    params: Params,
    vocabulary: Vocabulary,
    splits: dict[str, EncodedSplit],
    validation_ids: pd.Series[str],
    tracked: OpenRun,
) -> Trained:
    """Train the model as the train stage does.

    Raises:
        DataError: a loss is not finite.
    """
    model = params.chosen_model
    hardware = resolve_hardware(params.trainer, model.network)
    steps = steps_of(len(splits["train"].lengths), model.training, hardware.devices)
    tracked.log_params({"steps": steps._asdict()})
    with tempfile.TemporaryDirectory() as scratch:
        language_model = pretrain(
            model.network,
            len(vocabulary.vectors.values),
            splits["train"],
            splits["validation"],
            model.training.pretraining,
            hardware=hardware,
            seed=params.seed,
            scratch=Path(scratch),
            on_epoch=partial(tracked.log_epoch, prefix="language_model."),
        )
        trained = train_model(
            model,
            params.chosen_dataset.classes,
            vocabulary.vectors,
            splits["train"],
            splits["validation"],
            read_baseline_logits(validation_ids) if model.training.fused else None,
            language_model,
            hardware=hardware,
            seed=params.seed,
            scratch=Path(scratch),
            on_epoch=tracked.log_epoch,
        )
    epochs = trained.classifier.epochs
    tracked.log_kept(epochs)
    finite = np.isfinite(epochs[["train_loss", "validation_loss"]].to_numpy()).all(axis=1)
    if not finite.all():
        raise DataError(
            f"training diverged: a loss of epoch {finite.argmin()} is not finite; lower "
            f"models.{params.model}.training.learning_rate or set its gradient_clip"
        )
    return trained


def _answers(
    trained: Trained, network: Network, split: EncodedSplit, ids: pd.Series[str]
) -> Probabilities:
    """Return the probability of each class for a split's rows, (rows, K) float32."""
    assert trained.fusion
    beside = read_baseline_logits(ids) if trained.fusion.share else None
    logits = trained.fusion(network_logits(network, split), beside, has_known_token(split.ids))
    return probabilities(logits)


def _texts_per_second(network: Network, split: EncodedSplit) -> float:
    """Return the median speed over REPEATS passes; run the network on the split once before."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        network_logits(network, split)
        seconds.append(time.perf_counter() - start)
    return len(split.labels) / median(seconds)


def main(model: str, inputs_sha256: str) -> None:
    """Write the entry with the hash of its inputs, or exit with one message if that failed.

    The message also goes to ``failure_path``, for the leaderboard.
    """
    try:
        params = load_params(Path("params.yaml"))
        if model not in params.models:
            raise ParamsError(f"model is {shorten(model)}; allowed: {', '.join(params.models)}")
        params = params.model_copy(update={"model": model})
        with run_or_fail(f"{params.dataset}-{model}", {TAG: "true"}) as tracked:
            tracked.log_params(params.chosen())
            entry = {**measure(params, tracked), "inputs_sha256": inputs_sha256}
            text = json.dumps(entry, indent=2, ensure_ascii=False, allow_nan=False)
            with written_whole(entry_path(params.dataset, model)) as file:
                file.write(f"{text}\n".encode())
            tracked.end()
    except (SentigateError, OSError) as error:
        with written_whole(failure_path(model)) as file:
            file.write(f"{error}\n".encode())
        sys.exit(f"sentigate leaderboard, {model}: {error}")
    except KeyboardInterrupt:
        sys.exit(f"sentigate leaderboard, {model}: interrupted, no entry was written")


if __name__ == "__main__":
    main(*sys.argv[1:])
