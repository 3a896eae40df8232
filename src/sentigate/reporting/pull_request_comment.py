"""What a change did to the figures and the gates, as the comment CI posts on a pull request."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sentigate import artifacts
from sentigate.errors import DataError, shorten
from sentigate.evaluation.difference import difference_sentence
from sentigate.evaluation.formats import MISSING, count, difference, figure, share
from sentigate.evaluation.metrics import METRICS, Metric, metric_of
from sentigate.gates.validate import describe

MARKER = "<!-- sentigate -->"
"""First line of the comment, by which the workflow finds its own again."""
METRICS_FILE, PARAMS_FILE = str(artifacts.METRICS_REPORT), "params.yaml"
LONGEST_COMMENT = 60_000  # GitHub refuses comments of more than 65,536 characters


class Side(NamedTuple):
    """One of the two versions compared; ``lack`` is why there are no figures, or empty."""

    figures: Mapping[str, Mapping[str, float]]
    lack: str
    dataset: str
    model: str

    def of(self, key: str, part: str = "test") -> float | None:
        """A figure, or None."""
        return self.figures.get(part, {}).get(key)


class Gate(NamedTuple):
    """A stage's gate: passed, failed, not run or unreadable, and what its JSON file holds."""

    stage: str
    verdict: str
    rows: int
    expectations: list[dict[str, Any]]


def render_comment(base: str) -> str:
    """Compare the figures in the work tree with those of a git revision.

    Run from the project's root. The same files give the same text.

    Args:
        base: a branch, tag or commit.

    Returns:
        GitHub-flavoured Markdown: a headline, the test figures, the gates, and for each gate that
        failed the expectations that were not met. It names what is missing.

    Raises:
        DataError: ``base`` is not a revision, or there is no git repository.
    """
    commit = _commit(base)
    gates = _gates()
    before = _side(
        _show(commit, METRICS_FILE), _show(commit, PARAMS_FILE), f"<code>{_safe(base)}</code>"
    )
    after = _side(_read(METRICS_FILE), _read(PARAMS_FILE), "the work tree")
    open_gates = {gate.stage: gate.verdict for gate in gates if gate.verdict != "passed"}
    if "evaluate" in open_gates:
        # Git holds metrics.json, so after a failure the file is there but of an earlier run.
        stage, verdict = next(iter(open_gates.items()))
        lack = f"the pipeline did not get past stage {_safe(stage)} (gate {verdict})."
        after = after._replace(figures={}, lack=lack)
    parts = [_headline(before, after), _chosen(before, after)]
    if before.figures or after.figures:
        parts.append(_figures_table(before, after))
    difference = after.figures.get("difference", {})
    if difference.keys() >= {"accuracy", "accuracy_low", "accuracy_high", "p_value"}:
        # Versions before it wrote none.
        parts.append(difference_sentence(difference, after.of("rows")))
    parts.append(_gates_table(gates))
    failed = [gate for gate in gates if gate.verdict == "failed"]
    text = "\n\n".join([*parts, *(_failures(gate, rows=True) for gate in failed)])
    if len(text) > LONGEST_COMMENT:
        text = "\n\n".join([*parts, *(_failures(gate, rows=False) for gate in failed)])
    return f"{MARKER}\n{text}"


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", *arguments]
    try:
        return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise DataError("ci-report reads the base with git, which is not installed") from None


def _commit(base: str) -> str:
    # With this suffix no base is one of git's options.
    done = _git("rev-parse", "--verify", "--quiet", f"{base}^{{commit}}")
    if done.returncode:
        # Git is silent about a name it doesn't know, not about a folder that is no repository.
        cause = " ".join(done.stderr.split()) or "there is no such branch, tag or commit"
        raise DataError(
            f"the base {shorten(base)} is not a git revision: {cause}; "
            "name one that is here: make ci-report BASE=origin/main"
        )
    return done.stdout.strip()


def _show(commit: str, path: str) -> str | None:
    done = _git("show", f"{commit}:./{path}")
    return None if done.returncode else done.stdout


def _read(path: str) -> str | None:
    file = Path(path)
    return file.read_text("utf-8", errors="replace") if file.is_file() else None


def _object(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text, parse_constant=lambda name: None)
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {}


def _side(metrics: str | None, params: str | None, place: str) -> Side:
    try:
        chosen = YAML(typ="safe").load(params or "")  # as DVC reads it; that of before has anchors
    except YAMLError:
        chosen = None
    names = chosen if isinstance(chosen, dict) else {}
    content = _object(metrics or "")
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
    return Side({} if lack else figures, lack, dataset, model)


def _headline(before: Side, after: Side) -> str:
    new, old = after.of("accuracy"), before.of("accuracy")
    accuracy = metric_of("accuracy")
    interval = f"95 % interval {_interval(after, accuracy)}"
    linear = f"Linear baseline {share(after.of('accuracy', 'baseline'))}."
    if new is None:
        was = "" if old is None else f" Test accuracy was {share(old)} before."
        return f"**No new figures:** {after.lack}{was}"
    if old is None:
        lead = f"**Test accuracy {share(new)}** ({interval}), with nothing to compare it to:"
        return f"{lead} {before.lack} {linear}"
    if before.dataset != after.dataset:
        lead = "**The data set differs, so the figures do not compare.** Test accuracy is"
        now = f"{share(new)} ({interval}) on {_safe(after.dataset)}"
        return f"{lead} {now}; it was {share(old)} on {_safe(before.dataset)}. {linear}"
    low, high = after.of("accuracy_low"), after.of("accuracy_high")
    if low is None or high is None:
        verdict = "there is no 95 % interval to judge that by."
    elif low <= old <= high:
        verdict = f"that is within the new figure's {interval}: it may be chance."
    else:
        verdict = f"that exceeds the new figure's {interval}."
    if old == new:
        verdict = f"{interval}."
    lead = f"**Test accuracy {share(old)} → {share(new)}** ({_change(new - old, accuracy)}):"
    rows = (before.of("rows"), after.of("rows"))
    if rows[0] != rows[1]:
        verdict += f" The test split has changed, from {count(rows[0])} to {count(rows[1])} texts."
    was = share(before.of("accuracy", "baseline"))
    return f"{lead} {verdict} {linear.replace('baseline', f'baseline {was} →')}"


def _interval(side: Side, metric: Metric) -> str:
    return " – ".join(figure(side.of(key), metric.unit) for key in metric.interval_keys)


def _chosen(before: Side, after: Side) -> str:
    pairs = {"Data set": (before.dataset, after.dataset), "model": (before.model, after.model)}
    return ", ".join(
        f"{name} {_safe(new)}" if old == new else f"{name} {_safe(old)} → **{_safe(new)}**"
        for name, (old, new) in pairs.items()
    )


def _figures_table(before: Side, after: Side) -> str:
    lines = ["| Test figure | Before | After | Difference |", "|---|--:|--:|--:|"]
    comparable = before.dataset == after.dataset
    for metric in METRICS:
        old, new = before.of(metric.key), after.of(metric.key)
        lines.append(_row(metric.heading, old, new, metric, comparable))
        if metric.interval:
            intervals = " | ".join(_interval(side, metric) for side in (before, after))
            lines.append(f"| 95 % interval of {metric.title} | {intervals} | |")
    accuracy = metric_of("accuracy")
    old, new = (side.of("accuracy", "baseline") for side in (before, after))
    name = f"{accuracy.heading} of the linear baseline"
    lines.append(_row(name, old, new, accuracy, comparable))
    old, new = (side.of("passed", "behaviour") for side in (before, after))
    if new is not None:
        lines.append(_row("Behavioural tests passed", old, new, accuracy, comparable))
    return "\n".join(lines)


def _row(name: str, old: float | None, new: float | None, metric: Metric, comparable: bool) -> str:
    change = MISSING
    if comparable and old is not None and new is not None:
        change = _change(new - old, metric)
    return f"| {name} | {figure(old, metric.unit)} | {figure(new, metric.unit)} | {change} |"


def _change(change: float, metric: Metric) -> str:
    text = difference(change, metric.unit)
    if not re.search("[1-9]", text):
        return "no difference"
    if metric.better == "neither":
        return text
    return f"{text}, {'better' if (change > 0) == (metric.better == 'higher') else 'worse'}"


def _gates() -> list[Gate]:
    """Every stage's gate, in the order of dvc.yaml, in which a stage follows what it needs."""
    gates = []
    unmade: set[str] = set()
    for stage, entry in YAML(typ="safe").load(Path("dvc.yaml"))["stages"].items():
        passed, failed = (
            _read(f"{folder}/{stage}.json") for folder in (artifacts.GATES, artifacts.FAILED)
        )
        # DVC removes a failing stage's outputs, its old verdict too, but not those that follow.
        verdict = "failed" if passed is None else "passed"
        text = failed if passed is None else passed
        content = _object(text or "")
        if text is None or unmade.intersection(entry.get("deps", [])):
            verdict, content = "not run", {}
        elif not isinstance(content.get("expectations"), list):
            verdict, content = "unreadable", {}
        if verdict != "passed":
            unmade.update(entry.get("outs", []))
        gates.append(Gate(stage, verdict, content.get("rows", 0), content.get("expectations", [])))
    return gates


def _gates_table(gates: list[Gate]) -> str:
    lines = ["| Stage | Gate | Expectations met | Rows |", "|---|---|--:|--:|"]
    for stage, verdict, rows, expectations in gates:
        met = f"{sum(item['success'] for item in expectations)} of {len(expectations)}"
        cells = [met, count(rows)] if expectations else [MISSING, MISSING]
        shown = verdict if verdict == "passed" else f"**{verdict}**"
        lines.append(f"| {' | '.join([_safe(stage), shown, *cells])} |")
    return "\n".join(lines)


def _failures(gate: Gate, rows: bool) -> str:
    """The expectations that were not met, folded; one HTML block, so without an empty line."""
    failed = [item for item in gate.expectations if not item["success"]]
    met = f"{len(failed)} of {len(gate.expectations)} expectations not met, no output was written"
    lines = [f"<details open><summary>{_safe(gate.stage)}: {met}</summary>"]
    for item in failed:
        lines.append(
            f"<p>✗ {_safe(item['says'])}<br><code>{_safe(describe(item)[:600])}</code></p>"
        )
        if rows and item["sample"]:
            lines.append("<pre>")
            for row in item["sample"]:
                lines.append(_safe(", ".join(f"{key}: {shorten(row[key])}" for key in row)))
            lines.append("</pre>")
    if not rows:
        lines.append("<p>Sample rows are left out: the comment would be too long.</p>")
    return "\n".join([*lines, "</details>"])


def _safe(value: object) -> str:
    """Any text as one line, escaped for Markdown and HTML, that mentions no user or issue."""
    text = re.sub("[@#]", "\\g<0>\u200b", " ".join(str(value).split()))
    return re.sub(r"[\\`*_\[\]|~$]", lambda found: f"&#{ord(found[0])};", html.escape(text))
