"""Read a proposed table as ``ingest`` does, and clean and split it as the next stages will."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sentigate.data.clusters import clusters_of
from sentigate.data.filtering import label_and_clean
from sentigate.data.near_copies import near_copy_clusters
from sentigate.data.splitting import split_checks, split_rows
from sentigate.errors import DataError, SourceError, counted
from sentigate.progress import doing
from sentigate.settings.dataset import Dataset
from sentigate.settings.params import Params
from sentigate.sources import read_source
from sentigate.sources.own_file import is_url

from .doubt import Doubt
from .look import Looked
from .propose import Proposal, with_doubts

MOST_COMPARED = 200_000
"""With more texts, near-copies are not looked for: it would take over ten seconds."""
NEAR_COPIES = 0.005
"""Share of the rows with a near-copy of another group from which on they are kept together."""
SKEWED = 0.9
"""Share of the most frequent class from which on little may be learned."""
CONFLICTS = 0.02
"""Share of the rows with several labels from which on a context may explain them."""
STRATIFIED = {"rule": "grouped", "stratify": True, "test_size": 0.2, "validation_size": 0.1}


class Row(NamedTuple):
    """A row as it will be read; ``label`` is the name of a class, or None if it is dropped."""

    label: str | None
    group: str
    text: str


@dataclass(frozen=True)
class Trial:
    """What reading the table gave.

    Attributes:
        proposal: The proposal, changed where the rows demand it.
        rows: The first rows.
        taken: Rule -> rows that it drops, and the kept rows under "kept".
        shares: Name of each class -> its share of the kept rows.
    """

    proposal: Proposal
    rows: Sequence[Row]
    taken: Mapping[str, int]
    shares: Mapping[str, float]


def try_out(proposal: Proposal, params: Params, cache: Path, shown: int = 3) -> Trial:
    """Read, clean and split the table, and complete the proposal with what that shows.

    Args:
        proposal: The proposal.
        params: The project's params, for gates and seed.
        cache: Folder for downloads.
        shown: Number of rows to return.

    Raises:
        SourceError: the table cannot be read as proposed.
        DataError: no row is left.
    """
    with doing("reading the texts as the training will"):
        raw = _read(proposal, params, cache)
    with doing("cleaning them"):
        texts, taken = _clean(raw, proposal)
        if taken["several_labels"] > CONFLICTS * len(raw) and proposal.roles.contexts:
            proposal, raw, texts, taken = _with_context(proposal, params, cache, raw, texts, taken)
    if texts.empty:
        raise DataError(f"no row is left: {_dropped(taken)}")
    shares = _shares(texts, proposal)
    proposal = _gated(proposal, params, taken, shares, len(raw))
    with doing("splitting them"):
        proposal = _split(proposal, texts, params)
    rows = [
        Row(proposal.labels.labels[sentiment], str(group), text)
        for sentiment, group, text in raw[["sentiment", "group", "text"]].head(shown).values
    ]
    return Trial(proposal, rows, taken, shares)


@contextmanager
def _placed(looked: Looked, path: str) -> Iterator[str]:
    """Yield a path of links to the files, under the names that their copies will have."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / Path(path).name
        if is_url(looked.given) or (len(looked.files) == 1 and not Path(looked.given).is_dir()):
            place = place.with_name(looked.files[0].name)
            place.symlink_to(looked.files[0].path.absolute())
        elif Path(looked.given).is_dir():
            place.symlink_to(Path(looked.given).absolute())
        else:
            for file in looked.files:
                place.with_name(file.name).symlink_to(file.path.absolute())
        try:
            yield str(place)
        except SourceError as error:
            message = str(error).replace(str(place), path).replace(f"{folder}/", "")
            raise SourceError(message) from None


def _read(proposal: Proposal, params: Params, cache: Path) -> pd.DataFrame:
    values = proposal.values()
    with _placed(proposal.looked, values["source"]["path"]) as path:
        values["source"] |= {"path": path}
        entry = Dataset.model_validate(values)
        most = params.gates.max_text_characters
        return read_source(entry.source, entry.labels, most, cache, proposal.name)


def _clean(raw: pd.DataFrame, proposal: Proposal) -> tuple[pd.DataFrame, dict[str, int]]:
    entry = Dataset.model_validate(proposal.values())
    cleaned = label_and_clean(raw, entry.labels, entry.classes.names, entry.clean)
    return cleaned.texts, cleaned.taken


def _with_context(
    proposal: Proposal,
    params: Params,
    cache: Path,
    raw: pd.DataFrame,
    texts: pd.DataFrame,
    taken: dict[str, int],
) -> tuple[Proposal, pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """Try a context column, and take it if it explains texts with several labels."""
    for name in proposal.roles.contexts:
        tried = replace(proposal, source={**proposal.source, "context_column": name})
        new_raw = _read(tried, params, cache)
        new_texts, new_taken = _clean(new_raw, tried)
        if 2 * new_taken["several_labels"] <= taken["several_labels"]:
            said = (
                f"{counted(taken['several_labels'], 'row')} had a text with several labels, which "
                f"{name!r} explains: the model reads it before each text (context_column)"
            )
            return with_doubts(tried, [Doubt("context", said)]), new_raw, new_texts, new_taken
    return proposal, raw, texts, taken


def _dropped(taken: Mapping[str, int]) -> str:
    return ", ".join(f"{rule} {rows:,}" for rule, rows in taken.items() if rows and rule != "kept")


def _shares(texts: pd.DataFrame, proposal: Proposal) -> dict[str, float]:
    names = proposal.labels.names
    counts = np.bincount(texts["label"].to_numpy(dtype=np.int64), minlength=len(names))
    return dict(zip(names, (counts / counts.sum()).tolist(), strict=True))


def _gated(
    proposal: Proposal,
    params: Params,
    taken: Mapping[str, int],
    shares: Mapping[str, float],
    rows: int,
) -> Proposal:
    """Return the proposal with thresholds that fit the rows."""
    majority = max(shares, key=shares.__getitem__)
    most, tested = shares[majority], max(1.0, 0.2 * taken["kept"])
    chance = 2 * math.sqrt(most * (1 - most) / tested)
    accuracy = max(0.0, math.floor(100 * (most - min(chance, 0.5 * most))) / 100)
    gates = {"min_rows": _rounded_down(0.95 * rows), "min_test_accuracy": accuracy}
    notes = {
        **proposal.notes,
        "gates": f"{rows:,} rows were read; always {majority}: {most:.2f}",
    }
    clean, doubts = dict(proposal.clean), []
    rarest = min(shares, key=shares.__getitem__)
    if shares[rarest] < params.gates.min_class_share * 1.1:
        clean["min_class_share"] = math.floor(700 * shares[rarest]) / 1000
        said = (
            f"only {shares[rarest]:.1%} of the rows are {rarest}: the model may hardly answer it "
            "(docs/your-data.md, Skewed classes)"
        )
        doubts.append(Doubt("classes", said))
    if most >= SKEWED:
        said = (
            f"{most:.0%} of the rows are {majority}: the training stops if no linear model is "
            "better than this answer to every text (gates.min_baseline_mcc)"
        )
        doubts.append(Doubt("classes", said))
    count = len(shares)
    if "min_class_share" not in clean and params.gates.min_class_share > 1 / count:
        clean["min_class_share"] = math.floor(500 / count) / 1000
    if (several := taken["several_labels"]) > CONFLICTS * rows:
        said = f"{counted(several, 'row')} have a text that occurs with several labels: dropped"
        doubts.append(Doubt("conflicts", said))
    return with_doubts(proposal, doubts, gates=gates, notes=notes, clean=clean)


def _rounded_down(number: float) -> int:
    """Return a number with two digits that are not zero, and at least 1."""
    step: int = 10 ** max(0, len(str(int(number))) - 2)
    return max(1, int(number) // step * step)


def _split(proposal: Proposal, texts: pd.DataFrame, params: Params) -> Proposal:
    """Return the proposal with the first split that works on these texts."""
    candidates: list[tuple[dict[str, Any], bool, str]] = []  # split, with the group, what changed
    usual = dict(proposal.split)
    copies = None
    if usual["rule"] == "published":
        candidates.append((usual, True, ""))
        usual = dict(STRATIFIED)
        after = "the published folds are not used"
    else:
        after = ""
    if len(texts) <= MOST_COMPARED:
        copies = near_copy_clusters(texts["text"])
        if _spread(copies, texts["group"]) >= NEAR_COPIES:
            candidates.append((usual | {"near_duplicates": "keep_together"}, True, after))
    candidates.append((usual, True, after))
    if proposal.roles.group is not None:
        candidates.append((usual, False, f"the group {proposal.roles.group!r} is not used"))
    candidates.append((usual | {"rule": "random"}, False, "rows are split at random"))
    problem = first = ""
    for split, grouped, change in candidates:
        problem = _problem(texts if grouped else _alone(texts), split, params, proposal, copies)
        if not problem:
            return _with_split(proposal, split, grouped, change, first)
        first = first or problem
    said = f"the training will stop at the split: {first}"
    return with_doubts(proposal, [Doubt("split", said)])


def _alone(texts: pd.DataFrame) -> pd.DataFrame:
    return texts.assign(group=texts["id"])


def _spread(copies: np.ndarray, groups: pd.Series[str]) -> float:
    """Return the share of rows in a cluster of near-copies that has several groups."""
    frame = pd.DataFrame({"copies": copies, "group": pd.factorize(groups)[0]})
    several = frame.groupby("copies")["group"].transform("nunique") > 1
    return float(several.mean())


def _problem(
    texts: pd.DataFrame,
    split: Mapping[str, Any],
    params: Params,
    proposal: Proposal,
    copies: np.ndarray | None,
) -> str:
    """Return why the split or its gate would fail, or ""."""
    entry = Dataset.model_validate(
        {**proposal.values(), "split": dict(split)} | _without_fold(proposal, split)
    )
    kept = copies if split.get("near_duplicates") == "keep_together" else None
    names, gates = entry.classes.names, params.gates
    try:
        splits = split_rows(texts, names, entry.split, params.seed, near_copies=kept)
    except DataError as error:
        return str(error)
    checks = split_checks(splits, entry.split)
    size, balance = checks["size_difference"].abs().max(), checks["balance_difference"].max()
    if (checks["missing_classes"] > 0).any():
        return "a class is missing in a split"
    if size > gates.max_size_difference:
        return f"a split would differ by {size:.1%} of the rows from its size"
    if balance > gates.max_balance_difference:
        return f"the share of a class would differ by {balance:.1%} between a split and all rows"
    largest = int(np.bincount(clusters_of(texts)).max())
    if split["rule"] == "grouped" and largest > 0.2 * len(texts):
        return f"{largest:,} rows would have to stay in one split"
    return ""


def _without_fold(proposal: Proposal, split: Mapping[str, Any]) -> dict[str, Any]:
    if split["rule"] == "published":
        return {}
    source = {k: v for k, v in proposal.source.items() if k not in ("fold_column", "folds")}
    return {"source": source}


def _with_split(
    proposal: Proposal, split: dict[str, Any], grouped: bool, change: str, problem: str
) -> Proposal:
    source = dict(_without_fold(proposal, split).get("source", proposal.source))
    roles, notes = proposal.roles, dict(proposal.notes)
    if split["rule"] != "published":
        roles = replace(roles, fold=None, folds=None)
    if not grouped:
        source.pop("group_column", None)
        roles = replace(roles, group=None)
    if split["rule"] == "random":
        notes.pop("split.rule", None)
    doubts = [Doubt("split", f"{change}, because {problem}")] if change and problem else []
    return with_doubts(proposal, doubts, source=source, split=split, roles=roles, notes=notes)
