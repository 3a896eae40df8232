"""A gate's verdict as a page."""

from __future__ import annotations

from sentigate.errors import counted, shorten
from sentigate.files import templates

from .validate import GateResult, describe


def to_html(gate: GateResult) -> str:
    """A page that needs no network."""
    template = templates().get_template("gates/gate.html.j2")
    return template.render(gate=gate, shorten=shorten, describe=describe, counted=counted)
