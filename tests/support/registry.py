"""Adding a promoted version to the registry."""

from __future__ import annotations

from pathlib import Path

from sentigate.registry.package import package_model
from sentigate.registry.versions import add_version
from sentigate.tracking.connection import connect
from sentigate.tracking.ended_run import EndedRun
from sentigate.tracking.open_run import start_run


def add_champion(files: Path, name: str, scratch: Path) -> str:
    """Register a model's folder as the promoted version of ``name``, and return its URI."""
    opened = start_run("made for a test")
    opened.end()
    package = package_model(files, scratch)
    version = add_version(EndedRun(connect(), opened.id), package, name, {"split_sha256": "a"})
    connect().set_registered_model_alias(name, "champion", version.version)
    return f"models:/{name}/{version.version}"
