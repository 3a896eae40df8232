"""`sentigate explain`."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import DataError, RegistryError
from ..params import load_params
from .chosen import PARAMS, promoted

if TYPE_CHECKING:
    from ..predictor import Predictor

LATEST = "latest"


def explain(
    text: Annotated[str, typer.Argument(help="The text, in quotes.")],
    model: Annotated[
        str,
        typer.Option(
            help="An MLflow model URI, or `latest` for what the last training left in models/; "
            "by default the data set's promoted version."
        ),
    ] = "",
    out: Annotated[Path, typer.Option(help="Where the page goes.")] = Path(
        "reports/explanation.html"
    ),
) -> None:
    """Write a page that shows why a model answers as it does, and what its gates do meanwhile.

    The page holds all it needs. Printed are the label, the probability of positive and the path.

    Example: sentigate explain "Slow at first, but what an ending!" --model latest
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DataError("the text is not valid UTF-8") from None
    model = model or promoted()
    from ..registry import model_files

    name = "models/" if model == LATEST else model
    with TemporaryDirectory() as folder:
        files = _latest(Path(folder)) if model == LATEST else model_files(model, Path(folder))
        predictor = _open(files, name)

    from ..explanation import explain as take_apart
    from ..explanation_page import render_explanation

    explanation = take_apart(predictor, text)
    _write(render_explanation(explanation, name), out)
    label = "positive" if explanation.probability >= 0.5 else "negative"
    print(f"{label}\t{explanation.probability:.4f}\t{out}")


def _latest(folder: Path) -> Path:
    """Gathered as the register stage gathers them."""
    steps = load_params(PARAMS).chosen_dataset.clean.steps.model_dump(mode="json")
    (folder / "cleaning.json").write_text(json.dumps(steps), encoding="utf-8")
    for source in ("models/model.json", "models/weights.safetensors", "data/vocab/tokenizer.json"):
        shutil.copyfile(source, folder / Path(source).name)
    return folder


def _open(files: Path, name: str) -> Predictor:
    from pydantic import ValidationError

    from ..predictor import Predictor

    try:
        predictor = Predictor(files)
    except (ValidationError, RuntimeError, KeyError) as error:  # other keys, other weights
        problem = str(error)
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise RegistryError(
            f"the model {name} is of another version of sentigate than this, which cannot look "
            f"into it ({' '.join(problem.split())[:200]}); `make train` makes one that it can"
        ) from None
    entries = predictor.tokenizer.get_vocab_size()
    known = predictor.network.encoder.embedding.num_embeddings
    if entries != known:
        raise RegistryError(
            f"the model {name} was trained with a vocabulary of {known:,}, and its tokenizer "
            f"has {entries:,}; `make train` brings them together"
        )
    return predictor


def _write(page: str, out: Path) -> None:
    """Whole or not at all."""
    partial = out.parent / f"{out.name}.partial"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(page, encoding="utf-8")
        partial.replace(out)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise DataError(f"{out} cannot be written: {error.strerror}") from None
