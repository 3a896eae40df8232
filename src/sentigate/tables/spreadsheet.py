"""A sheet of an .xlsx or .ods file; it is read whole, because its rows are few."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, BinaryIO

from sentigate.errors import SourceError, shorten
from sentigate.model.text.values import as_text

from . import chunk
from .chunk import Chunk, Opening, Part, RecordChunk, require_columns
from .compression import BLOCK, allowed_bytes, too_much
from .formulas import unsaved_formula

EXACT = 2.0**53
"""Below this, a float is a whole number only if the sheet's number is one."""
Rows = list[list[Any]]


def open_spreadsheet(opening: Opening) -> Part:
    """Read the sheet of the dialect, or the only one that is not empty.

    Values are texts, numbers, truth values and dates; an empty cell is "". All dates of a column
    have a time of day if one of them has.

    Raises:
        SourceError: there are several sheets, the file is damaged, or a formula has no value.
    """
    _check_archive(opening)
    rows, sheet, (top, left) = _read(opening)
    if not rows:
        raise SourceError(f"{opening.origin} is empty")
    if opening.dialect.no_header:
        header, first = [str(number + 1) for number in range(len(rows[0]))], 0
    else:
        header, first = [_name(value) for value in rows[0]], 1
    kept = [
        place
        for place, name in enumerate(header)
        if name or any(row[place] != "" for row in rows)  # no columns that only have a format
    ]
    header = [header[place] for place in kept]
    names = header if opening.wanted is None else list(opening.wanted)
    require_columns(names, header, opening.origin)
    places = [kept[header.index(name)] for name in names]
    columns = [left + place for place in places]
    if opening.suffix == ".xlsx" and (cell := unsaved_formula(opening.file, sheet, columns)):
        raise SourceError(
            f"{opening.origin}: sheet {sheet!r}, cell {cell} has a formula without a saved value; "
            "open the file in a spreadsheet program and save it, which saves the values"
        )
    numbered = [(top + n + 1, row) for n, row in enumerate(rows) if n >= first and any(
        value != "" for value in row)]  # fmt: skip
    values = [_column([row[place] for _, row in numbered]) for place in places]
    return Part(names, _chunks(opening, names, [n for n, _ in numbered], values), header)


def sheet_names(file: BinaryIO) -> list[str]:
    """Return the names of the sheets that are not empty.

    Raises:
        CalamineError: the file is no spreadsheet.
    """
    from python_calamine import CalamineWorkbook

    file.seek(0)
    book = CalamineWorkbook.from_filelike(file)
    return [name for name in book.sheet_names if book.get_sheet_by_name(name).height]


def _read(opening: Opening) -> tuple[Rows, str, tuple[int, int]]:
    """Return the cells of the sheet, its name, and its first row and column, from 0."""
    from python_calamine import CalamineError, CalamineWorkbook

    wanted = opening.dialect.sheet
    try:
        opening.file.seek(0)
        book = CalamineWorkbook.from_filelike(opening.file)
        names = book.sheet_names
        if wanted is None:
            names = sheet_names(opening.file) or names[:1]
            if len(names) > 1:
                raise _which_sheet(opening, names, f"has {len(names)} sheets")
            wanted = names[0]
        elif wanted not in names:
            raise _which_sheet(opening, names, f"has no sheet {shorten(wanted)}")
        sheet = book.get_sheet_by_name(wanted)
        return sheet.to_python(), wanted, sheet.start or (0, 0)
    except (CalamineError, OSError, ValueError) as error:
        reason = shorten(" ".join(str(error).split()), 200)
        raise SourceError(f"{opening.origin} cannot be read as a spreadsheet: {reason}") from None


def _which_sheet(opening: Opening, names: Sequence[str], said: str) -> SourceError:
    one_of = opening.writing.lines(*(("sheet", name) for name in names))
    return SourceError(f"{opening.origin} {said}. {one_of.replace(':', ' one of these:', 1)}")


def _check_archive(opening: Opening) -> None:
    """Refuse a damaged archive, and one that unpacks to more than is allowed."""
    allowed, size = allowed_bytes(opening.file), 0
    try:
        with zipfile.ZipFile(opening.file) as archive:
            for member in archive.infolist():
                with archive.open(member) as stream:
                    while block := stream.read(BLOCK):
                        size += len(block)
                        if size > allowed:
                            raise too_much(opening.origin, allowed)
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError) as error:
        reason = shorten(str(error))
        raise SourceError(f"{opening.origin} cannot be read as a spreadsheet: {reason}") from None


def _name(value: Any) -> str:
    return as_text(_whole(value)) or ""


def _whole(value: Any) -> Any:
    """Return 5 for 5.0: a sheet has no other kind of number."""
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return int(value)
    return value


def _column(values: list[Any]) -> list[Any]:
    values = [_whole(value) for value in values]
    if not any(isinstance(value, datetime) for value in values):
        return values
    return [
        datetime.combine(value, time())
        if isinstance(value, date) and not isinstance(value, datetime)
        else value
        for value in values
    ]


def _chunks(
    opening: Opening, names: list[str], places: list[int], columns: list[list[Any]]
) -> Iterator[Chunk]:
    for start in range(0, len(places), chunk.CHUNK):
        part = slice(start, start + chunk.CHUNK)
        rows = zip(*(column[part] for column in columns), strict=True)
        records = [dict(zip(names, row, strict=True)) for row in rows]
        yield RecordChunk(opening.origin, "sheet row", places[part], records)
