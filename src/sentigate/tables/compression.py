"""Decompress a file, up to a limit; find the table in a zip archive."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import PurePosixPath
from typing import IO, Any, BinaryIO

from sentigate.errors import SourceError, shorten

from .table_file import FORMATS, TEXT

FREE_BYTES, MAX_RATIO, BLOCK = 256 << 20, 100, 1 << 20
"""A file may unpack to FREE_BYTES, or to MAX_RATIO times its packed size if that is more."""


def allowed_bytes(file: BinaryIO) -> int:
    """Return the number of bytes to which ``file`` may unpack."""
    return max(FREE_BYTES, MAX_RATIO * os.fstat(file.fileno()).st_size)


def unpack(file: BinaryIO, compression: str, origin: str) -> BinaryIO:
    """Decompress ``file`` into a temporary file; return ``file`` if ``compression`` is "".

    The temporary file is on disk: it can be read twice and needs no memory.

    Raises:
        SourceError: the data is damaged, its unpacked size is over the limit, or a zip archive
            does not have exactly one table.
    """
    if not compression:
        return file
    # The errors of the five libraries. zipfile raises RuntimeError if it needs a password, pyarrow
    # raises OSError.
    damaged = (OSError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError)
    allowed = allowed_bytes(file)
    with ExitStack() as stack:
        unpacked = stack.enter_context(tempfile.TemporaryFile())
        try:
            with UNPACKERS[compression](file) as stream:
                while block := stream.read(BLOCK):
                    if unpacked.tell() + len(block) > allowed:
                        raise too_much(origin, allowed)
                    unpacked.write(block)
        except (*damaged, zipfile.BadZipFile) as error:
            raise SourceError(f"{origin} cannot be unpacked as {compression}: {error}") from None
        unpacked.seek(0)
        stack.pop_all()
    return unpacked


def too_much(origin: str, allowed: int) -> SourceError:
    """Return the error for a file that unpacks to more than ``allowed`` bytes."""
    return SourceError(
        f"{origin} unpacks to more than {allowed >> 20:,} MiB; allowed: {FREE_BYTES >> 20} MiB, or "
        f"{MAX_RATIO} times the packed size if that is more. If the file is right, unpack it "
        "yourself and name the unpacked file"
    )


def member_format(file: BinaryIO, suffix: str, origin: str) -> str:
    """Return the format of the table in a zip archive, from its name in the archive.

    Args:
        file: the archive.
        suffix: the format in the archive's own name, or "". It holds if the name of the table has
            no format, or only .txt.
        origin: name of the archive, for messages.

    Raises:
        SourceError: the archive is damaged, or does not have exactly one table.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            inner = PurePosixPath(_table_in(archive).filename).suffix.lower()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise SourceError(f"{origin} cannot be unpacked as .zip: {error}") from None
    finally:
        file.seek(0)
    return inner if inner in FORMATS and (inner != TEXT or not suffix) else suffix


def _table_in(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the only table; any other file is one only if it is alone in the archive."""
    files = [member for member in archive.infolist() if _is_visible(member)]
    tables = [file for file in files if _suffix(file) in FORMATS and _suffix(file) != TEXT]
    tables = tables or [file for file in files if _suffix(file) == TEXT] or files
    if len(tables) != 1:
        names = ", ".join(shorten(table.filename, 60) for table in tables[:10])
        listed = f" ({names}{', ...' if len(tables) > 10 else ''})" if tables else ""
        raise zipfile.BadZipFile(
            f"it has {len(tables)} tables{listed}; allowed: exactly one. Unpack it, and name the "
            "unpacked file"
        )
    return tables[0]


def _is_visible(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename).parts
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return not (hidden or member.is_dir())


def _suffix(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename).suffix.lower()


@contextmanager
def _unzip(file: BinaryIO) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(file) as archive, archive.open(_table_in(archive)) as member:
        yield member


def _unzstd(file: BinaryIO) -> AbstractContextManager[Any]:
    import pyarrow as pa  # type: ignore[import-untyped]

    stream: AbstractContextManager[Any] = pa.CompressedInputStream(file, "zstd")
    return stream


UNPACKERS: dict[str, Callable[[BinaryIO], AbstractContextManager[Any]]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zip": _unzip,
    ".zst": _unzstd,
}
