"""The common part of the nine stages: read params, run, check the gate, publish all or nothing."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sentigate import artifacts
from sentigate.artifacts import Table
from sentigate.errors import DataError, GateError, SentigateError, counted
from sentigate.progress import doing
from sentigate.settings.params import Params, load_params


@dataclass(frozen=True)
class GateInput:
    """The input of a stage's gate.

    Attributes:
        frame: Rows that the stage's suite checks.
        thresholds: A value for each parameter in the suite.
        key: The frame's column that identifies a row in messages.
        after_gate: Called with whether the gate passed, before the outputs are published. If it
            writes outside ``StageRun.out``, it prints where.
    """

    frame: pd.DataFrame
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    key: str = "id"
    after_gate: Callable[[bool], None] = lambda passed: None


class StageRun(NamedTuple):
    """The argument of a stage function.

    Attributes:
        params: The whole of params.yaml.
        out: Scratch folder for the outputs, with the paths that they will have in the project.
    """

    params: Params
    out: Path

    def path(self, output: Path) -> Path:
        """Return the scratch path of the file ``output``, in an existing folder."""
        return self.folder(output.parent) / output.name

    def folder(self, output: Path) -> Path:
        """Create and return the scratch path of the folder ``output``."""
        folder = self.out / output
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def write_table(self, frame: pd.DataFrame, table: Table) -> pd.DataFrame:
        """Write a Parquet file, and read it again, so that gates check the file."""
        path = self.path(table.path)
        frame.to_parquet(path, index=False, compression="zstd")
        return pd.read_parquet(path)

    def write_json(self, content: Mapping[str, Any], output: Path) -> None:
        """Write an indented JSON file.

        Raises:
            ValueError: a number is NaN or infinite.
        """
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        self.path(output).write_text(text + "\n", encoding="utf-8")


def run(name: str, function: Callable[[StageRun], GateInput]) -> None:
    """Run one stage from the project's root; exit with 1 if its outputs are not in place.

    The outputs are written to a scratch folder, and moved into place if all expectations of
    ``expectations/<name>.json`` are met. The gate's result goes to ``artifacts.GATES``, or to
    ``artifacts.FAILED`` if the gate fails.
    """
    scratch = Path(".stage") / name
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        _run(name, function, scratch)
    except SentigateError as error:
        sys.exit(f"sentigate {name}: {error}")
    except KeyboardInterrupt:
        sys.exit(f"sentigate {name}: interrupted, no output was written")
    except FileNotFoundError as error:
        missing = error.filename or error  # pyarrow has the path in the message
        sys.exit(f"sentigate {name}: {missing} does not exist; `dvc repro` writes missing files")
    except OSError as error:
        sys.exit(f"sentigate {name}: {error}; no output was written")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _run(name: str, function: Callable[[StageRun], GateInput], scratch: Path) -> None:
    stage = StageRun(load_params(Path("params.yaml")), scratch)
    checked = function(stage)
    with doing("checking the gate"):
        # These imports take 2 s, so they wait until the stage has succeeded.
        from sentigate.gates.page import to_html
        from sentigate.gates.validate import validate

        suite = Path("expectations") / f"{name}.json"
        result = validate(suite, checked.frame, checked.thresholds, checked.key)
    for old in artifacts.FAILED.glob(f"{name}.*"):
        old.unlink()
    if not result.success:
        shutil.rmtree(scratch)
    folder = artifacts.GATES if result.success else artifacts.FAILED
    stage.write_json(result.to_dict(), folder / f"{name}.json")
    stage.path(folder / f"{name}.html").write_text(to_html(result), encoding="utf-8")
    checked.after_gate(result.success)
    _publish(scratch)
    if not result.success:
        raise GateError(f"{result.message()}\n  the same as a page: {artifacts.FAILED / name}.html")
    met = counted(len(result.expectations), "expectation")
    print(f"{name}: {met} met on {counted(result.rows, 'row')}")


def _publish(scratch: Path) -> None:
    """Move all files of the scratch folder into place.

    Raises:
        DataError: a file cannot be written.
    """
    files = sorted(file for file in scratch.rglob("*") if file.is_file())
    for number, path in enumerate(files):
        target = path.relative_to(scratch)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        except OSError as error:
            raise DataError(
                f"{target} cannot be written: {error.strerror}; {number} of {len(files)} outputs "
                "are in place, `dvc repro` writes all of them again"
            ) from None
