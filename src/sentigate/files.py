"""Write files atomically, hash them, and load the HTML templates."""

from __future__ import annotations

import errno
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def written_whole(target: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that replaces ``target`` when the block ends without an error.

    The temporary file is in the folder of ``target``, which is created if it is missing. After an
    error the temporary file is removed; if the process is killed, it may remain.

    Raises:
        OSError: the file cannot be written, or ``target`` exists and is not a file.
    """
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "the path exists, but is not a file", str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:  # not mkstemp: other users could not read its files
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@cache
def templates() -> Environment:
    """Return the environment of the package's HTML templates, named by their path in the package.

    All pages share it, and add their filters; it keeps compiled templates.

    Values are escaped. A value that a template needs and does not get raises an UndefinedError.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("sentigate", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
