"""A label and a probability for every row of a file, however long."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from numbers import Number
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sentigate.errors import DataError, shorten
from sentigate.files import written_whole
from sentigate.model.labels import label_of
from sentigate.model.text.context import with_context
from sentigate.progress import progress
from sentigate.tables.read import Input, Record, open_records
from sentigate.tables.write import check_output, write_records

ANSWERS = ("label", "probability", "note")
Model = Callable[[Sequence[str]], npt.NDArray[np.float32]]


def judge(model: Model, texts: Sequence[str]) -> tuple[npt.NDArray[np.float32], list[str]]:
    """P(positive) of raw texts, (texts,) float32, and a note on each, mostly ""."""
    if hasattr(model, "judge"):
        probabilities, notes = model.judge(texts)
        return probabilities, notes
    return model(texts), [""] * len(texts)  # what an older version registered has no notes


def check_files(source: Path, out: Path) -> None:
    """Refuse what can be known to be wrong before the model is loaded.

    Raises:
        DataError: ``out`` is the input, a folder, or of no known format.
    """
    check_output(out)
    if out.is_dir():
        raise DataError(f"{out} is a folder; name a file in it")
    if out.exists() and source.exists() and out.samefile(source):
        raise DataError(f"{out} is the input file; name another file for the answers")


def predict_file(
    model: Model, source: Path, out: Path, column: str, context: str | None = None
) -> int:
    """Write the rows of ``source`` to ``out``, in order, with the columns of ANSWERS added.

    Memory holds one chunk of rows. ``out`` is written whole or not at all; one that is there
    already is replaced.

    Args:
        model: from raw texts to P(positive), (texts,) float32; it may also have the method
            ``judge`` of a Predictor.
        source: CSV, TSV, JSON lines, Parquet or plain text, perhaps compressed.
        out: CSV, TSV, JSON lines or Parquet.
        column: holds the texts; one that is missing is "".
        context: the column of what each text is about, its first token; None for none.

    Returns:
        How many rows.

    Raises:
        SourceError: the input cannot be read.
        DataError: it lacks one of these columns, has no rows, a text that is none, or cannot be
            written so.
    """
    check_files(source, out)
    rows = 0
    with open_records(source) as table:

        def answered() -> Iterator[list[Record]]:
            nonlocal rows
            done = 0
            with progress(f"judging {source}", table.size, "bytes") as advance:
                for records in table.chunks:
                    _add_answers(records, model, source, [*filter(None, [context]), column], rows)
                    yield records
                    rows += len(records)
                    advance(table.position() - done)
                    done = table.position()
            if not rows:
                raise DataError(f"{source} has columns and no rows")

        try:
            with written_whole(out) as file:
                write_records(answered(), file, out, _with_answers(table))
        except OSError as error:
            raise DataError(f"{out} cannot be written: {error.strerror}") from None
    return rows


def _add_answers(
    records: list[Record], model: Model, source: Path, columns: Sequence[str], before: int
) -> None:
    """``columns`` are perhaps that of contexts, and last that of the texts."""
    texts = []
    for number, record in enumerate(records, before + 1):
        for name in ANSWERS:
            if name in record:
                raise DataError(
                    f"{source} has a column {name!r} already, which the answers would replace; "
                    "rename it"
                )
        place = f"{source}: row {number:,}, column"
        *context, text = (_text(record.get(name), f"{place} {name!r}") for name in columns)
        texts.append(with_context("".join(context), text))
    names = dict.fromkeys(name for record in records for name in record)
    if not before and (missing := [name for name in columns if name not in names]):
        shown = ", ".join(shorten(name, 40) for name in list(names)[:10])
        option = "--column" if columns[-1] in missing else "--context-column"
        raise DataError(f"{source} has no column {missing[-1]!r}; it has {shown}; see {option}")
    for record, probability, note in zip(records, *judge(model, texts), strict=True):
        record["label"] = label_of(probability)
        record["probability"] = float(str(probability))  # the shortest that is the same float32
        record["note"] = note


def _text(value: object, place: str) -> str:
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, Number):
        return str(value)
    raise DataError(f"{place} is {shorten(value)}; allowed: text or a number")


def _with_answers(table: Input) -> object:
    """A Parquet file's schema with the answers' columns; None for other files, which have none."""
    if table.schema is None:
        return None
    import pyarrow as pa  # type: ignore[import-untyped]

    schema = table.schema
    for name, type_ in zip(ANSWERS, (pa.string(), pa.float32(), pa.string()), strict=True):
        if name not in schema.names:
            schema = schema.append(pa.field(name, type_))
    return schema
