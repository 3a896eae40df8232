"""Find a file's format and compression from its name, and decompress it."""

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
"""A file may unpack to FREE_BYTES, or to MAX_RATIO times its packed size if that is more."""


def format_of(name: str, origin: str) -> tuple[str, str]:
    """Return the format and the compression ("" if none) of a file, as lower-case extensions.

    Raises:
        SourceError: the extension is not allowed.
    """
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in UNPACKERS else ""
    format_ = suffixes[-1] if suffixes else ""
    if format_ not in PARSERS or (format_ == ".parquet" and compression):
        raise SourceError(f"{origin} has an unknown extension; allowed: {ALLOWED}")
    return format_, compression


def unpack(file: BinaryIO, compression: str, origin: str) -> BinaryIO:
    """Decompress ``file`` into a temporary file; return ``file`` if ``compression`` is "".

    The temporary file is on disk: it can be read twice and needs no memory.

    Raises:
        SourceError: the data is damaged, its unpacked size is over the limit, or a zip archive
            does not have exactly one file.
    """
    if not compression:
        return file
    # The errors of the five libraries. zipfile raises RuntimeError if it needs a password, pyarrow
    # raises OSError.
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
        f"{MAX_RATIO} times the packed size if that is more. If the file is right, unpack it "
        "yourself and name the unpacked file"
    )


@contextmanager
def _unzip(file: BinaryIO) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(file) as archive:
        files = [member for member in archive.infolist() if not member.is_dir()]
        if len(files) != 1:
            raise zipfile.BadZipFile(f"it has {len(files)} files; allowed: exactly one")
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
