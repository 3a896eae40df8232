"""Make padded data with the real stages, for benchmarks that start with training."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import yaml
from running import ROOT, clone_to, run
from workers.presets import Changes, changed

from sentigate import artifacts
from sentigate.data.stage_files import SPLITS
from sentigate.data.vocabulary import read_tokenizer
from sentigate.settings.yaml_file import read_yaml

ARRAYS = ("ids", "lengths", "labels")
CACHES = ("archives", "vectors")
"""Folders of .cache that clones share: downloads, and computed vectors."""


class Make(Protocol):
    """Run the stages from ingest to pad for a data set and a model of params.yaml."""

    def __call__(self, dataset: str, model: str, changes: Changes | None = None, /) -> Path:
        """Return the folder; ``changes`` apply to the model."""


@contextmanager
def padded_data() -> Iterator[Make]:
    """Yield a function that runs the stages from ingest to pad in one clone of the last commit.

    The function returns a folder with train/, validation/ and test/ from the pad stage,
    tokenizer.json and vectors.safetensors from the vocab stage, texts.parquet from the split stage,
    vocabulary_size.json, and texts.json, the training texts in the order of their rows. The folders
    are deleted when the block ends. A script makes all of its data before it measures, so a missing
    data set stops it at once.
    """
    with tempfile.TemporaryDirectory() as temporary:
        clone = Path(temporary, "sentigate")
        clone_to(clone)
        _share_caches(clone)
        params = read_yaml(clone / "params.yaml")

        def make(dataset: str, model: str, changes: Changes | None = None, /) -> Path:
            digest = hashlib.sha256(json.dumps(changes or {}, sort_keys=True).encode()).hexdigest()
            folder = Path(temporary, f"{dataset}-{model}-{digest[:8]}")
            if not folder.exists():
                with_changes = f", {json.dumps(changes)}" if changes else ""
                print(f"padded data of {dataset} for {model}{with_changes}", file=sys.stderr)
                entry = changed(params["models"][model], changes or {})
                chosen = {"dataset": dataset, "model": model}
                _run_stages(
                    clone, {**params, **chosen, "models": {**params["models"], model: entry}}
                )
                _keep(clone, folder)
            return folder

        yield make


def _share_caches(clone: Path) -> None:
    (clone / ".cache").mkdir()
    for name in CACHES:
        (ROOT / ".cache" / name).mkdir(parents=True, exist_ok=True)
        (clone / ".cache" / name).symlink_to(ROOT / ".cache" / name)


def _run_stages(clone: Path, params: dict[str, Any]) -> None:
    (clone / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(clone / "src")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    command = [sys.executable, "-m", "dvc", "repro", "--quiet", "pad"]
    run(command, cwd=clone, env=environment, stdout=sys.stderr)


def _keep(clone: Path, folder: Path) -> None:
    for name in SPLITS:
        shutil.copytree(clone / artifacts.PADDED / name, folder / name)
    for path in (artifacts.VOCAB_TOKENIZER, artifacts.WORD_VECTORS, artifacts.SPLIT_TEXTS.path):
        shutil.copy(clone / path, folder)
    size = read_tokenizer(folder / "tokenizer.json").get_vocab_size()
    (folder / "vocabulary_size.json").write_text(json.dumps(size), "utf-8")
    split = pd.read_parquet(clone / artifacts.SPLIT_TEXTS.path, columns=["text", "split"])
    texts = split.loc[split["split"] == "train", "text"].tolist()
    (folder / "texts.json").write_text(json.dumps(texts), "utf-8")


def subset(folder: Path, rows: int, seed: int = 42) -> Path:
    """Copy a random sample of training rows, without texts, to a folder beside ``folder``."""
    part = folder.with_name(f"{folder.name}-{rows}")
    shutil.copytree(folder / "validation", part / "validation")
    for name in ("vocabulary_size.json", "tokenizer.json", "vectors.safetensors"):
        shutil.copy(folder / name, part)
    (part / "train").mkdir()
    arrays = {name: np.load(folder / f"train/{name}.npy", mmap_mode="r") for name in ARRAYS}
    drawn = np.random.default_rng(seed).permutation(len(arrays["lengths"]))[:rows]
    for name, values in arrays.items():
        np.save(part / f"train/{name}.npy", values[np.sort(drawn)])
    rows_of = pd.read_parquet(folder / "train/rows.parquet").iloc[np.sort(drawn)]
    rows_of.to_parquet(part / "train/rows.parquet", index=False)
    return part
