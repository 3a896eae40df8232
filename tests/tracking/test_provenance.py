"""The git commit of a run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sentigate.tracking.provenance import git_commit


def git(*arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def test_the_commit_is_marked_dirty_if_tracked_files_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_commit() == "unknown"
    git("init", "-q")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-qm", "one")
    clean = git_commit()
    assert len(clean) == 40
    (tmp_path / "untracked").write_text("1")
    assert git_commit() == clean
    (tmp_path / "a").write_text("2")
    assert git_commit() == f"{clean}-dirty"
