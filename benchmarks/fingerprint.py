"""A hash of all that a training rests on, by which finished ones are found again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from running import ROOT

CODE = (
    "src/sentigate/model",
    "src/sentigate/training",
    "src/sentigate/evaluation/baseline.py",
    "src/sentigate/evaluation/linear_fit.py",
    "src/sentigate/evaluation/ngram_counts.py",
    "benchmarks/workers/presets.py",
)


def fingerprint(folder: Path, settings: Any) -> str:
    """The SHA-256 of a folder's files, the code that trains from them, libraries and settings.

    Args:
        folder: of padded_data.
        settings: what else counts, as JSON can hold it.
    """
    code = (ROOT / part for part in CODE)
    files = [path for part in code for path in ([part] if part.is_file() else part.rglob("*.py"))]
    data = [path for path in folder.rglob("*") if path.is_file()]
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for path in (ROOT / "libraries.json", *sorted(files), *sorted(data)):
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
