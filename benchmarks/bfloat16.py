"""Compare bfloat16 and float32 in the default LSTM: time of a training step, by text length.

`python benchmarks/bfloat16.py`. Both run in turn in one process, forward and backward, on one
thread. `trainer.precision: auto` depends on the results: run it on processors that bfloat16.md does
not list.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from fresh_run import machine, machine_line

from sentigate.settings.params import load_params

RESULTS = Path(__file__).with_suffix(".json")
LENGTHS = (25, 64, 200, 400)
ROUNDS = 7


def step(layer: torch.nn.LSTM, texts: torch.Tensor, bfloat16: bool) -> float:
    """Return the milliseconds of one forward and backward pass."""
    start = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        states = layer(texts)[0]
    states.float().sum().backward()
    return 1000 * (time.perf_counter() - start)


def measure(length: int) -> dict[str, Any]:
    """Return both medians and the ratio of each round; the first round is a warm-up."""
    preset = load_params(Path(__file__).parents[1] / "params.yaml").models["bilstm_from_scratch"]
    width, (size,) = preset.network.embedding_size, preset.network.hidden_sizes
    layer = torch.nn.LSTM(width, size, batch_first=True, bidirectional=True)
    texts = torch.randn(preset.training.batch_size, length, width)
    rounds = [(step(layer, texts, False), step(layer, texts, True)) for _ in range(ROUNDS + 1)][1:]
    return {
        "float32": statistics.median(single for single, _ in rounds),
        "bfloat16": statistics.median(half for _, half in rounds),
        "ratios": sorted(single / half for single, half in rounds),
    }


def table(results: dict[str, Any]) -> str:
    """Return the results as Markdown, with a table for each machine."""
    lines = []
    for box in results.values():
        lines += [
            "| tokens | float32 | bfloat16 | times as fast (rounds) |",
            "|---:|---:|---:|---:|",
        ]
        for length, found in box["lengths"].items():
            ratios = found["ratios"]
            lines.append(
                f"| {length} | {found['float32']:.1f} ms | {found['bfloat16']:.1f} ms "
                f"| **{statistics.median(ratios):.2f}** ({ratios[0]:.2f} – {ratios[-1]:.2f}) |"
            )
        lines += [
            "",
            f"{machine_line(box['machine'])}. Made by `python benchmarks/bfloat16.py`.",
            "",
        ]
    return "\n".join(lines)


def main() -> None:
    """Measure this machine; results of other machines stay."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    box = machine()
    lengths = {str(length): measure(length) for length in LENGTHS}
    results[box["cpu"]] = {"machine": box, "lengths": lengths}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    RESULTS.with_suffix(".md").write_text(table(results), "utf-8")


if __name__ == "__main__":
    main()
