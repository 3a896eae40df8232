"""docs/table-shapes.md: what adopt says about each shape of table.

PYTHONPATH=tests python -m support.table_shapes_page writes it anew.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path

from sentigate.adoption.look import look
from sentigate.adoption.propose import Proposal, propose
from sentigate.adoption.trial import try_out
from sentigate.settings.params import load_params

from .project import ROOT
from .table_shapes import SHAPES

PAGE = ROOT / "docs/table-shapes.md"
HEAD = """\
# Shapes of tables

The tables that the tests of [`sentigate adopt`](your-data.md) know: small files with invented
content. *Not sure* is what the command lists. *Commands* is the number of commands to a trained
model, `make train` among them, without an edit: 3 if a choice must be made, because the command
then says the option to add.

| table | file | read as | not sure | commands |
|---|---|---|---|---:|
"""
USUAL = {"text_column": "text", "sentiment_column": "sentiment"}
SHOWN = ("encoding", "separator", "no_header", "plain_quotes", "text_column", "sentiment_column")


def page(proposals: Mapping[str, Proposal]) -> str:
    """Return the page from what was proposed for each shape."""
    lines = []
    for name, shape in SHAPES.items():
        proposal = proposals[name]
        source = proposal.source
        written = [key for key in SHOWN if key in source and source[key] != USUAL.get(key)]
        read = ", ".join(f"`{key}: {_shown(source[key])}`" for key in written) or "usual"
        said = "; ".join(doubt.said for doubt in proposal.doubts) or "nothing"
        options = "".join(f" `--{key} {value}`" for key, value in shape.options.items())
        must_choose = "label" in shape.options
        cells = (
            f"{name}: {shape.what}",
            f"`{shape.given}`{options}",
            read,
            said,
            "3" if must_choose else "2",
        )
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n")
    return HEAD + "".join(lines)


def _shown(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(str, value))}]"
    return str(value)


def _proposals(folder: Path) -> dict[str, Proposal]:
    params = load_params(ROOT / "params.yaml")
    found = {}
    for name, shape in SHAPES.items():
        place = folder / name
        place.mkdir()
        with chdir(place):
            shape.make(place)
            choices = dict(shape.options)
            proposal = propose(look(shape.given, choices, folder), choices)
            found[name] = try_out(proposal, params, folder).proposal
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        PAGE.write_text(page(_proposals(Path(temporary))), "utf-8")
