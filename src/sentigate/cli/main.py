"""The command line: all commands, and how errors and signals end them."""

from __future__ import annotations

import signal
import sys

import typer

from sentigate.errors import SentigateError

from .adopt import adopt
from .ci_report import ci_report
from .explain import explain
from .generate import generate
from .gradients import gradients
from .leaderboard import leaderboard
from .predict import predict
from .serve import serve
from .train import train
from .ui import ui

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="LSTM sentiment classification as a gated, versioned, tracked pipeline. "
    "Run from the project's root.",
)
for command in (
    adopt,
    train,
    predict,
    explain,
    generate,
    serve,
    ui,
    ci_report,
    gradients,
    leaderboard,
):
    app.command()(command)


def main() -> None:
    """Run the command line; an error that a user can correct exits with one message and code 1."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, _exit)
    try:
        app()
    except SentigateError as error:
        sys.exit(f"sentigate: {error}")
    except FileNotFoundError as error:
        sys.exit(f"sentigate: {error.filename} does not exist; run `make train` first")


def _exit(number: int, frame: object) -> None:
    """Exit with an exception, so that unfinished outputs are removed."""
    signal.signal(number, signal.SIG_IGN)  # make sends the signal again after the group got it
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
