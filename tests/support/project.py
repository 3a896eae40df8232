"""Copies of the project, and the small table for training in tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SMALL_TABLE = "data/own/csv/small.csv"


def put_small_table(folder: Path) -> None:
    """Copy the small table to its path in ``tiny_values``."""
    (folder / SMALL_TABLE).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(ROOT / "tests/support/small.csv", folder / SMALL_TABLE)


def copy_settings(folder: Path) -> None:
    """Copy params.yaml and datasets/ to a folder."""
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    shutil.copytree(ROOT / "datasets", folder / "datasets")


def copy_project(target: Path) -> Path:
    """Copy the working tree without tests and ignored files, and add the small table."""
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listing.stdout.split("\0")):
        if not name.startswith("tests/") and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    put_small_table(target)
    return target


def commit_all(folder: Path) -> None:
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "A copy"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
