"""The names of a model's files, and the error of a damaged one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DESCRIPTION, TOKENIZER, NETWORK_WEIGHTS = "model.json", "tokenizer.json", "weights.safetensors"
NETWORK_FILES = (DESCRIPTION, TOKENIZER, NETWORK_WEIGHTS)
"""Every model has these. One whose answers are fused has LINEAR_FILES too."""
LINEAR_DESCRIPTION, LINEAR_WEIGHTS = "linear.json", "linear.safetensors"
LINEAR_FILES = (LINEAR_DESCRIPTION, LINEAR_WEIGHTS)
LANGUAGE_MODEL = "language_model.safetensors"
"""Weights from which the network started, if it started from a language model: no answer needs
them."""


class ModelFileError(ValueError):
    """A model's file is damaged, or another version wrote it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} ({reason})")
        self.path, self.reason = path, reason


@contextmanager
def named(path: Path) -> Iterator[Path]:
    """Name the file in whatever error a library raises over its content."""
    try:
        yield path
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # each format's library has its own; tokenizers a bare Exception
        reason = " ".join(str(error).split())[:150] or type(error).__name__
        raise ModelFileError(path, reason) from None
