"""Skipping tests that need the default data set."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import cache

import pytest

from sentigate.settings.yaml_file import read_yaml

from .project import ROOT


def vader_or_skip() -> None:
    """Skip the test if the default data set cannot be downloaded."""
    if reason := _why_no_vader():
        pytest.skip(reason)


@cache
def _why_no_vader() -> str:
    source = read_yaml(ROOT / "datasets/vader.yaml")["source"]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries=1"]
        command += ["--no-binary=:all:", "--no-build-isolation", f"--dest={folder}"]
        done = subprocess.run(
            [*command, f"vaderSentiment=={source['version']}"], capture_output=True, text=True
        )
    if done.returncode == 0:
        return ""
    return f"needs the network: pip cannot reach its index: {done.stderr.strip().splitlines()[-1]}"
