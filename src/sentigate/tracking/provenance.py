"""The git commit that made a model."""

from __future__ import annotations

import subprocess


def git_commit() -> str:
    """Return the hash of HEAD, with ``-dirty`` appended if tracked files differ from it.

    dvc.lock and reports/metrics.json do not count, because the pipeline rewrites them.

    Returns:
        The hash; "unknown" outside a git repository, or without git.
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
