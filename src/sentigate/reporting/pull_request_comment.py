"""Write the comment that CI posts on a pull request: changes of the figures, and the gates."""

from __future__ import annotations

import re
from dataclasses import replace

from sentigate.evaluation.difference import difference_sentence
from sentigate.evaluation.formats import MISSING, count, difference, figure, share
from sentigate.evaluation.metrics import METRICS, Metric, metric_of

from .compared_side import METRICS_FILE, PARAMS_FILE, Side, commit_of, read_text, side_of, text_at
from .gate_results import gate_failures, gates_table, read_gates
from .markdown import safe

MARKER = "<!-- sentigate -->"
"""First line of the comment; the workflow finds its own comment by it."""
LONGEST_COMMENT = 60_000  # GitHub refuses comments of more than 65,536 characters


def render_comment(base: str) -> str:
    """Compare the figures in the work tree with the figures of a git revision.

    Run from the project's root. The same files give the same text.

    Args:
        base: A branch, tag or commit.

    Returns:
        GitHub-flavoured Markdown: a headline, the test figures, the gates, and the failed
        expectations of each failed gate. The comment names missing files and figures.

    Raises:
        DataError: ``base`` is not a revision, or there is no git repository.
    """
    commit = commit_of(base)
    gates = read_gates()
    before = side_of(
        text_at(commit, METRICS_FILE), text_at(commit, PARAMS_FILE), f"<code>{safe(base)}</code>"
    )
    after = side_of(read_text(METRICS_FILE), read_text(PARAMS_FILE), "the work tree")
    open_gates = {gate.stage: gate.verdict for gate in gates if gate.verdict != "passed"}
    if "evaluate" in open_gates:
        # Git tracks metrics.json, so after a failure the file of an earlier run still exists.
        stage, verdict = next(iter(open_gates.items()))
        lack = f"the pipeline did not get past stage {safe(stage)} (gate {verdict})."
        after = after._replace(figures={}, lack=lack)
    parts = [_headline(before, after), _chosen(before, after)]
    if before.figures or after.figures:
        parts.append(_figures_table(before, after))
    difference = after.figures.get("difference", {})
    if difference.keys() >= {"accuracy", "accuracy_low", "accuracy_high", "p_value"}:
        # Older versions did not write a difference.
        parts.append(difference_sentence(difference, after.of("rows")))
    parts.append(gates_table(gates))
    failed = [gate for gate in gates if gate.verdict == "failed"]
    text = "\n\n".join([*parts, *(gate_failures(gate, rows=True) for gate in failed)])
    if len(text) > LONGEST_COMMENT:
        text = "\n\n".join([*parts, *(gate_failures(gate, rows=False) for gate in failed)])
    return f"{MARKER}\n{text}"


def _headline(before: Side, after: Side) -> str:
    new, old = after.of("accuracy"), before.of("accuracy")
    accuracy = metric_of("accuracy")
    interval = f"95 % interval {_interval(after, accuracy)}"
    linear = f"Linear baseline {share(after.of('accuracy', 'baseline'))}."
    if new is None:
        was = "" if old is None else f" Test accuracy was {share(old)} before."
        return f"**No new figures:** {after.lack}{was}"
    if old is None:
        lead = f"**Test accuracy {share(new)}** ({interval}), without an earlier figure:"
        return f"{lead} {before.lack} {linear}"
    if before.dataset != after.dataset:
        lead = "**The data sets differ, so the figures cannot be compared.** Test accuracy is"
        now = f"{share(new)} ({interval}) on {safe(after.dataset)}"
        return f"{lead} {now}; it was {share(old)} on {safe(before.dataset)}. {linear}"
    if not before.answers_like(after):
        lead = "**The classes differ, so the figures cannot be compared.** Test accuracy is"
        earlier = ", ".join(before.classes) or "two classes"
        now = f"{share(new)} ({interval}) with {safe(', '.join(after.classes) or 'two classes')}"
        return f"{lead} {now}; it was {share(old)} with {safe(earlier)}. {linear}"
    low, high = after.of("accuracy_low"), after.of("accuracy_high")
    if low is None or high is None:
        verdict = "there is no 95 % interval, so the change may be chance."
    elif low <= old <= high:
        verdict = f"the old figure is within the new {interval}, so the change may be chance."
    else:
        verdict = f"the old figure is outside the new {interval}."
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
        f"{name} {safe(new)}" if old == new else f"{name} {safe(old)} → **{safe(new)}**"
        for name, (old, new) in pairs.items()
    )


def _figures_table(before: Side, after: Side) -> str:
    lines = ["| Test figure | Before | After | Difference |", "|---|--:|--:|--:|"]
    comparable = before.dataset == after.dataset and before.answers_like(after)
    for metric in METRICS:
        old, new = before.of(metric.key), after.of(metric.key)
        if old is None and new is None:
            continue  # the metric is for other classes, or newer than both versions
        lines.append(_row(metric.heading, old, new, metric, comparable))
        if metric.interval:
            intervals = " | ".join(_interval(side, metric) for side in (before, after))
            lines.append(f"| 95 % interval of {metric.title} | {intervals} | |")
    accuracy = metric_of("accuracy")
    old, new = (side.of("accuracy", "baseline") for side in (before, after))
    name = f"{accuracy.heading} of the linear baseline"
    lines.append(_row(name, old, new, accuracy, comparable))
    old, new = (side.of("accuracy", "majority") for side in (before, after))
    if new is not None:
        name = f"{accuracy.heading} of the majority class"
        lines.append(_row(name, old, new, replace(accuracy, better="neither"), comparable))
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
