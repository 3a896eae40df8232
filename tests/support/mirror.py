"""The folder with the archives of the published data sets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .project import ROOT

MIRROR = Path(os.environ.get("SENTIGATE_MIRROR") or ROOT.parent / "shared" / "data")


def mirror_file(name: str) -> Path:
    """Return an archive in the mirror; skip the test if it is not there."""
    if not (MIRROR / name).is_file():
        pytest.skip(f"{name} is not in {MIRROR}")
    return MIRROR / name
