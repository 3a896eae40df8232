"""data/own/: git ignores a user's files, and `dvc add` can version them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.project import ROOT

OURS = {
    "data/own/README.md",
    "data/own/csv/corrections.csv",
    "data/own/csv/example.csv",
    "data/own/vectors/README.md",
}
DVC = (sys.executable, "-m", "dvc")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository with the project's .gitignore and .dvcignore, and a user's table."""
    for name in (".gitignore", ".dvcignore", *OURS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "data/own/csv/reviews.csv").write_text("text,sentiment\n", "utf-8")
    run(tmp_path, "git", "init", "-q")
    run(tmp_path, *DVC, "init", "-q")
    return tmp_path


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def in_git(folder: Path) -> set[str]:
    """Return the files of data/own/ that ``git add`` adds."""
    listing = run(folder, "git", "ls-files", "-co", "--exclude-standard", "data/own")
    return set(listing.split())


def test_git_adds_only_the_example_and_corrections(project: Path) -> None:
    (project / "data/own/loose.csv").touch()
    (project / "data/own/csv/parts").mkdir()
    (project / "data/own/csv/parts/one.parquet").touch()
    assert in_git(project) == OURS


def test_a_file_can_be_versioned_with_dvc(project: Path) -> None:
    run(project, *DVC, "add", "-q", "data/own/csv/reviews.csv")
    assert in_git(project) == OURS | {"data/own/csv/reviews.csv.dvc"}
    assert "reviews.csv" not in run(project, *DVC, "status")
    (project / "data/own/csv/reviews.csv").write_text("text,sentiment\nfine,positive\n", "utf-8")
    assert "modified:           data/own/csv/reviews.csv" in run(project, *DVC, "status")
