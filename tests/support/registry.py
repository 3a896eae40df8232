"""Small models to register, and promoted versions of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from sentigate.data.vocabulary import build_tokenizer
from sentigate.model.fusion import Fusion
from sentigate.model.labels import BINARY, Classes
from sentigate.model.network.network import Network
from sentigate.registry.package import package_model
from sentigate.registry.versions import add_version
from sentigate.tracking.connection import connect
from sentigate.tracking.ended_run import EndedRun
from sentigate.tracking.open_run import start_run

from .cleaning import cleaning
from .models import architecture, save_model, vocab_params

TEXTS = [
    "A fine film, warm and funny.",
    "I want my two hours back.",
    "",
    " ",
    "😀",
    "word " * 10_000,
]
THREE = Classes(names=("negative", "neutral", "positive"), ordered=True)
SEVEN = Classes(names=("rage", "sorrow, grief", "fear", "ça va?", "joy/fun", "愛", "label"))


def write_files(
    folder: Path, classes: Classes = BINARY, texts: Sequence[str] = tuple(TEXTS)
) -> Path:
    """Write a saved model with an untrained network, which gives TEXTS more than one label.

    Args:
        folder: folder for the files.
        classes: classes that the model answers.
        texts: texts of the vocabulary.
    """
    tokenizer = build_tokenizer([text.lower() for text in texts], vocab_params())
    shape = architecture(
        embedding_size=8, cell="lstm", hidden_sizes=(6,), bidirectional=True, pooling="max",
        embedding_dropout=0.5, layer_dropout=0.0, head_dropout=0.5,
    )  # fmt: skip
    torch.manual_seed(0)
    network = Network(shape, tokenizer.get_vocab_size(), classes.scores)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    steps = cleaning("lowercase", "squeeze_whitespace")
    unfused = Fusion(share=0.0, temperature=1.0, prior=(0.0,) * classes.scores)
    return save_model(folder, network, tokenizer, steps, fusion=unfused, classes=classes)


def ended_run() -> EndedRun:
    """Return a new run that has ended, for versions to register."""
    opened = start_run("made for a test")
    opened.end()
    return EndedRun(connect(), opened.id)


def add_champion(files: Path, name: str, scratch: Path) -> str:
    """Register a model's folder as the promoted version of ``name``, and return its URI."""
    package = package_model(files, scratch)
    version = add_version(ended_run(), package, name, {"split_sha256": "a"})
    connect().set_registered_model_alias(name, "champion", version.version)
    return f"models:/{name}/{version.version}"
