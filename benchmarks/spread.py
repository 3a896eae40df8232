"""Measure how test accuracy varies with the training seed and the processor's instructions.

`python benchmarks/spread.py [DATASET ...]`. One model is trained with several seeds on one split,
with each instruction set of this processor; this simulates other processors. Figures of other data
sets stay. These figures choose nothing.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from fresh_run import machine, machine_line
from padded_data import padded_data

RESULTS = Path(__file__).with_suffix(".json")
MODEL = "bilstm_from_scratch"  # a network without word vectors and linear model
DATASETS = ("vader", "twitter")
SEEDS = (42, 43, 44)
# The instructions that the processor needs, those that torch and oneDNN may use, and the precision.
SETS = {
    "AVX2, float32": ("avx2", "avx2", "AVX2", "32-true"),
    "AVX-512, float32": ("avx512_f", "avx512", "AVX512_CORE", "32-true"),
    "AVX-512, bfloat16": ("avx512_bf16", "avx512", "AVX512_CORE_BF16", "bf16-mixed"),
    "AMX, bfloat16": ("amx_bf16", "avx512", "AVX512_CORE_AMX", "bf16-mixed"),
}


def train(folder: Path, name: str, precision: str, seed: int) -> dict[str, float]:
    """Train a model of params.yaml, and return its accuracy on validation and test rows."""
    from workers.presets import preset, train_preset

    from sentigate.model.answers import predicted_labels, probabilities
    from sentigate.model.network.batches import load_split
    from sentigate.model.network.network import Network
    from sentigate.model.predictor import network_logits
    from sentigate.training.hardware import Hardware

    model, hardware = preset(name), Hardware("cpu", 1, precision)
    trained = train_preset(model, folder, hardware=hardware, seed=seed)
    size = json.loads((folder / "vocabulary_size.json").read_text("utf-8"))
    network = Network.from_weights(model.network, size, trained.classifier.weights)
    splits = {name: load_split(folder / name) for name in ("validation", "test")}
    answers = {name: probabilities(network_logits(network, s)) for name, s in splits.items()}
    return {
        name: float((predicted_labels(answers[name]) == split.labels).mean())
        for name, split in splits.items()
    }


def measured(folder: Path, model: str, name: str, seed: int) -> dict[str, float]:
    """Run ``train`` in a new process, because only a new process can change its instruction set."""
    _, aten, onednn, precision = SETS[name]
    done = subprocess.run(
        [sys.executable, __file__, "--one", str(folder), model, precision, str(seed)],
        env={**os.environ, "ATEN_CPU_CAPABILITY": aten, "ONEDNN_MAX_CPU_ISA": onednn},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def table(results: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    lines = [
        "| data, model | instructions, precision | seeds | mean test accuracy "
        "| lowest to highest |",
        "|---|---|---|---|---|",
    ]
    for dataset, result in results["datasets"].items():
        for name, runs in result["sets"].items():
            found = [run["test"] for run in runs.values()]
            mean, ends = statistics.mean(found), f"{min(found):.4f} – {max(found):.4f}"
            seeds = ", ".join(runs)
            model = f"{dataset}, `{result['model']}`"
            lines.append(f"| {model} | {name} | {seeds} | {mean:.4f} | {ends} |")
    lines += [
        "",
        "Test accuracy, one split, seeds of training. "
        f"{machine_line(results['machine'])}. Made by `python benchmarks/spread.py`.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure the named data sets, or all, and write spread.json and spread.md."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(train(Path(sys.argv[2]), *sys.argv[3:5], int(sys.argv[5]))))
        return
    has = torch.cpu.get_capabilities()
    before = json.loads(RESULTS.read_text("utf-8"))["datasets"] if RESULTS.exists() else {}
    results: dict[str, Any] = {"machine": machine(), "datasets": before}
    with padded_data() as make:
        folders = {name: make(name, MODEL) for name in sys.argv[1:] or DATASETS}
        for dataset, folder in folders.items():
            sets: dict[str, dict[str, dict[str, float]]] = {}
            for name in (name for name, (needed, *_) in SETS.items() if has.get(needed)):
                runs = sets.setdefault(name, {})
                for seed in SEEDS:
                    runs[str(seed)] = measured(folder, MODEL, name, seed)
                    print(f"{dataset}, {name}, seed {seed}: {runs[str(seed)]}", file=sys.stderr)
            results["datasets"][dataset] = {"model": MODEL, "sets": sets}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    RESULTS.with_suffix(".md").write_text(table(results), "utf-8")


if __name__ == "__main__":
    main()
