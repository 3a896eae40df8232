"""`sentigate predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentigate.errors import DataError
from sentigate.progress import doing
from sentigate.registry.model_errors import model_errors

from .contexts import Context, checked_contexts
from .selection import promoted
from .text_check import check_text


def predict(
    texts: Annotated[
        list[str] | None, typer.Argument(help="Texts to classify, each in quotes.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            help="A file of texts instead: CSV, TSV, JSON, Parquet, .xlsx, .ods, or .txt with one "
            "text per line; may be compressed. In quotes, a pattern for several files."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A file for the rows with `label`, `confidence` and `note` added: "
            ".csv, .tsv, .jsonl or .parquet."
        ),
    ] = None,
    probabilities: Annotated[
        bool,
        typer.Option(
            "--probabilities",
            help="Add a column `probability_CLASS` to the file's rows for each class, too.",
        ),
    ] = False,
    column: Annotated[
        str | None,
        typer.Option(
            help="The file's column of texts; by default the column that the model was trained "
            "on, or else the only column."
        ),
    ] = None,
    context: Context = None,
    context_column: Annotated[
        list[str] | None,
        typer.Option(
            help="The file's column with what each text is about; by default the column that the "
            "model was trained on, if the file has it. Once for each context of the model."
        ),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="The file's encoding, such as cp1252; by default UTF-8.")
    ] = None,
    separator: Annotated[
        str | None,
        typer.Option(help="The character between columns, or `tab`; by default by extension."),
    ] = None,
    no_header: Annotated[
        bool,
        typer.Option("--no-header", help="The file's first row is data; columns are 1, 2, ..."),
    ] = False,
    plain_quotes: Annotated[
        bool, typer.Option("--plain-quotes", help="A double quote is only a character.")
    ] = False,
    sheet: Annotated[
        str | None,
        typer.Option(help="The sheet of an .xlsx or .ods file; by default the only one."),
    ] = None,
    model: Annotated[
        str, typer.Option(help="An MLflow model URI; by default the data set's promoted version.")
    ] = "",
) -> None:
    """Print a label and its confidence for each text, or add them to a file's rows.

    The confidence is the probability of the label, according to the model.

    A text that is cut or holds nothing to go by gets a note, too. For a file, the last line counts
    the rows with notes.

    Example: sentigate predict "A fine film, warm and funny." "I want my two hours back."

    Example: sentigate predict --file tweets.csv --out answers.csv
    """
    if bool(texts) == bool(file) or bool(file) != bool(out):
        raise DataError(
            'give texts, as in sentigate predict "a text", or a file, as in '
            "sentigate predict --file tweets.csv --out answers.csv; "
            'with make, TEXT="a text", or FILE=tweets.csv OUT=answers.csv'
        )
    with doing("loading the model"):
        from sentigate.serving.bulk_prediction import check_files, predict_file
        from sentigate.tables.dialect import Dialect

        dialect = Dialect(encoding, separator, no_header, plain_quotes, sheet)
        if dialect != Dialect() and not file:
            raise DataError(
                "--encoding, --separator, --no-header, --plain-quotes and --sheet are for a file"
            )

        if column and not file:
            raise DataError("--column (with make: COLUMN=) is for a file; texts need no column")
        if probabilities and not file:
            raise DataError("--probabilities is for a file; a text gets only its confidence")
        if context_column and not file:
            raise DataError("--context-column is for a file; allowed with texts: --context")
        if context and file:
            raise DataError("--context is for texts; allowed with a file: --context-column")
        texts = [check_text(text) for text in texts or []]
        model = model or promoted()
        if file and out:
            check_files(file, out)
        from sentigate.registry.loading import load_predictor

        with model_errors(model):
            predictor = load_predictor(model)
    if file and out:
        judged = predict_file(
            predictor,
            file,
            out,
            column,
            context_column or (),
            dialect=dialect,
            probabilities=probabilities,
        )
        print(judged.summary, out, sep="\t")
        return
    contexts = checked_contexts(context, predictor.columns)
    answers = predictor.judge([predictor.columns.text_of([text], contexts) for text in texts])
    rows = zip(texts, answers.labels, answers.confidences, answers.notes, strict=True)
    for text, label, confidence, note in rows:
        fields = [label, f"{confidence:.4f}", " ".join(text.split())]
        print(*fields, *filter(None, [note]), sep="\t")
