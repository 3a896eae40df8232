"""Each model with each data set: from real raw rows to one training step and one evaluation."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from support.mirror import MIRROR
from support.project import ROOT

from sentigate.data.filtering import label_and_clean
from sentigate.data.reading_length import resolve_reading
from sentigate.data.splitting import split_rows
from sentigate.data.vocabulary import build_tokenizer
from sentigate.evaluation.metrics import classification_figures
from sentigate.model.answers import probabilities
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.network.network import Network
from sentigate.model.predictor import network_logits
from sentigate.model.text.encoding import pad_texts
from sentigate.settings.dataset import Source
from sentigate.settings.params import load_params
from sentigate.sources import read_source
from sentigate.training.engine import fit

PARAMS = load_params(ROOT / "params.yaml")
ROWS, STEP = 600, 16


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], pd.DataFrame]]:
    """Return a function that splits a sample of a data set's rows; each source is read once."""
    downloads = tmp_path_factory.mktemp("downloads")

    def raw(source: Source, labels: dict[str, str | None]) -> pd.DataFrame:
        key = source.model_dump_json()
        if key not in sources:
            frame = read_source(source, labels, 100_000, downloads)
            labelled = frame[frame["sentiment"].map(labels).notna()]
            sources[key] = labelled.sample(min(ROWS, len(labelled)), random_state=0).sort_index()
        return sources[key].reset_index(drop=True)

    sources: dict[str, pd.DataFrame] = {}

    @cache
    def split(name: str) -> pd.DataFrame:
        dataset = PARAMS.datasets[name]
        if dataset.source.kind in ("twitter", "imdb") and not MIRROR.is_dir():
            pytest.skip(f"the archives are not in {MIRROR}")
        source = raw(dataset.source, dataset.labels)
        classes = dataset.classes.names
        texts, *_ = label_and_clean(source, dataset.labels, classes, dataset.clean)
        return split_rows(texts, classes, dataset.split, PARAMS.seed)

    with pytest.MonkeyPatch.context() as patch:
        if MIRROR.is_dir():
            patch.setenv("SENTIGATE_MIRROR", str(MIRROR))
        yield split


PAIRS = [
    (dataset, model)
    for dataset, entry in PARAMS.datasets.items()
    for model in PARAMS.models
    # With more classes only the head differs, so the own model and one other are enough.
    if entry.classes.count == 2 or model in (entry.model, "lstm")
]


@pytest.mark.parametrize(("dataset_name", "model_name"), PAIRS)
def test_one_step_and_one_evaluation(
    dataset_name: str, model_name: str, read: Callable[[str], pd.DataFrame], tmp_path: Path
) -> None:
    texts = read(dataset_name)
    params = PARAMS.model_copy(update={"dataset": dataset_name, "model": model_name})
    model, classes = params.chosen_model, params.chosen_dataset.classes
    training_texts = texts.loc[texts["split"] == "train", "text"].tolist()
    tokenizer = build_tokenizer(training_texts, model.vocab)
    reading = resolve_reading(model.max_length, tokenizer, training_texts)

    def padded(name: str) -> EncodedSplit:
        part = texts[texts["split"] == name].head(STEP)
        ids, lengths = pad_texts(tokenizer, part["text"].tolist(), *reading)
        return EncodedSplit(ids, lengths, part["label"].to_numpy(dtype=np.int8))

    def start() -> Network:
        network = Network(model.network, tokenizer.get_vocab_size(), classes.scores)
        first.update({k: v.clone() for k, v in network.state_dict().items()})
        return network

    first: dict[str, object] = {}
    train, validation, test = (padded(name) for name in ("train", "validation", "test"))
    # With weight decay, a weight without a gradient would change too.
    once = model.training.model_copy(
        update={"max_epochs": 1, "batch_size": STEP, "weight_decay": 0.0}
    )
    weights, epochs = fit(
        start, train, validation, once, full_width=model.network.reads_padding,
        seed=params.seed, scratch=tmp_path,
    )  # fmt: skip
    assert len(train.labels) == STEP
    assert np.isfinite(epochs.to_numpy()).all()
    for name, value in weights.items():
        assert not value.equal(first[name]), f"training did not change {name}"

    network = Network(model.network, tokenizer.get_vocab_size(), classes.scores)
    network.load_state_dict(weights)
    chances = probabilities(network_logits(network, test))
    assert chances.shape == (len(test.labels), classes.count)
    assert ((chances > 0) & (chances < 1)).all()
    figures = classification_figures(test.labels, chances, classes, PARAMS.evaluate, seed=0)
    assert 0 <= figures["accuracy"] <= 1


@pytest.mark.parametrize("model_name", PARAMS.models)
def test_any_model_can_run_its_cells_from_scratch(model_name: str) -> None:
    shape = PARAMS.models[model_name].network
    readable = shape.model_copy(update={"cell_from_scratch": True})
    networks = []
    for architecture in (shape, readable):
        torch.manual_seed(PARAMS.seed)
        networks.append(Network(architecture, 100, 1))
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 25, STEP).astype(np.int32)
    ids = rng.integers(1, 100, (STEP, 24)) * (np.arange(24) < lengths[:, None])
    split = EncodedSplit(ids.astype(np.uint16), lengths, np.zeros(STEP, dtype=np.int8))
    fast, slow = (network_logits(network, split) for network in networks)
    assert np.ptp(fast) > 0
    assert fast == pytest.approx(slow, abs=1e-5)
