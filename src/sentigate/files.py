"""Files: written whole or not at all, told apart by their hash, and made from templates."""

from __future__ import annotations

import errno
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def written_whole(target: Path) -> Iterator[IO[bytes]]:
    """Give a file beside ``target``, which replaces it when the block ends and goes if it fails.

    Folders that are missing are made. Of a process that is killed the file beside may stay.

    Raises:
        OSError: the file cannot be written, or ``target`` exists and is not a file.
    """
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "it is there, and not a file", str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:  # not mkstemp, whose files nobody else may read
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def templates() -> Environment:
    """The package's HTML templates, by their path in it: values are escaped, missing ones raise."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("sentigate", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
