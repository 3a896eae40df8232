"""The common part of all stages: outputs are published whole after the gate, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipeline.stage import GateInput, StageRun, run
from sentigate import progress
from sentigate.artifacts import Table
from sentigate.errors import DataError, ParamsError, RegistryError

SUITE = {
    "name": "probe",
    "expectations": [
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "x", "max_value": {"$PARAMETER": "most"}},
            "meta": {"notes": "x is small"},
        }
    ],
}
GOOD = pd.DataFrame({"id": ["a", "b"], "x": [1, 2]})
BAD = pd.DataFrame({"id": ["a", "b"], "x": [1, 20]})


@pytest.fixture
def project(small_project: Callable[..., Path]) -> Path:
    folder = small_project()
    (folder / "expectations/probe.json").write_text(json.dumps(SUITE), "utf-8")
    return folder


def outcome(function: Callable[[StageRun], GateInput]) -> str:
    """Return the message with which the stage exits; Python prints it and exits with 1."""
    with pytest.raises(SystemExit) as caught:
        run("probe", function)
    message = caught.value.code
    assert isinstance(message, str)
    assert "Traceback" not in message
    return message


def writes(frame: pd.DataFrame, text: str = "new") -> Callable[[StageRun], GateInput]:
    def stage(stage: StageRun) -> GateInput:
        stage.path(Path("data/probe/one.txt")).write_text(text, "utf-8")
        stage.write_json({"text": text}, Path("reports/probe.json"))
        stage.write_table(frame, Table(Path("data/probe/table.parquet"), {}))
        return GateInput(frame, {"most": 9})

    return stage


def raises(error: BaseException) -> Callable[[StageRun], GateInput]:
    def stage(stage: StageRun) -> GateInput:
        writes(GOOD)(stage)
        raise error

    return stage


def files(project: Path) -> set[str]:
    """Return the files that the stage has added to the project."""
    own = ("data/own", "datasets", "expectations", "params.yaml")
    paths = (path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file())
    return {path for path in paths if not path.startswith(own)}


OUTPUTS = {
    "data/probe/one.txt",
    "data/probe/table.parquet",
    "reports/probe.json",
    "reports/gates/probe.json",
    "reports/gates/probe.html",
}
FAILURE = {"reports/failed/probe.json", "reports/failed/probe.html"}


def test_success_publishes_all_outputs(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY", 60)
    run("probe", writes(GOOD))
    assert files(project) == OUTPUTS
    assert Path("data/probe/one.txt").read_text("utf-8") == "new"
    pd.testing.assert_frame_equal(
        pd.read_parquet("data/probe/table.parquet"), GOOD.astype({"id": "str"})
    )
    assert json.loads(Path("reports/probe.json").read_bytes()) == {"text": "new"}
    verdict = json.loads(Path("reports/gates/probe.json").read_bytes())
    assert (verdict["stage"], verdict["success"], verdict["rows"]) == ("probe", True, 2)
    printed = capsys.readouterr()
    assert printed.out == "probe: 1 expectation met on 2 rows\n"
    assert printed.err == "  checking the gate ...\n"


def test_the_scratch_folder_is_removed_after_success(project: Path) -> None:
    run("probe", writes(GOOD))
    assert not Path(".stage/probe").exists()


def test_no_output_is_published_before_the_gate(project: Path) -> None:
    def stage(stage: StageRun) -> GateInput:
        output = writes(GOOD)(stage)
        assert files(project) == {f".stage/probe/{path}" for path in OUTPUTS if "gates" not in path}
        return output

    run("probe", stage)
    assert files(project) == OUTPUTS


def test_outputs_of_a_killed_run_are_not_published(project: Path) -> None:
    left = Path(".stage/probe/data/probe/left.txt")
    left.parent.mkdir(parents=True)
    left.write_text("half", "utf-8")
    run("probe", writes(GOOD))
    assert files(project) == OUTPUTS


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DataError("no rows"), "sentigate probe: no rows"),
        (ParamsError("seed is wrong"), "sentigate probe: seed is wrong"),
        (RegistryError("MLflow is down"), "sentigate probe: MLflow is down"),
        (KeyboardInterrupt(), "sentigate probe: interrupted, no output was written"),
        (
            FileNotFoundError(2, "No such file or directory", "data/raw/texts.parquet"),
            "sentigate probe: data/raw/texts.parquet does not exist; "
            "`dvc repro` writes missing files",
        ),
        (
            FileNotFoundError("data/raw/texts.parquet"),
            "sentigate probe: data/raw/texts.parquet does not exist; "
            "`dvc repro` writes missing files",
        ),
        (OSError(28, "No space left"), "sentigate probe: [Errno 28] No space left; no output was "
         "written"),
    ],
)  # fmt: skip
def test_an_error_after_writing_publishes_nothing(
    project: Path, error: BaseException, message: str
) -> None:
    assert outcome(raises(error)) == message
    assert files(project) == set()
    assert not Path(".stage/probe").exists()


def test_a_bug_raises_and_publishes_nothing(project: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        run("probe", raises(ZeroDivisionError()))
    assert files(project) == set()


def test_a_failed_gate_publishes_only_its_result(project: Path) -> None:
    message = outcome(writes(BAD))
    assert message.splitlines() == [
        "sentigate probe: gate failed, no output was written: 1 of 1 expectations on 2 rows",
        "  ✗ x is small [expect_column_values_to_be_between]",
        "      1 row (50.00 %); allowed: max_value 9.0",
        "      id: 'b', x: 20",
        "  the same as a page: reports/failed/probe.html",
    ]
    assert files(project) == FAILURE
    verdict = json.loads(Path("reports/failed/probe.json").read_bytes())
    assert verdict["success"] is False
    assert verdict["expectations"][0]["sample"] == [{"id": "b", "x": 20}]
    assert "failed" in Path("reports/failed/probe.html").read_text("utf-8")
    assert not Path(".stage/probe").exists()


@pytest.mark.parametrize("broken", [writes(BAD, "newer"), raises(DataError("no rows"))])
def test_a_failure_keeps_the_previous_outputs(
    project: Path, broken: Callable[[StageRun], GateInput]
) -> None:
    run("probe", writes(GOOD, "old"))
    before = {path: Path(path).read_bytes() for path in OUTPUTS}
    outcome(broken)
    assert {path: Path(path).read_bytes() for path in OUTPUTS} == before
    assert files(project) <= OUTPUTS | FAILURE


def test_success_removes_the_page_of_an_old_failure(project: Path) -> None:
    other = Path("reports/failed/other.json")
    outcome(writes(BAD))
    other.write_text("{}", "utf-8")
    run("probe", writes(GOOD))
    assert files(project) == OUTPUTS | {str(other)}


def test_messages_have_the_key_column(project: Path) -> None:
    def stage(stage: StageRun) -> GateInput:
        return GateInput(BAD.rename(columns={"id": "epoch"}), {"most": 9}, key="epoch")

    assert "\n      epoch: 'b', x: 20\n" in outcome(stage)


@pytest.mark.parametrize(("frame", "verdict"), [(GOOD, True), (BAD, False)])
def test_after_gate_gets_the_result_before_outputs_are_published(
    project: Path, frame: pd.DataFrame, verdict: bool
) -> None:
    heard: list[tuple[bool, set[str]]] = []

    def stage(stage: StageRun) -> GateInput:
        output = writes(frame)(stage)
        return GateInput(
            output.frame,
            output.thresholds,
            after_gate=lambda passed: heard.append((passed, files(project))),
        )

    try:
        run("probe", stage)
    except SystemExit:
        assert not verdict
    scratch = OUTPUTS if verdict else FAILURE
    assert heard == [(verdict, {f".stage/probe/{path}" for path in scratch})]


def test_an_error_after_the_gate_publishes_nothing(project: Path) -> None:
    def stage(stage: StageRun) -> GateInput:
        def publish(passed: bool) -> None:
            raise RegistryError("MLflow is down")

        return GateInput(writes(GOOD)(stage).frame, {"most": 9}, after_gate=publish)

    assert outcome(stage) == "sentigate probe: MLflow is down"
    assert files(project) == set()


def test_a_missing_threshold_is_reported(project: Path) -> None:
    message = outcome(lambda stage: GateInput(GOOD))
    assert message == (
        "sentigate probe: expectations/probe.json needs a threshold that the stage does not "
        "give: most"
    )
    assert files(project) == set()


def test_without_a_suite_no_output_is_published(project: Path) -> None:
    Path("expectations/probe.json").unlink()
    assert outcome(writes(GOOD)) == (
        "sentigate probe: expectations/probe.json does not exist; `dvc repro` writes missing files"
    )
    assert files(project) == set()


def test_wrong_params_stop_before_the_stage_starts(project: Path) -> None:
    Path("params.yaml").write_text("seed: 1\n", "utf-8")
    message = outcome(lambda stage: pytest.fail("the stage was called"))
    assert message.startswith("sentigate probe: params.yaml is not valid:\n")
    assert files(project) == set()


def test_a_folder_without_params_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert outcome(writes(GOOD)) == (
        "sentigate probe: params.yaml does not exist; run from the project's root"
    )
    assert files(tmp_path) == set()


def test_json_refuses_nan(project: Path) -> None:
    stage = StageRun(None, project)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not JSON compliant"):
        stage.write_json({"accuracy": float("nan")}, Path("reports/probe.json"))
    assert files(project) == set()


def test_stage_gets_the_params(project: Path) -> None:
    def stage(stage: StageRun) -> GateInput:
        assert (stage.params.dataset, stage.params.model) == ("csv", "tiny")
        assert stage.out == Path(".stage/probe")
        return writes(GOOD)(stage)

    run("probe", stage)
