"""The service loads the promoted version, and notices when another one is promoted."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.registry import TEXTS, add_champion, write_files

from sentigate.errors import LostModelError
from sentigate.registry.served_version import load_served, newer_version
from sentigate.tracking.connection import connect

URI = "models:/served@champion"


def test_a_promoted_version_is_loaded_and_followed(registry: Path, tmp_path: Path) -> None:
    with pytest.raises(LostModelError, match="no version of served has the alias champion"):
        load_served(URI, tmp_path)
    files = write_files(tmp_path / "files")
    (tmp_path / "one").mkdir()
    add_champion(files, "served", tmp_path / "one")
    first = load_served(URI, tmp_path)
    assert (first.name, first.version) == ("served", "1")
    assert first.judge.judge(TEXTS).labels
    assert newer_version(URI, first, tmp_path) is None

    (tmp_path / "two").mkdir()
    add_champion(files, "served", tmp_path / "two")
    second = newer_version(URI, first, tmp_path)
    assert second is not None
    assert (second.name, second.version) == ("served", "2")
    assert newer_version(URI, second, tmp_path) is None
    assert (
        newer_version("models:/served/1", load_served("models:/served/1", tmp_path), tmp_path)
        is None
    )

    connect().delete_registered_model_alias("served", "champion")
    assert newer_version(URI, second, tmp_path) is None  # the last one goes on
