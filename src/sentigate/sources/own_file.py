"""Find or download the user's files, from a path, a pattern or a URL."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from sentigate.errors import SourceError, shorten
from sentigate.files import sha256_of
from sentigate.tables.dialect import Dialect
from sentigate.tables.table_file import TableFile, format_of, local_files

from .download import download, kept_download, without_secrets, wrong_hash

CORRECTIONS = "corrections.csv"
"""A file beside the table, which a pattern such as ``data/own/reviews/*.csv`` does not mean."""


def origin_of(path: str) -> str:
    """Return the name of a path or URL in messages.

    Raises:
        SourceError: ``path`` is not a URL that can be read.
    """
    return without_secrets(path) if is_url(path) else path


def find_table(
    path: str,
    sha256: str | None,
    cache: Path,
    dialect: Dialect = Dialect(),  # noqa: B008 (frozen)
) -> list[TableFile]:
    """Find the files of a table.

    Args:
        path: a file, an http or https address, a pattern such as ``reviews/*.csv``, or a folder of
            Parquet files.
        sha256: expected SHA-256 of a single file; None accepts any file, and downloads it again
            each time.
        cache: folder for downloads; created if it is missing.
        dialect: how the table is written.

    Raises:
        SourceError: nothing is found, or a file has an unknown extension, cannot be read, or has
            another hash.
    """
    if is_url(path):
        origin = origin_of(path)
        format_of(_name_in(path), origin, dialect)  # before a download
        return [find(path, sha256, cache)]
    _refuse_other_urls(path)
    files = local_files(path, without=CORRECTIONS)
    for file in files:
        format_of(file.name, file.origin, dialect)
    if sha256 is not None and len(files) > 1:
        raise SourceError(f"{path} is {len(files)} files; sha256 is allowed for one file only")
    return [find(file.origin, sha256, cache) for file in files]


def find(path: str, sha256: str | None, cache: Path) -> TableFile:
    """Find the file at a path, or download it from a URL into ``cache``.

    Args:
        path: path of the file, or an http or https address.
        sha256: expected SHA-256; None accepts any file, and downloads it again each time.
        cache: folder for downloads; created if it is missing.

    Raises:
        SourceError: the file does not exist, cannot be read, or has another hash.
    """
    if is_url(path):
        origin, name = origin_of(path), _name_in(path)
        return TableFile(_downloaded(path, sha256, name, cache), name, origin)
    _check_is_file(path)
    return TableFile(_checked(path, sha256), PurePosixPath(path).name, path)


def _name_in(url: str) -> str:
    return PurePosixPath(unquote(urlsplit(url).path)).name


def is_url(path: str) -> bool:
    """Return whether ``path`` is an http or https address."""
    return path.lower().startswith(("http://", "https://"))


def _refuse_other_urls(path: str) -> None:
    if "://" in path:
        raise SourceError(f"{shorten(path)}: of URLs, only http and https are allowed")


def _check_is_file(path: str) -> None:
    _refuse_other_urls(path)
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
