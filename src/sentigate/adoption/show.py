"""What adopt says about a table, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sentigate.errors import counted

from .describe import Column
from .doubt import Doubt
from .propose import Proposal, shown_languages
from .trial import Trial
from .write import entry_path

WIDTH = 68
"""Characters of a text that are shown."""
DROPPED = {
    "sentiment_left_out": "without a class",
    "empty": "without a text",
    "several_labels": "with a text that has several labels",
    "duplicate": "that repeat an earlier row",
}


def overview(trial: Trial) -> Iterator[str]:
    """Yield what the file is, what its columns hold, and what the training will make of it."""
    proposal = trial.proposal
    looked = proposal.looked
    size = f"{looked.size / 1e6:,.1f} MB" if looked.size >= 1e5 else f"{looked.size:,} bytes"
    files = "" if len(looked.files) == 1 else f"{len(looked.files):,} files, "
    yield f"{looked.given}: {files}{size}, {counted(looked.rows, 'row')}, {_reading(proposal)}"
    if looked.sampled < looked.rows:
        yield (
            f"Counts are of all rows; lengths, languages and dates are of {looked.sampled:,} rows "
            "spread over the table."
        )
    yield ""
    yield from _table(
        ("column", "values", "holds"),
        [
            (_cut(column.name, 24), _values(column), _role(column, proposal))
            for column in looked.columns
        ],
    )
    yield ""
    yield f"texts     {_texts(proposal)}"
    yield f"classes   {_classes(trial)}"
    dropped = [
        f"{trial.taken[rule]:,} {what}" for rule, what in DROPPED.items() if trial.taken[rule]
    ]
    kept = counted(trial.taken["kept"], "row")
    yield f"kept      {kept}; dropped: {', '.join(dropped) or 'none'}"
    split = proposal.split
    near = "; near-copies too" if "near_duplicates" in split else ""
    group = f", by {proposal.roles.group!r}" if proposal.roles.group else ""
    yield f"split     {split['rule']}{group}{near}"
    yield f"model     {proposal.model}"
    yield ""
    yield "The first rows, as they will be read:"
    yield from _table(
        ("class", "group", "text") if proposal.roles.group else ("class", "text"),
        [
            (
                row.label or "(dropped)",
                *([_cut(row.group, 24)] if proposal.roles.group else []),
                _cut(" ".join(row.text.split()), WIDTH),
            )
            for row in trial.rows
        ],
    )


def not_sure(doubts: Sequence[Doubt]) -> Iterator[str]:
    """Yield what was not sure, with the options that say otherwise."""
    yield "Not sure of:" if doubts else "Nothing was unclear."
    for number, doubt in enumerate(doubts, 1):
        yield f"  {number}. {doubt.said}"
        yield from (f"       {line}" for line in doubt.lines)
        if doubt.others:
            said = [option(doubt.about, answer) for answer in (doubt.proposed, *doubt.others)]
            yield f"     {' or '.join(said)}"


def option(about: str, answer: str) -> str:
    """Return a choice as an option of the command line."""
    plain = answer.replace(",", "").replace("_", "").replace("-", "").isalnum()
    return f"--{about} {answer}" if plain else f"--{about} {answer!r}"


def written(proposal: Proposal) -> Iterator[str]:
    """Yield the paths of the new files, and the command to train."""
    yield f"Wrote {entry_path(proposal.name)} and data/own/{proposal.name}/. Train with:"
    yield f"  make train DATASET={proposal.name}"


def _reading(proposal: Proposal) -> str:
    dialect, kind = proposal.looked.dialect, proposal.looked.files[0].name.lower()
    parts = []
    if not kind.endswith((".parquet", ".xlsx", ".ods")):
        parts.append(f"{dialect.encoding or 'UTF-8'}")
    if dialect.separator:
        name = "tab" if dialect.separator in ("\t", "tab") else repr(dialect.separator)
        parts.append(f"separator {name}")
    if dialect.no_header:
        parts.append("no header")
    if dialect.plain_quotes:
        parts.append("quotes are only characters")
    if dialect.sheet:
        parts.append(f"sheet {dialect.sheet}")
    return ", ".join(parts) or kind.rpartition(".")[2]


def _values(column: Column) -> str:
    empty = column.rows - column.filled
    distinct = f"{column.distinct:,} distinct"
    return distinct + (f", {empty:,} empty" if empty else "")


def _role(column: Column, proposal: Proposal) -> str:
    roles, name = proposal.roles, column.name
    if name in roles.texts:
        return f"texts of {column.words:.0f} words on average"
    if name == roles.label:
        return f"labels: {_counts(column)}"
    for role, title in (
        (roles.id, "ids"),
        (roles.group, "groups: rows that stay in one split"),
        (roles.slice, "slices: figures for each value"),
        (roles.date, f"dates, {roles.date_format or 'ISO 8601'}"),
    ):
        if name == role:
            return title
    if name == roles.fold:
        folds = roles.folds or {}
        return "folds: " + ", ".join(f"{value} is {fold}" for value, fold in folds.items())
    if name == proposal.source.get("context_column"):
        return "what a sentiment is towards"
    return "(not used)"


def _counts(column: Column) -> str:
    if column.counts is None or len(column.counts) > 12:
        low, high = (
            (min(map(float, column.sample)), max(map(float, column.sample)))
            if column.is_number
            else ("", "")
        )
        return f"{column.distinct:,} values" + (f" from {low:g} to {high:g}" if high != "" else "")
    return ", ".join(f"{_cut(value, 20)} {rows:,}" for value, rows in column.counts.items())


def _texts(proposal: Proposal) -> str:
    share = proposal.without_spaces
    spaces = f"; {share:.0%} without spaces" if share >= 0.005 else ""
    return f"{shown_languages(proposal.languages)}{spaces}"


def _classes(trial: Trial) -> str:
    scale = " (a scale)" if trial.proposal.labels.ordered else ""
    return ", ".join(f"{name} {share:.0%}" for name, share in trial.shares.items()) + scale


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
