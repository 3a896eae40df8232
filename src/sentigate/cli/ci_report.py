"""`sentigate ci-report`."""

from __future__ import annotations

from typing import Annotated

import typer

from sentigate.progress import doing


def ci_report(
    base: Annotated[str, typer.Option(help="The git revision to compare with.")] = "main",
) -> None:
    """Print, as Markdown, how figures and gates differ from another git revision.

    Example: sentigate ci-report --base HEAD~1
    """
    with doing(f"comparing with {base}"):
        from sentigate.reporting.pull_request_comment import render_comment

        report = render_comment(base)
    print(report)
