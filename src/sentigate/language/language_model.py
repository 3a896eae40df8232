"""A language model: the classifier's encoder, and a linear layer that predicts the next token.

Id 0 is padding elsewhere. Here it is the boundary of a text: the model reads it before the first
token and predicts it after the last token.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sentigate.errors import DataError
from sentigate.model.network.architecture import Architecture
from sentigate.model.network.batches import Batches, EncodedSplit
from sentigate.model.network.dropout import Dropout
from sentigate.model.network.inputs import Inputs
from sentigate.model.network.network import Encoder
from sentigate.model.network.padded_layout import PaddedLayout
from sentigate.model.saved_model import SavedModel
from sentigate.model.text.encoding import PAD_ID

BATCH_SIZE = 256
CHUNK = 4096
"""Number of predictions that are scored at a time. Each has a logit for every vocabulary entry, so
this bounds memory. In training, the gradient keeps all logits in memory."""


class LanguageModel(nn.Module):
    """P(token | preceding tokens), over padded token ids (Mikolov et al. 2010, with any cell).

    It has the classifier's encoder and reads from left to right only.
    """

    def __init__(self, architecture: Architecture, vocabulary_size: int) -> None:
        super().__init__()
        self.encoder = Encoder(architecture, vocabulary_size)
        self.head_dropout = Dropout(architecture.head_dropout)
        self.decoder = nn.Linear(self.encoder.features, vocabulary_size)

    def states(self, inputs: Inputs) -> Tensor:
        """Return the encoder's state before each token and before each text's end.

        Args:
            inputs: texts; a length may be 0 here.

        Returns:
            (N, features) float32, one text after another; N is B plus the sum of the lengths. Row n
            of a text has seen its first n tokens. ``decoder`` turns states into logits,
            (N, vocabulary).
        """
        ids, lengths = inputs
        begun = Inputs(functional.pad(ids, (1, 0), value=PAD_ID), lengths + 1)
        states, layout = self.encoder(begun)
        # The decoder gets no padding, because its output is far wider than a state.
        selected: Tensor = self.head_dropout(states[layout.mask.squeeze(2)])
        return selected

    def score(self, inputs: Inputs) -> tuple[Tensor, Tensor, Tensor]:
        """Score the model's predictions of texts, which may be empty.

        Returns:
            The summed negative log likelihood in nats, () float32; the number of predictions whose
            likeliest token is right, () int64; and the number of all predictions, () int64.
        """
        ids, lengths = inputs
        states = self.states(inputs)
        targets = functional.pad(ids, (0, 1), value=PAD_ID)
        targets = targets[PaddedLayout(lengths + 1, targets.shape[1]).mask.squeeze(2)]
        loss, hits = states.new_zeros(()), lengths.new_zeros(())
        for first in range(0, len(targets), CHUNK):
            chunk = targets[first : first + CHUNK]
            logits = self.decoder(states[first : first + CHUNK])
            loss = loss + functional.cross_entropy(logits, chunk, reduction="sum")
            hits = hits + (logits.argmax(1) == chunk).sum()
        return loss, hits, lengths.new_tensor(len(targets))


@torch.inference_mode()
def perplexity(model: LanguageModel, split: EncodedSplit) -> float:
    """Return the exponential of the mean negative log likelihood; each text's end is a token."""
    model.eval()
    loss, predictions = 0.0, 0
    for batch in Batches(split, BATCH_SIZE):
        nats, _, count = model.score(batch.inputs)
        loss, predictions = loss + float(nats), predictions + int(count)
    return math.exp(loss / predictions)


def language_model_of(saved: SavedModel) -> LanguageModel:
    """Return the language model that a classifier started from, in eval mode.

    Raises:
        DataError: the classifier was not pretrained, so it has no language model.
    """
    if saved.language_model is None:
        raise DataError(
            "the model in models/ has no language model; "
            "`make train MODEL=pretrained_lstm` makes one"
        )
    model = LanguageModel(saved.description.network, saved.description.vocabulary_size)
    model.load_state_dict(saved.language_model)
    return model.eval()
