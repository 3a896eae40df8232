"""A label and its confidence for every row of a file of any length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sentigate.errors import DataError, counted, shorten
from sentigate.files import written_whole
from sentigate.model.columns import PLAIN, Columns
from sentigate.model.labels import Classes
from sentigate.model.notes import CUT, kinds_of
from sentigate.progress import doing, progress, say
from sentigate.tables.chunk import Chunk, Record
from sentigate.tables.dialect import ON_COMMAND_LINE, Dialect
from sentigate.tables.reader import OpenTable, open_table
from sentigate.tables.table_file import local_files
from sentigate.tables.write import check_output, write_records

if TYPE_CHECKING:
    import numpy as np

    from sentigate.model.predictor import Answers


class TextClassifier(Protocol):
    """A model, as ``registry.loading`` loads it."""

    @property
    def classes(self) -> Classes:
        """The classes that the model answers."""
        ...

    @property
    def columns(self) -> Columns:
        """The columns that the model was trained on."""
        ...

    def judge(self, texts: Sequence[str], /) -> Answers:
        """Return the answers to raw texts, with notes."""
        ...


def check_files(source: Path, out: Path) -> None:
    """Check the paths, before the model is loaded.

    Raises:
        SourceError: the input does not exist.
        DataError: ``out`` is the input, a folder, or of an unknown format.
    """
    check_output(out)
    if out.is_dir():
        raise DataError(f"{out} is a folder; name a file in it")
    for file in local_files(str(source)):
        if out.exists() and out.samefile(file.path):
            raise DataError(f"{out} is the input file; name another file for the answers")


class Judged(NamedTuple):
    """Counts of the written rows.

    Attributes:
        rows: Number of rows.
        notes: Kind of note -> number of rows with such a note.
    """

    rows: int
    notes: Counter[str]

    @property
    def summary(self) -> str:
        """The counts in words, like "3,412 rows, 12 cut, 2 with nothing to go by"."""
        kinds = sorted(self.notes, key=lambda kind: (kind != CUT, kind))
        noted = (f"{self.notes[kind]:,} {'' if kind == CUT else 'with '}{kind}" for kind in kinds)
        return ", ".join([counted(self.rows, "row"), *noted])


def predict_file(
    model: TextClassifier,
    source: Path,
    out: Path,
    column: str | None = None,
    contexts: Sequence[str] = (),
    *,
    dialect: Dialect = Dialect(),  # noqa: B008 (it is frozen)
    probabilities: bool = False,
) -> Judged:
    """Write the rows of ``source`` to ``out``, in order, with the columns of the answers added.

    These are ``label``, ``confidence`` and ``note``. Memory holds one chunk of rows at a time.
    ``out`` is written whole or not at all; an existing file is replaced. If ``source`` has a column
    of the same name, the answers get another name, and a message names it.

    Args:
        model: the model that answers.
        source: a table, or a pattern or folder of several files; see ``tables.reader``.
        out: CSV, TSV, JSON lines or Parquet.
        column: the column of texts; a missing value is "". None for the columns that the model was
            trained on, or else the only column.
        contexts: columns with what each text is about, one for each context of the model; they
            become the text's first tokens. None for the columns that the model was trained on, as
            far as the table has them.
        dialect: how the table is written.
        probabilities: whether to add a column ``probability_<class name>`` for each class, too.

    Raises:
        SourceError: the input cannot be read.
        DataError: the input lacks one of these columns, has no rows or has a value that is not a
            text, or ``out`` cannot hold the rows or cannot be written.
    """
    check_files(source, out)
    rows, notes = 0, Counter[str]()
    with ExitStack() as stack:
        with doing(f"opening {source}"):
            files = local_files(str(source))
            table = stack.enter_context(open_table(files, dialect, writing=ON_COMMAND_LINE))
        columns = _columns(model, table, source, column, contexts)
        classes = model.classes.names if probabilities else ()
        numbers = ["confidence", *(f"probability_{name}" for name in classes)]
        names = _free_names(["label", *numbers, "note"], table, source)

        def answered() -> Generator[list[Record]]:
            nonlocal rows
            read = 0
            with progress(f"judging {source}", table.size, "bytes") as advance:
                for chunk in table.chunks:
                    records = chunk.records()
                    notes.update(_add_answers(chunk, records, model, names, columns))
                    yield records
                    rows += len(records)
                    advance(table.position() - read)
                    read = table.position()
            if not rows:
                raise DataError(f"{source} has columns but no rows")

        try:
            with closing(answered()) as judged, written_whole(out) as file:
                write_records(judged, file, out, _with_answers(table, names))
        except OSError as error:
            raise DataError(f"{out} cannot be written: {error.strerror}") from None
    return Judged(rows, notes)


class _Read(NamedTuple):
    """The columns to read.

    Attributes:
        texts: columns of texts, to be joined.
        contexts: a column for each context of the model, None for one that the table lacks; none at
            all if texts are read without a context.
    """

    texts: tuple[str, ...]
    contexts: tuple[str | None, ...]


def _columns(
    model: TextClassifier,
    table: OpenTable,
    source: Path,
    column: str | None,
    contexts: Sequence[str],
) -> _Read:
    known, names = model.columns, table.names
    shown = ", ".join(shorten(name, 40) for name in names[:10])
    given = [(column, "--column"), *((name, "--context-column") for name in contexts)]
    for name, option in given:
        if name is not None and name not in names:
            raise DataError(
                f"{source} has no column {name!r}; it has {shown}; see {option}{table.hint([name])}"
            )
    if contexts and len(contexts) != max(1, len(known.contexts)):
        raise DataError(
            f"--context-column is given for {counted(len(contexts), 'column')}; the model was "
            f"trained on {_listed(known.contexts)}: give it for each, in this order"
        )
    texts = (column,) if column else _text_columns(known, table, source, shown)
    if contexts or not known.contexts:
        return _Read(texts, tuple(contexts))
    if lacking := [name for name in known.contexts if name not in names]:
        without = "a context" if len(known.contexts) == 1 else "these contexts"
        say(f"  {source} has no {_listed(lacking)}: its texts are read without {without}")
    return _Read(texts, tuple(name if name in names else None for name in known.contexts))


def _text_columns(known: Columns, table: OpenTable, source: Path, shown: str) -> tuple[str, ...]:
    names = table.names
    lacking = [name for name in known.texts if name not in names]
    if not lacking:
        return known.texts
    others = [name for name in names if name not in known.contexts]
    if len(lacking) < len(known.texts):
        raise DataError(
            f"{source} has no {_listed(lacking)}, but the model was trained on "
            f"{_listed(known.texts)}; it has {shown}; add what is missing, with empty texts if "
            "there are none, or name one column of texts with --column (with make: COLUMN=)"
        )
    hint = table.hint(known.texts) if others != [PLAIN.text] else ""
    if hint or len(others) != 1:
        raise DataError(
            f"{source} has no {_listed(lacking)}, which the model was trained on; it has "
            f"{shown}; name the column of texts with --column (with make: COLUMN=){hint}"
        )
    if others != [PLAIN.text]:
        # In a file without a header this name is the first text, which gets no answer.
        say(
            f"  {source} has no {_listed(lacking)}: the texts are read from its only column, "
            f"{others[0]!r}"
        )
    return (others[0],)


def _listed(names: Sequence[str]) -> str:
    """Return "column 'a'" or "columns 'a', 'b'"."""
    return f"column{'s' * (len(names) > 1)} {', '.join(map(repr, names))}"


def _free_names(wanted: Sequence[str], table: OpenTable, source: Path) -> list[str]:
    """Return a free column name for each one wanted, and print the names that had to change."""
    names: list[str] = []
    for name in wanted:
        more = (f"predicted_{name}_{number}" for number in count(2))
        free = chain([name, f"predicted_{name}"], more)
        names.append(next(each for each in free if each not in (*table.names, *names)))
    if changed := [pair for pair in zip(wanted, names, strict=True) if pair[0] != pair[1]]:
        taken, instead = (", ".join(map(repr, part)) for part in zip(*changed, strict=True))
        say(f"  {source} has {taken} already: the answers are in {instead}")
    return names


def _add_answers(
    chunk: Chunk,
    records: list[Record],
    model: TextClassifier,
    names: Sequence[str],
    columns: _Read,
) -> Counter[str]:
    """Add the answers to the records, and return the number of each kind of note.

    Args:
        chunk: some rows.
        records: the rows of the chunk.
        model: as in ``predict_file``.
        names: the columns for the answers, from ``_free_names``.
        columns: the columns to read, from ``_columns``.
    """
    texts, kinds = [], Counter[str]()
    read = [
        chunk.texts(name).to_pylist() if name else [""] * len(chunk)
        for name in (*columns.texts, *columns.contexts)
    ]
    for values in zip(*read, strict=True):
        count = len(columns.texts)
        texts.append(model.columns.text_of(values[:count], values[count:]))
    label, confidence, *probabilities, note = names
    answers = model.judge(texts)
    for row, record in enumerate(records):
        record[label] = answers.labels[row]
        record[confidence] = _decimal(answers.confidences[row])
        if probabilities:
            shares = map(_decimal, answers.probabilities[row])
            record.update(zip(probabilities, shares, strict=True))
        record[note] = answers.notes[row]
        kinds.update(kinds_of(answers.notes[row]))
    return kinds


def _decimal(value: np.float32) -> float:
    """Return the shortest decimal number of a float32."""
    return float(str(value))


def _with_answers(table: OpenTable, names: Sequence[str]) -> object:
    """Return a Parquet file's schema with the columns of the answers; None for other formats."""
    if table.schema is None:
        return None
    import pyarrow as pa  # type: ignore[import-untyped]

    schema = table.schema
    for place, name in enumerate(names):
        is_text = place in (0, len(names) - 1)  # the label and the note
        schema = schema.append(pa.field(name, pa.string() if is_text else pa.float32()))
    return schema
