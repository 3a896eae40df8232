"""`sentigate explain`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from sentigate.artifacts import TRAINED_MODEL
from sentigate.errors import DataError
from sentigate.files import written_whole
from sentigate.model.text.context import with_context
from sentigate.progress import doing
from sentigate.registry.model_errors import model_errors

from .selection import promoted
from .text_check import check_text

if TYPE_CHECKING:
    from sentigate.insight.explanation import Explanation

LATEST = "latest"


def explain(
    text: Annotated[str, typer.Argument(help="The text, in quotes.")],
    model: Annotated[
        str,
        typer.Option(
            help="An MLflow model URI, or `latest` for the last trained model, in models/; "
            "by default the data set's promoted version."
        ),
    ] = "",
    context: Annotated[
        str, typer.Option(help="What the text is about, for a model trained with a context.")
    ] = "",
    out: Annotated[Path, typer.Option(help="The file for the page.")] = Path(
        "reports/explanation.html"
    ),
) -> None:
    """Write a page that explains a model's answer, and shows its gates at each token.

    The page loads nothing from the network. The command prints the label, the probability of
    positive, the path, and a note if the text is cut or holds nothing to go by. If the model has a
    linear part, a line for each part and for each of the strongest n-grams shows how much it adds
    to the logit. If the contributions do not add up, a last line says so.

    Example: sentigate explain "Slow at first, but what an ending!" --model latest
    """
    text = with_context(context, check_text(text))
    with doing("loading the model"):
        model = model or promoted()
        from sentigate.model.predictor import Predictor
        from sentigate.registry.loading import model_files

        name = f"{TRAINED_MODEL}/" if model == LATEST else model
        with TemporaryDirectory() as folder:
            files = TRAINED_MODEL if model == LATEST else model_files(model, Path(folder))
            with model_errors(name):
                predictor = Predictor(files)

    from sentigate.insight.explanation import explain as take_apart
    from sentigate.model.labels import label_of
    from sentigate.reporting.explanation_page import render_explanation

    with doing("taking the answer apart"):
        explanation = take_apart(predictor, text)
        _write(render_explanation(explanation, name), out)
    label = label_of(explanation.probability)
    notes = filter(None, predictor.judge([text]).notes)
    print(label, f"{explanation.probability:.4f}", out, *notes, sep="\t")
    for name, value, *note in _parts(explanation):
        print(name, f"{value:+.4f}", *note, sep="\t")
    if not explanation.adds_up:
        from sentigate.reporting.explanation_page import DOES_NOT_ADD_UP

        line = "\t".join(("remainder", f"{explanation.remainder:+.4f}", DOES_NOT_ADD_UP))
        typer.secho(line, fg=typer.colors.YELLOW)


def _parts(explanation: Explanation) -> Iterator[tuple[str, float] | tuple[str, float, str]]:
    """Yield the lines for the parts of a logit: a name, the amount, and a word for some."""
    from sentigate.reporting.explanation_page import STRONGEST

    if not explanation.known:
        yield "start", explanation.start, "no token is known: the share of positive training texts"
    elif explanation.ngrams is not None:
        yield "start", explanation.start
        yield explanation.cell.upper(), float(explanation.from_network.sum())
        yield "linear", float(explanation.from_ngrams.sum()) + explanation.beyond
        for ngram in explanation.ngrams[:STRONGEST]:
            yield "n-gram", ngram.share, " ".join(ngram.text.split())


def _write(page: str, out: Path) -> None:
    try:
        with written_whole(out) as file:
            file.write(page.encode())
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror}") from None
