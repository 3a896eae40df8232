"""Continuing a text with a language model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from sentigate.errors import DataError
from sentigate.model.network.inputs import Inputs
from sentigate.model.text.encoding import PAD_ID, UNKNOWN_ID

from .language_model import LanguageModel

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@torch.inference_mode()
def continue_ids(
    model: LanguageModel,
    ids: Sequence[int],
    *,
    length: int,
    temperature: float,
    seed: int,
    context: int,
) -> list[int]:
    """Draw tokens one by one from softmax(logits / temperature), until the text ends.

    Args:
        model: the language model.
        ids: tokens of the prompt; none for a text from its beginning.
        length: number of tokens drawn at most, from 1.
        temperature: 0 takes the likeliest token each time; 1 draws as the model predicts.
        seed: seed of the draws, in [0, 2**32).
        context: number of latest tokens that the model reads at most: the length of its training
            texts, so that the time for a token does not grow with the text.

    Returns:
        The new tokens. The unknown token is never among them, nor is the boundary.

    Raises:
        DataError: length, temperature or seed is out of range.
    """
    if length < 1:
        raise DataError(f"length is {length}; allowed: 1 token or more")
    if not 0 <= temperature < math.inf:
        raise DataError(f"temperature is {temperature}; allowed: 0, the likeliest token, or more")
    if not 0 <= seed < 2**32:
        raise DataError(f"seed is {seed}; allowed: 0 to {2**32 - 1}")
    model.eval()
    generator = torch.Generator().manual_seed(seed)
    text = list(ids)
    for _ in range(length):
        shown = torch.tensor([text[-context:]], dtype=torch.int64)
        state = model.states(Inputs(shown, torch.tensor([shown.shape[1]])))[-1]
        logits = model.decoder(state).double()
        logits[UNKNOWN_ID] = -torch.inf
        if temperature == 0:
            drawn = int(logits.argmax())
        else:  # the largest logit becomes 0, so that no temperature overflows
            chances = ((logits - logits.max()) / temperature).softmax(0)
            drawn = int(torch.multinomial(chances, 1, generator=generator))
        if drawn == PAD_ID:
            break
        text.append(drawn)
    return text[len(ids) :]


def continue_text(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompt: str,
    *,
    length: int,
    temperature: float,
    seed: int,
    context: int,
) -> str:
    """``prompt``, cleaned as training texts were, with its continuation.

    Arguments as ``continue_ids`` takes them. Words and signs are joined by spaces at word and
    subword level, whose tokens do not record what was between them.

    Raises:
        DataError: length, temperature or seed is out of range.
    """
    ids = tokenizer.encode(prompt).ids
    new = continue_ids(
        model, ids, length=length, temperature=temperature, seed=seed, context=context
    )
    # The prompt is returned as it is, because decoding would lose its unknown words.
    return prompt + tokenizer.decode(ids + new)[len(tokenizer.decode(ids)) :]
