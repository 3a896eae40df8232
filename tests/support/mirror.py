"""The folder with the archives of the published data sets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .project import ROOT


def mirror_file(name: str) -> Path:
    """Return an archive in the mirror; skip the test if it is not there."""
    folder = Path(os.environ.get("SENTIGATE_MIRROR") or ROOT.parent / "shared" / "data")
    if not (folder / name).is_file():
        pytest.skip(f"{name} is not in {folder}")
    return folder / name
