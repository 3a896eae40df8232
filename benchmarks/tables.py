"""Measure how fast a large CSV file is read, against pandas and polars.

`python benchmarks/tables.py [MIB [ROUNDS]]`. The file has invented texts: words from a list, some
in quotes with commas, doubled quotes or line breaks, some beyond ASCII. It is made once, and read
in turn by each contender, each time in a process of its own. Polars is read by the Python of
`benchmarks/peers.txt`; without it, its rows are left out.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from measuring import PEERS_PYTHON, alternate, ratio, write_results
from running import ROOT, MeasurementError, run

MIB, ROUNDS, SEED = 1024, 3, 42
WORKER = Path(__file__).with_name("workers") / "read_table.py"
ASKED = 2.0
SMALL = 8
"""The file is so many times larger than the one that shows whether memory grows with the file."""
NAMES = {
    "ours": "ours, whole columns (as ingest)",
    "ours_in_chunks": "ours, in chunks (as prediction)",
    "pandas": "pandas, texts as they are",
    "pandas_guessing": "pandas, types guessed",
    "pandas_in_chunks": "pandas, texts as they are, in chunks",
    "polars": "polars, texts as they are",
}


class Row(NamedTuple):
    """A row of the made file."""

    number: int
    text: str
    stars: int

    def line(self) -> str:
        """Return the row as CSV."""
        text = self.text
        if any(mark in text for mark in ',"\n'):
            text = '"' + text.replace('"', '""') + '"'
        return f"{self.number},{text},{self.stars}\n"


def make_table(path: Path, size: int, seed: int = SEED) -> int:
    """Write a CSV file of at least ``size`` bytes, and return its number of rows."""
    rng = random.Random(seed)  # noqa: S311 (not for secrets)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(rng.choices(letters, k=rng.randint(1, 9))) for _ in range(20_000)]
    words += ["café", "“fine”", "naïve", "好", "🎬"]
    # A block of rows is made once and repeated with new numbers: random words take long.
    texts = []
    for _ in range(50_000):
        text = " ".join(rng.choices(words, k=rng.randint(3, 70)))
        mark = rng.random()
        text = text.replace(" ", ", ", 2) if mark < 0.4 else text
        text = f'{text}, "so" they say' if mark < 0.1 else text
        texts.append(text.replace(", ", ",\n", 1) if mark < 0.03 else text)
    number = done = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        done += file.write("id,text,stars\n")
        while done < size:
            for text in texts:
                line = Row(number, text, rng.randint(1, 5)).line()
                done += len(line.encode())
                file.write(line)
                number += 1
                if done >= size:
                    break
    return number


def read_once(python: str, contender: str, path: Path) -> dict[str, Any]:
    """Read the file in a new process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [python, str(WORKER), contender, str(path)]
    done = run(command, stdout=subprocess.PIPE, env=environment)
    figures: dict[str, Any] = json.loads(done.stdout)
    return {**figures, "rows_per_second": figures["rows"] / figures["seconds"]}


def measure(folder: Path, mib: int, rounds: int) -> None:
    """Make the file, measure, and write tables.json and tables.md."""
    path, small = folder / "large.csv", folder / "small.csv"
    rows = make_table(path, mib << 20)
    make_table(small, (mib << 20) // SMALL)
    pythons = {name: sys.executable for name in NAMES if name != "polars"}
    if PEERS_PYTHON.exists():
        pythons["polars"] = str(PEERS_PYTHON)
    contenders = {name: partial(read_once, python, name, path) for name, python in pythons.items()}
    measured = alternate(contenders, rounds)
    for name, figures in measured.items():
        if {each["rows"] for each in figures} != {rows}:
            raise MeasurementError(f"{name} read {figures[0]['rows']:,} of {rows:,} rows")
    speed = {name: [each["rows_per_second"] for each in measured[name]] for name in measured}
    first = read_once(sys.executable, "ours_in_chunks", small)["peak"]
    pairs = [("ours", "pandas", ASKED), ("ours", "pandas_guessing", ASKED)]
    pairs += [("ours_in_chunks", "pandas_in_chunks", ASKED)]
    pairs += [("ours", "polars", None)] if "polars" in measured else []
    ratios = [
        ratio(f"{NAMES[one]}; {NAMES[other]}", speed[one], speed[other], "rows/s", asked=asked)
        for one, other, asked in pairs
    ]
    lines = [
        "| reader | rows/s (lowest – highest) | MB/s | peak memory, MiB |",
        "|---|---:|---:|---:|",
    ]
    for name, figures in measured.items():
        middle = statistics.median(speed[name])
        peak = max(each["peak"] for each in figures) / 2**20
        lines.append(
            f"| {NAMES[name]} | {middle:,.0f} ({min(speed[name]):,.0f} – {max(speed[name]):,.0f}) "
            f"| {middle / rows * path.stat().st_size / 1e6:,.0f} | {peak:,.0f} |"
        )
    grown = statistics.median(each["peak"] for each in measured["ours_in_chunks"]) / first
    notes = [
        f"A CSV file of {path.stat().st_size / 1e6:,.0f} MB with {rows:,} rows of invented texts; "
        f"two of three columns are read. {rounds} rounds in turn, each in a new process whose "
        "start is not counted. Peak memory is that of the whole process.",
        "\n".join(lines),
        f"In chunks, a file {SMALL} times as large takes {grown:.2f} times the memory.",
    ]
    write_results(__file__, ratios, {"rows": rows, "grown": grown, "rounds": measured}, notes)
    print(Path(__file__).with_suffix(".md").read_text("utf-8"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        given = [int(number) for number in sys.argv[1:]]
        measure(Path(temporary), *(given + [MIB, ROUNDS][len(given) :]))
