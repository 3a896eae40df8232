"""Get a file from the mirror, the cache or by HTTP, and verify its SHA-256."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from sentigate.errors import SourceError, shorten
from sentigate.files import sha256_of, written_whole
from sentigate.progress import progress, say

MIRROR = "SENTIGATE_MIRROR"
"""Environment variable with a folder of archives, which is searched first."""

CONNECT_SECONDS, READ_SECONDS = 10, 60
CHUNK = 1 << 18


def mirrored(name: str) -> Path | None:
    """Return the path of the archive ``name`` in the mirror, or None if it is not there.

    Raises:
        SourceError: SENTIGATE_MIRROR is set, but is not a folder.
    """
    mirror = os.environ.get(MIRROR)
    if not mirror:
        return None
    folder = Path(mirror)
    if not folder.is_dir():
        raise SourceError(
            f"{MIRROR} is {mirror!r} (here: {folder.absolute()}), which is not a folder; "
            "set it to a folder with the archives, or unset it"
        )
    path = folder / name
    return path if path.is_file() else None


def find_verified(name: str, accepted: Collection[str], cache: Path) -> Path | None:
    """Find the archive ``name`` in the mirror or the cache, and check its SHA-256.

    A file in the cache with another hash is removed, so that the caller downloads it again.

    Returns:
        The path, or None if neither has the archive.

    Raises:
        SourceError: the mirror is not a folder, or its file has another hash.
    """
    if path := mirrored(name):
        found = sha256_of(path)
        if found not in accepted:
            raise wrong_hash(
                path, accepted, found, f"Replace the file in {MIRROR}, or unset {MIRROR}."
            )
        return path
    path = cache / name
    return path if kept_download(path, accepted) else None


def kept_download(path: Path, accepted: Collection[str]) -> bool:
    """Return whether ``path`` exists with an accepted SHA-256; with another, remove it."""
    if not path.is_file():
        return False
    if sha256_of(path) in accepted:
        return True
    say(f"{path} is not the file that the settings expect; downloading it again")
    path.unlink()
    return False


def wrong_hash(file: object, accepted: Collection[str], found: str, advice: str) -> SourceError:
    """Return the error for a file whose SHA-256 is not one of ``accepted``."""
    return SourceError(
        f"{file} is not the file that the settings expect: its sha256 is {found}, "
        f"expected {' or '.join(accepted)}. {advice}"
    )


def download(url: str, target: Path, accepted: Collection[str] | None) -> None:
    """Stream ``url`` to ``target``; a wrong or broken download changes nothing.

    Args:
        url: An http or https address.
        target: File to write; only a complete download replaces it.
        accepted: SHA-256 hashes, one of which the file must have; None accepts any file.

    Raises:
        SourceError: the server is unreachable, refuses, breaks off, or sends another file.
    """
    import requests
    import urllib3

    shown = without_secrets(url)
    # Some servers send an archive with a Content-Encoding; it must not be unpacked.
    unpack = not target.name.lower().endswith((".gz", ".tgz", ".bz2", ".xz", ".zip", ".zst"))
    digest = hashlib.sha256()
    try:
        with requests.get(
            url,
            stream=True,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            headers={"Accept-Encoding": "identity"},
        ) as response:
            if response.status_code != requests.codes.ok:
                raise SourceError(
                    f"{shown} answered {response.status_code} {response.reason}; "
                    "check the address in the settings"
                )
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else None
            label = f"downloading {urlsplit(shown).path.rpartition('/')[2] or shown}"
            with written_whole(target) as file, progress(label, total, "bytes") as advance:
                for chunk in response.raw.stream(CHUNK, decode_content=unpack):
                    file.write(chunk)
                    digest.update(chunk)
                    advance(len(chunk))
                if accepted is not None and digest.hexdigest() not in accepted:
                    raise wrong_hash(
                        shown,
                        accepted,
                        digest.hexdigest(),
                        "The download was removed; try again. If the error remains, the publisher "
                        "changed the file: check it before you change sha256 in the settings.",
                    )
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise SourceError(f"{shown} could not be downloaded: {_innermost(error)}") from None
    except OSError as error:
        raise SourceError(f"{shown} cannot be written to {target.parent}: {error}") from None


def without_secrets(url: str) -> str:
    """Return ``url`` without user, password and query, which may be secret, for messages.

    Raises:
        SourceError: ``url`` is not a URL.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise SourceError(f"{shorten(url)} is not a URL: {error}") from None
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


def _innermost(error: BaseException) -> BaseException:
    """Return the original error; the errors of urllib3 around it repeat the whole URL."""
    inner = getattr(error, "reason", None)
    if not isinstance(inner, BaseException):
        inner = next((part for part in error.args if isinstance(part, BaseException)), None)
    return error if inner is None else _innermost(inner)
