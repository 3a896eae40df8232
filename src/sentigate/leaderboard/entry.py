"""Read an entry: the figures of one model on one data set, and a hash of all their inputs.

Entries are not DVC stages, because an entry holds times, which differ between two runs.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentigate import artifacts

if TYPE_CHECKING:
    from sentigate.settings.params import Params

SCRIPTS = (Path("pipeline/leaderboard_entry.py"), Path("pipeline/vocabulary.py"))
ROOMS = ("data", "evaluation", "language", "model", "sources", "tables", "training")
"""Rooms whose code makes an entry, together with ``SCRIPTS``."""


def entry_path(dataset: str, model: str) -> Path:
    """Return the path of an entry's file."""
    return Path(f"reports/leaderboard/{dataset}/{model}.json")


def failure_path(model: str) -> Path:
    """Return the path of the file with the reason why a model has no entry."""
    return artifacts.FAILED / "leaderboard" / f"{model}.txt"


def read_entry(path: Path, digest: str) -> dict[str, Any]:
    """Read an entry; return {} if the file is missing, damaged or made from other inputs."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    same = isinstance(content, dict) and content.get("inputs_sha256") == digest
    return content if same else {}


def inputs_sha256(params: Params, model: str) -> str:
    """Hash all inputs of a model's entry: texts, settings, code and libraries."""
    settings = {
        "dataset": params.dataset,
        "classes": params.chosen_dataset.classes.model_dump(mode="json"),
        "seed": params.seed,
        "model": params.models[model].model_dump(mode="json"),
        "trainer": params.trainer.model_dump(mode="json"),
        "evaluate": [params.evaluate.bootstrap_samples, params.evaluate.calibration_bins],
    }
    files = [artifacts.SPLIT_TEXTS.path, Path("libraries.json"), *SCRIPTS]
    if vectors := params.model_copy(update={"model": model}).chosen_vectors:
        named = {name: source.model_dump(mode="json") for name, source in vectors.items()}
        settings["vectors"] = named
        settings["cleaning"] = params.chosen_dataset.clean.steps.model_dump(mode="json")
        own = [Path(each.path) for each in vectors.values() if each.kind == "file"]
        files += [path for path in own if path.is_file()]
    if params.models[model].training.fused:
        files.append(artifacts.BASELINE_PREDICTIONS.path)
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    package = Path(__file__).parents[1]
    code = sorted(path for room in ROOMS for path in (package / room).rglob("*.py"))
    for path in (*files, *code):
        digest.update(path.read_bytes())
    return digest.hexdigest()
