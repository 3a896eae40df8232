"""Pretraining: a language model learns its source, and a classifier starts from the model."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from support.models import architecture

from sentigate.errors import DataError
from sentigate.language.language_model import LanguageModel, perplexity
from sentigate.language.ngram_model import ngram_perplexities
from sentigate.language.pretraining import pretrain
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.network.network import Network
from sentigate.settings.model import TrainingParams
from sentigate.training.best_epoch import Epoch
from sentigate.training.start import start_from

VOCABULARY = 6
SHAPE = architecture(
    embedding_size=8,
    cell="lstm",
    hidden_sizes=(16,),
    bidirectional=False,
    pooling="mean",
    embedding_dropout=0.0,
    layer_dropout=0.0,
    head_dropout=0.0,
)
LENGTH = 15


def params(**choices: float) -> TrainingParams:
    values = {
        "batch_size": 20,
        "max_epochs": 8,
        "patience": 8,
        "learning_rate": 0.02,
        "weight_decay": 0.0,
        "gradient_clip": 1.0,
        "average_decay": None,
        "monitor": "validation_loss",
    }
    return TrainingParams.model_validate(values | choices)


def second_order(rows: int, seed: int) -> EncodedSplit:
    """Return texts of tokens 2 to 5: the next is the sum of the last two, or one more, evenly.

    The entropy is log 2 per token, except for the first two tokens and the end. A single preceding
    token says nothing about the next one, so bigrams do not help.
    """
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 4, (rows, LENGTH))
    for place in range(2, LENGTH):
        more = rng.integers(0, 2, rows)
        ids[:, place] = (ids[:, place - 1] + ids[:, place - 2] + more) % 4
    lengths = np.full(rows, LENGTH, dtype=np.int32)
    return EncodedSplit((ids + 2).astype(np.uint16), lengths, np.zeros(rows, dtype=np.int8))


def test_pretraining_approaches_an_entropy_that_bigrams_cannot_reach(tmp_path: Path) -> None:
    train, validation, test = (second_order(rows, rows) for rows in (1000, 200, 201))
    epochs: list[Epoch] = []
    weights, _ = pretrain(
        SHAPE, VOCABULARY, train, validation, params(max_epochs=12, patience=12), seed=1,
        scratch=tmp_path, on_epoch=epochs.append,
    )  # fmt: skip
    model = LanguageModel(SHAPE, VOCABULARY)
    model.load_state_dict(weights)
    entropy = (2 * math.log(4) + (LENGTH - 2) * math.log(2)) / (LENGTH + 1)  # the end is certain
    counted = ngram_perplexities(train, validation, test, VOCABULARY)
    found = perplexity(model, test)
    assert found < 1.15 * math.exp(entropy)
    assert found > 0.97 * math.exp(entropy)  # no model predicts better than the entropy
    for name in ("unigram_perplexity", "bigram_perplexity"):
        assert found < 0.7 * float(counted[name] or 0)
    assert 1 <= len(epochs) <= 12
    best = min(row["validation_loss"] for row in epochs)
    assert perplexity(model, validation) == pytest.approx(math.exp(best), rel=1e-4)


def test_a_classifier_starts_with_the_language_models_encoder(tmp_path: Path) -> None:
    split = second_order(40, 0)
    weights, _ = pretrain(
        SHAPE, VOCABULARY, split, split, params(max_epochs=1), seed=1, scratch=tmp_path
    )
    torch.manual_seed(2)
    fresh = Network(SHAPE, VOCABULARY, 3).state_dict()
    torch.manual_seed(2)
    started = start_from(Network(SHAPE, VOCABULARY, 3), weights).state_dict()
    encoder = {name for name in fresh if name.startswith("encoder.")}
    assert encoder == {name for name in weights if name.startswith("encoder.")}
    assert encoder < set(fresh)
    assert {name for name in weights if name not in encoder} == {"decoder.weight", "decoder.bias"}
    for name, weight in started.items():
        assert torch.equal(weight, weights[name] if name in encoder else fresh[name])
        assert torch.equal(weight, fresh[name]) == (name not in encoder)


def test_a_language_model_loads_with_cells_from_scratch(tmp_path: Path) -> None:
    split = second_order(40, 0)
    weights, _ = pretrain(
        SHAPE, VOCABULARY, split, split, params(max_epochs=1), seed=1, scratch=tmp_path
    )
    models = [
        LanguageModel(SHAPE.model_copy(update={"cell_from_scratch": choice}), VOCABULARY)
        for choice in (False, True)
    ]
    for model in models:
        model.load_state_dict(weights)
    torch_s, own = (perplexity(model, split) for model in models)
    assert own == pytest.approx(torch_s, rel=1e-5)


@pytest.mark.parametrize("rate", [1e4, 1e30])
def test_a_rate_that_diverges_is_refused(tmp_path: Path, rate: float) -> None:
    split = second_order(40, 0)
    with pytest.raises(DataError, match="lower learning_rate under pretraining"):
        pretrain(
            SHAPE, VOCABULARY, split, split, params(learning_rate=rate, max_epochs=2), seed=1,
            scratch=tmp_path,
        )  # fmt: skip
