"""The language model: no prediction sees its token, and scores count every token."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.cleaning import cleaning
from support.examples import examples
from support.models import architecture, save_model, vocab_params
from torch import Tensor

from sentigate.data.vocabulary import build_tokenizer
from sentigate.errors import DataError
from sentigate.language.language_model import (
    CHUNK,
    LanguageModel,
    language_model_of,
    perplexity,
)
from sentigate.model.network.architecture import Architecture
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.network.inputs import Inputs
from sentigate.model.network.network import Network
from sentigate.model.saved_model import SavedModel

pytestmark = pytest.mark.numeric
VOCABULARY = 9


def shape_of(cell: str = "lstm", cell_from_scratch: bool = False) -> Architecture:
    return architecture(
        embedding_size=6,
        cell=cell,
        cell_from_scratch=cell_from_scratch,
        hidden_sizes=(7, 5),
        bidirectional=False,
        pooling="mean",
        embedding_dropout=0.4,
        layer_dropout=0.4,
        head_dropout=0.4,
    )


def language_model(cell: str = "lstm", cell_from_scratch: bool = False) -> LanguageModel:
    torch.manual_seed(1)
    return LanguageModel(shape_of(cell, cell_from_scratch), VOCABULARY).eval()


def padded(texts: list[list[int]], width: int | None = None) -> Inputs:
    lengths = torch.tensor([len(text) for text in texts])
    ids = torch.zeros(len(texts), width or int(lengths.max()), dtype=torch.int64)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
    return Inputs(ids, lengths)


def logits_of(model: LanguageModel, text: list[int]) -> Tensor:
    """Return the logits of each token and of the end, (len(text) + 1, vocabulary)."""
    with torch.no_grad():
        logits: Tensor = model.decoder(model.states(padded([text], len(text) or 1)))
    return logits


cells = pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
scratch = pytest.mark.parametrize("cell_from_scratch", [False, True])
tokens = st.lists(st.integers(1, VOCABULARY - 1), min_size=1, max_size=6)


@cells
@scratch
@examples(15)
@given(text=tokens, data=st.data())
def test_a_prediction_does_not_depend_on_later_tokens(
    cell: str, cell_from_scratch: bool, text: list[int], data: st.DataObject
) -> None:
    """Another token changes no prediction up to its place, and all later predictions."""
    model = language_model(cell, cell_from_scratch)
    place = data.draw(st.integers(0, len(text) - 1))
    other = list(text)
    other[place] = text[place] % (VOCABULARY - 1) + 1
    before, after = logits_of(model, text), logits_of(model, other)
    assert before.shape == (len(text) + 1, VOCABULARY)
    torch.testing.assert_close(before[: place + 1], after[: place + 1], atol=1e-6, rtol=0)
    changed = (before[place + 1 :] - after[place + 1 :]).abs().amax(1)
    assert (changed > 0).all()


@cells
@scratch
def test_padding_and_other_texts_do_not_change_predictions(
    cell: str, cell_from_scratch: bool
) -> None:
    model = language_model(cell, cell_from_scratch)
    texts = [[3, 1, 4], [1], [5, 8, 2, 6, 5]]
    with torch.no_grad():
        together = model.decoder(model.states(padded(texts, 8)))
    alone = torch.cat([logits_of(model, text) for text in texts])
    assert together.shape == (12, VOCABULARY)
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)


def test_the_first_token_and_the_end_are_predicted() -> None:
    model = language_model()
    texts = [[3, 1, 4], [1]]
    with torch.no_grad():
        loss, hits, predictions = model.score(padded(texts, 4))
    chances = [logits_of(model, text).softmax(1) for text in texts]
    expected, right = 0.0, 0
    for text, rows in zip(texts, chances, strict=True):
        for row, answer in zip(rows, [*text, 0], strict=True):
            expected -= math.log(row[answer])
            right += int(row.argmax()) == answer
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert (int(hits), int(predictions)) == (right, 6)
    assert hits.dtype == predictions.dtype == torch.int64


def test_an_empty_text_has_one_prediction() -> None:
    assert logits_of(language_model(), []).shape == (1, VOCABULARY)


def test_scores_are_summed_over_chunks() -> None:
    model = language_model()
    rows = CHUNK // 3 + 1
    texts = [[1 + row % 8, 2] for row in range(rows)]
    with torch.no_grad():
        whole, hits, predictions = model.score(padded(texts))
        parts = [model.score(padded(texts[n::2])) for n in (0, 1)]
    assert int(predictions) == 3 * rows > CHUNK
    assert int(hits) == sum(int(part[1]) for part in parts)
    assert float(whole) == pytest.approx(sum(float(part[0]) for part in parts), rel=1e-5)


def test_perplexity_weights_all_tokens_equally() -> None:
    """A mean over batches or texts would count a short text's tokens more than a long one's."""
    model = language_model()
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 7, 300).astype(np.int32)
    ids = rng.integers(1, VOCABULARY, (300, 6)) * (np.arange(6) < lengths[:, None])
    split = EncodedSplit(ids.astype(np.uint16), lengths, np.zeros(300, dtype=np.int8))
    nats = sum(
        float(-logits_of(model, text).log_softmax(1)[range(len(text) + 1), [*text, 0]].sum())
        for text in (row[:length].tolist() for row, length in zip(ids, lengths, strict=True))
    )
    found = perplexity(model.train(), split)  # switches dropout off
    assert found == pytest.approx(math.exp(nats / (lengths.sum() + 300)), rel=1e-5)


def test_perplexity_of_a_uniform_model_is_the_vocabulary_size() -> None:
    model = language_model()
    torch.nn.init.zeros_(model.decoder.weight)
    torch.nn.init.zeros_(model.decoder.bias)
    split = EncodedSplit(
        np.full((2, 3), 5, np.uint16), np.array([3, 2], np.int32), np.zeros(2, np.int8)
    )
    assert perplexity(model, split) == pytest.approx(VOCABULARY, rel=1e-6)


def test_a_model_without_language_model_is_refused_with_advice(tmp_path: Path) -> None:
    tokenizer = build_tokenizer(["a b"], vocab_params())
    network = Network(shape_of(), tokenizer.get_vocab_size(), 1)
    saved = SavedModel.load(save_model(tmp_path, network, tokenizer, cleaning()))
    with pytest.raises(DataError, match="has no language model; `make train"):
        language_model_of(saved)
