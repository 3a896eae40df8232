"""A label and a probability for every row of a file, however long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sentigate.errors import DataError, counted, shorten
from sentigate.files import written_whole
from sentigate.model.columns import PLAIN
from sentigate.model.labels import label_of
from sentigate.model.notes import CUT, kinds_of
from sentigate.model.text.context import with_context
from sentigate.model.text.values import as_text
from sentigate.progress import doing, progress, say
from sentigate.tables.read import Input, Record, open_records
from sentigate.tables.write import check_output, write_records

ANSWERS = ("label", "probability", "note")
TextClassifier = Callable[[Sequence[str]], npt.NDArray[np.float32]]


def judge(model: TextClassifier, texts: Sequence[str]) -> tuple[npt.NDArray[np.float32], list[str]]:
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


class Judged(NamedTuple):
    """How many rows were written.

    Attributes:
        rows: all of them.
        notes: kind of note -> rows that have one.
    """

    rows: int
    notes: Counter[str]

    @property
    def summary(self) -> str:
        """As in "3,412 rows, 12 cut, 2 with nothing to go by"."""
        kinds = sorted(self.notes, key=lambda kind: (kind != CUT, kind))
        said = (f"{self.notes[kind]:,} {'' if kind == CUT else 'with '}{kind}" for kind in kinds)
        return ", ".join([counted(self.rows, "row"), *said])


def predict_file(
    model: TextClassifier,
    source: Path,
    out: Path,
    column: str | None = None,
    context: str | None = None,
) -> Judged:
    """Write the rows of ``source`` to ``out``, in order, with the columns of ANSWERS added.

    Memory holds one chunk of rows. ``out`` is written whole or not at all; one that is there
    already is replaced. A name of ANSWERS that a column of ``source`` has is changed, and said.

    Args:
        model: from raw texts to P(positive), (texts,) float32; it may also have the method
            ``judge`` and the attribute ``columns`` of a Predictor.
        source: CSV, TSV, JSON lines, Parquet or plain text, perhaps compressed.
        out: CSV, TSV, JSON lines or Parquet.
        column: holds the texts, where a missing one is ""; None for the one that the model was
            trained on, or else the only one.
        context: the column of what each text is about, its first token; None for the one that the
            model was trained on, if there is one.

    Raises:
        SourceError: the input cannot be read.
        DataError: it lacks one of these columns, has no rows, a text that is none, or cannot be
            written so.
    """
    check_files(source, out)
    rows, notes = 0, Counter[str]()
    with ExitStack() as stack:
        with doing(f"opening {source}"):
            table = stack.enter_context(open_records(source))
        columns = _columns(model, table, source, column, context)
        names = _free_names(table, source)

        def answered() -> Iterator[list[Record]]:
            nonlocal rows
            read = 0
            with progress(f"judging {source}", table.size, "bytes") as advance:
                for records in table.chunks:
                    notes.update(_add_answers(records, model, names, source, columns, rows))
                    yield records
                    rows += len(records)
                    advance(table.position() - read)
                    read = table.position()
            if not rows:
                raise DataError(f"{source} has columns and no rows")

        try:
            with written_whole(out) as file:
                write_records(answered(), file, out, _with_answers(table, names))
        except OSError as error:
            raise DataError(f"{out} cannot be written: {error.strerror}") from None
    return Judged(rows, notes)


def _columns(
    model: TextClassifier, table: Input, source: Path, column: str | None, context: str | None
) -> list[str]:
    """Perhaps the column of contexts, and last that of the texts."""
    known = getattr(model, "columns", PLAIN)  # an older version registered does not say
    there = table.names
    shown = ", ".join(shorten(name, 40) for name in there[:10])
    for name, option in ((column, "--column"), (context, "--context-column")):
        if name is not None and name not in there:
            raise DataError(f"{source} has no column {name!r}; it has {shown}; see {option}")
    others = [name for name in there if name != known.context]
    if column is None and known.text not in there and len(others) != 1:
        raise DataError(
            f"{source} has no column {known.text!r}, which the model was trained on; it has "
            f"{shown}; name the one that holds the texts by --column (with make: COLUMN=)"
        )
    if column is None and known.text not in there and others != [PLAIN.text]:
        # Said, because in a file without a header the name is a text.
        say(
            f"  {source} has no column {known.text!r}: the texts of {others[0]!r} are judged, "
            "below its name"
        )
    column = column or (known.text if known.text in there else others[0])
    if context is None and known.context is not None:
        if known.context in there:
            context = known.context
        else:
            say(
                f"  {source} has no column {known.context!r}: its texts are judged without what "
                "they are about"
            )
    return [column] if context is None else [context, column]


def _free_names(table: Input, source: Path) -> list[str]:
    """The names of ANSWERS, or where a column of the table has one, others."""
    names = []
    for name in ANSWERS:
        more = (f"predicted_{name}_{number}" for number in count(2))
        free = chain([name, f"predicted_{name}"], more)
        names.append(next(each for each in free if each not in table.names))
    if taken := [name for name in ANSWERS if name in table.names]:
        instead = [name for name in names if name not in ANSWERS]
        say(
            f"  {source} has {', '.join(map(repr, taken))} already: the answers are in "
            f"{', '.join(map(repr, instead))}"
        )
    return names


def _add_answers(
    records: list[Record],
    model: TextClassifier,
    names: Sequence[str],
    source: Path,
    columns: Sequence[str],
    before: int,
) -> Counter[str]:
    """Count the kinds of note. ``columns`` are as ``_columns`` gives them."""
    texts, kinds = [], Counter[str]()
    for number, record in enumerate(records, before + 1):
        place = f"{source}: row {number:,}, column"
        *context, text = (_text(record.get(name), f"{place} {name!r}") for name in columns)
        texts.append(with_context("".join(context), text))
    label, probability, note = names
    for record, positive, said in zip(records, *judge(model, texts), strict=True):
        record[label] = label_of(positive)
        record[probability] = float(str(positive))  # the shortest that is the same float32
        record[note] = said
        kinds.update(kinds_of(said))
    return kinds


def _text(value: object, place: str) -> str:
    text = as_text(value)
    if text is None:
        raise DataError(f"{place} is {shorten(value)}; allowed: text, a number or a date")
    return text


def _with_answers(table: Input, names: Sequence[str]) -> object:
    """A Parquet file's schema with the answers' columns; None for other files, which have none."""
    if table.schema is None:
        return None
    import pyarrow as pa  # type: ignore[import-untyped]

    schema = table.schema
    for name, type_ in zip(names, (pa.string(), pa.float32(), pa.string()), strict=True):
        schema = schema.append(pa.field(name, type_))
    return schema
