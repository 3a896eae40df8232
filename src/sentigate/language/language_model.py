"""A language model: the classifier's encoder, and a linear layer that predicts the next token.

Id 0, padding elsewhere, is the boundary of a text: the model is given it before the first token,
and predicts it after the last.
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
"""Predictions at a time, each with a logit for every entry of the vocabulary; bounds the memory of
scoring. Training keeps all of them for the gradient."""


class LanguageModel(nn.Module):
    """P(token | tokens before it), over padded token ids (Mikolov et al. 2010, with any cell).

    It has the classifier's encoder, and reads from left to right only.
    """

    def __init__(self, architecture: Architecture, vocabulary_size: int) -> None:
        super().__init__()
        self.encoder = Encoder(architecture, vocabulary_size)
        self.head_dropout = Dropout(architecture.head_dropout)
        self.decoder = nn.Linear(self.encoder.features, vocabulary_size)

    def states(self, inputs: Inputs) -> Tensor:
        """The encoder's states before each token and before each text's end.

        Args:
            inputs: the texts, which may be empty here.

        Returns:
            (N, features) float32, text after text; N is B plus the sum of the lengths. Row n of a
            text has seen its first n tokens. ``decoder`` turns states into logits, (N, vocabulary).
        """
        ids, lengths = inputs
        begun = Inputs(functional.pad(ids, (1, 0), value=PAD_ID), lengths + 1)
        states, layout = self.encoder(begun)
        # Padding stays out of the decoder, whose output is far wider than a state.
        selected: Tensor = self.head_dropout(states[layout.mask.squeeze(2)])
        return selected

    def score(self, inputs: Inputs) -> tuple[Tensor, Tensor, Tensor]:
        """How well the model predicts texts, which may be empty.

        Returns:
            The summed negative log likelihood in nats, () float32; the number of predictions whose
            likeliest token was right, () int64; and the number of all predictions, () int64.
        """
        ids, lengths = inputs
        states = self.states(inputs)
        targets = functional.pad(ids, (0, 1), value=PAD_ID)
        answers = targets[PaddedLayout(lengths + 1, targets.shape[1]).mask.squeeze(2)]
        loss, hits = states.new_zeros(()), lengths.new_zeros(())
        for first in range(0, len(answers), CHUNK):
            wanted = answers[first : first + CHUNK]
            logits = self.decoder(states[first : first + CHUNK])
            loss = loss + functional.cross_entropy(logits, wanted, reduction="sum")
            hits = hits + (logits.argmax(1) == wanted).sum()
        return loss, hits, lengths.new_tensor(len(answers))


@torch.inference_mode()
def perplexity(model: LanguageModel, split: EncodedSplit) -> float:
    """Exponential of the mean negative log likelihood; each text's end is a token too."""
    model.eval()
    loss, predictions = 0.0, 0
    for batch in Batches(split, BATCH_SIZE):
        nats, _, count = model.score(batch.inputs)
        loss, predictions = loss + float(nats), predictions + int(count)
    return math.exp(loss / predictions)


def language_model_of(saved: SavedModel) -> LanguageModel:
    """The language model that a classifier started from, in eval mode.

    Raises:
        DataError: there is no language model, because the classifier was not pretrained.
    """
    if saved.language_model is None:
        raise DataError(
            "the model in models/ has no language model; "
            "`make train MODEL=pretrained_lstm` makes one"
        )
    model = LanguageModel(saved.description.network, saved.description.vocabulary_size)
    model.load_state_dict(saved.language_model)
    return model.eval()
