"""The names of a model's files, and the error for a damaged file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DESCRIPTION, TOKENIZER, NETWORK_WEIGHTS = "model.json", "tokenizer.json", "weights.safetensors"
NETWORK_FILES = (DESCRIPTION, TOKENIZER, NETWORK_WEIGHTS)
"""Every model has these files. A fused model has LINEAR_FILES too."""
LINEAR_DESCRIPTION, LINEAR_WEIGHTS = "linear.json", "linear.safetensors"
LINEAR_FILES = (LINEAR_DESCRIPTION, LINEAR_WEIGHTS)
LANGUAGE_MODEL = "language_model.safetensors"
"""Weights of the language model that the network started from, if any. Prediction does not need
them."""


class ModelFileError(ValueError):
    """A model's file is damaged, or another version of this code wrote it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} ({reason})")
        self.path, self.reason = path, reason


@contextmanager
def named(path: Path) -> Iterator[Path]:
    """Turn a library's error about the file's content into an error that names the file."""
    try:
        yield path
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # each library has its own errors; tokenizers raises Exception
        reason = " ".join(str(error).split())[:150] or type(error).__name__
        raise ModelFileError(path, reason) from None
