"""Read corrections.csv: rows of a data set to drop or to give another class, by id."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sentigate.errors import DataError, counted, shorten

COLUMNS = ("id", "action", "label", "reason")
"""The columns of the file. A column ``text`` may follow; other columns are ignored."""
DROP, RELABEL = "drop", "relabel"
LISTED = 10
"""Number of problems that one message lists."""


class Correction(NamedTuple):
    """What happens to a row.

    Attributes:
        label: the row's new class; None: the row is dropped.
        line: line of the file, for messages.
        text: text that the row should have, as reports/suspects.csv writes it; "" if unknown.
    """

    label: int | None
    line: int
    text: str


class Corrections(NamedTuple):
    """The content of a corrections.csv.

    Attributes:
        path: path of the file.
        by_id: id of a row -> its correction.
    """

    path: Path
    by_id: Mapping[str, Correction]

    @property
    def dropped(self) -> list[str]:
        """The ids of the rows to drop."""
        return [each for each, correction in self.by_id.items() if correction.label is None]

    @property
    def labels(self) -> dict[str, int]:
        """The id of each row to relabel -> its class."""
        return {each: c.label for each, c in self.by_id.items() if c.label is not None}


def corrections_file(dataset: str) -> Path:
    """Return the path of the corrections of an entry of ``datasets:``."""
    return Path("data/own", dataset, "corrections.csv")


def read_corrections(path: Path, classes: Sequence[str]) -> Corrections:
    """Read the file. A file that does not exist has no corrections.

    Args:
        path: path of the file: UTF-8, columns separated by commas (or by semicolons or tabs, as
            spreadsheets save them).
        classes: names of the classes; a label is the index of a name.

    Raises:
        DataError: the file is not such a table, or a line is wrong; the message names the lines.
    """
    if not path.exists():
        return Corrections(path, {})
    by_id: dict[str, Correction] = {}
    problems = []
    for line, row in _rows(path):
        if not any(value.strip() for value in row.values()):
            continue
        row_id, action, label = (row[name].strip() for name in COLUMNS[:3])
        where = f"line {line}: "
        if not row_id:
            problems.append(f"{where}id is empty; allowed: the id of a row")
        elif row_id in by_id:
            problems.append(
                f"{where}id {shorten(row_id)} has a correction already, in line "
                f"{by_id[row_id].line}; allowed: one for each id"
            )
        elif action not in (DROP, RELABEL):
            problems.append(
                f"{where}action is {shorten(action)}; allowed: {DROP}, {RELABEL} (id {row_id})"
            )
        elif action == DROP and label:
            problems.append(
                f"{where}label is {shorten(label)} with action {DROP}; allowed: no label, or "
                f"action {RELABEL} (id {row_id})"
            )
        elif action == RELABEL and label not in classes:
            problems.append(
                f"{where}label is {shorten(label)}; allowed: {', '.join(classes)} (id {row_id})"
            )
        else:
            number = None if action == DROP else classes.index(label)
            by_id[row_id] = Correction(number, line, row.get("text", "").strip())
    if problems:
        message = f"{path}: {counted(len(problems), 'line')} cannot be used"
        raise DataError(_listed(message, problems))
    return Corrections(path, by_id)


def check_rows_exist(
    corrections: Corrections, raw: pd.DataFrame, clean: Callable[[str], str]
) -> None:
    """Refuse corrections of rows that do not exist, or that have another text.

    Rows without an id are numbered. If rows are added to the table in front of them, a number means
    another row. The column ``text``, if the file has it, shows that.

    Args:
        corrections: the corrections.
        raw: columns id and text.
        clean: the data set's cleaning.

    Raises:
        DataError: the message names every such line, up to ``LISTED``.
    """
    if not corrections.by_id:
        return
    rows = raw.loc[raw["id"].isin(list(corrections.by_id)), ["id", "text"]]
    texts = dict(zip(rows["id"], rows["text"], strict=True))
    unknown = [
        f"line {each.line}: {shorten(row_id)}"
        for row_id, each in corrections.by_id.items()
        if row_id not in texts
    ]
    if unknown:
        raise DataError(
            _listed(
                f"{corrections.path}: the data set has no row with {counted(len(unknown), 'id')} "
                "of this file; allowed: ids as reports/suspects.csv writes them, for example "
                f"{', '.join(map(repr, raw['id'].iloc[:3]))}",
                unknown,
            )
        )
    other = [
        f"line {each.line}: id {shorten(row_id)} is {shorten(texts[row_id])}, not "
        f"{shorten(each.text)}"
        for row_id, each in corrections.by_id.items()
        if each.text and not _alike(clean(texts[row_id]), clean(each.text))
    ]
    if other:
        raise DataError(
            _listed(
                f"{corrections.path}: {counted(len(other), 'row')} of the data set has another "
                "text than in this file: has the table changed? Allowed: the row's text, or none",
                other,
            )
        )


def correction_checks(texts: pd.DataFrame, corrections: Corrections) -> pd.Series[int]:
    """Return 1 for each row that is as the corrections want it, or else 0.

    Args:
        texts: the kept rows, columns id and label.
        corrections: the corrections.
    """
    wanted = texts["id"].map(corrections.labels)
    same = wanted.isna() | (wanted == texts["label"])
    return (same & ~texts["id"].isin(corrections.dropped)).astype("int64")


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each row's first line, and the row by column."""
    try:
        content = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 (byte {error.start}); allowed: save it as UTF-8 (CSV)"
        ) from None
    header = content.partition("\n")[0].strip()
    separator = next((each for each in ",;\t" if each in header), ",")
    table = csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    try:
        names = [name.strip() for name in next(table, [])]
        lacking = [name for name in COLUMNS[:3] if name not in names]
        if lacking:
            raise DataError(
                f"{path}: line 1 is {shorten(header)}, without {' and '.join(lacking)}; allowed: "
                f"{','.join(COLUMNS)}"
            )
        line = table.line_num + 1
        for values in table:
            if len(values) > len(names):
                raise DataError(
                    f"{path}: line {line} has {counted(len(values), 'value')} for "
                    f"{counted(len(names), 'column')}; allowed: quotes around a value with "
                    f"{separator!r}"
                )
            values += [""] * (len(names) - len(values))
            yield line, dict(zip(names, values, strict=True))
            line = table.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}: line {table.line_num}: {error}; allowed: a quote in a value is written twice"
        ) from None


def _alike(one: str, other: str) -> bool:
    """Return whether the texts are equal, or have half of their words in common.

    The settings of the cleaning may have changed since suspects.csv was written.
    """
    if one == other:
        return True
    words, others = (set(re.findall(r"\w+", text.casefold())) for text in (one, other))
    return bool(words & others) and 2 * len(words & others) >= min(len(words), len(others))


def _listed(message: str, problems: Sequence[str]) -> str:
    shown = [f"  {problem}" for problem in problems[:LISTED]]
    more = len(problems) - LISTED
    return "\n".join([f"{message}:", *shown, *([f"  … and {more:,} more"] if more > 0 else [])])
