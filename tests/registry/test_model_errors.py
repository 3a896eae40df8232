"""Errors of reading a damaged model's files become one message."""

from pathlib import Path

import pytest

from sentigate.errors import RegistryError
from sentigate.model.saved_model import SavedModel
from sentigate.registry.model_errors import model_errors


def test_damaged_weights_raise_one_message(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"\x10\x00")
    with (
        pytest.raises(RegistryError, match="a model is damaged"),
        model_errors("a model"),
    ):
        load_file(path)


@pytest.mark.parametrize("content", ["{", "", "{}", "\ufeff[]"])
def test_a_damaged_description_raises_one_message(tmp_path: Path, content: str) -> None:
    (tmp_path / "model.json").write_text(content, "utf-8")
    with (
        pytest.raises(RegistryError, match=r"models/ is damaged.*model\.json"),
        model_errors("models/"),
    ):
        SavedModel.load(tmp_path)
