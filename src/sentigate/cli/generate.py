"""`sentigate generate`."""

from __future__ import annotations

from typing import Annotated

import typer

from sentigate.artifacts import TRAINED_MODEL
from sentigate.progress import doing
from sentigate.registry.model_errors import model_errors
from sentigate.settings.params import load_params

from .selection import PARAMS
from .text_check import check_text


def generate(
    prompt: Annotated[str, typer.Option(help="Beginning of the text; may be empty.")] = "",
    length: Annotated[int, typer.Option(help="Maximum number of added tokens.")] = 40,
    temperature: Annotated[
        float,
        typer.Option(
            help="0 takes the most likely token each time, 1 draws from the predicted distribution."
        ),
    ] = 0.8,
    seed: Annotated[
        int | None, typer.Option(help="Seed for drawing tokens; by default seed in params.yaml.")
    ] = None,
) -> None:
    """Continue a text with the language model from which the model in models/ started.

    Example: sentigate generate --prompt "the film was" --length 20 --temperature 0.5
    """
    check_text(prompt)
    with doing("loading the language model"):
        params = load_params(PARAMS)

        from sentigate.language.generation import continue_text
        from sentigate.language.language_model import language_model_of
        from sentigate.model.saved_model import SavedModel
        from sentigate.model.text.cleaning import make_cleaner

        with model_errors(f"{TRAINED_MODEL}/"):
            saved = SavedModel.load(TRAINED_MODEL)
            model = language_model_of(saved)
        text = continue_text(
            model,
            saved.tokenizer,
            make_cleaner(saved.description.cleaning)(prompt),
            length=length,
            temperature=temperature,
            seed=params.seed if seed is None else seed,
            context=saved.description.max_length,
        )
    print(text.strip())
