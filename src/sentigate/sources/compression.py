"""Which format and compression a file's name says, and undoing the compression."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePath

from ..errors import SourceError
from .parse import PARSERS

ALLOWED = (
    ".csv, .tsv, .jsonl, .ndjson, each also with .gz, .bz2, .xz, .zip or .zst after it; .parquet"
)


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


def unpack(data: bytes, compression: str, origin: str) -> bytes:
    """``data`` without its compression, which may be "".

    Raises:
        SourceError: the compressed data is damaged, or a zip archive holds not exactly one file.
    """
    if not compression:
        return data
    # What each of the five libraries raises: bz2 a ValueError where the end is missing, zipfile a
    # RuntimeError for a password, pyarrow an OSError.
    damaged = (OSError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError)
    try:
        return UNPACKERS[compression](data)
    except (*damaged, zipfile.BadZipFile) as error:
        raise SourceError(f"{origin} cannot be unpacked as {compression}: {error}") from None


def _unzip(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = [member for member in archive.infolist() if not member.is_dir()]
        if len(files) != 1:
            raise zipfile.BadZipFile(f"it holds {len(files)} files, allowed is exactly one")
        return archive.read(files[0])


def _unzstd(data: bytes) -> bytes:
    import pyarrow as pa  # type: ignore[import-untyped]

    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        return bytes(stream.read())


UNPACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zip": _unzip,
    ".zst": _unzstd,
}
