"""Continuation of texts: memorised texts, seeds, and no special tokens."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from support.models import architecture, vocab_params

from sentigate.data.vocabulary import build_tokenizer
from sentigate.errors import DataError
from sentigate.language.generation import continue_ids, continue_text
from sentigate.language.language_model import LanguageModel
from sentigate.language.pretraining import pretrain
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.text.encoding import PAD_ID, UNKNOWN_ID, pad_texts
from sentigate.settings.model import Level, TrainingParams

SHAPE = architecture(
    embedding_size=12,
    cell="gru",
    hidden_sizes=(24,),
    bidirectional=False,
    pooling="mean",
    embedding_dropout=0.0,
    layer_dropout=0.0,
    head_dropout=0.0,
)
PARAMS = TrainingParams(
    monitor="validation_loss",
    batch_size=4, max_epochs=30, patience=30, learning_rate=0.02, weight_decay=0.0,
    gradient_clip=1.0, average_decay=None,
)  # fmt: skip
RHYME = "the cat sat on a mat ."
OPTIONS = {"length": 40, "temperature": 0.8, "seed": 1, "context": 64}


def untrained(vocabulary: int = 9) -> LanguageModel:
    """Return a model with random weights that never predicts the end of a text."""
    torch.manual_seed(3)
    model = LanguageModel(SHAPE, vocabulary).eval()
    model.decoder.bias.data[PAD_ID] = -1e4
    return model


@pytest.mark.parametrize("level", ["word", "character", "bpe"])
def test_temperature_0_continues_a_memorised_text(tmp_path: Path, level: Level) -> None:
    tokenizer = build_tokenizer([RHYME] * 3, vocab_params(level, max_size=400))
    padded = pad_texts(tokenizer, [RHYME] * 32, 40)
    split = EncodedSplit(padded.ids, padded.lengths, np.zeros(32, dtype=np.int8))
    entries = tokenizer.get_vocab_size()
    model = LanguageModel(SHAPE, entries)
    weights, _ = pretrain(SHAPE, entries, split, split, PARAMS, seed=1, scratch=tmp_path)
    model.load_state_dict(weights)
    for prompt in ("", "the", "the cat sat", RHYME):
        text = continue_text(model, tokenizer, prompt, **OPTIONS | {"temperature": 0.0})
        assert text == RHYME
    short = continue_text(model, tokenizer, "the", **OPTIONS | {"temperature": 0.0, "length": 1})
    assert short == ("the " if level == "character" else "the cat")


def test_unknown_words_of_the_prompt_are_kept() -> None:
    tokenizer = build_tokenizer(["a b c d e f g"], vocab_params())
    text = continue_text(untrained(), tokenizer, "a zebra, b", **OPTIONS)
    assert text.startswith("a zebra, b ")
    assert "<unk>" not in text


def test_the_seed_determines_every_token() -> None:
    model = untrained()
    first = continue_ids(model, [3, 4], **OPTIONS)
    torch.rand(5)  # other draws do not matter
    assert continue_ids(model, [3, 4], **OPTIONS) == first
    others = {tuple(continue_ids(model, [3, 4], **OPTIONS | {"seed": seed})) for seed in range(9)}
    assert len(others) == 9


def test_tokens_are_drawn_with_the_predicted_probabilities() -> None:
    model = untrained()
    torch.nn.init.zeros_(model.decoder.weight)
    chances = torch.tensor([0.0, 0.4, 0.3, 0.15, 0.15, 0, 0, 0, 0])
    model.decoder.bias.data = chances.log()
    drawn = {
        temperature: continue_ids(
            model, [], length=1200, temperature=temperature, seed=5, context=2
        )
        for temperature in (0.5, 1.0, 2.0)
    }
    for temperature, ids in drawn.items():
        assert len(ids) == 1200
        weights = chances[2:5].double() ** (1 / temperature)  # never 1, the unknown token
        expected = weights / weights.sum()
        counts = Counter(ids)
        assert set(counts) == {2, 3, 4}
        for token, chance in zip((2, 3, 4), expected.tolist(), strict=True):
            spread = math.sqrt(chance * (1 - chance) / 1200)
            assert counts[token] / 1200 == pytest.approx(chance, abs=4 * spread)


@pytest.mark.parametrize("temperature", [0.0, 1e-310, 0.8, 1e300])
def test_the_unknown_token_and_padding_are_never_drawn(temperature: float) -> None:
    model = untrained()
    model.decoder.bias.data[UNKNOWN_ID] = 50.0
    for seed in range(5):
        ids = continue_ids(model, [3], **OPTIONS | {"temperature": temperature, "seed": seed})
        assert not {UNKNOWN_ID, PAD_ID} & set(ids)


def test_the_boundary_ends_the_text() -> None:
    model = untrained()
    model.decoder.bias.data[PAD_ID] = 50.0
    assert continue_ids(model, [3, 4], **OPTIONS) == []


def test_only_the_context_decides_the_next_token() -> None:
    """Tokens before the context do not count, and tokens in the context do."""
    model = untrained()
    options = OPTIONS | {"context": 4, "temperature": 0.0}
    ids = continue_ids(model, [2, 3, 4, 5, 6, 7], **options)
    assert len(ids) == 40
    assert continue_ids(model, [8, 8, 4, 5, 6, 7], **options) == ids
    text = [2, 3, 4, 5, 6, 7, *ids]
    for place in range(6, 46):
        assert continue_ids(model, text[place - 4 : place], **options | {"length": 1}) == [
            text[place]
        ]


@pytest.mark.parametrize(
    ("way", "value", "message"),
    [
        ("length", 0, "length is 0; allowed: 1"),
        ("length", -3, "length is -3; allowed: 1"),
        ("temperature", -0.1, "temperature is -0.1; allowed: 0"),
        ("temperature", math.nan, "temperature is nan; allowed: 0"),
        ("temperature", math.inf, "temperature is inf; allowed: 0"),
        ("seed", -1, "seed is -1; allowed: 0 to 4294967295"),
        ("seed", 2**32, "seed is 4294967296; allowed"),
    ],
)
def test_values_out_of_range_are_refused(way: str, value: float, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        continue_ids(untrained(), [3], **OPTIONS | {way: value})
    assert "\n" not in str(error.value)
