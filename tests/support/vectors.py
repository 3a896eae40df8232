"""A small wheel of word vectors."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sentigate.files import sha256_of


def put_small_vectors(folder: Path, words: Sequence[str], values: np.ndarray) -> dict[str, str]:
    """Write a wheel of word vectors to a folder, and return its entry for ``vectors:``."""
    path = folder / "small_vectors-1.0-py3-none-any.whl"
    index, numbers = io.BytesIO(), io.BytesIO()
    pd.DataFrame({"index": pd.Series(list(words), dtype="str")}).to_parquet(index)
    np.save(numbers, values.astype(np.float32))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("small/words.parquet", index.getvalue())
        archive.writestr("small/vectors.npy", numbers.getvalue())
    return {
        "kind": "pip",
        "package": "small-vectors",
        "version": "1.0",
        "sha256": sha256_of(path),
        "vectors": "small/vectors.npy",
        "words": "small/words.parquet",
    }
