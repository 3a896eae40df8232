"""Fixed vectors with a trained correction."""

from __future__ import annotations

import torch
from torch import nn

from sentigate.model.network.corrected_embedding import CorrectedEmbedding

VECTORS = torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def test_it_starts_as_the_vectors_and_saves_an_embedding() -> None:
    embedding = CorrectedEmbedding(VECTORS, 4)
    ids = torch.tensor([[2, 4, 1, 0]])
    assert torch.equal(embedding(ids), VECTORS[ids])
    assert [*embedding.state_dict()] == ["weight"]
    assert embedding.state_dict()["weight"].equal(VECTORS)


def test_an_outside_word_takes_the_unknown_words_correction_and_padding_none() -> None:
    embedding = CorrectedEmbedding(VECTORS, 4)
    with torch.no_grad():
        embedding.correction.copy_(torch.tensor([[0.0, 0.0], [0.5, 0.5], [1.0, 0.0], [0.0, 1.0]]))
    ids = torch.arange(5)
    expected = VECTORS + torch.tensor([[0, 0], [0.5, 0.5], [1, 0], [0, 1], [0.5, 0.5]])
    assert torch.equal(embedding(ids), expected)
    plain = nn.Embedding(5, 2, padding_idx=0)
    plain.load_state_dict(embedding.state_dict())
    assert torch.equal(plain(ids), expected)
    embedding(ids).sum().backward()
    assert embedding.correction.grad is not None
    assert embedding.correction.grad[:, 0].tolist() == [0.0, 2.0, 1.0, 1.0]
    assert [name for name, _ in embedding.named_parameters()] == ["correction"]
