"""Find a formula without a saved value in an .xlsx file; calamine reads it as an empty cell."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterable
from typing import BinaryIO
from xml.etree import ElementTree as Xml

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
LETTERS = re.compile(r"[A-Z]+")


def unsaved_formula(file: BinaryIO, sheet: str, columns: Iterable[int]) -> str:
    """Return the first cell, such as "B7", with a formula and no value; "" if there is none.

    Args:
        file: the .xlsx file.
        sheet: name of the sheet.
        columns: numbers of the columns to look at, from 0.
    """
    wanted = set(columns)
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        path = _path_of(archive, sheet)
        if path not in archive.namelist():
            return ""
        with archive.open(path) as stream:
            for _, cell in Xml.iterparse(stream):  # noqa: S314
                tag = cell.tag.rpartition("}")[2]
                if tag == "row":
                    cell.clear()
                if tag != "c" or not _is_unsaved(cell):
                    continue
                name = cell.get("r", "")
                if not name or _number(name) in wanted:
                    return name
    return ""


def _is_unsaved(cell: Xml.Element) -> bool:
    parts = {part.tag.rpartition("}")[2]: part.text for part in cell}
    # The value of a formula may be an empty text, which has the type "str".
    return "f" in parts and not parts.get("v") and not ("v" in parts and cell.get("t") == "str")


def _number(cell: str) -> int:
    """Return the number of a cell's column, from 0: A is 0, AA is 26."""
    found = LETTERS.match(cell)
    number = 0
    for letter in found.group() if found else "":
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _path_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the sheet's path in the archive; "" if the archive does not say it."""
    try:
        book = Xml.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
        links = Xml.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    except (KeyError, Xml.ParseError):
        return ""
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for element in book.iter():
        if element.tag in (f"{MAIN}sheet", f"{STRICT}sheet") and element.get("name") == sheet:
            keys = [value for key, value in element.items() if key.endswith("}id")]
            target = targets.get(keys[0] if keys else "", "")
            return target.lstrip("/") if target.startswith("/") else posixpath.join("xl", target)
    return ""
