"""The forward pass of MiniLM (Wang et al. 2020), a small BERT, from its published weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import embedding, gelu, layer_norm, linear, scaled_dot_product_attention

from .minilm_means import WIDTH

LAYERS, HEADS, EPSILON = 6, 12, 1e-12


def word_means(weights: Mapping[str, Tensor], ids: Tensor, dtype: torch.dtype) -> Tensor:
    """Compute the mean of the last hidden states over all positions, with [CLS] and [SEP].

    Args:
        weights: float32, under BertModel's names.
        ids: (B, T) int64, texts of equal length, without padding.
        dtype: Type of the linear layers and of attention; the rest is float32.

    Returns:
        (B, 384) float32.
    """

    def dense(name: str, x: Tensor) -> Tensor:
        return linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def normal(name: str, x: Tensor) -> Tensor:
        scale, shift = weights[f"{name}.LayerNorm.weight"], weights[f"{name}.LayerNorm.bias"]
        return layer_norm(x.float(), [WIDTH], scale, shift, EPSILON)

    def heads(x: Tensor) -> Tensor:
        return x.view(*ids.shape, HEADS, -1).transpose(1, 2)

    lower = dtype != torch.float32
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=lower):
        x = embedding(ids, weights["embeddings.word_embeddings.weight"])
        x = x + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = normal("embeddings", x + weights["embeddings.token_type_embeddings.weight"][0])
        for layer in (f"encoder.layer.{n}" for n in range(LAYERS)):
            query, key, value = (
                heads(dense(f"{layer}.attention.self.{part}", x))
                for part in ("query", "key", "value")
            )
            mixed = scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
            x = normal(
                f"{layer}.attention.output", x + dense(f"{layer}.attention.output.dense", mixed)
            )
            inner = gelu(dense(f"{layer}.intermediate.dense", x))
            x = normal(f"{layer}.output", x + dense(f"{layer}.output.dense", inner))
        return x.mean(1)
