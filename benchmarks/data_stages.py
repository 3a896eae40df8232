"""Measure the stages from ingest to pad on the real tweets, and on up to two million made ones.

Each stage runs in its own process, `python -m pipeline.<stage>`, in a clone of the last commit. The
seconds include the start of the process; the operating system counts its memory.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from measuring import alternate, ratio, write_results
from running import ROOT, clone_to, failure, run

from sentigate.artifacts import STAGES
from sentigate.settings.entry_files import entry_file
from sentigate.settings.yaml_file import read_yaml

DATA_STAGES = STAGES[: STAGES.index("pad") + 1]
# With so few rows, the time of a stage is almost only its start.
START_ROWS = 5_000
ROWS = (START_ROWS, 500_000, 2_000_000)
TWITTER_ROWS = 74_682  # in the training file; ingest also reads 1,000 of the validation file
SEED = 42
ROUNDS = 1
GIB = 2**30
LIMIT = 3 * GIB

Figures = dict[str, Any]


def choose(clone: Path, made: Path | None) -> None:
    """Set the data set of the clone: the made table, or Twitter's if it is None."""
    params = read_yaml(clone / "params.yaml")
    _write(clone / "params.yaml", params | {"dataset": "twitter" if made is None else "csv"})
    own, twitter = (read_yaml(clone / entry_file(name)) for name in ("csv", "twitter"))
    own["source"] |= {f"{name}_column": name for name in ("id", "group", "slice", "sentiment")}
    own["source"]["path"] = str(made)
    own |= {key: twitter[key] for key in ("classes", "labels", "clean", "split")}
    own["clean"] = {key: value for key, value in own["clean"].items() if key != "folds"}
    _write(clone / entry_file("csv"), own)


def _write(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(values, sort_keys=False), "utf-8")


def run_stages(clone: Path, made: Path | None, count: bool = False) -> Figures:
    """Run the five stages.

    Returns:
        Stage -> wall and cpu (seconds), peak (bytes), and with ``count`` objects (largest number
        before and in the gate).
    """
    choose(clone, made)
    figures: Figures = {}
    environment = {**os.environ, "PYTHONPATH": str(clone / "src")}
    for stage in DATA_STAGES:
        module = f"pipeline.{stage}"
        counting = str(Path(__file__).with_name("counting_objects.py"))
        command = [sys.executable, *([counting] if count else ["-m"]), module]
        with tempfile.TemporaryFile("w+") as output:
            start = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=clone, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            printed = output.read()
        if process.returncode:
            raise failure(command, process.returncode, printed)
        figures[stage] = {
            "wall": round(wall, 2),
            "cpu": round(usage.ru_utime + usage.ru_stime, 2),
            "peak": usage.ru_maxrss * 1024,
        }
        if count:
            figures[stage]["objects"] = [int(number) for number in printed.split()[-2:]]
    return figures


def seconds(rounds: list[Figures], kind: str = "wall") -> list[float]:
    """Return the total seconds of all stages, for each round."""
    return [sum(stage[kind] for stage in figures.values()) for figures in rounds]


def medians(rounds: list[Figures]) -> Figures:
    """Return the median figures of each stage over the rounds."""
    return {
        stage: {
            key: statistics.median(figures[stage][key] for figures in rounds)
            for key in rounds[0][stage]
        }
        for stage in DATA_STAGES
    }


def table(by_rows: Mapping[int, Figures], objects: Mapping[str, float]) -> str:
    """Return a table: seconds of each stage by rows, and CPU, memory and objects for most rows."""
    few, *others = by_rows
    most = by_rows[others[-1]]
    lines = [
        "| stage | start, s | "
        + " | ".join(f"{rows:,} rows, s" for rows in others)
        + " | CPU, s | peak, MiB | Python objects a row |",
        "|---|" + "---:|" * (len(others) + 4),
    ]
    for stage in DATA_STAGES:
        cells = [f"{by_rows[rows][stage]['wall']:.1f}" for rows in (few, *others)]
        cells += [f"{most[stage]['cpu']:.1f}", f"{most[stage]['peak'] / 2**20:,.0f}"]
        lines.append(f"| {stage} | {' | '.join(cells)} | {objects[stage]:.3f} |")
    return "\n".join(lines)


def measure(clone: Path, folder: Path, rounds: int) -> None:
    """Make the tables, run the stages on each, and write the results."""
    made = {rows: folder / f"{rows}.csv" for rows in ROWS}
    for rows, path in made.items():
        maker = Path(__file__).with_name("many_tweets.py")
        # In a new process, because the peak of a stage is at least that of its parent process.
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        run([sys.executable, str(maker), str(path), str(rows), str(SEED)], env=environment)
    archives = ROOT / ".cache/archives"
    if archives.exists():  # without a mirror, the maker has put Twitter's archive there
        shutil.copytree(archives, clone / ".cache/archives")
    runs = {str(TWITTER_ROWS): partial(run_stages, clone, None)}
    runs |= {str(rows): partial(run_stages, clone, path) for rows, path in made.items()}
    measured = {int(rows): figures for rows, figures in alternate(runs, rounds).items()}
    by_rows = {rows: medians(measured[rows]) for rows in sorted(measured)}
    few, middle, most = ROWS
    start = seconds(measured[few], "cpu")
    speed = {rows: [rows / each for each in seconds(measured[rows])] for rows in measured}
    bare = {
        rows: [
            (rows - few) / (each - idle)
            for each, idle in zip(seconds(measured[rows], "cpu"), start, strict=True)
        ]
        for rows in (middle, most)
    }
    peaks = [max(stage["peak"] for stage in figures.values()) / GIB for figures in measured[most]]
    ratios = [
        ratio(f"{most:,} rows against {middle:,}", speed[most], speed[middle], "rows/s", asked=1),
        ratio(
            f"{most:,} rows against Twitter's {TWITTER_ROWS:,}",
            speed[most],
            speed[TWITTER_ROWS],
            "rows/s",
            asked=1,
        ),
        ratio(
            f"{most:,} rows against {middle:,}, start taken off, by CPU seconds",
            bare[most],
            bare[middle],
            "rows/CPU s",
        ),
        ratio(
            f"largest peak of a stage on {most:,} rows, against 3 GiB",
            peaks,
            [LIMIT / GIB] * rounds,
            "GiB",
            asked=1,
            lower_is_better=True,
        ),
    ]
    write_results(__file__, ratios, {"rounds": measured})
    counts = {rows: run_stages(clone, made[rows], count=True) for rows in (few, most)}
    objects = {
        stage: max(
            (many - none) / (most - few)
            for many, none in zip(
                counts[most][stage]["objects"], counts[few][stage]["objects"], strict=True
            )
        )
        for stage in DATA_STAGES
    }
    notes = [
        "Ingest to pad: rows of the file by seconds of all five stages, process start included; "
        f"with the start taken off, by CPU seconds less those that {few:,} rows take.",
        table(by_rows, objects),
        f"CPU, peak and objects are of {most:,} rows; those without a label end in clean. "
        f"Python objects: how many more a stage holds at its most than with {few:,} rows, for each "
        "row more. All labelled texts as str would be 0.4 in vocab and at least 0.55 elsewhere.",
    ]
    write_results(__file__, ratios, {"rounds": measured, "objects": counts}, notes)
    print(Path(__file__).with_suffix(".md").read_text("utf-8"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        target = Path(temporary, "sentigate")
        clone_to(target)
        measure(target, Path(temporary), int(sys.argv[1]) if sys.argv[1:] else ROUNDS)
