"""Divide the time of one stage: `python stage_parts.py STAGE`, in a project that has run.

The last line on stderr is a JSON object of seconds: imports (wherever they happen), gate, tracking
(MLflow and its database), own (the rest), and running (their sum, from Python's first line to its
last). Each second counts in one part only.
"""

from __future__ import annotations

import builtins
import functools
import json
import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

seconds = {"own": 0.0, "imports": 0.0, "gate": 0.0, "tracking": 0.0}
running = ["own"]
since = time.perf_counter()


def settle() -> None:
    """Add the time since the last change to the current part."""
    global since
    now = time.perf_counter()
    seconds[running[-1]] += now - since
    since = now


def counted(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``function`` to count its time as ``part``, except time that inner parts count."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        settle()
        running.append(part)
        try:
            return function(*arguments, **named)
        finally:
            settle()
            running.pop()

    return call


python_import = builtins.__import__
counted_import = counted("imports", python_import)


def outermost_import(*arguments: Any, **named: Any) -> Any:
    """Import a module and count the time, with its own imports."""
    how = python_import if running[-1] == "imports" else counted_import
    return how(*arguments, **named)


def main() -> None:
    """Run the stage and print the seconds of its parts."""
    began = since
    stage = sys.argv.pop()
    sys.path.insert(0, str(Path.cwd()))
    builtins.__import__ = outermost_import
    import pipeline  # noqa: F401  (first, as in `python -m pipeline.<stage>`)
    from sentigate.gates import validate as gates
    from sentigate.registry import loading, package, promotion, versions
    from sentigate.tracking import ended_run, open_run

    gates.validate = counted("gate", gates.validate)
    gates.GateResult.to_html = counted("gate", gates.GateResult.to_html)
    for place, names in {
        open_run: ("start_run",),
        ended_run: ("find_run",),
        open_run.OpenRun: ("log_params", "log_metrics", "log_files", "tag", "end"),
        ended_run.EndedRun: ("log_metrics", "log_table", "log_files", "mark", "tags"),
        package: ("package_model",),
        loading: ("load_predict",),
        versions: ("find_whole", "add_version"),
        promotion: ("promote",),
    }.items():
        for name in names:
            setattr(place, name, counted("tracking", getattr(place, name)))
    runpy.run_module(f"pipeline.{stage}", run_name="__main__", alter_sys=True)
    settle()
    print(json.dumps({**seconds, "running": since - began}), file=sys.stderr)


if __name__ == "__main__":
    main()
