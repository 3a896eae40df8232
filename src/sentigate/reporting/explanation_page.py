"""An explanation as one HTML page that stands alone: tokens coloured, gates and states as maps."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from PIL import Image

from sentigate.files import templates
from sentigate.insight.explanation import MOST_MISSED, Explanation, Token, Watched
from sentigate.model.labels import CLASSES, label_of

SHARE, STATE = "share", "state"
DOES_NOT_ADD_UP = (
    "The contributions do not add up: integration missed the remainder, which is more than "
    f"{MOST_MISSED:.0%} of the way from the start to the logit. Over so long a text this network "
    "jumps from answer to answer. Explain a shorter part of the text."
)
"""Of an explanation whose remainder is large; on the page and on the terminal."""
PARTS = {
    "forget": ("forget gate", "share of the cell state that is kept", SHARE),
    "input": ("input gate", "share of the candidate that is written", SHARE),
    "output": ("output gate", "share of the cell state that is shown", SHARE),
    "reset": ("reset gate", "share of the hidden state that the candidate sees", SHARE),
    "update": ("update gate", "share of the hidden state that is kept", SHARE),
    "cell": ("cell state", "the long-term memory", STATE),
    "hidden": ("hidden state", "what the layer passes on", STATE),
    "candidate": ("candidate", "what could be written", STATE),
}
"""Title, meaning and kind of each part of a step in cells.py, in the page's order."""

POSITIVE, NEGATIVE = (0, 114, 178), (213, 94, 0)  # Okabe & Ito's, as in draw.py
SHADES = 255  # odd, so that zero has a colour of its own
SCALED = 95  # per cent of a map's states; scaled to the extremes, most of them would be pale
SHEET = 980  # pixels, what most screens show beside the row titles
DECIMALS = 4
STRONGEST = 5  # n-grams in the table; the others are in the page's data

Levels = npt.NDArray[np.uint8]


def render_explanation(explanation: Explanation, model: str) -> str:
    """The page: nothing fetched, every text escaped, the same for the same input.

    Figures are rounded to four decimals, and the remainder is what then is missing from the sum.
    The unrounded figures are in the page too, as JSON in the element ``explanation``.

    Args:
        explanation: what to show.
        model: which model it is, in words.
    """
    environment = templates()
    environment.filters["signed"] = signed
    from_network = explanation.from_network.round(DECIMALS)
    from_ngrams = explanation.from_ngrams.round(DECIMALS)
    contributions = from_network + from_ngrams
    largest = float(np.abs(explanation.contributions).max()) or 1.0
    columns = len(explanation.tokens) + explanation.padding
    shown = {
        "start": round(explanation.start, DECIMALS),
        "network": round(float(from_network.sum()), DECIMALS),
        "ngrams": round(float(from_ngrams.sum()), DECIMALS),
        "sum": round(float(contributions.sum()), DECIMALS),
        "beyond": round(explanation.beyond, DECIMALS),
        "logit": round(explanation.logit, DECIMALS),
    }
    parts = shown["start"] + shown["sum"] + shown["beyond"]
    shown["remainder"] = round(shown["logit"] - parts, DECIMALS)
    label = label_of(explanation.probability)
    upright = all(len(token.text) <= 2 for token in explanation.tokens)
    return environment.get_template("reporting/templates/explanation.html.j2").render(
        explanation=explanation,
        does_not_add_up="" if explanation.adds_up else DOES_NOT_ADD_UP,
        model=model,
        cell=explanation.cell.upper(),
        parts=explanation.known and explanation.ngrams is not None,
        label=label,
        colour="pos" if label == CLASSES[1] else "neg",
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
                explanation.running,
                strict=True,
            )
        ],
        strongest=_strongest(explanation),
        largest=largest,
        upright=upright,
        column=int(np.clip(SHEET // columns, 11 if upright else 14, 60)),
        columns=columns,
        layers=[_layer(watched) for watched in explanation.watched],
        data=_data(explanation, model),
    )


def signed(value: float) -> str:
    """Four decimals and a sign."""
    return f"{value:+.{DECIMALS}f}".replace("-", "−")


def _name(token: Token) -> str:
    return token.text.replace(" ", "␣") or "·"


def _strongest(explanation: Explanation) -> list[dict[str, Any]]:
    """The rows of the table of n-grams, with bars as long as their shares."""
    ngrams = (explanation.ngrams or ())[:STRONGEST]
    return [
        {
            "text": " ".join(ngram.text.split()),
            "places": ", ".join(str(place + 1) for place in ngram.places),
            "share": ngram.share,
            "strength": round(abs(ngram.share / ngrams[0].share), 3),
        }
        for ngram in ngrams
    ]


def _data(explanation: Explanation, model: str) -> dict[str, Any]:
    return {
        "model": model,
        "text": explanation.text,
        "tokens": [token.text for token in explanation.tokens],
        "unknown": [token.unknown for token in explanation.tokens],
        "left_out": explanation.left_out,
        "beyond": explanation.beyond,
        "known": explanation.known,
        "start": explanation.start,
        "from_network": explanation.from_network.tolist(),
        "from_ngrams": explanation.from_ngrams.tolist(),
        "ngrams": None if explanation.ngrams is None else [n._asdict() for n in explanation.ngrams],
        "contributions": explanation.contributions.tolist(),
        "remainder": explanation.remainder,
        "adds_up": explanation.adds_up,
        "logit": explanation.logit,
        "probability": explanation.probability,
        "running": explanation.running.tolist(),
        "units": [
            {
                "layer": watched.layer,
                "direction": watched.direction,
                "order": watched.units.tolist(),
            }
            for watched in explanation.watched
        ],
    }


def _layer(watched: Watched) -> dict[str, Any]:
    units = len(watched.units)
    return {
        "number": watched.layer,
        "direction": watched.direction,
        "units": units,
        "height": units * int(np.clip(128 // units, 1, 24)),
        "maps": [_map(name, watched.parts[name]) for name in PARTS if name in watched.parts],
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
    """A data URI, a pixel a value. States near zero are transparent, on a light or dark page."""
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
