"""Padded data of the real stages, for benchmarks that start where training does."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from running import clone_to, run

ARRAYS = ("ids", "lengths", "labels")


@contextmanager
def padded_data() -> Iterator[Callable[[str, str], Path]]:
    """Gives a function that runs ingest to pad in one clone of the last commit.

    The function takes a data set and a model of params.yaml, and gives a folder with train/,
    validation/ and test/, each as the pad stage writes it, vocabulary_size.json, and texts.json,
    the training texts in the order of their rows. The folders go when the block ends. A script
    makes all of its data before it measures anything, so that it ends at once where one cannot
    be had.
    """
    with tempfile.TemporaryDirectory() as temporary:
        clone = Path(temporary, "sentigate")
        clone_to(clone)

        def make(dataset: str, model: str) -> Path:
            folder = Path(temporary, f"{dataset}-{model}")
            if not folder.exists():
                print(f"padded data of {dataset} for {model}", file=sys.stderr)
                _run_stages(clone, dataset, model)
                _keep(clone, folder)
            return folder

        yield make


def _run_stages(clone: Path, dataset: str, model: str) -> None:
    params = clone / "params.yaml"
    values = yaml.safe_load(params.read_text("utf-8"))
    values |= {"dataset": dataset, "model": model}
    params.write_text(yaml.safe_dump(values, sort_keys=False), "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(clone / "src")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    command = [sys.executable, "-m", "dvc", "repro", "--quiet", "pad"]
    run(command, cwd=clone, env=environment, stdout=sys.stderr)


def _keep(clone: Path, folder: Path) -> None:
    for name in ("train", "validation", "test"):
        shutil.copytree(clone / "data/padded" / name, folder / name)
    tokenizer = json.loads((clone / "data/vocab/tokenizer.json").read_text("utf-8"))
    size = len(tokenizer["model"]["vocab"])
    (folder / "vocabulary_size.json").write_text(json.dumps(size), "utf-8")
    split = pd.read_parquet(clone / "data/split/texts.parquet", columns=["text", "split"])
    texts = split.loc[split["split"] == "train", "text"].tolist()
    (folder / "texts.json").write_text(json.dumps(texts), "utf-8")


def subset(folder: Path, rows: int, seed: int = 42) -> Path:
    """A folder beside ``folder`` with that many training rows drawn from it; no texts.json."""
    part = folder.with_name(f"{folder.name}-{rows}")
    shutil.copytree(folder / "validation", part / "validation")
    shutil.copy(folder / "vocabulary_size.json", part)
    (part / "train").mkdir()
    arrays = {name: np.load(folder / f"train/{name}.npy", mmap_mode="r") for name in ARRAYS}
    drawn = np.random.default_rng(seed).permutation(len(arrays["lengths"]))[:rows]
    for name, values in arrays.items():
        np.save(part / f"train/{name}.npy", values[np.sort(drawn)])
    return part
