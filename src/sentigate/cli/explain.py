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
from sentigate.progress import doing
from sentigate.registry.model_errors import model_errors
from sentigate.settings.params import load_params

from .contexts import Context, checked_contexts
from .selection import PARAMS, promoted
from .text_check import check_text

if TYPE_CHECKING:
    from sentigate.insight.explanation import Explanation
    from sentigate.model.columns import Columns

LATEST = "latest"


def explain(
    text: Annotated[str | None, typer.Argument(help="The text, in quotes.")] = None,
    model: Annotated[
        str,
        typer.Option(
            help="An MLflow model URI, or `latest` for the last trained model, in models/; "
            "by default the data set's promoted version."
        ),
    ] = "",
    context: Context = None,
    about: Annotated[
        str,
        typer.Option(
            "--class",
            help="The class that the page opens with and the lines are about; by default the class "
            "answered. Two classes share one logit, that of the later class.",
        ),
    ] = "",
    out: Annotated[Path, typer.Option(help="The file for the page.")] = Path(
        "reports/explanation.html"
    ),
) -> None:
    """Write a page that explains a model's answer, and shows its gates at each token.

    The page loads nothing from the network. The command prints the label, the confidence (the
    probability of the label), the path, and a note if the text is cut or holds nothing to go by. If
    the model has a linear part, a line for each part and for each of the strongest n-grams shows
    how much it adds to the logit: of two classes, the logit of the later one; of more, the score of
    the class minus the mean of all scores. If the contributions do not add up, a last line says so.

    Example: sentigate explain "Slow at first, but what an ending!" --model latest
    """
    if not text:
        raise DataError('give a text, as in sentigate explain "a text"; with make, TEXT="a text"')
    text = check_text(text)
    with doing("loading the model"):
        model = model or promoted()
        from sentigate.model.predictor import Predictor
        from sentigate.registry.loading import model_files

        name = f"{TRAINED_MODEL}/" if model == LATEST else model
        with TemporaryDirectory() as folder:
            files = TRAINED_MODEL if model == LATEST else model_files(model, Path(folder))
            with model_errors(name):
                predictor = Predictor(files)

    columns = _columns_in_training() if model == LATEST and context else predictor.columns
    text = columns.text_of([text], checked_contexts(context, columns))
    from sentigate.insight.explanation import explain as take_apart
    from sentigate.reporting.explanation_page import render_explanation

    names = predictor.classes.names
    if about and about not in names:
        raise DataError(f"the model has no class {about!r}; its classes: {', '.join(names)}")
    with doing("taking the answer apart"):
        explanation = take_apart(predictor, text)
        label = names.index(about) if about else explanation.answered
        _write(render_explanation(explanation, name, label), out)
    answer = predictor.judge([text])
    confidence = f"{answer.confidences[0]:.4f}"
    print(answer.labels[0], confidence, out, *filter(None, answer.notes), sep="\t")
    if label != explanation.answered and len(names) > 2:
        print("class", f"{explanation.probabilities[label]:.4f}", names[label], sep="\t")
    row = explanation.row(label)
    for name, value, *note in _parts(explanation, row):
        print(name, f"{value:+.4f}", *note, sep="\t")
    if not explanation.adds_up[row]:
        from sentigate.reporting.explanation_page import DOES_NOT_ADD_UP

        line = "\t".join(("remainder", f"{explanation.remainder[row]:+.4f}", DOES_NOT_ADD_UP))
        typer.secho(line, fg=typer.colors.YELLOW)


def _columns_in_training() -> Columns:
    """Return the columns of the chosen data set, because models/ does not know its columns."""
    from sentigate.model.columns import PLAIN
    from sentigate.settings.columns import columns_of

    if not PARAMS.exists():
        return PLAIN
    return columns_of(load_params(PARAMS).chosen_dataset.source)


def _parts(
    explanation: Explanation, row: int
) -> Iterator[tuple[str, float] | tuple[str, float, str]]:
    """Yield the lines for the parts of a row's logit: a name, the amount, and a word for some."""
    from sentigate.reporting.explanation_page import STRONGEST

    start = float(explanation.start[row])
    if not explanation.known:
        name = explanation.classes.names[1 if explanation.classes.count == 2 else row]
        yield "start", start, f"no token is known: the share of {name} training texts"
    elif explanation.ngrams is not None:
        yield "start", start
        yield explanation.cell.upper(), float(explanation.from_network[row].sum())
        linear = explanation.from_ngrams[row].sum() + explanation.beyond[row]
        yield "linear", float(linear)
        for ngram, share in explanation.strongest(row, STRONGEST):
            yield "n-gram", share, " ".join(ngram.text.split())


def _write(page: str, out: Path) -> None:
    try:
        with written_whole(out) as file:
            file.write(page.encode())
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror}") from None
