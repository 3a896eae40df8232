"""Great Expectations suites, run on a stage's outputs before they are moved into place."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sentigate.errors import ParamsError, counted, shorten

SAMPLE_ROWS = 5
# Kwargs that name the place of a check, not the values that it allows.
_PLACES = {"column", "column_A", "column_B", "row_condition", "exact_match"}


@dataclass(frozen=True)
class GateResult:
    """The result of running a suite on one data frame, as JSON values without times or run ids.

    Attributes:
        stage: Name of the suite.
        rows: Number of rows examined.
        expectations: A dict for each expectation, in the suite's order: ``type``, ``says`` (its
            sentence), ``kwargs`` (thresholds filled in), ``success``, ``observed``,
            ``unexpected_count``, ``unexpected_percent``, ``sample`` (some of the rows that failed
            it, with their key) and ``error``.
    """

    stage: str
    rows: int
    expectations: list[dict[str, Any]]

    @property
    def success(self) -> bool:
        """Whether all expectations are met."""
        return all(item["success"] for item in self.expectations)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of reports/gates/<stage>.json."""
        return {
            "stage": self.stage,
            "success": self.success,
            "rows": self.rows,
            "expectations": self.expectations,
        }

    def message(self) -> str:
        """Return the failed expectations, with counts and sample rows, for a terminal."""
        failed = [item for item in self.expectations if not item["success"]]
        lines = [
            f"gate failed, no output was written: {len(failed)} of {len(self.expectations)} "
            f"expectations on {counted(self.rows, 'row')}"
        ]
        for item in failed:
            lines.append(f"  ✗ {item['says']} [{item['type']}]")
            lines.append(f"      {describe(item)}")
            lines += [
                "      " + ", ".join(f"{key}: {shorten(value)}" for key, value in row.items())
                for row in item["sample"]
            ]
        return "\n".join(lines)


def describe(item: Mapping[str, Any]) -> str:
    """Return one line: the finding, and the allowed values if the expectation failed."""
    allowed = ", ".join(
        f"{key} {shorten(value, 200)}"
        for key, value in item["kwargs"].items()
        if key not in _PLACES
    )
    if item["error"]:
        return str(item["error"])
    if item["unexpected_count"]:
        rows = counted(item["unexpected_count"], "row")
        found = f"{rows} ({item['unexpected_percent']:.2f} %)"
    elif item["observed"] is not None:
        found = f"found {shorten(item['observed'], 200)}"
    else:
        found = "no row breaks it" if item["success"] else "found nothing to measure"
    return found if item["success"] or not allowed else f"{found}; allowed: {allowed}"


def validate(
    suite: Path, frame: pd.DataFrame, thresholds: Mapping[str, Any], key: str = "id"
) -> GateResult:
    """Run the suite in a JSON file on ``frame``.

    Args:
        suite: JSON file of Great Expectations; ``meta.notes`` of an expectation is its sentence.
        frame: the rows to check, with any columns.
        thresholds: a value for each ``{"$PARAMETER": name}`` in the suite.
        key: column that identifies a row in samples.

    Raises:
        ParamsError: the suite is not valid, or needs a threshold that is not in ``thresholds``.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.execution_engine import pandas_execution_engine

    try:
        content = json.loads(suite.read_text(encoding="utf-8"))
        for number, item in enumerate(content["expectations"]):
            item.setdefault("meta", {})["order"] = number  # the results have another order
        checks = gx.ExpectationSuite(**content)
    except (GreatExpectationsError, KeyError, TypeError, ValueError) as error:
        raise _invalid(suite, error) from None
    if len(checks.expectations) < len(content["expectations"]):
        # Great Expectations only logs an unknown expectation, and leaves it out.
        known = {check.expectation_type for check in checks.expectations}
        unknown = [item["type"] for item in content["expectations"] if item["type"] not in known]
        raise _invalid(suite, f"Great Expectations has no {', '.join(unknown)}")
    missing = sorted(set(_parameters(content)) - set(thresholds))
    if missing:
        raise ParamsError(f"{suite} needs a threshold that the stage does not give: {missing[0]}")
    # A hash of the frame is of no use here, and makes every text a Python object.
    pandas_execution_engine.HASH_THRESHOLD = 0
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = (
        context.data_sources.add_pandas("stage")
        .add_dataframe_asset(content["name"])
        .add_batch_definition_whole_dataframe("all")
        .get_batch({"dataframe": frame})
    )
    try:
        validation: Any = batch.validate(
            checks,
            expectation_parameters=dict(thresholds),
            result_format={
                "result_format": "SUMMARY",
                "partial_unexpected_count": SAMPLE_ROWS,
                "unexpected_index_column_names": [key],
            },
        )
    except (GreatExpectationsError, ValueError) as error:
        raise _invalid(suite, error) from None
    results = validation.to_json_dict()["results"]
    results.sort(key=lambda item: item["expectation_config"]["meta"]["order"])
    return GateResult(content["name"], len(frame), [_plain(item, key) for item in results])


def _invalid(suite: Path, error: object) -> ParamsError:
    return ParamsError(f"{suite} is not a valid suite: {' '.join(str(error).split())}")


def _parameters(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$PARAMETER" in node:
            yield node["$PARAMETER"]
        for value in node.values():
            yield from _parameters(value)
    elif isinstance(node, list):
        for value in node:
            yield from _parameters(value)


def _plain(item: Mapping[str, Any], key: str) -> dict[str, Any]:
    config, result = item["expectation_config"], item["result"]
    kwargs = {k: v for k, v in config["kwargs"].items() if k != "batch_id"}
    sample = result.get("partial_unexpected_index_list") or []
    # An expectation that raises has no result, but an exception for each metric.
    raised = [e for e in item["exception_info"].values() if isinstance(e, dict)]
    observed = result.get("observed_value")
    return {
        "type": config["type"],
        "says": config["meta"].get("notes", config["type"]),
        "kwargs": kwargs,
        "success": bool(item["success"]),
        "observed": _json(round(observed, 6) if isinstance(observed, float) else observed),
        "unexpected_count": int(result.get("unexpected_count") or 0),
        "unexpected_percent": round(float(result.get("unexpected_percent") or 0.0), 4),
        "sample": [_json({key: row[key], **row}) for row in sample[:SAMPLE_ROWS]],
        "error": str(raised[0]["exception_message"]) if raised else "",
    }


def _json(value: Any) -> Any:
    """Return ``value`` with Python floats; nan and infinities, which JSON lacks, become strings."""
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    return value
