"""Propose an entry of datasets/ for a table that was looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from sentigate.data.languages import LANGUAGES, languages
from sentigate.errors import ParamsError
from sentigate.files import sha256_of
from sentigate.sources.own_file import is_url

from .describe import Column
from .doubt import Doubt
from .encoding import encoding_doubt
from .labels import Labels, propose_labels
from .look import Looked
from .roles import Roles, find_roles

OWN = PurePosixPath("data/own")
"""Folder of users' files, relative to the project's root."""
LONG_WORDS, LONG_ROWS = 100, 10_000
"""From here on, bilstm_long: long texts, and enough of them."""
LANGUAGE_SAMPLE = 1000
STEPS = (
    "normalize_unicode",
    "remove_html",
    "remove_links",
    "remove_mentions",
    "lowercase",
    "squeeze_whitespace",
)


@dataclass(frozen=True)
class Proposal:
    """A proposed data set.

    Attributes:
        name: Name of the data set.
        looked: The table.
        roles: Which column holds what.
        labels: The classes.
        languages: ISO 639-1 code -> share of the texts, the largest first; "" is unknown.
        without_spaces: Share of the texts in which no spaces separate the words.
        model: The recommended model.
        source: The entry's ``source``.
        clean: The entry's ``clean``.
        split: The entry's ``split``.
        gates: The entry's ``gates``.
        notes: Dotted key of the entry -> comment.
        doubts: What was not sure.
    """

    name: str
    looked: Looked
    roles: Roles
    labels: Labels
    languages: Mapping[str, float]
    without_spaces: float
    model: str
    source: Mapping[str, Any]
    clean: Mapping[str, Any]
    split: Mapping[str, Any]
    gates: Mapping[str, Any]
    notes: Mapping[str, str]
    doubts: tuple[Doubt, ...]

    def values(self) -> dict[str, Any]:
        """Return the entry as nested plain values."""
        classes: dict[str, Any] = {"names": list(self.labels.names)}
        if self.labels.ordered:
            classes["ordered"] = True
        return {
            "source": dict(self.source),
            "classes": classes,
            "labels": dict(self.labels.labels),
            "clean": dict(self.clean),
            "split": dict(self.split),
            "model": self.model,
            "gates": dict(self.gates),
        }


def propose(looked: Looked, choices: Mapping[str, str]) -> Proposal:
    """Propose an entry, before its rows have been read.

    Args:
        looked: The table.
        choices: What the user chose: the keys of ``find_roles``, ``name`` and ``classes``.

    Raises:
        SourceError: no column can be the texts, or the labels.
        ParamsError: the name is not allowed.
    """
    roles = find_roles(looked.columns, choices)
    named = {column.name: column for column in looked.columns}
    labels = propose_labels(named[roles.label], choices.get("classes", ""))
    name = choices.get("name") or usual_name(looked.given)
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise ParamsError(f"the name is {name!r}; allowed: letters, digits, - and _")
    texts = named[roles.texts[-1]]
    found = languages(texts.sample[:LANGUAGE_SAMPLE])
    model, doubt = _model(texts, found, looked.rows)
    encoding = encoding_doubt(looked.encodings, found)
    doubts = (*encoding, *looked.doubts, *roles.doubts, *labels.doubts, *([doubt] if doubt else []))
    return Proposal(
        name=name,
        looked=looked,
        roles=roles,
        labels=labels,
        languages=found,
        without_spaces=texts.without_spaces,
        model=model,
        source=_source(name, looked, roles, labels),
        clean={
            "steps": dict.fromkeys(STEPS, True),
            "drop_duplicates": True,
            "drop_conflicts": True,
        },
        split=_split(roles),
        gates={"min_rows": max(1, looked.rows // 2), "min_test_accuracy": 0.0},
        notes=_notes(roles),
        doubts=doubts,
    )


def usual_name(given: str) -> str:
    """Return the name of a data set from its path or URL: ``reviews`` for reviews.csv.gz."""
    path = PurePosixPath(unquote(urlsplit(given).path) if is_url(given) else given)
    parts = [part for part in path.parts if not set(part) & set("*?[")]
    known = r"(\.(csv|tsv|tab|txt|jsonl?|ndjson|parquet|xlsx|ods|gz|bz2|xz|zip|zst))+$"
    stem = re.sub(known, "", parts[-1] if parts else "", flags=re.IGNORECASE)
    plain = re.sub(r"[^a-z0-9]+", "_", stem.casefold()).strip("_")[:40].strip("_")
    return plain or "table"


def copied_path(name: str, looked: Looked) -> str:
    """Return the entry's ``path``: of the copy in the data set's folder, or the URL."""
    given = looked.given
    if is_url(given):
        return given
    folder = OWN / name
    if Path(given).absolute().is_relative_to(Path(folder).absolute()):
        return Path(given).absolute().relative_to(Path().absolute()).as_posix()
    if Path(given).is_dir():
        return str(folder / Path(given).absolute().name)
    if len(looked.files) == 1:
        return str(folder / looked.files[0].name)
    return str(folder / Path(given).name)


def _source(name: str, looked: Looked, roles: Roles, labels: Labels) -> dict[str, Any]:
    """Return the source; a key that is off is missing."""
    dialect = looked.dialect
    folds = roles.folds if roles.folds != {fold: fold for fold in roles.folds or ()} else None
    texts = list(roles.texts)
    source = {
        "kind": "table",
        "path": copied_path(name, looked),
        "name": name,
        "sha256": sha256_of(looked.files[0].path) if is_url(looked.given) else None,
        "encoding": dialect.encoding,
        "separator": "tab" if dialect.separator == "\t" else dialect.separator,
        "no_header": dialect.no_header or None,
        "plain_quotes": dialect.plain_quotes or None,
        "sheet": dialect.sheet,
        "text_column": texts if len(texts) > 1 else texts[0],
        "sentiment_column": roles.label,
        "bands": [int(one) if one.is_integer() else one for one in labels.bands] or None,
        "id_column": roles.id,
        "group_column": roles.group,
        "slice_column": roles.slice,
        "fold_column": roles.fold,
        "folds": dict(folds) if folds else None,
        "date_column": roles.date,
        "date_format": roles.date_format or None,
    }
    return {key: value for key, value in source.items() if value is not None}


def _split(roles: Roles) -> dict[str, Any]:
    if roles.fold is not None:
        has_validation = "validation" in (roles.folds or {}).values()
        size = {} if has_validation else {"validation_size": 0.1}
        return {"rule": "published", "stratify": True, **size}
    return {"rule": "grouped", "stratify": True, "test_size": 0.2, "validation_size": 0.1}


def _notes(roles: Roles) -> dict[str, str]:
    notes = {}
    if len(roles.texts) > 1:
        notes["source.text_column"] = "joined with a blank; each may be empty"
    if roles.fold is None:
        notes["split.rule"] = (
            "rows of a group stay in one split" if roles.group else "equal texts stay in one split"
        ) + ("; or by_time" if roles.date else "")
    return notes


def _model(texts: Column, found: Mapping[str, float], rows: int) -> tuple[str, Doubt | None]:
    """Return the model for the language of the texts."""
    if texts.without_spaces > 0.5:
        return "char_lstm", None
    english, known = found.get("en", 0.0), 1.0 - found.get("", 0.0)
    others = [LANGUAGES[language] for language in found if language not in ("", "en")]
    if english < 0.5 * known:
        said = (
            f"the texts are mostly {', '.join(others[:3])}, and the word vectors here are English: "
            "bilstm_from_scratch learns its own; vectors of the language are better"
        )
        return "bilstm_from_scratch", Doubt("model", said)
    model = "bilstm_long" if texts.words >= LONG_WORDS and rows >= LONG_ROWS else "bilstm"
    if known < 0.5 or english < 0.9 * known:
        said = f"the texts are not all English: {shown_languages(found)}; {model} is for English"
        return model, Doubt("model", said)
    return model, None


def shown_languages(found: Mapping[str, float]) -> str:
    """Return the largest shares of languages as a text."""
    some = [(code, share) for code, share in found.items() if share >= 0.005][:4]
    return ", ".join(f"{share:.0%} {LANGUAGES.get(code, 'unknown')}" for code, share in some)


def with_doubts(proposal: Proposal, doubts: Sequence[Doubt], **changes: Any) -> Proposal:
    """Return the proposal with changed attributes and more doubts."""
    return replace(proposal, doubts=(*proposal.doubts, *doubts), **changes)
