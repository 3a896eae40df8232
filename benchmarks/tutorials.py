"""Reproduce the published tutorials, for the table in docs/tutorials.md.

`python benchmarks/tutorials.py [ROW ...]`. Each row is a run of the real pipeline from the start,
in a clone of the last commit. Figures of other rows stay.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from fresh_run import machine_line, measure_named

RESULTS = Path(__file__).with_suffix(".json")


class Row(NamedTuple):
    """One trained system; ``published`` is the tutorial's test accuracy, or None."""

    system: str
    recipe: str
    published: float | None
    dataset: str
    model: str
    changes: dict[str, Any]


ROWS = {
    "t1": Row(
        "T1, character LSTM of one unit",
        "as published: last position, padding included",
        0.6448,
        "twitter_random",
        "t1_char_lstm",
        {},
    ),
    "t1-mended": Row(
        "T1, character LSTM of one unit",
        "mended: the text's own last position",
        0.6448,
        "twitter_random",
        "t1_char_lstm_mended",
        {},
    ),
    "t1-32": Row(
        "T1 with 32 units",
        "last position, padding included",
        None,
        "twitter_random",
        "t1_char_lstm",
        {"models.t1_char_lstm.network.hidden_sizes": [32]},
    ),
    "t1-32-mended": Row(
        "T1 with 32 units",
        "mended: the text's own last position",
        None,
        "twitter_random",
        "t1_char_lstm_mended",
        {"models.t1_char_lstm_mended.network.hidden_sizes": [32]},
    ),
    "t4-bilstm": Row(
        "T4, bidirectional LSTM",
        "as published: the first 30,000 words seen",
        0.824,
        "imdb_random",
        "t4_bilstm",
        {"models.t4_bilstm.vocab.order": "first_seen"},
    ),
    "t4-bilstm-mended": Row(
        "T4, bidirectional LSTM",
        "mended: the 30,000 most frequent words",
        0.824,
        "imdb_random",
        "t4_bilstm",
        {},
    ),
    "t4-rnn": Row(
        "T4, plain RNN",
        "as published: the first 30,000 words seen",
        0.65,
        "imdb_random",
        "t4_rnn",
        {"models.t4_rnn.vocab.order": "first_seen"},
    ),
    "t4-rnn-mended": Row(
        "T4, plain RNN",
        "mended: the 30,000 most frequent words",
        0.65,
        "imdb_random",
        "t4_rnn",
        {},
    ),
}


def table(results: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    lines = [
        "| system | recipe | published | ours (95 % interval) | epochs | training | command |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, result in results["rows"].items():
        row, test = ROWS[name], result["metrics"]["test"]
        interval = f"{test['accuracy_low']:.4f} – {test['accuracy_high']:.4f}"
        command = f"`make train DATASET={row.dataset} MODEL={row.model}`"
        changed = "".join(f", with `{key}: {value}`" for key, value in row.changes.items())
        cells = (
            row.system,
            row.recipe,
            "" if row.published is None else f"{row.published}",
            f"**{test['accuracy']:.4f}** ({interval})",
            str(result["epochs"]),
            f"{result['seconds']['training'] / 60:.0f} min",
            command + changed,
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        f"Test accuracy, seed 42, judged once, one thread. {machine_line(results['machine'])}. "
        "Made by `python benchmarks/tutorials.py`.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure the named rows, or all, and write tutorials.json and tutorials.md."""
    os.environ["OMP_NUM_THREADS"] = "1"  # results depend on it; the speed of this RNN does not
    runs = {
        name: {"dataset": row.dataset, "model": row.model, **row.changes}
        for name, row in ROWS.items()
    }
    measure_named(RESULTS, "rows", runs, table)


if __name__ == "__main__":
    main()
