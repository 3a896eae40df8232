"""Files: written whole or not at all, told apart by their hash, and made from templates."""

from __future__ import annotations

import errno
import hashlib
import os
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
    """A file that becomes ``target`` when the block ends, and vanishes when it fails.

    Folders that are missing are made. On Linux the file has no name before the block ends, so that
    a process that is killed leaves nothing of it; where the file system cannot do so, it has one.

    Raises:
        OSError: it cannot be written, or ``target`` is there and no file.
    """
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "it is there, and not a file", str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        # Not mkstemp, whose files nobody else may read.
        unnamed = _unnamed(target.parent)
        with unnamed or part.open("xb") as file:
            yield file
            if unnamed:
                # A folder's descriptor, or else Python would link the link.
                os.link(f"/proc/self/fd/{file.fileno()}", part, src_dir_fd=file.fileno())
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


def _unnamed(folder: Path) -> IO[bytes] | None:
    """A file without a name in ``folder``; None where there can be none."""
    try:
        return os.fdopen(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666), "w+b")
    except (AttributeError, OSError):
        return None
