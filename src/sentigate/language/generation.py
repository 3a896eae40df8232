"""Continue a text with a language model."""

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
        ids: token ids of the prompt; empty to begin a new text.
        length: largest number of tokens to draw, at least 1.
        temperature: 0 takes the likeliest token each time; 1 draws as the model predicts.
        seed: seed of the draws, in [0, 2**32).
        context: largest number of preceding tokens that the model reads: the length of its
            training texts. The limit keeps the time per token constant.

    Returns:
        The ids of the new tokens, without the unknown token and without the boundary.

    Raises:
        DataError: length, temperature or seed is out of range.
    """
    if length < 1:
        raise DataError(f"length is {length}; allowed: 1 token or more")
    if not 0 <= temperature < math.inf:
        raise DataError(f"temperature is {temperature}; allowed: 0 (likeliest token) or more")
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
        else:  # the largest logit becomes 0, so that a low temperature does not overflow
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
    """Return ``prompt`` and its continuation.

    The prompt must be cleaned like the training texts. ``continue_ids`` describes the other
    arguments. Spaces join the new words and signs at word and subword level, because these tokens
    do not record the white space between them.

    Raises:
        DataError: length, temperature or seed is out of range.
    """
    ids = tokenizer.encode(prompt).ids
    new = continue_ids(
        model, ids, length=length, temperature=temperature, seed=seed, context=context
    )
    # Keep the text of the prompt, because decoding would lose its unknown words.
    return prompt + tokenizer.decode(ids + new)[len(tokenizer.decode(ids)) :]
