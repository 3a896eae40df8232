"""Render reports/data.html, the page about a data set, and write its suspect labels as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.data.corrections import COLUMNS, RELABEL
from sentigate.data.languages import LANGUAGES
from sentigate.data.splitting import RULES
from sentigate.evaluation.data_figures import Families, Languages, Lengths
from sentigate.evaluation.formats import count, share
from sentigate.evaluation.suspects import Suspects
from sentigate.files import templates
from sentigate.model.labels import Classes

LISTED_SUSPECTS = 500
"""Largest number of suspect labels on the page; suspects.csv has all."""
LISTED_LANGUAGES = 12
LONG_TEXT = 300
"""Longer texts are folded; in characters."""
COLOURS = 7
"""Number of colours for classes; more classes use them again."""
UNKNOWN_LANGUAGE = "unknown"


def render_data_page(
    *,
    dataset: str,
    classes: Classes,
    balance: Mapping[str, npt.NDArray[np.int64]],
    cleaned: Mapping[str, Any],
    lengths: Lengths,
    languages: Languages,
    families: Families,
    conflicts: Sequence[Mapping[str, Any]],
    conflicting: int,
    suspects: Suspects,
    corrections: Path,
) -> str:
    """Render the page as HTML. It fetches nothing, and every text is escaped.

    Its script sorts tables and writes corrections; without it, the page shows the same. The same
    input gives the same page.

    Args:
        dataset: name of the data set.
        classes: names of the classes.
        balance: rows of each class by split, as ``class_balance`` returns it.
        cleaned: content of reports/clean.json.
        lengths: as ``text_lengths`` returns it.
        languages: as ``text_languages`` returns it.
        families: as ``families`` returns it.
        conflicts: as ``conflicting_texts`` returns it.
        conflicting: number of all texts with several labels.
        suspects: as ``find_suspects`` returns it.
        corrections: path of the data set's corrections.
    """
    environment = templates()
    environment.filters |= {"share": share, "count": count}
    shown = suspects.table.head(LISTED_SUSPECTS)
    tallest = max((bar.texts for bar in lengths.bars), default=1) or 1
    return environment.get_template("reporting/templates/data.html.j2").render(
        dataset=dataset,
        names=classes.names,
        colours=COLOURS,
        balance={
            name: [
                {"name": each, "rows": rows, "share": rows / max(sum(counts), 1)}
                for each, rows in zip(classes.names, counts, strict=True)
            ]
            for name, counts in ((name, found.tolist()) for name, found in balance.items())
        },
        rows=int(balance["all"].sum()),
        taken=[(RULES.get(rule), rows) for rule, rows in cleaned["rows"].items() if rule in RULES],
        relabelled=cleaned["relabelled"],
        lengths=lengths,
        bars=[{**bar._asdict(), "height": round(bar.texts / tallest, 4)} for bar in lengths.bars],
        languages=_languages(languages),
        judged_languages=languages,
        families=families,
        conflicts=conflicts,
        conflicting=conflicting,
        suspects=shown.to_dict("records"),
        found=len(suspects.table),
        judged=suspects.judged,
        notes=suspects.notes,
        matrix=_matrix(suspects.table, classes),
        long_text=LONG_TEXT,
        corrections=corrections.as_posix(),
        data={"columns": [*COLUMNS, "text"], "classes": list(classes.names)},
    )


def suspects_csv(suspects: Suspects) -> str:
    """Return all suspect labels as lines for a corrections.csv, with a column for the texts.

    Each line gives the row the class that the linear model suggests.
    """
    table = suspects.table
    lines = pd.DataFrame(
        {
            "id": table["id"],
            "action": RELABEL,
            "label": table["suggested"],
            "reason": [
                f"suspect: labelled {row.label} ({row.probability:.4f}), the linear model says "
                f"{row.suggested} ({row.suggested_probability:.4f})"
                for row in table.itertuples()
            ],
            "text": table["text"],
        },
        columns=[*COLUMNS, "text"],
    )
    return lines.to_csv(index=False, lineterminator="\n")


def _languages(languages: Languages) -> list[tuple[str, float]]:
    """Return name and share of the most frequent languages; the others as one, at the end."""
    named = [
        (LANGUAGES.get(code, UNKNOWN_LANGUAGE), found) for code, found in languages.shares.items()
    ]
    rest = sum(found for _, found in named[LISTED_LANGUAGES:])
    return [*named[:LISTED_LANGUAGES], *([("others", rest)] if rest else [])]


def _matrix(table: pd.DataFrame, classes: Classes) -> list[list[int]]:
    """Count the suspects, (K, K): given label by suggested class."""
    counts = pd.crosstab(table["label"], table["suggested"])
    names = list(classes.names)
    rows: list[list[int]] = counts.reindex(index=names, columns=names, fill_value=0).values.tolist()
    return rows
