"""A search for the default model's settings, by validation rows alone.

`python benchmarks/search.py [DATASET] [--trials N] [--seeds N]`. Optuna (Akiba et al. 2019) draws
settings with its tree-structured Parzen estimator (Bergstra et al. 2011); the first trial has those
of params.yaml. A training that after some epoch is worse than the median of the others ends there.
The study is kept in .cache/search: run again, the script goes on to as many trials, and what was
broken off is tried again as it was. The test split is deleted before anything is trained.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import optuna
from fingerprint import fingerprint
from fresh_run import machine, machine_line
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)
from optuna.trial import FrozenTrial, Trial, TrialState
from padded_data import padded_data
from running import ROOT, MeasurementError
from workers.presets import Changes, preset, train_preset

from sentigate.settings.params import load_params
from sentigate.training.fit import Epoch
from sentigate.training.hardware import resolve_hardware

RESULTS = Path(__file__).with_suffix(".json")
STUDIES = ROOT / ".cache/search"
MODEL = "bilstm"
SHOWN = 10
SPACE: dict[str, BaseDistribution] = {
    "training.learning_rate": FloatDistribution(2e-4, 5e-3, log=True),
    "training.batch_size": CategoricalDistribution([32, 64, 128]),
    "training.weight_decay": FloatDistribution(1e-3, 1.0, log=True),
    "training.average_decay": CategoricalDistribution([None, 0.98, 0.99, 0.995, 0.998]),
    # JSON, for a study holds no lists.
    "network.hidden_sizes": CategoricalDistribution(
        ["[64]", "[128]", "[192]", "[256]", "[128, 64]", "[128, 128]"]
    ),
    "network.word_dropout": FloatDistribution(0.0, 0.4),
    "network.embedding_dropout": FloatDistribution(0.0, 0.7),
    "network.head_dropout": FloatDistribution(0.0, 0.7),
    "ngrams.inverse_regularization": FloatDistribution(0.003, 0.3, log=True),
}
"""What is searched: key of the model -> values."""
DONE = (TrialState.COMPLETE, TrialState.PRUNED)

Objective = Callable[[Trial], float]


def changes_of(drawn: Mapping[str, Any]) -> Changes:
    """What a trial has drawn, as ``preset`` takes it."""
    return {
        key: json.loads(value) if key == "network.hidden_sizes" else value
        for key, value in drawn.items()
    }


def own_settings() -> dict[str, Any]:
    """The settings of params.yaml, as a trial draws them.

    Raises:
        MeasurementError: one is not among those that are searched.
    """
    entry = preset(MODEL).model_dump(mode="json")
    found = {}
    for key, values in SPACE.items():
        section, name = key.split(".")
        value = entry[section][name]
        value = json.dumps(value) if key == "network.hidden_sizes" else value
        if isinstance(values, CategoricalDistribution):
            inside = value in values.choices
        else:
            assert isinstance(values, FloatDistribution)
            inside = values.low <= value <= values.high
        if not inside:
            raise MeasurementError(f"{key} of {MODEL} is {value}, which SPACE does not hold")
        found[key] = value
    return found


def validation_loss(folder: Path, seed: int, seeds: int) -> Objective:
    """A function that trains a trial's model and gives the mean loss of the epochs that are kept.

    Args:
        folder: of padded_data.
        seed: the first seed of training.
        seeds: how many there are, one after the other; after each epoch a trial may be pruned.
    """
    params = load_params(ROOT / "params.yaml")

    def objective(trial: Trial) -> float:
        model = preset(MODEL, changes_of(trial.params))
        losses: list[float] = []
        accuracies: list[float] = []

        def on_epoch(row: Epoch) -> None:
            loss = row["validation_loss"]
            if not math.isfinite(loss):
                raise optuna.TrialPruned
            trial.report(loss, len(losses) * model.training.max_epochs + int(row["epoch"]))
            if trial.should_prune():
                raise optuna.TrialPruned

        for number in range(seeds):
            fitted = train_preset(
                model,
                folder,
                hardware=resolve_hardware(params.trainer, model.network),
                seed=seed + number,
                on_epoch=on_epoch,
            )
            kept = fitted.epochs.loc[fitted.epochs["kept"] == 1].iloc[0]
            losses.append(float(kept["validation_loss"]))
            accuracies.append(float(kept["validation_accuracy"]))
        trial.set_user_attr("validation_accuracy", mean(accuracies))
        return mean(losses)

    return objective


def run_study(
    storage: str, name: str, objective: Objective, trials: int, seed: int
) -> list[FrozenTrial]:
    """Go on with a study until it has that many trials, whole ones and pruned ones.

    Args:
        storage: of the study, as Optuna takes it.
        name: the study's.
        objective: what is to be small.
        trials: how many.
        seed: of the sampler. Each trial has a sampler of its own, whose seed is that and the number
            of trials before it, so that a study which was broken off draws what it would have.

    Returns:
        Those trials, in the order in which they were run.
    """
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1),
    )
    for broken_off in study.get_trials(states=[TrialState.RUNNING, TrialState.WAITING]):
        study.tell(broken_off.number, state=TrialState.FAIL)
    while (number := len(study.get_trials(states=DONE))) < trials:
        study.sampler = optuna.samplers.TPESampler(seed=seed + number)
        if not number:
            study.enqueue_trial(own_settings())
        trial = study.ask(SPACE)
        start = time.perf_counter()
        try:
            study.tell(trial, objective(trial))
        except optuna.TrialPruned:
            study.tell(trial, state=TrialState.PRUNED)
        told = study.trials[trial.number]
        print(
            f"  trial {number + 1} of {trials}, {time.perf_counter() - start:.0f} s: "
            + (f"{told.value:.4f}" if told.state == TrialState.COMPLETE else "pruned")
            + f", {json.dumps(told.params)}",
            file=sys.stderr,
        )
    return study.get_trials(states=DONE)[:trials]


def as_figures(trials: list[FrozenTrial]) -> list[dict[str, Any]]:
    """What the JSON file holds of each trial; loss and accuracy are None where it was pruned."""
    return [
        {
            "pruned": trial.state == TrialState.PRUNED,
            "reports": len(trial.intermediate_values),
            "validation_loss": None if trial.state == TrialState.PRUNED else trial.value,
            "validation_accuracy": trial.user_attrs.get("validation_accuracy"),
            "settings": dict(changes_of(trial.params)),
        }
        for trial in trials
    ]


def table(results: dict[str, Any]) -> str:
    """The best trials of each data set as Markdown."""
    names = [key.split(".")[1].replace("_", " ") for key in SPACE]
    lines = [
        "<!-- benchmarks/search.md, made by `python benchmarks/search.py` -->",
        f"| data, trial | validation log loss | accuracy | {' | '.join(names)} |",
        f"|---|---:|---:|{'---:|' * len(names)}",
    ]
    notes = []
    for dataset, found in results["datasets"].items():
        numbered = list(enumerate(found["trials"], 1))
        whole = [(number, trial) for number, trial in numbered if not trial["pruned"]]
        best = sorted(whole, key=lambda one: one[1]["validation_loss"])[:SHOWN]
        for number, trial in best:
            values = " | ".join(_value(value) for value in trial["settings"].values())
            own = " (params.yaml)" if number == 1 else ""
            lines.append(
                f"| {dataset}, {number}{own} | {trial['validation_loss']:.4f} "
                f"| {trial['validation_accuracy']:.4f} | {values} |"
            )
        notes.append(
            f"{dataset}: the best {len(best)} of {len(numbered)} trials, of which "
            f"{len(numbered) - len(whole)} were pruned; each is the mean of {found['seeds']} "
            "training(s)."
        )
    made = f"{machine_line(results['machine'])}. Made by `python benchmarks/search.py`."
    return "\n".join([*lines, "", " ".join(notes), "", made]) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "none" if value is None else f"{value:.3g}"


def forget_test(folder: Path) -> None:
    """Delete the test split, and the texts of all splits."""
    shutil.rmtree(folder / "test")
    (folder / "texts.parquet").unlink()


def main() -> None:
    """Search, and write search.json and search.md; other data sets' figures stay."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset", nargs="?", default="vader")
    parser.add_argument("--trials", type=int, default=40, help="all in all, earlier runs' included")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of a trial")
    given = parser.parse_args()
    params = load_params(ROOT / "params.yaml")
    if given.dataset not in params.datasets:
        sys.exit(f"no such data set: {given.dataset}; allowed: {', '.join(params.datasets)}")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    STUDIES.mkdir(parents=True, exist_ok=True)
    with padded_data() as make:
        folder = make(given.dataset, MODEL)
        forget_test(folder)
        hardware = resolve_hardware(params.trainer, preset(MODEL).network)
        settings = [preset(MODEL).model_dump(mode="json"), hardware._asdict(), given.seeds]
        trials = run_study(
            f"sqlite:///{STUDIES / given.dataset}.db",
            fingerprint(folder, settings),  # a study of other data or code is another
            validation_loss(folder, params.seed, given.seeds),
            given.trials,
            params.seed,
        )
    old = json.loads(RESULTS.read_text("utf-8"))["datasets"] if RESULTS.exists() else {}
    found = {"seeds": given.seeds, "trials": as_figures(trials)}
    results = {"machine": machine(), "datasets": {**old, given.dataset: found}}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    RESULTS.with_suffix(".md").write_text(table(results), "utf-8")
    print(RESULTS.with_suffix(".md").read_text("utf-8"))


if __name__ == "__main__":
    main()
