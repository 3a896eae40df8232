"""Which format and compression a file's name says, and undoing the compression."""

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
from pathlib import PurePath
from typing import IO, Any, BinaryIO

from sentigate.errors import SourceError

from .parse import PARSERS

ALLOWED = (
    ".csv, .tsv, .jsonl, .ndjson, each also with .gz, .bz2, .xz, .zip or .zst after it; .parquet"
)


FREE_BYTES, MAX_RATIO, BLOCK = 256 << 20, 100, 1 << 20
"""Past so many bytes unpacked, they may be at most so many times the packed ones."""


def format_of(name: str, origin: str) -> tuple[str, str]:
    """Format and compression of a file name, as lower-case extensions; compression may be "".

    Raises:
        SourceError: the extension is none of those allowed.
    """
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in UNPACKERS else ""
    format_ = suffixes[-1] if suffixes else ""
    if format_ not in PARSERS or (format_ == ".parquet" and compression):
        raise SourceError(f"{origin} has an extension that says no format; allowed: {ALLOWED}")
    return format_, compression


def unpack(file: BinaryIO, compression: str, origin: str) -> BinaryIO:
    """``file`` without its compression, which may be "": itself, or else a temporary file.

    On disk, so that it can be read twice and never fills the memory.

    Raises:
        SourceError: the compressed data is damaged, or far larger unpacked than any table would
            be, or a zip archive holds not exactly one file.
    """
    if not compression:
        return file
    # What each of the five libraries raises: zipfile a RuntimeError for a password, pyarrow an
    # OSError.
    damaged = (OSError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError)
    allowed = max(FREE_BYTES, MAX_RATIO * os.fstat(file.fileno()).st_size)
    with ExitStack() as stack:
        unpacked = stack.enter_context(tempfile.TemporaryFile())
        try:
            with UNPACKERS[compression](file) as stream:
                while block := stream.read(BLOCK):
                    if unpacked.tell() + len(block) > allowed:
                        raise _too_much(origin, allowed)
                    unpacked.write(block)
        except (*damaged, zipfile.BadZipFile) as error:
            raise SourceError(f"{origin} cannot be unpacked as {compression}: {error}") from None
        unpacked.seek(0)
        stack.pop_all()
    return unpacked


def _too_much(origin: str, allowed: int) -> SourceError:
    return SourceError(
        f"{origin} unpacks to more than {allowed >> 20:,} MiB; allowed: {FREE_BYTES >> 20} MiB, or "
        f"{MAX_RATIO} times the packed size if that is more. If it is meant, unpack it yourself "
        "and name the unpacked file"
    )


@contextmanager
def _unzip(file: BinaryIO) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(file) as archive:
        files = [member for member in archive.infolist() if not member.is_dir()]
        if len(files) != 1:
            raise zipfile.BadZipFile(f"it holds {len(files)} files, allowed is exactly one")
        with archive.open(files[0]) as member:
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
