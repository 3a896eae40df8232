"""What lies in models/: taken only with the tokenizer and the data set that it was trained with."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support import ROOT

from sentigate.errors import DataError, RegistryError
from sentigate.files import sha256_of
from sentigate.registry.latest_model import latest, model_errors
from sentigate.settings.params import load_params

PARAMS = load_params(ROOT / "params.yaml")


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes models/model.json, as the train stage does, beside a tokenizer."""
    monkeypatch.chdir(tmp_path)
    for name in ("models", "data/vocab"):
        Path(name).mkdir(parents=True)
    Path("data/vocab/tokenizer.json").write_text("{}", "utf-8")

    def write(**changes: str) -> None:
        digest = sha256_of(Path("data/vocab/tokenizer.json"))
        model = {"dataset": "imdb", "tokenizer_sha256": digest} | changes
        Path("models/model.json").write_text(json.dumps(model), "utf-8")

    return write


def test_the_data_set_is_the_one_trained_on_whatever_is_chosen(
    trained: Callable[..., None],
) -> None:
    trained()
    assert PARAMS.dataset == "vader"
    model, dataset = latest(PARAMS)
    assert model["dataset"] == "imdb"
    assert dataset is PARAMS.datasets["imdb"]


def test_another_models_tokenizer_is_refused(trained: Callable[..., None]) -> None:
    trained()
    Path("data/vocab/tokenizer.json").write_text('{"of": "as many entries"}', "utf-8")
    with pytest.raises(DataError, match=r"tokenizer.json is not the one .* \(on imdb\)"):
        latest(PARAMS)


def test_a_data_set_that_is_gone_is_said(trained: Callable[..., None]) -> None:
    trained(dataset="reviews")
    with pytest.raises(DataError, match=r"trained on reviews, .* there are: vader, twitter"):
        latest(PARAMS)


@pytest.mark.parametrize("content", ["{", "", "{}", "\ufeff[]"])
def test_a_damaged_description_is_one_message(trained: Callable[..., None], content: str) -> None:
    Path("models/model.json").write_text(content, "utf-8")
    with pytest.raises(RegistryError, match="models/ is damaged, or of another version"):
        latest(PARAMS)


def test_damaged_weights_are_one_message(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"\x10\x00")
    with (
        pytest.raises(RegistryError, match="a model is damaged"),
        model_errors("a model"),
    ):
        load_file(path)
