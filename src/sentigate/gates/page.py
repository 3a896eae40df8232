"""A gate's result as an HTML page."""

from __future__ import annotations

from sentigate.errors import counted, shorten
from sentigate.files import templates

from .validate import GateResult, describe


def to_html(gate: GateResult) -> str:
    """Render the result as an HTML page that loads nothing from the network."""
    template = templates().get_template("gates/gate.html.j2")
    return template.render(gate=gate, shorten=shorten, describe=describe, counted=counted)
