"""`sentigate adopt`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentigate.errors import SourceError
from sentigate.progress import doing
from sentigate.settings.params import load_params

from .selection import PARAMS

if TYPE_CHECKING:
    from sentigate.adoption.doubt import Doubt
    from sentigate.adoption.trial import Trial

CACHE = Path(".cache")


def adopt(
    table: Annotated[
        str, typer.Argument(help="A file, a pattern, a folder or an http(s) URL.")
    ] = "",
    name: Annotated[
        str, typer.Option(help="Name of the data set; by default that of the file.")
    ] = "",
    text: Annotated[
        str, typer.Option(help="Column of the texts; several are joined: title,body.")
    ] = "",
    label: Annotated[str, typer.Option(help="Column of the labels.")] = "",
    group: Annotated[
        str, typer.Option(help="Column of rows that must stay in one split; or none.")
    ] = "",
    classes: Annotated[
        str, typer.Option(help="Classes of stars or scores: each, three or two.")
    ] = "",
    encoding: Annotated[str, typer.Option(help="Encoding of the file.")] = "",
    separator: Annotated[str, typer.Option(help="Separator of the columns; or tab.")] = "",
    header: Annotated[
        str, typer.Option(help="Whether the first row names the columns: yes, no.")
    ] = "",
    sheet: Annotated[str, typer.Option(help="Sheet of a spreadsheet.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Take every proposal; ask nothing.")] = False,
) -> None:
    """Look at a table, propose its data set, and write datasets/NAME.yaml.

    Asks on a terminal; elsewhere, writes only with --yes. The table is copied to data/own/NAME/.

    Example: sentigate adopt ~/reviews.csv
    """
    if not table:
        raise SourceError("give a table: make adopt FILE=reviews.csv")
    for key, value, allowed in (
        ("classes", classes, ("each", "three", "two")),
        ("header", header, ("yes", "no")),
    ):
        if value and value not in allowed:
            raise SourceError(f"--{key} is {value!r}; allowed: {', '.join(allowed)}")
    given = {
        "name": name,
        "text": text,
        "label": label,
        "group": group,
        "classes": classes,
        "encoding": encoding,
        "separator": separator,
        "header": header,
        "sheet": sheet,
    }
    choices = {key: value for key, value in given.items() if value}
    asking = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    adopt_table(table, choices, yes=yes, ask=_ask if asking else None)


def adopt_table(
    table: str,
    choices: dict[str, str],
    *,
    yes: bool,
    ask: Callable[[str, str], str] | None,
) -> Trial:
    """Look at a table, show it, settle what was not sure, and write the data set.

    Args:
        table: Path, pattern, folder or URL.
        choices: What the user chose ahead.
        yes: Whether to take the proposals.
        ask: Asks a question with a proposed answer, and returns the answer; None: nobody answers.

    Returns:
        What was written, or is there already.

    Raises:
        SourceError: the table cannot be read, a choice must be made, or nobody agreed to write.
        ParamsError: the data set exists already with another table.
    """
    with doing("getting ready"):
        from sentigate.adoption import show, write

    trial = _examined(table, choices)
    print(*show.overview(trial), "", sep="\n")
    if ask is None:
        print(*show.not_sure(trial.proposal.doubts), "", sep="\n")
    else:
        trial = _settled(table, choices, trial, ask)
    if write.existing(trial.proposal):
        path = write.entry_path(trial.proposal.name)
        print(f"{path} describes this table already; nothing was changed. Train with:")
        print(f"  make train DATASET={trial.proposal.name}")
        return trial
    print(*_indented(write.text_of(trial.proposal), trial.proposal.name), "", sep="\n")
    if ask is not None:
        if ask(f"Write {write.entry_path(trial.proposal.name)}?", "yes").lower() not in (
            "yes",
            "y",
        ):
            raise SourceError("nothing was written")
    elif not yes:
        raise SourceError("nothing was written; add --yes to take what is proposed")
    else:
        _refuse_open_choices(trial.proposal.doubts)
    write.write(trial.proposal)
    print(*show.written(trial.proposal), sep="\n")
    return trial


def _examined(table: str, choices: dict[str, str]) -> Trial:
    from sentigate.adoption.look import look
    from sentigate.adoption.propose import propose
    from sentigate.adoption.trial import try_out

    return try_out(propose(look(table, choices, CACHE), choices), load_params(PARAMS), CACHE)


def _settled(
    table: str, choices: dict[str, str], trial: Trial, ask: Callable[[str, str], str]
) -> Trial:
    """Ask about each doubt in turn; an answer that changes something is tried at once."""
    from sentigate.adoption import show

    asked: set[str] = set()
    while doubt := next(
        (d for d in trial.proposal.doubts if d.others and d.about not in asked | set(choices)), None
    ):
        asked.add(doubt.about)
        for line in doubt.lines:
            print(f"    {line}")
        question = f"{doubt.said}.\n  {doubt.about} ({', '.join((doubt.proposed, *doubt.others))})"
        answer = ask(question, doubt.proposed)
        if answer != doubt.proposed:
            trial = _tried_answer(table, choices, trial, doubt.about, answer)
    if asked:
        print(*show.overview(trial), "", sep="\n")
    rest = [doubt for doubt in trial.proposal.doubts if doubt.about not in asked]
    print(*show.not_sure(rest), "", sep="\n")
    return trial


def _tried_answer(
    table: str, choices: dict[str, str], trial: Trial, about: str, answer: str
) -> Trial:
    """Return what the answer gives; after an error, say it and keep what was proposed."""
    try:
        trial = _examined(table, choices | {about: answer})
    except SourceError as error:
        print(f"  {error}; the proposal stays")
        return trial
    choices[about] = answer
    return trial


def _refuse_open_choices(doubts: tuple[Doubt, ...]) -> None:
    from sentigate.adoption import show

    for doubt in doubts:
        if doubt.must_choose:
            options = [show.option(doubt.about, one) for one in (doubt.proposed, *doubt.others)]
            raise SourceError(
                f"nothing was written: {doubt.said}. Say which: {' or '.join(options)}"
            )


def _indented(text: str, name: str) -> list[str]:
    from sentigate.adoption.write import entry_path

    return [f"{entry_path(name)}:", *(f"  {line}" for line in text.splitlines())]


def _ask(question: str, proposed: str) -> str:
    """Ask on the terminal; Enter takes the proposed answer."""
    try:
        return input(f"{question} [{proposed}]: ").strip() or proposed
    except EOFError:
        raise SourceError("nothing was written") from None
