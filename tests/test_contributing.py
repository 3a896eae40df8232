"""CONTRIBUTING.md, CHANGELOG.md and the files for contributors name what exists."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from datetime import date
from typing import Any

import pytest
import yaml
from support.project import ROOT

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([\w-]+):", MAKEFILE, re.MULTILINE))
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
BLOCKS = re.findall(r"^```bash\n(.*?)^```", CONTRIBUTING, re.DOTALL | re.MULTILINE)


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text("utf-8"))


@pytest.mark.parametrize("command", "".join(BLOCKS).splitlines())
def test_a_named_command_exists(command: str) -> None:
    match shlex.split(command):
        case ["make", target]:
            assert target in TARGETS
        case [".venv/bin/pytest", place]:
            file, _, name = place.partition("::")
            assert not name or f"\ndef {name}(" in (ROOT / file).read_text("utf-8")
        case ["git", "tag", "-a", tag, "-m", message]:
            assert (tag, message) == (f"v{VERSION}", f"sentigate {VERSION}")
        case _:
            pytest.fail(f"no test knows {command}")


def test_named_files_exist() -> None:
    text = re.sub(r"```.*?```", "", CONTRIBUTING, flags=re.DOTALL)
    named = [name for name in re.findall(r"`([\w./-]+)`", text) if "/" in name or "." in name]
    missing = [name for name in named if not (ROOT / name.replace("STAGE", "clean")).exists()]
    assert len(named) > 40
    assert set(missing) == {"..._checks"}


def test_named_tests_exist() -> None:
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", CONTRIBUTING)
    missing = [name for name in named if f"\ndef {name}(" not in tests]
    assert named
    assert not missing, f"CONTRIBUTING.md names tests that do not exist: {missing}"


def test_named_targets_exist() -> None:
    template = (ROOT / ".github/PULL_REQUEST_TEMPLATE.md").read_text("utf-8")
    assert set(re.findall(r"`make ([\w-]+)`", CONTRIBUTING + template)) <= TARGETS


def test_the_newest_version_is_the_version_of_the_package() -> None:
    first, *others = re.findall(r"^## \[(.+?)\](?: - (.+))?$", CHANGELOG, re.MULTILINE)
    assert first == ("Unreleased", "")
    versions = [tuple(map(int, version.split("."))) for version, _ in others]
    days = [date.fromisoformat(day) for _, day in others]
    assert others[0][0] == VERSION
    assert versions == sorted(set(versions), reverse=True)
    assert days == sorted(days, reverse=True)
    kinds = set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_hooks_run_the_commands_of_make_check() -> None:
    (local,) = load(".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    (recipe,) = re.findall(r"^check:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    commands = re.findall(r"^\t@\$\(BIN\)/(.+)$", recipe, re.MULTILINE)
    assert [hook["entry"] for hook in local["hooks"]] == [f".venv/bin/{each}" for each in commands]
    for hook in local["hooks"]:
        assert (hook["language"], hook["pass_filenames"]) == ("system", False)


def test_the_container_has_the_python_of_the_project() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text("utf-8"))
    assert container["image"].endswith("python:3.11")
    assert container["postCreateCommand"] == "make setup"


def test_dependabot_runs_weekly() -> None:
    updates = load(".github/dependabot.yml")["updates"]
    assert {each["package-ecosystem"] for each in updates} == {"pip", "github-actions"}
    for each in updates:
        assert (each["directory"], each["schedule"]) == ("/", {"interval": "weekly"})


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_has_the_keys_that_github_requires(path: Any) -> None:
    form = yaml.safe_load(path.read_text("utf-8"))
    assert form["name"]
    assert form["description"]
    ids = [field["id"] for field in form["body"]]
    assert len(set(ids)) == len(ids) > 0
    for field in form["body"]:
        assert field["type"] in ("textarea", "input", "dropdown", "checkboxes")
        assert field["attributes"]["label"]


def test_there_are_two_forms() -> None:
    assert [path.stem for path in FORMS] == ["bug", "feature"]
