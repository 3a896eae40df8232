"""Look at a table once, from the first row to the last."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from sentigate.errors import SourceError
from sentigate.progress import progress
from sentigate.sources.own_file import find, is_url
from sentigate.tables.detect import Detected, detect, sheets
from sentigate.tables.dialect import Dialect
from sentigate.tables.encodings import EncodingGuess
from sentigate.tables.reader import open_table
from sentigate.tables.table_file import TableFile, format_of, local_files

from .describe import Column, Survey
from .doubt import Doubt

_MAGIC = {b"PAR1": ".parquet", b"PK\x03\x04": ".zip", b"\x1f\x8b": ".csv.gz"}
_SHEETS = {b"xl/workbook.xml": ".xlsx", b"opendocument.spreadsheet": ".ods"}


@dataclass(frozen=True)
class Looked:
    """A table as it was found.

    Attributes:
        given: Path or URL, as the user wrote it.
        files: Its files on this machine, with names whose extension gives the format.
        dialect: How they are read.
        columns: What they have.
        rows: Number of rows.
        sampled: Number of rows in the sample.
        encodings: Encodings that it may have, the likeliest first; none if it is certain.
        doubts: What was not sure.
    """

    given: str
    files: tuple[TableFile, ...]
    dialect: Dialect
    columns: tuple[Column, ...]
    rows: int
    sampled: int
    encodings: tuple[EncodingGuess, ...]
    doubts: tuple[Doubt, ...]

    @property
    def size(self) -> int:
        """Bytes of the files, as they are stored."""
        return sum(file.path.stat().st_size for file in self.files)


def look(given: str, choices: Mapping[str, str], cache: Path) -> Looked:
    """Find a table, detect how it is written, and read it once.

    Args:
        given: Path, pattern, folder or http(s) URL.
        choices: What the user chose, under ``encoding``, ``separator``, ``header`` and ``sheet``.
        cache: Folder for downloads.

    Raises:
        SourceError: the table does not exist, or cannot be read.
    """
    wanted = _given_dialect(choices)
    found = [find(given, None, cache)] if is_url(given) else local_files(given)
    files = tuple(map(_with_extension, found))
    doubts: list[Doubt] = []
    if (names := sheets(files[0])) and len(names) > 1 and not wanted.sheet:
        said = f"the file has the sheets {', '.join(names)}; {names[0]!r} is taken"
        doubts.append(Doubt("sheet", said, names[0], tuple(names[1:])))
        wanted = replace(wanted, sheet=names[0])
    detected = detect(files[0], wanted)
    doubts += [doubt for doubt in _doubts_of(detected) if doubt.about not in choices]
    dialect = detected.dialect
    if choices.get("header") == "yes":
        dialect = replace(dialect, no_header=False)
    with open_table(files, dialect) as table:
        survey = Survey(table.names)
        label = f"reading {shorten_path(given)}"
        done = 0
        with progress(label, table.size, "bytes") as advance:
            for chunk in table.chunks:
                survey.add({name: chunk.texts(name) for name in table.names})
                advance(table.position() - done)
                done = table.position()
    if not survey.rows:
        raise SourceError(f"{given} has columns but no rows")
    guesses = tuple(detected.encodings) if "encoding" not in choices else ()
    if len(guesses) == 1 and not guesses[0].odd:
        guesses = ()
    columns = tuple(survey.columns())
    return Looked(
        given, files, dialect, columns, survey.rows, survey.sampled, guesses, tuple(doubts)
    )


def shorten_path(path: str) -> str:
    """Return the end of a long path or URL."""
    return path if len(path) <= 60 else f"…{path[-59:]}"


def _given_dialect(choices: Mapping[str, str]) -> Dialect:
    dialect = Dialect(
        encoding=choices.get("encoding") or None,
        separator=choices.get("separator") or None,
        no_header=choices.get("header") == "no",
        sheet=choices.get("sheet") or None,
    )
    dialect.check("the options")
    return dialect


def _doubts_of(detected: Detected) -> list[Doubt]:
    """Return what was guessed about the writing, except the encoding."""
    doubts = []
    for key, said in detected.doubts.items():
        match key:
            case "no_header":
                doubts.append(Doubt("header", said, "no", ("yes",)))
            case "separator":
                names = ["tab" if one.separator == "\t" else one.separator
                         for one in detected.separators]  # fmt: skip
                doubts.append(Doubt("separator", said, names[0], tuple(names[1:])))
            case _:
                doubts.append(Doubt(key, said))
    return doubts


def _with_extension(file: TableFile) -> TableFile:
    """Return the file under a name with the extension of its content, if its own has none."""
    try:
        format_of(file.name, file.origin, Dialect())
    except SourceError:
        with file.path.open("rb") as opened:
            extension = _extension_of(opened)
        stem = re.sub(r"[^\w-]+", "-", file.name).strip("-") or "table"
        return file._replace(name=stem + extension)
    return file


def _extension_of(file: BinaryIO) -> str:
    begin = file.read(1 << 16)
    for magic, extension in _MAGIC.items():
        if begin.startswith(magic):
            inside = (kind for text, kind in _SHEETS.items() if text in begin)
            return next(inside, extension)
    text = begin.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"[", b"{")):
        return ".json"
    return ".csv"
