"""Three seeds of each data set's own model, beside the linear models, and what each part adds.

`python benchmarks/ablation.py [DATASET ...] [--resume]`, all together about two hours. The model is
also trained without its n-gram part, and on vader without one part after the other. The split is
always that of params.yaml's seed; the seeds are those of training. Figures of data sets that are
not named stay. Trainings that are finished are kept, and with --resume those of the same data,
settings and code are not run again. Nothing is chosen by these figures.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from fingerprint import fingerprint
from fresh_run import machine, machine_line
from padded_data import Make, padded_data
from running import ROOT, MeasurementError
from sentigate.training.ngrams import fit_ngrams
from sentigate.training.temperature import fit_temperature
from workers.presets import Changes, fold_groups, preset, read_entries, train_preset

from sentigate.data.stage_files import read_table
from sentigate.evaluation.baseline import probability, strongest
from sentigate.evaluation.difference import SMALLEST_P, accuracy_difference
from sentigate.evaluation.linear_fit import TrainingTexts
from sentigate.evaluation.ngram_counts import encode
from sentigate.files import written_whole
from sentigate.model.labels import log_losses, predicted_labels
from sentigate.model.network.batches import EncodedSplit, load_split
from sentigate.model.network.network import Network
from sentigate.model.predictor import predict
from sentigate.settings.model import ModelPreset
from sentigate.settings.params import Params, load_params
from sentigate.training.hardware import resolve_hardware

RESULTS = Path(__file__).with_suffix(".json")
KEPT = ROOT / ".cache/ablation"
DATASETS = ("vader", "twitter", "twitter_random", "imdb")
SEEDS = (42, 43, 44)
JUDGED = ("validation", "test")


class Variant(NamedTuple):
    """A model that is trained with every seed."""

    model: str
    changes: Changes


DEFAULT = "the default"
EVERYWHERE: dict[str, Changes] = {DEFAULT: {}, "without the n-gram part": {"ngrams": None}}
PARTS: dict[str, Changes] = {
    "without word vectors": {
        "vocab.level": "word",
        "vocab.vectors": [],
        "vocab.outside_words": 0,
        "network.embedding_size": 128,
    },
    "without averaged weights": {"training.average_decay": None},
    "without word dropout": {"network.word_dropout": 0.0},
    "with one layer": {"network.hidden_sizes": [128]},
}
OTHERS = ("bilstm_from_scratch",)
OF_ALL_PARTS = ("vader",)
"""Data sets on which the default is trained without each part, and beside other models."""
NGRAMS, BASELINE = "the n-gram part alone", "the strongest linear baseline"

Floats = npt.NDArray[np.floating[Any]]
Answers = dict[str, Floats]
"""P(positive) of every row of validation and test; of a network also ``epochs``, ()."""


def variants_of(dataset: str, params: Params) -> dict[str, Variant]:
    """What is trained on a data set, by name; the first is its own model."""
    own = params.datasets[dataset].model
    changes = EVERYWHERE | (PARTS if dataset in OF_ALL_PARTS else {})
    found = {name: Variant(own, changed) for name, changed in changes.items()}
    others = OTHERS if dataset in OF_ALL_PARTS else ()
    return found | {f"`{name}`": Variant(name, {}) for name in others}


def data_of(dataset: str, variants: Mapping[str, Variant], make: Make) -> dict[str, Path]:
    """The folder of each variant; those of one vocabulary share it."""
    return {
        name: make(dataset, model, {k: v for k, v in changes.items() if k.startswith("vocab.")})
        for name, (model, changes) in variants.items()
    }


def network_answers(model: ModelPreset, folder: Path, params: Params, seed: int) -> Answers:
    """Train, and judge validation and test rows."""
    hardware = resolve_hardware(params.trainer, model.network)
    fitted = train_preset(model, folder, hardware=hardware, seed=seed)
    losses = fitted.epochs[["train_loss", "validation_loss"]].to_numpy()
    if not np.isfinite(losses).all():
        raise MeasurementError(f"training with seed {seed} diverged")
    network = Network.from_weights(model.network, len(read_entries(folder).tokens), fitted.weights)
    answers: Answers = {name: predict(network, load_split(folder / name)) for name in JUDGED}
    return {**answers, "epochs": np.array(float(len(fitted.epochs)))}


def ngram_answers(model: ModelPreset, folder: Path, seed: int) -> Answers:
    """The n-gram part without a network, at a temperature fitted on validation as a network's is.

    It is fitted on all training rows, so that the seed, which deals its folds, has no say.
    """
    assert model.ngrams
    tokens = read_entries(folder).tokens
    train = load_split(folder / "train")
    part = fit_ngrams(train, fold_groups(folder), tokens, model.ngrams, seed=seed).part

    def judge(split: EncodedSplit) -> Floats:
        ids, lengths = (torch.from_numpy(a.astype(np.int64)) for a in (split.ids, split.lengths))
        logits: Floats = part(ids, lengths).numpy()
        return logits

    splits = {name: load_split(folder / name) for name in JUDGED}
    logits = {name: judge(split) for name, split in splits.items()}
    temperature = fit_temperature(logits["validation"], splits["validation"].labels)
    return {name: 1 / (1 + np.exp(-values / temperature)) for name, values in logits.items()}


def baseline_answers(folder: Path, params: Params) -> Answers:
    """What the baseline stage says of both splits."""
    table = read_table(folder / "texts.parquet", ["text", "label", "split"])
    parts = {name: table.loc[table["split"] == name] for name in ("train", *JUDGED)}
    texts = {name: part["text"].tolist() for name, part in parts.items()}
    labels = {name: part["label"].to_numpy() for name, part in parts.items()}
    training = TrainingTexts(texts["train"], labels["train"])
    tokens = {name: encode(training.tokenizer, texts[name]) for name in JUDGED}
    best = strongest(
        training,
        tokens["validation"],
        labels["validation"],
        params.baseline.candidates,
        params.seed,
    )
    print(f"  {best.description}", file=sys.stderr)
    return {name: probability(best.model.logits(*tokens[name])) for name in JUDGED}


def kept(name: str, resume: bool, make: Callable[[], Answers]) -> Answers:
    """What ``make`` gives, from ``KEPT`` if it is there and ``resume``."""
    path = KEPT / f"{name}.npz"
    if resume and path.is_file():
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    answers = make()
    with written_whole(path) as file:
        np.savez(file, allow_pickle=False, **answers)
    return answers


def figures(answers: Answers, labels: Mapping[str, npt.NDArray[Any]]) -> dict[str, float]:
    """Accuracy and log loss on both splits, and epochs where there are any."""
    found = {}
    for name in JUDGED:
        right = predicted_labels(answers[name]) == labels[name]
        found[f"{name}_accuracy"] = round(float(right.mean()), 6)
        found[f"{name}_log_loss"] = round(float(log_losses(labels[name], answers[name]).mean()), 6)
    return found | ({"epochs": int(answers["epochs"])} if "epochs" in answers else {})


def measure(
    variants: Mapping[str, Variant], folders: Mapping[str, Path], params: Params, resume: bool
) -> dict[str, Any]:
    """All trainings on one data set.

    Returns:
        model (the default's name), rows (of each split), trained (variant -> seed -> figures),
        fitted (what no seed moves -> figures) and difference (seed -> the default against the
        baseline on test rows).
    """
    default = folders[DEFAULT]
    labels = {name: np.asarray(load_split(default / name).labels) for name in JUDGED}
    trained: dict[str, dict[str, dict[str, float]]] = {name: {} for name in variants}
    of_default: dict[str, Floats] = {}

    def one(what: str, folder: Path, settings: Any, make: Callable[[], Answers]) -> Answers:
        start = time.perf_counter()
        answers = kept(fingerprint(folder, settings), resume, make)
        seconds = time.perf_counter() - start
        print(f"  {what}: {figures(answers, labels)}, {seconds:.0f} s", file=sys.stderr)
        return answers

    candidates = {k: v.model_dump(mode="json") for k, v in params.baseline.candidates.items()}
    baseline = one(
        BASELINE,
        default,
        ["baseline", candidates, params.seed],
        lambda: baseline_answers(default, params),
    )
    model = preset(variants[DEFAULT].model)
    settings = ["ngrams", model.model_dump(mode="json"), params.seed]
    ngrams = one(NGRAMS, default, settings, lambda: ngram_answers(model, default, params.seed))
    for seed in SEEDS:
        for name, (entry, changes) in variants.items():
            variant, folder = preset(entry, changes), folders[name]
            hardware = resolve_hardware(params.trainer, variant.network)
            answers = one(
                f"{name}, seed {seed}",
                folder,
                ["network", variant.model_dump(mode="json"), hardware._asdict(), seed],
                lambda v=variant, f=folder, s=seed: network_answers(v, f, params, s),
            )
            trained[name][str(seed)] = figures(answers, labels)
            if name == DEFAULT:
                of_default[str(seed)] = answers["test"]
    return {
        "model": variants[DEFAULT].model,
        "rows": {name: len(rows) for name, rows in labels.items()},
        "trained": trained,
        "fitted": {NGRAMS: figures(ngrams, labels), BASELINE: figures(baseline, labels)},
        "difference": {
            seed: accuracy_difference(
                labels["test"],
                probabilities,
                baseline["test"],
                samples=params.evaluate.bootstrap_samples,
                seed=params.seed,
            )
            for seed, probabilities in of_default.items()
        },
    }


def table(results: dict[str, Any]) -> str:
    """The results as Markdown: a row for each model, then a row for each seed of the default."""
    lines = [
        "<!-- benchmarks/ablation.md, made by `python benchmarks/ablation.py` -->",
        "| data | model | validation accuracy | validation log loss | test accuracy |",
        "|---|---|---|---|---|",
    ]
    for dataset, found in results["datasets"].items():
        runs = {name: list(by_seed.values()) for name, by_seed in found["trained"].items()}
        runs |= {name: [of] for name, of in found["fitted"].items()}
        for name, several in runs.items():
            cells = (
                _spread([run["validation_accuracy"] for run in several]),
                _spread([run["validation_log_loss"] for run in several]),
                _spread([run["test_accuracy"] for run in several]),
            )
            shown = f"**`{found['model']}`**, the default" if name == DEFAULT else name
            lines.append(f"| {dataset} | {shown} | {' | '.join(cells)} |")
    lines += [
        "",
        "| data, seed | default, test | linear baseline | difference in points (95 % interval) "
        "| only one is right: default, baseline | McNemar's p |",
        "|---|---|---|---|---|---|",
    ]
    for dataset, found in results["datasets"].items():
        baseline = found["fitted"][BASELINE]["test_accuracy"]
        for seed, gap in found["difference"].items():
            low, high = (_points(gap[f"accuracy_{end}"]) for end in ("low", "high"))
            p = gap["p_value"]
            cells = (
                f"{dataset}, {seed}",
                f"{found['trained'][DEFAULT][seed]['test_accuracy']:.4f}",
                f"{baseline:.4f}",
                f"**{_points(gap['accuracy'])}** ({low} to {high})",
                f"{gap['only_network_right']}, {gap['only_baseline_right']}",
                f"< {SMALLEST_P:g}" if p < SMALLEST_P else f"{p:.2g}",
            )
            lines.append(f"| {' | '.join(cells)} |")
    rows = "; ".join(
        f"{dataset} {found['rows']['validation']:,} and {found['rows']['test']:,}"
        for dataset, found in results["datasets"].items()
    )
    lines += [
        "",
        f"Means, and the lowest and the highest, of training with seeds "
        f"{', '.join(map(str, SEEDS))} on one split; what has one figure has no seed. A model "
        "without a part has all other settings of the default, which nobody tuned for it. A "
        "network's temperature, and that of the n-gram part alone, is fitted on validation rows. "
        f"Validation and test rows: {rows}. {machine_line(results['machine'])}. "
        "Made by `python benchmarks/ablation.py`.",
    ]
    return "\n".join(lines) + "\n"


def _spread(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.4f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.4f} – {max(values):.4f})"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "−")


def main() -> None:
    """Measure the data sets named, or all, and write ablation.json and ablation.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", nargs="*", metavar="DATASET")
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    params = load_params(ROOT / "params.yaml")
    names = given.datasets or DATASETS
    if wrong := [name for name in names if name not in params.datasets]:
        sys.exit(f"no such data set: {wrong[0]}; allowed: {', '.join(params.datasets)}")
    with padded_data() as make:
        variants = {name: variants_of(name, params) for name in names}
        data = {name: data_of(name, variants[name], make) for name in names}
        for name, folders in data.items():
            print(name, file=sys.stderr)
            found = measure(variants[name], folders, params, given.resume)
            old = json.loads(RESULTS.read_text("utf-8"))["datasets"] if RESULTS.exists() else {}
            results = {"machine": machine(), "datasets": {**old, name: found}}
            RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
            RESULTS.with_suffix(".md").write_text(table(results), "utf-8")
    print(RESULTS.with_suffix(".md").read_text("utf-8"))


if __name__ == "__main__":
    main()
