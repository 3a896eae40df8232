"""A model's files: saved and loaded unchanged, and refused when they do not fit each other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from support.cleaning import cleaning
from support.models import architecture, linear_model, save_model, vocab_params
from support.project import ROOT

from sentigate.data.vocabulary import build_tokenizer, tokens_of
from sentigate.model.fusion import Fusion
from sentigate.model.model_files import LINEAR_FILES, NETWORK_FILES, ModelFileError
from sentigate.model.network.network import Network
from sentigate.model.predictor import Predictor
from sentigate.model.saved_model import SavedModel

TEXTS = ["A fine film, warm and funny.", "I want my two hours back."]
STEPS = cleaning("lowercase", "squeeze_whitespace")
ABSENT = ("sentigate", "pipeline", "sklearn", "scipy")
"""Packages that a registered model must not need."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Save a model with an untrained network."""
    tokenizer = build_tokenizer([text.lower() for text in TEXTS], vocab_params())
    shape = architecture(
        embedding_size=8, cell="lstm", hidden_sizes=(6,), bidirectional=True, pooling="max",
        embedding_dropout=0.5, layer_dropout=0.0, head_dropout=0.5,
    )  # fmt: skip
    torch.manual_seed(0)
    return save_model(
        tmp_path / "saved", Network(shape, tokenizer.get_vocab_size(), 1), tokenizer, STEPS
    )


@pytest.fixture
def fused(folder: Path, tmp_path: Path) -> Path:
    """Save the same model with a linear model beside the network."""
    saved = SavedModel.load(folder)
    tokens = tokens_of(saved.tokenizer)
    linear = linear_model({(tokens.index("fine"),): 2.0, (2, 3): -1.0}, 0.5, tokens)
    fusion = Fusion(share=0.25, temperature=1.5, prior=(0.1,))
    steps, network = saved.description.cleaning, saved.network
    return save_model(
        tmp_path / "fused", network, saved.tokenizer, steps, linear=linear, fusion=fusion
    )


def test_the_linear_model_is_saved_and_loaded(folder: Path, fused: Path, tmp_path: Path) -> None:
    assert {path.name for path in fused.iterdir()} == {*NETWORK_FILES, *LINEAR_FILES}
    assert np.abs(Predictor(fused)(TEXTS) - Predictor(folder)(TEXTS)).max() > 0.01
    (tmp_path / "again").mkdir()
    SavedModel.load(fused).save(tmp_path / "again")
    for name in (*NETWORK_FILES, *LINEAR_FILES):
        assert (tmp_path / "again" / name).read_bytes() == (fused / name).read_bytes()
    (fused / LINEAR_FILES[0]).unlink()
    with pytest.raises(FileNotFoundError, match=LINEAR_FILES[0]):
        SavedModel.load(fused)


def test_a_saved_model_is_loaded_unchanged(folder: Path, tmp_path: Path) -> None:
    assert {path.name for path in folder.iterdir()} == set(NETWORK_FILES)
    saved = SavedModel.load(folder)
    assert saved.description.cleaning == STEPS
    assert not saved.network.training  # no dropout
    assert saved.language_model is None
    (tmp_path / "again").mkdir()
    saved.save(tmp_path / "again")
    for name in NETWORK_FILES:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_a_language_model_is_saved_and_loaded(folder: Path, tmp_path: Path) -> None:
    plain = SavedModel.load(folder)
    description = plain.description.model_copy(update={"start": "language_model"})
    start = {"decoder.bias": torch.arange(3.0)}
    (tmp_path / "both").mkdir()
    SavedModel(description, plain.tokenizer, plain.weights, None, start).save(tmp_path / "both")
    loaded = SavedModel.load(tmp_path / "both").language_model
    assert loaded is not None
    assert torch.equal(loaded["decoder.bias"], start["decoder.bias"])
    plain.save(tmp_path / "both")  # a later training may leave the old file
    assert SavedModel.load(tmp_path / "both").language_model is None


def test_loading_does_not_import_torchs_compiler(
    run_python: Callable[..., str], folder: Path
) -> None:
    """Torch 2.13 imports it, for two seconds, to initialise an embedding on the device "meta"."""
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from sentigate.model.predictor import Predictor\n"
        "Predictor(Path(sys.argv[1]))(['fine'])\n"
        "print([name for name in sys.modules if name.startswith('torch._dynamo')])\n"
    )
    assert run_python(code, folder).strip() == "[]"


@pytest.mark.parametrize("name", NETWORK_FILES)
@pytest.mark.parametrize("damage", ["empty", "half", "missing"])
def test_an_error_names_the_damaged_file(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[: len(content) // 2] if damage == "half" else b"")
    expected = FileNotFoundError if damage == "missing" else ModelFileError
    with pytest.raises(expected, match=name.replace(".", r"\.")):
        SavedModel.load(folder)


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("vocabulary_size", 99, "tokenizer.json"),
        ("network.hidden_sizes", [7], "weights.safetensors"),
        ("network.cell", "mlp", "model.json"),
        ("network.rooms", 3, "model.json"),
        ("cleaning.lowercase", "yes please", "model.json"),
        (
            "classes.names",
            ["a", "b", "c"],
            r"model\.json .*prior has 1 numbers; expected: 3",
        ),
        ("classes.names", ["a"], "model.json"),
        ("threshold", 1.0, "model.json"),
    ],
)
def test_files_that_do_not_fit_each_other_are_refused(
    folder: Path, key: str, value: object, named: str
) -> None:
    described = json.loads((folder / "model.json").read_text("utf-8"))
    *sections, last = key.split(".")
    node = described
    for section in sections:
        node = node[section]
    node[last] = value
    (folder / "model.json").write_text(json.dumps(described), "utf-8")
    with pytest.raises(ModelFileError, match=named):
        SavedModel.load(folder)


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_logits_that_do_not_fit_the_classes_are_refused(fused: Path, share: float) -> None:
    described = json.loads((fused / "model.json").read_text("utf-8"))
    described["classes"]["names"] = ["a", "b", "c"]
    described["fusion"] |= {"share": share, "prior": [0.0] * 3}
    (fused / "model.json").write_text(json.dumps(described), "utf-8")
    named = "linear" if share else "weights"
    with pytest.raises(
        ModelFileError, match=rf"{named}\.safetensors .*it has 1 logits; expected: 3"
    ):
        SavedModel.load(fused)
    described["threshold"] = 0.5
    (fused / "model.json").write_text(json.dumps(described), "utf-8")
    with pytest.raises(ModelFileError, match=r"model\.json .*only between two classes"):
        SavedModel.load(fused)


def test_a_copy_of_the_model_folder_predicts_alone(
    run_python: Callable[..., str], fused: Path, tmp_path: Path
) -> None:
    """It runs in an empty folder, under another name, without sentigate and scikit-learn."""
    expected = Predictor(fused)(TEXTS)
    shutil.copytree(
        ROOT / "src/sentigate/model",
        tmp_path / "alone/elsewhere",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    script = (
        "import json, sys\n"
        "sys.modules |= dict.fromkeys(sys.argv[3:])\n"  # importing one of these fails
        "from pathlib import Path\n"
        "from elsewhere.predictor import Predictor\n"
        "found = Predictor(Path(sys.argv[1]))(json.loads(sys.argv[2]))\n"
        "print(json.dumps(found.tolist()))\n"
    )
    printed = run_python(script, fused, json.dumps(TEXTS), *ABSENT, folder=tmp_path / "alone")
    assert np.array(json.loads(printed)) == pytest.approx(expected, abs=1e-6)
