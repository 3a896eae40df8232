"""Read the figures of a compared version, from the work tree or from git."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sentigate import artifacts
from sentigate.errors import DataError, shorten

METRICS_FILE, PARAMS_FILE = artifacts.METRICS_REPORT, Path("params.yaml")


class Side(NamedTuple):
    """One of the two compared versions.

    Attributes:
        figures: The numbers in reports/metrics.json, by part and key.
        lack: A sentence that gives the reason if there are no figures, else "".
        dataset: Name of the data set, or "unknown".
        model: Name of the model, or "unknown".
        classes: Names of the classes. Figures of older versions do not name their two classes: ().
    """

    figures: Mapping[str, Mapping[str, float]]
    lack: str
    dataset: str
    model: str
    classes: tuple[str, ...]

    def of(self, key: str, part: str = "test") -> float | None:
        """Return a figure, or None if it is missing."""
        return self.figures.get(part, {}).get(key)

    def answers_like(self, other: Side) -> bool:
        """Return whether both sides tell the same classes apart, so far as their files show."""
        if self.classes and other.classes:
            return self.classes == other.classes
        return len(self.classes or other.classes) in (0, 2)


def side_of(metrics: str | None, params: str | None, place: str) -> Side:
    """Build a side from the contents of its files; None stands for a missing file."""
    try:
        chosen = YAML(typ="safe").load(params or "")  # as DVC reads it; older files have anchors
    except YAMLError:
        chosen = None
    names = chosen if isinstance(chosen, dict) else {}
    content = json_object(metrics or "")
    figures = {
        part: {key: value for key, value in values.items() if isinstance(value, int | float)}
        for part, values in content.items()
        if isinstance(values, dict)
    }
    lack = ""
    if metrics is None:
        lack = f"there is no {METRICS_FILE} in {place}."
    elif not content:
        lack = f"{METRICS_FILE} in {place} is not valid JSON."
    elif "accuracy" not in figures.get("test", {}):
        lack = f"{METRICS_FILE} in {place} has no test accuracy."
    unknown = "unknown"
    dataset, model = str(names.get("dataset", unknown)), str(names.get("model", unknown))
    classes = content.get("classes")
    known = tuple(classes) if isinstance(classes, dict) else ()
    return Side({} if lack else figures, lack, dataset, model, known)


def commit_of(base: str) -> str:
    """Return the hash of the commit that a branch, tag or commit names.

    Raises:
        DataError: ``base`` is not a revision, or there is no git repository.
    """
    # With this suffix, git cannot take a base for an option.
    done = _git("rev-parse", "--verify", "--quiet", f"{base}^{{commit}}")
    if done.returncode:
        # Git prints an error if the folder is no repository, but nothing if the name is unknown.
        cause = " ".join(done.stderr.split()) or "there is no such branch, tag or commit"
        raise DataError(
            f"the base {shorten(base)} is not a git revision: {cause}; "
            "name an existing one: make ci-report BASE=origin/main"
        )
    return done.stdout.strip()


def text_at(commit: str, path: Path) -> str | None:
    """Return the content of a file in a commit, or None if the file does not exist."""
    done = _git("show", f"{commit}:./{path}")
    return None if done.returncode else done.stdout


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", *arguments]
    try:
        return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise DataError("ci-report reads the base with git, which is not installed") from None


def read_text(path: Path) -> str | None:
    """Return the content of a file in the work tree, or None if the file does not exist."""
    return path.read_text("utf-8", errors="replace") if path.is_file() else None


def json_object(text: str) -> dict[str, Any]:
    """Parse a JSON object; return {} if the text is damaged or holds another type."""
    try:
        content = json.loads(text, parse_constant=lambda name: None)
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {}
