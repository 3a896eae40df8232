"""Fixed vectors with a learned correction."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sentigate.model.network.corrected_embedding import CorrectedEmbedding

VECTORS = torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def test_the_embedding_starts_as_the_vectors_and_is_saved_as_their_sum() -> None:
    embedding = CorrectedEmbedding(VECTORS, 4)
    ids = torch.tensor([[2, 4, 1, 0]])
    assert torch.equal(embedding(ids), VECTORS[ids])
    assert [*embedding.state_dict()] == ["weight"]
    assert embedding.state_dict()["weight"].equal(VECTORS)


@pytest.mark.parametrize("learned", [2, 4])
def test_only_the_first_ids_except_padding_are_corrected(learned: int) -> None:
    embedding = CorrectedEmbedding(VECTORS, learned)
    corrections = torch.tensor([[0.0, 0.0], [0.5, 0.5], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    corrections[learned:] = 0.0
    with torch.no_grad():
        embedding.correction.copy_(corrections[:learned])
    ids = torch.tensor([[0, 1, 2, 3, 4, 4, 1]])
    expected = (VECTORS + corrections)[ids]
    assert torch.equal(embedding(ids), expected)
    plain = nn.Embedding(5, 2, padding_idx=0)
    plain.load_state_dict(embedding.state_dict())
    assert torch.equal(plain(ids), expected)
    embedding(ids).sum().backward()
    assert embedding.correction.grad is not None
    assert embedding.correction.grad[:, 0].tolist() == [0.0, 2.0, 1.0, 1.0][:learned]
    assert [name for name, _ in embedding.named_parameters()] == ["correction"]
