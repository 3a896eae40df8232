"""Small .xlsx and .ods files, written by hand, as programs other than Excel write them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "urn:oasis:names:tc:opendocument:xmlns"
DATE, TIME = 1, 2
"""Styles of a cell: a date, and a date with a time of day."""


class Styled(float):
    """A number of days since 1899-12-30 that is shown as a date."""

    style = DATE


class Formula(str):
    """A formula without a saved value."""


def write_xlsx(path: Path, sheets: Mapping[str, Sequence[Sequence[object]]]) -> None:
    """Write cells of str, numbers, truth values, Styled and Formula; None leaves a cell out."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    with zipfile.ZipFile(path, "w") as archive:
        parts = [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
        parts += [(f"/xl/worksheets/sheet{n}.xml", "worksheet") for n in range(1, len(sheets) + 1)]
        overrides = "".join(
            f'<Override PartName="{name}" ContentType="{kind}.{part}+xml"/>' for name, part in parts
        )
        rels = f"{PACKAGE}/relationships"
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f"{overrides}</Types>",
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{rels}"><Relationship Id="rId1" Type="{LINKS}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        listed = "".join(
            f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>'
            for n, name in enumerate(sheets, 1)
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>{listed}</sheets></workbook>',
        )
        targets = "".join(
            f'<Relationship Id="rId{n}" Type="{LINKS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        styles = f'<Relationship Id="rId0" Type="{LINKS}/styles" Target="styles.xml"/>'
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{rels}">{targets}{styles}</Relationships>',
        )
        archive.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{MAIN}"><cellXfs count="3"><xf numFmtId="0"/>'
            '<xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="22" applyNumberFormat="1"/>'
            "</cellXfs></styleSheet>",
        )
        for number, rows in enumerate(sheets.values(), 1):
            body = "".join(
                f'<row r="{r}">{"".join(_cell(value, r, c) for c, value in enumerate(row))}</row>'
                for r, row in enumerate(rows, 1)
            )
            archive.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>',
            )


def _cell(value: object, row: int, column: int) -> str:
    name = f"{chr(ord('A') + column)}{row}"
    if value is None:
        return ""
    if isinstance(value, Formula):
        return f'<c r="{name}"><f>{escape(value)}</f><v></v></c>'
    if isinstance(value, str):
        return f'<c r="{name}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    if isinstance(value, bool):
        return f'<c r="{name}" t="b"><v>{int(value)}</v></c>'
    style = f' s="{value.style}"' if isinstance(value, Styled) else ""
    return f'<c r="{name}"{style}><v>{float(str(value))!r}</v></c>'


def write_ods(path: Path, sheets: Mapping[str, Sequence[Sequence[object]]]) -> None:
    """Write cells of str and numbers."""
    spaces = " ".join(f'xmlns:{name}="{OFFICE}:{name}:1.0"' for name in ("office", "table", "text"))
    tables = "".join(
        f'<table:table table:name="{escape(name)}">'
        + "".join(
            f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows
        )
        + "</table:table>"
        for name, rows in sheets.items()
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{OFFICE}:manifest:1.0"/>')
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>{tables}"
            "</office:spreadsheet></office:body></office:document-content>",
        )


def _ods_cell(value: object) -> str:
    if isinstance(value, str):
        shown = f"<text:p>{escape(value)}</text:p>"
        return f'<table:table-cell office:value-type="string">{shown}</table:table-cell>'
    return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
