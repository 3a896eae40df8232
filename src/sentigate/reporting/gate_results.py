"""Write the results of all gates as Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from sentigate import artifacts
from sentigate.errors import shorten
from sentigate.evaluation.formats import MISSING, count
from sentigate.gates.validate import describe

from .compared_side import json_object, read_text
from .markdown import safe


class Gate(NamedTuple):
    """The result of a stage's gate.

    Attributes:
        stage: Name of the stage.
        verdict: ``passed``, ``failed``, ``not run`` or ``unreadable``.
        rows: Number of rows that the gate checked.
        expectations: The expectations in the gate's JSON file.
    """

    stage: str
    verdict: str
    rows: int
    expectations: list[dict[str, Any]]


def read_gates() -> list[Gate]:
    """Read the gates in the order of dvc.yaml, where each stage follows its dependencies."""
    gates = []
    missing_outputs: set[str] = set()
    for stage, entry in YAML(typ="safe").load(Path("dvc.yaml"))["stages"].items():
        folders = artifacts.GATES, artifacts.FAILED
        passed, failed = (read_text(folder / f"{stage}.json") for folder in folders)
        # DVC removes the outputs of a failing stage, with its old verdict, but not later outputs.
        verdict = "failed" if passed is None else "passed"
        text = failed if passed is None else passed
        content = json_object(text or "")
        if text is None or missing_outputs.intersection(entry.get("deps", [])):
            verdict, content = "not run", {}
        elif not isinstance(content.get("expectations"), list):
            verdict, content = "unreadable", {}
        if verdict != "passed":
            missing_outputs.update(entry.get("outs", []))
        gates.append(Gate(stage, verdict, content.get("rows", 0), content.get("expectations", [])))
    return gates


def gates_table(gates: list[Gate]) -> str:
    """Return a table with a row for each gate."""
    lines = ["| Stage | Gate | Expectations met | Rows |", "|---|---|--:|--:|"]
    for stage, verdict, rows, expectations in gates:
        met = f"{sum(item['success'] for item in expectations)} of {len(expectations)}"
        cells = [met, count(rows)] if expectations else [MISSING, MISSING]
        shown = verdict if verdict == "passed" else f"**{verdict}**"
        lines.append(f"| {' | '.join([safe(stage), shown, *cells])} |")
    return "\n".join(lines)


def gate_failures(gate: Gate, rows: bool) -> str:
    """Return the failed expectations as one folding HTML block without empty lines.

    Args:
        gate: A failed gate.
        rows: Whether to show sample rows.
    """
    failed = [item for item in gate.expectations if not item["success"]]
    met = f"{len(failed)} of {len(gate.expectations)} expectations not met, no output was written"
    lines = [f"<details open><summary>{safe(gate.stage)}: {met}</summary>"]
    for item in failed:
        lines.append(f"<p>✗ {safe(item['says'])}<br><code>{safe(describe(item)[:600])}</code></p>")
        if rows and item["sample"]:
            lines.append("<pre>")
            for row in item["sample"]:
                lines.append(safe(", ".join(f"{key}: {shorten(row[key])}" for key in row)))
            lines.append("</pre>")
    if not rows:
        lines.append("<p>Sample rows are left out: they would make the comment too long.</p>")
    return "\n".join([*lines, "</details>"])
