"""`sentigate predict`."""

from __future__ import annotations

from typing import Annotated

import typer

from .chosen import promoted
from .texts import check_text


def predict(
    texts: Annotated[list[str], typer.Argument(help="Texts to judge, each in quotes.")],
    model: Annotated[
        str, typer.Option(help="An MLflow model URI; by default the data set's promoted version.")
    ] = "",
) -> None:
    """Print a label and the probability of positive for each text.

    Example: sentigate predict "A fine film, warm and funny." "I want my two hours back."
    """
    from ..registry import load_model

    texts = [check_text(text) for text in texts]
    model = model or promoted()
    answers = load_model(model)(texts)
    for text, label, probability in zip(
        texts, answers["label"], answers["probability"], strict=True
    ):
        print(f"{label}\t{probability:.4f}\t{' '.join(text.split())}")
