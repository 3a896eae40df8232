"""The command line over the library."""

from __future__ import annotations

import sys

import typer

from .commands.ci_report import ci_report
from .commands.explain import explain
from .commands.generate import generate
from .commands.gradients import gradients
from .commands.leaderboard import leaderboard
from .commands.predict import predict
from .commands.servers import serve, ui
from .commands.train import train
from .errors import SentigateError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="LSTM sentiment classification as a gated, versioned, tracked pipeline. "
    "Run from the project's root.",
)
for command in (train, predict, explain, generate, serve, ui, ci_report, gradients, leaderboard):
    app.command()(command)


def main() -> None:
    """Run the command line; what a user can mend ends in one message and exit code 1."""
    try:
        app()
    except SentigateError as error:
        sys.exit(f"sentigate: {error}")
    except FileNotFoundError as error:
        sys.exit(f"sentigate: {error.filename} does not exist; run `make train` first")


if __name__ == "__main__":
    main()
