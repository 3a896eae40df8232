"""Find or download the user's file, from a path or URL."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from sentigate.errors import SourceError, shorten
from sentigate.files import sha256_of

from .download import download, kept_download, without_secrets, wrong_hash


class OwnFile(NamedTuple):
    """A file on this machine.

    Attributes:
        path: Path of the file.
        name: Name of the file, with the extension that gives its format.
        origin: Name of the file in messages.
    """

    path: Path
    name: str
    origin: str


def named(path: str) -> tuple[str, str]:
    """Return the name and the origin of a path or URL.

    Raises:
        SourceError: ``path`` is not an existing file, and not an http or https address.
    """
    if not _is_url(path):
        _check_is_file(path)
        return PurePosixPath(path).name, path
    origin = without_secrets(path)
    return PurePosixPath(unquote(urlsplit(path).path)).name, origin


def find(path: str, sha256: str | None, cache: Path) -> OwnFile:
    """Find the file at a path, or download it from a URL into ``cache``.

    Args:
        path: Path of the file, or an http or https address.
        sha256: Expected SHA-256; None accepts any file, and downloads it again each time.
        cache: Folder for downloads; created if it is missing.

    Raises:
        SourceError: the file does not exist, cannot be read, or has another hash.
    """
    name, origin = named(path)
    found = _downloaded(path, sha256, name, cache) if _is_url(path) else _checked(path, sha256)
    return OwnFile(found, name, origin)


def _is_url(path: str) -> bool:
    return path.lower().startswith(("http://", "https://"))


def _check_is_file(path: str) -> None:
    if "://" in path:
        raise SourceError(f"{shorten(path)}: of URLs, only http and https are allowed")
    if Path(path).is_dir():
        raise SourceError(f"{path} is a folder; name a file in it")
    if not Path(path).is_file():
        raise SourceError(f"{path} does not exist (looked for in {Path.cwd()})")


def _checked(path: str, sha256: str | None) -> Path:
    try:
        found = sha256_of(Path(path))
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    if sha256 not in (None, found):
        raise wrong_hash(
            path,
            [str(sha256)],
            found,
            "Put the expected file there, or change sha256 in the settings if this file is right.",
        )
    return Path(path)


def _downloaded(url: str, sha256: str | None, name: str, cache: Path) -> Path:
    # Two addresses may end in the same file name.
    prefix = hashlib.sha256(url.encode()).hexdigest()[:12]
    target = cache / f"{prefix}-{name[-100:]}"
    accepted = None if sha256 is None else [sha256]
    if accepted is None or not kept_download(target, accepted):
        download(url, target, accepted)
    return target
