"""The git commit that made a model."""

from __future__ import annotations

import subprocess


def git_commit() -> str:
    """The commit that is checked out, with ``-dirty`` where tracked files differ from it.

    The files that the pipeline rewrites, dvc.lock and the figures, do not count. "unknown" where
    git does not answer.
    """
    try:
        head = _git("rev-parse", "HEAD")
        inputs = (".", ":!dvc.lock", ":!reports/metrics.json")
        dirty = _git("status", "--porcelain", "--untracked-files=no", "--", *inputs)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}-dirty" if dirty else head


def _git(*arguments: str) -> str:
    run = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    return run.stdout.strip()
