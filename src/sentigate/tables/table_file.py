"""The files of a table: found by a path, a pattern or a folder; their formats by their names."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import NamedTuple

from sentigate.errors import SourceError, shorten

from .dialect import Dialect

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
JSON = (".jsonl", ".ndjson", ".json")
SPREADSHEETS = (".xlsx", ".ods")
TEXT = ".txt"
COMPRESSED = (".gz", ".bz2", ".xz", ".zip", ".zst")
FORMATS = (*DELIMITERS, *JSON, TEXT, ".parquet", *SPREADSHEETS)
ALLOWED = (
    ".csv, .tsv, .tab, .json, .jsonl, .ndjson, .txt, each also with .gz, .bz2, .xz, .zip or .zst "
    "after it; .parquet, .xlsx, .ods; .zip with one table in it"
)
WILD = frozenset("*?[")


class TableFile(NamedTuple):
    """A file on this machine.

    Attributes:
        path: path of the file.
        name: name of the file, with the extension that gives its format.
        origin: name of the file in messages.
    """

    path: Path
    name: str
    origin: str


class Format(NamedTuple):
    """A file's format and compression, as lower-case extensions.

    Attributes:
        suffix: extension of the format; "" if only the file inside a zip archive gives it.
        compression: extension of the compression; "" for none.
    """

    suffix: str
    compression: str


def format_of(name: str, origin: str, dialect: Dialect) -> Format:
    """Return the format of a file. With a separator, any text may have any extension.

    Raises:
        SourceError: the extension is not allowed.
    """
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in COMPRESSED else ""
    suffix = suffixes[-1] if suffixes else ""
    packed_inside = suffix == ".parquet" or suffix in SPREADSHEETS
    if suffix in FORMATS and not (packed_inside and compression not in ("", ".zip")):
        return Format(suffix, compression)
    if dialect.separator is not None:
        return Format(TEXT, compression)
    if compression == ".zip" and suffix not in COMPRESSED:
        return Format("", compression)
    raise SourceError(f"{origin} has an unknown extension; allowed: {ALLOWED}")


def local_files(path: str, without: str = "") -> list[TableFile]:
    """Return the file at a path, the files of a pattern, or the Parquet files of a folder.

    Several files are sorted by name. Hidden files, and Parquet's own (such as _SUCCESS), do not
    count.

    Args:
        path: path, pattern or folder.
        without: name of a file that a pattern does not mean.

    Raises:
        SourceError: nothing is found.
    """
    if Path(path).is_file():
        return [TableFile(Path(path), Path(path).name, path)]
    if Path(path).is_dir():
        found = _visible(Path(path), "**/*.parquet")
        if not found:
            raise SourceError(
                f"{path} is a folder without Parquet files; name a file in it, or several by a "
                f"pattern, such as {shorten(str(Path(path) / '*.csv'))}"
            )
    elif WILD & set(path):
        # The parts before the first wild one are an ordinary folder.
        parts = PurePath(path).parts
        first = next(n for n, part in enumerate(parts) if WILD & set(part))
        found = _visible(Path(*parts[:first]), str(PurePath(*parts[first:])))
        found = [file for file in found if file.name != without]
        if not found:
            raise SourceError(f"{path} fits no file (looked for in {Path.cwd()})")
    else:
        raise SourceError(f"{path} does not exist (looked for in {Path.cwd()})")
    return [TableFile(file, file.name, str(file)) for file in found]


def _visible(folder: Path, pattern: str) -> list[Path]:
    found = (path for path in folder.glob(pattern) if path.is_file())
    return sorted(
        path
        for path in found
        if not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    )
