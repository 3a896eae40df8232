"""The wide part: a linear model of a text's tokens and runs of tokens, beside the network.

As in wide and deep learning (Cheng et al. 2016), its logit is added to the network's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .architecture import LONGEST


def run_codes(ids: Tensor, length: int, vocabulary_size: int) -> Tensor:
    """A number for each run of tokens: the ids as digits to the base of the vocabulary's size.

    A first id is never 0, so no two runs share a number, whatever their lengths.

    Args:
        ids: (B, T) int64 token ids.
        length: tokens of a run, 2 to ``LONGEST``.
        vocabulary_size: V, larger than any id.

    Returns:
        (B, T - length + 1) int64, by the run's first place; none where T is smaller.
    """
    places = max(0, ids.shape[1] - length + 1)
    codes = ids[:, :places]
    for offset in range(1, length):
        codes = codes * vocabulary_size + ids[:, offset : offset + places]
    return codes


class NgramPart(nn.Module):
    """Logits of texts: bias + (weights of tokens + weights of runs) / sqrt(tokens).

    Nothing of it is trained with the network: ``training.ngrams`` fits it before.

    Attributes:
        bias: () float32.
        tokens: (V,) float32, the weight of each entry of the vocabulary; 0 of padding.
        codes: (runs,) int64, the runs that have a weight, as ``run_codes`` numbers them, sorted.
        weights: (runs,) float32.
    """

    bias: Tensor
    tokens: Tensor
    codes: Tensor
    weights: Tensor

    def __init__(self, vocabulary_size: int, runs: int) -> None:
        super().__init__()
        self.register_buffer("bias", torch.zeros(()))
        self.register_buffer("tokens", torch.zeros(vocabulary_size))
        self.register_buffer("codes", torch.zeros(runs, dtype=torch.int64))
        self.register_buffer("weights", torch.zeros(runs))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits, (B,) float32, of ids (B, T) and lengths (B,)."""
        logits = self.bias.expand(len(ids))
        for shares in self.shares(ids, lengths):
            logits = logits + shares.sum(1)
        return logits

    def shares(self, ids: Tensor, lengths: Tensor) -> list[Tensor]:
        """What each token, pair … of a text adds to its logit: (B, T), (B, T - 1) … float32."""
        scale = lengths.float().rsqrt().unsqueeze(1)
        found = [self.tokens[ids] * scale]
        size = len(self.tokens)
        for length in range(2, LONGEST + 1):
            if len(self.codes) and self.codes[-1] >= size ** (length - 1):
                found.append(self._weights_of(run_codes(ids, length, size)) * scale)
        return found

    def _weights_of(self, codes: Tensor) -> Tensor:
        places = torch.searchsorted(self.codes, codes.contiguous()).clamp_(max=len(self.codes) - 1)
        return self.weights[places].where(self.codes[places] == codes, 0.0)
