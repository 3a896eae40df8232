"""Measure how much each part of a data set's own model adds, beside the linear baseline.

`python benchmarks/ablation.py [DATASET ...] [--resume]` takes about an hour for vader and twitter.
The split always comes from the seed in params.yaml; only the training seed varies. Each training is
written when it ends. With --resume, finished trainings with the same settings are not run again.
Figures of other data sets stay. These figures choose nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from cells import chance, points, spread
from fresh_run import machine, machine_line
from padded_data import padded_data
from running import ROOT, MeasurementError
from workers.presets import preset, train_preset

from sentigate.data.word_vectors import WordVectors, read_vectors
from sentigate.evaluation.baseline import strongest
from sentigate.evaluation.difference import accuracy_difference
from sentigate.evaluation.linear_fit import TrainingTexts
from sentigate.model.answers import Logits, log_losses, predicted_labels, probabilities
from sentigate.model.fusion import Fusion
from sentigate.model.network.batches import EncodedSplit, load_split
from sentigate.model.network.network import Network
from sentigate.model.predictor import has_known_token, network_logits
from sentigate.model.text.encoding import encode_texts
from sentigate.settings.params import Params, load_params
from sentigate.training.fusion import fit_fusion
from sentigate.training.hardware import resolve_hardware

RESULTS = Path(__file__).with_suffix(".json")
DATASETS = ("vader", "twitter")
SEEDS = {"imdb": (42,)}
"""Data set -> training seeds, if they are not ``OFTEN``."""
OFTEN = (42, 43, 44)
JUDGED = ("validation", "test")
FUSED, ALONE = "fused", "network"
"""The two models of one training: the fused model, and the network alone."""
OWN = "the default"
LEFT_OUT = {"without GloVe": "glove_50", "without MiniLM": "minilm_256"}
"""Name of a training -> the word vectors that it lacks; its vocabulary is the same."""

Figures = dict[str, Any]


class Data(NamedTuple):
    """A data set that is ready for training and evaluation.

    Attributes:
        name: Entry of ``datasets:``.
        folder: Folder from ``padded_data``.
        splits: Encoded validation and test rows.
        baseline: Logits of the linear baseline for both splits.
        figures: Figures of the linear baseline, and its ``description``.
    """

    name: str
    folder: Path
    splits: Mapping[str, EncodedSplit]
    baseline: Mapping[str, Logits]
    figures: Figures


def read_data(name: str, folder: Path, params: Params) -> Data:
    """Fit the linear baseline as the baseline stage does, and evaluate it on both splits."""
    table = pd.read_parquet(folder / "texts.parquet", columns=["text", "label", "split"])
    parts = {split: table.loc[table["split"] == split] for split in ("train", *JUDGED)}
    texts = {split: part["text"].tolist() for split, part in parts.items()}
    training = TrainingTexts(
        texts["train"], parts["train"]["label"].to_numpy(), params.datasets[name].classes
    )
    tokens = {split: encode_texts(training.tokenizer, texts[split]) for split in JUDGED}
    best = strongest(
        training,
        tokens["validation"],
        parts["validation"]["label"].to_numpy(),
        params.baseline.candidates,
        params.seed,
    )
    splits = {split: load_split(folder / split) for split in JUDGED}
    logits = {split: best.model.logits(*tokens[split]) for split in JUDGED}
    figures = {"description": best.description, **figures_of(logits, splits)}
    return Data(name, folder, splits, logits, figures)


def figures_of(logits: Mapping[str, Logits], splits: Mapping[str, EncodedSplit]) -> Figures:
    """Return accuracy and log loss on both splits."""
    found: Figures = {}
    for name in JUDGED:
        labels, answers = splits[name].labels, probabilities(logits[name])
        right = predicted_labels(answers) == labels
        found[f"{name}_accuracy"] = round(float(np.mean(right)), 6)
        found[f"{name}_log_loss"] = round(float(np.mean(log_losses(labels, answers))), 6)
    return found


def without(vectors: WordVectors, parts: Sequence[str], left_out: str | None) -> WordVectors:
    """Remove one of the ``parts`` from the vectors."""
    if left_out is None:
        return vectors
    ends = np.cumsum(vectors.widths)
    place = list(parts).index(left_out)
    own = np.arange(ends[place] - vectors.widths[place], ends[place])
    widths = tuple(width for i, width in enumerate(vectors.widths) if i != place)
    return WordVectors(np.delete(vectors.values, own, axis=1), vectors.trained_entries, widths)


def train(data: Data, params: Params, left_out: str | None, seed: int) -> Figures:
    """Train the data set's own model, and evaluate the fused model and the network alone.

    Returns:
        share (of the linear baseline in the fused answers), epochs, and for each of ``FUSED`` and
        ``ALONE`` its figures and its ``difference`` from the linear baseline on test rows.
    """
    name = params.datasets[data.name].model
    vectors = read_vectors(data.folder / "vectors.safetensors")
    vectors = without(vectors, params.models[name].vocab.vectors, left_out)
    width = vectors.values.shape[1]
    model = preset(name, {"network.embedding_size": width} if left_out else {})
    trained = train_preset(
        model,
        data.folder,
        hardware=resolve_hardware(params.trainer, model.network),
        seed=seed,
        vectors=vectors,
        linear=data.baseline["validation"],
    )
    if trained.logits is None or trained.fusion is None:
        raise MeasurementError(f"{data.name}: training with seed {seed} diverged")
    network = Network.from_weights(model.network, len(vectors.values), trained.classifier.weights)
    logits = {split: network_logits(network, rows) for split, rows in data.splits.items()}
    counts = np.bincount(load_split(data.folder / "train").labels)
    fusions = {
        FUSED: trained.fusion,
        ALONE: fit_fusion(
            trained.logits, None, data.splits["validation"].labels, counts / counts.sum()
        ),
    }
    judged = {kind: _judged(data, logits, fusion, params) for kind, fusion in fusions.items()}
    epochs = len(trained.classifier.epochs)
    return {"share": trained.fusion.share, "epochs": epochs, **judged}


def _judged(data: Data, logits: Mapping[str, Logits], fusion: Fusion, params: Params) -> Figures:
    answers = {
        split: fusion(logits[split], data.baseline[split], has_known_token(rows.ids))
        for split, rows in data.splits.items()
    }
    difference = accuracy_difference(
        data.splits["test"].labels,
        predicted_labels(probabilities(answers["test"])),
        predicted_labels(probabilities(data.baseline["test"])),
        samples=params.evaluate.bootstrap_samples,
        seed=params.seed,
    )
    return {**figures_of(answers, data.splits), "difference": difference}


def fingerprint(dataset: str, params: Params, left_out: str | None, seed: int) -> str:
    """Hash the settings and libraries that a training depends on."""
    model = params.models[params.datasets[dataset].model]
    settings = {
        "dataset": params.datasets[dataset].model_dump(mode="json"),
        "model": model.model_dump(mode="json"),
        "vectors": {v: params.vectors[v].model_dump(mode="json") for v in model.vocab.vectors},
        "baseline": params.baseline.model_dump(mode="json"),
        "split seed": params.seed,
        "hardware": resolve_hardware(params.trainer, model.network)._asdict(),
        "packages": machine()["packages"],
        "left out": left_out,
        "seed": seed,
    }
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def trainings(datasets: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Yield data set, variant and seed; the models of params.yaml come first."""
    for variants in ((OWN,), tuple(LEFT_OUT)):
        for dataset in datasets:
            for variant in variants:
                for seed in SEEDS.get(dataset, OFTEN):
                    yield dataset, variant, seed


def table(results: Figures) -> str:
    """Return the results as Markdown: a row per model, then a row per comparison and seed."""
    lines = [
        "<!-- benchmarks/ablation.md, made by `python benchmarks/ablation.py` -->",
        "| data | model | validation accuracy | validation log loss | test accuracy "
        "| linear share |",
        "|---|---|---|---|---|---|",
    ]
    for dataset, found in results["datasets"].items():
        for name, kind, runs in _rows(found):
            shares = [run["share"] for run in runs.values()]
            shown = "" if kind == ALONE else spread(shares, 2)
            cells = _cells([run[kind] for run in runs.values()])
            lines.append(f"| {dataset} | {name} | {cells} | {shown} |")
        lines.append(f"| {dataset} | the linear baseline | {_cells([found['baseline']])} | |")
    lines += [
        "",
        "| data, seed | model | test accuracy | difference from the linear baseline in points "
        "(95 % interval) | only one is right: model, baseline | McNemar's p |",
        "|---|---|---|---|---|---|",
    ]
    for dataset, found in results["datasets"].items():
        for name, kind, runs in _rows(found):
            lines += [
                f"| {dataset}, {seed} | {name} | {run[kind]['test_accuracy']:.4f} "
                f"| {_difference(run[kind]['difference'])} |"
                for seed, run in runs.items()
            ]
    datasets = results["datasets"].items()
    rows = "; ".join(
        f"{dataset} {found['rows']['validation']:,} and {found['rows']['test']:,}"
        for dataset, found in datasets
    )
    baselines = "; ".join(
        f"{dataset}: {found['baseline']['description']}" for dataset, found in datasets
    )
    lines += [
        "",
        "Means, and the lowest and the highest, of the seeds of training on one split; the linear "
        "baseline has no seed. The linear share of each answer and a temperature are chosen on "
        "validation rows; the network alone has a temperature of its own. A model without a part "
        "has all other settings of the default, which nobody tuned for it. Validation and test "
        f"rows: {rows}. The linear baseline on {baselines}. {machine_line(results['machine'])}. "
        "Made by `python benchmarks/ablation.py`.",
    ]
    return "\n".join(lines) + "\n"


def _rows(found: Figures) -> Iterator[tuple[str, str, Figures]]:
    """Yield the name, the kind of answer and the figures by seed of each model of a data set."""
    for variant, runs in found["trained"].items():
        if variant == OWN:
            yield f"**`{found['model']}`**, the default", FUSED, runs
            yield "the default's network alone", ALONE, runs
        else:
            yield variant, FUSED, runs
            yield f"{variant}, the network alone", ALONE, runs


def _cells(several: Sequence[Figures]) -> str:
    keys = ("validation_accuracy", "validation_log_loss", "test_accuracy")
    return " | ".join(spread([figures[key] for figures in several]) for key in keys)


def _difference(gap: Figures) -> str:
    low, high = gap["accuracy_low"], gap["accuracy_high"]
    return " | ".join(
        (
            f"**{points(gap['accuracy'])}** ({points(low)} to {points(high)})",
            f"{gap['only_model_right']}, {gap['only_baseline_right']}",
            chance(gap["p_value"]).removeprefix("= "),
        )
    )


def main() -> None:
    """Measure the named data sets, or all, and write ablation.json and ablation.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", nargs="*", metavar="DATASET")
    parser.add_argument(
        "--resume", action="store_true", help="keep finished trainings with the same settings"
    )
    given = parser.parse_args()
    params = load_params(ROOT / "params.yaml")
    names = given.datasets or DATASETS
    if wrong := [name for name in names if name not in params.datasets]:
        sys.exit(f"no such data set: {wrong[0]}; allowed: {', '.join(params.datasets)}")
    before: Figures = json.loads(RESULTS.read_text("utf-8"))["datasets"] if RESULTS.exists() else {}
    with padded_data() as make:
        folders = {name: make(name, params.datasets[name].model) for name in names}
        data = {name: read_data(name, folder, params) for name, folder in folders.items()}
        found = {name: _empty(one, params) for name, one in data.items()}
        for dataset, variant, seed in trainings(names):
            left_out = LEFT_OUT.get(variant)
            settings = fingerprint(dataset, params, left_out, seed)
            runs = found[dataset]["trained"].setdefault(variant, {})
            old = before.get(dataset, {}).get("trained", {}).get(variant, {}).get(str(seed))
            if given.resume and old and old["settings"] == settings:
                runs[str(seed)] = old
            else:
                start = time.perf_counter()
                run = train(data[dataset], params, left_out, seed)
                runs[str(seed)] = {"settings": settings, **run}
                seconds = time.perf_counter() - start
                print(f"{dataset}, {variant}, {seed}: {run}, {seconds:.0f} s", file=sys.stderr)
            results = {"machine": machine(), "datasets": {**before, **found}}
            RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
            RESULTS.with_suffix(".md").write_text(table(results), "utf-8")
    print(RESULTS.with_suffix(".md").read_text("utf-8"))


def _empty(data: Data, params: Params) -> Figures:
    return {
        "model": params.datasets[data.name].model,
        "rows": {name: len(rows.labels) for name, rows in data.splits.items()},
        "baseline": data.figures,
        "trained": {},
    }


if __name__ == "__main__":
    main()
