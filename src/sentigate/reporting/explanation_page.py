"""Render an explanation as one self-contained HTML page: coloured tokens, maps of the gates."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from PIL import Image

from sentigate.files import templates
from sentigate.insight.explanation import MAX_REMAINDER, Explanation, LayerStates, Token

SHARE, STATE = "share", "state"
DOES_NOT_ADD_UP = (
    "The contributions do not add up: the remainder of the integration is more than "
    f"{MAX_REMAINDER:.0%} of the difference between the logit and the start. This network's answer "
    "jumps on a text of this length. Explain a shorter part of the text."
)
"""Warning on the page and on the terminal if the remainder is large."""
PARTS = {
    "forget": ("forget gate", "share of the cell state that is kept", SHARE),
    "input": ("input gate", "share of the candidate that is written", SHARE),
    "output": ("output gate", "share of the cell state that is shown", SHARE),
    "reset": ("reset gate", "share of the hidden state that the candidate sees", SHARE),
    "update": ("update gate", "share of the hidden state that is kept", SHARE),
    "cell": ("cell state", "the long-term memory", STATE),
    "hidden": ("hidden state", "the output of the layer", STATE),
    "candidate": ("candidate", "the new values that could be written", STATE),
}
"""Gate or state in cells.py -> title, meaning and kind, in the order of the page."""

POSITIVE, NEGATIVE = (0, 114, 178), (213, 94, 0)  # Okabe and Ito's palette, as in draw.py
SHADES = 255  # an odd number gives zero its own colour
SCALED = 95  # percentile at the ends of a map's scale; the maximum would make most states pale
SHEET = 980  # width in pixels that most screens show beside the row titles
DECIMALS = 4
CURVE_COLOURS, DASHES = 7, ("none", "6 3", "2 3", "8 3 2 3")  # 28 classes look different
STRONGEST = 5  # n-grams in the table; the JSON data of the page holds all

Levels = npt.NDArray[np.uint8]


def render_explanation(explanation: Explanation, model: str, label: int | None = None) -> str:
    """Render the page as HTML. It fetches nothing, and every text in it is escaped.

    The same input gives the same page. Figures are rounded to four decimals; the remainder includes
    the rounding errors, so the figures shown add up. The element ``explanation`` holds the
    unrounded figures of all classes as JSON.

    Args:
        explanation: The explanation to show.
        model: Name of the model, for the heading.
        label: The class that the page opens with; None for the class answered. Two classes share
            one logit, that of the later one, and the page shows it in both cases.
    """
    environment = templates()
    environment.filters["signed"] = signed
    names = explanation.classes.names
    two = len(names) == 2
    about = 1 if two else explanation.answered if label is None else label
    row = explanation.row(about)
    from_network = explanation.from_network[row].round(DECIMALS)
    from_ngrams = explanation.from_ngrams[row].round(DECIMALS)
    contributions = from_network + from_ngrams
    largest = float(np.abs(explanation.contributions[row]).max()) or 1.0
    columns = len(explanation.tokens) + explanation.padding
    shown = {
        "start": round(float(explanation.start[row]), DECIMALS),
        "network": round(float(from_network.sum()), DECIMALS),
        "ngrams": round(float(from_ngrams.sum()), DECIMALS),
        "sum": round(float(contributions.sum()), DECIMALS),
        "beyond": round(float(explanation.beyond[row]), DECIMALS),
        "logit": round(float(explanation.logits[row]), DECIMALS),
    }
    parts = shown["start"] + shown["sum"] + shown["beyond"]
    shown["remainder"] = round(shown["logit"] - parts, DECIMALS)
    upright = all(len(token.text) <= 2 for token in explanation.tokens)
    return environment.get_template("reporting/templates/explanation.html.j2").render(
        explanation=explanation,
        does_not_add_up=DOES_NOT_ADD_UP,
        adds_up=bool(explanation.adds_up[row]),
        model=model,
        cell=explanation.cell.upper(),
        parts=explanation.known and explanation.ngrams is not None,
        names=names,
        two=two,
        about=about,
        label=names[explanation.answered],
        probabilities=explanation.probabilities.tolist(),
        colour=("neg", "pos")[explanation.answered] if two else "",
        shown=shown,
        tokens=[
            {
                "before": token.before,
                "text": token.text,
                "name": _name(token),
                "unknown": token.unknown,
                "network": float(network),
                "ngrams": float(ngrams),
                "contribution": float(contribution),
                "strength": round(abs(float(contribution)) / largest, 3),
                "running": float(running),
            }
            for token, network, ngrams, contribution, running in zip(
                explanation.tokens,
                from_network,
                from_ngrams,
                contributions,
                explanation.running[:, about],
                strict=True,
            )
        ],
        curves=[] if two else _curves(explanation),
        colours=CURVE_COLOURS,
        strongest=_strongest(explanation, row),
        largest=largest,
        upright=upright,
        column=int(np.clip(SHEET // columns, 11 if upright else 14, 60)),
        columns=columns,
        layers=[_layer(layer) for layer in explanation.layers],
        data=_data(explanation, model, about),
    )


def signed(value: float) -> str:
    """Format a number with a sign and four decimals; the sign of zero is +."""
    return f"{value + 0.0:+.{DECIMALS}f}".replace("-", "−")


def _name(token: Token) -> str:
    return token.text.replace(" ", "␣") or "·"


def _strongest(explanation: Explanation, row: int) -> list[dict[str, Any]]:
    """Return the rows of the table of n-grams; ``strength`` is the length of the bar, 0 to 1."""
    ngrams = explanation.strongest(row, STRONGEST)
    largest = abs(ngrams[0][1]) if ngrams else 0.0
    return [
        {
            "text": " ".join(ngram.text.split()),
            "places": ", ".join(str(place + 1) for place in ngram.places),
            "share": share,
            "strength": round(abs(share) / (largest or 1.0), 3),
        }
        for ngram, share in ngrams
    ]


def _curves(explanation: Explanation) -> list[dict[str, Any]]:
    """Return the curve of each class: its probability at each token, its colour and its dashes."""
    return [
        {
            "values": values,
            "colour": number % CURVE_COLOURS,
            "dashes": DASHES[number // CURVE_COLOURS % len(DASHES)],
        }
        for number, values in enumerate(explanation.running.T.tolist())
    ]


def _data(explanation: Explanation, model: str, about: int) -> dict[str, Any]:
    """Return the figures of the page; ``scores`` has one entry per explained logit.

    The figures of two classes also stand outside ``scores``, where scripts have always read them.
    """
    names = explanation.classes.names
    labels = [1] if len(names) == 2 else range(len(names))
    scores = [_score(explanation, label) for label in labels]
    return {
        "model": model,
        "text": explanation.text,
        "classes": list(names),
        "answered": explanation.answered,
        "opened": about,
        "probabilities": explanation.probabilities.tolist(),
        "tokens": [token.text for token in explanation.tokens],
        "unknown": [token.unknown for token in explanation.tokens],
        "left_out": explanation.left_out,
        "known": explanation.known,
        "scores": scores,
        **(scores[0] if len(scores) == 1 else {}),
        "units": [
            {
                "layer": layer.layer,
                "direction": layer.direction,
                "order": layer.units.tolist(),
            }
            for layer in explanation.layers
        ],
    }


def _score(explanation: Explanation, label: int) -> dict[str, Any]:
    """Return the figures about one class."""
    row = explanation.row(label)
    ngrams = explanation.strongest(row, len(explanation.ngrams or ()))
    return {
        "beyond": float(explanation.beyond[row]),
        "start": float(explanation.start[row]),
        "from_network": explanation.from_network[row].tolist(),
        "from_ngrams": explanation.from_ngrams[row].tolist(),
        "ngrams": None
        if explanation.ngrams is None
        else [
            {"text": each.text, "places": each.places, "length": each.length, "share": share}
            for each, share in ngrams
        ],
        "contributions": explanation.contributions[row].tolist(),
        "remainder": float(explanation.remainder[row]),
        "adds_up": bool(explanation.adds_up[row]),
        "logit": float(explanation.logits[row]),
        "probability": float(explanation.probabilities[label]),
        "running": explanation.running[:, label].tolist(),
    }


def _layer(layer: LayerStates) -> dict[str, Any]:
    units = len(layer.units)
    return {
        "number": layer.layer,
        "direction": layer.direction,
        "units": units,
        "height": units * int(np.clip(128 // units, 1, 24)),
        "maps": [_map(name, layer.parts[name]) for name in PARTS if name in layer.parts],
    }


def _map(name: str, values: npt.NDArray[np.floating[Any]]) -> dict[str, Any]:
    title, meaning, kind = PARTS[name]
    low, high = 0.0, 1.0
    if kind == STATE:
        high = float(np.percentile(np.abs(values), SCALED)) or 1.0
        low = -high
    shares = (values.clip(low, high) - low) / (high - low)
    levels = (shares * (SHADES - 1)).round().astype(np.uint8)
    return {
        "title": title,
        "meaning": meaning,
        "low": f"{low:.3g}".replace("-", "−"),
        "high": f"{high:.3g}",
        "image": _png(levels, kind),
        "legend": _png(np.arange(SHADES, dtype=np.uint8)[None], kind),
    }


def _png(levels: Levels, kind: str) -> str:
    """Encode a map as a PNG data URI, with one pixel per value.

    States near zero are transparent, which fits a light and a dark page.
    """
    if kind == SHARE:
        palette = colormaps["viridis"](np.linspace(0, 1, SHADES), bytes=True)
    else:
        signs = np.linspace(-1, 1, SHADES)
        palette = np.empty((SHADES, 4), dtype=np.uint8)
        palette[:, :3] = np.where(signs[:, None] < 0, NEGATIVE, POSITIVE)
        palette[:, 3] = (255 * np.abs(signs)).round()
    image = Image.fromarray(levels)
    image.putpalette(palette[:, :3].tobytes())
    content = io.BytesIO()
    image.save(content, "PNG", transparency=palette[:, 3].tobytes())
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode("ascii")
