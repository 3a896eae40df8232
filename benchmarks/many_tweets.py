"""Make many tweets from the real ones: sample groups with replacement, and change every text."""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

import pandas as pd
from running import ROOT, MeasurementError

from sentigate.artifacts import RAW_TEXTS
from sentigate.errors import SentigateError
from sentigate.settings.params import Params, load_params
from sentigate.sources import read_source

EDITS = 3


def real_tweets(params: Params) -> pd.DataFrame:
    """Read the rows of Twitter's training file with ``read_source``.

    Raises:
        MeasurementError: The tweets cannot be read or downloaded.
    """
    dataset = params.datasets["twitter_random"]  # without a context
    try:
        tweets = read_source(
            dataset.source,
            dataset.labels,
            params.gates.max_text_characters,
            ROOT / ".cache/archives",
        )
    except SentigateError as error:
        raise MeasurementError(str(error)) from None
    return tweets.loc[tweets["fold"] == "train"]


def make_table(path: Path, rows: int, seed: int) -> None:
    """Write a CSV file of ``rows`` rows, row by row, with the columns of every source.

    Each sampled group (a tweet in six wordings) gets a new group name. In each text, three words
    are moved, dropped, doubled or inserted from another tweet. Two in three texts also get a
    mention, a link or a word in capitals, which cleaning removes.
    """
    tweets = real_tweets(load_params(ROOT / "params.yaml"))
    groups = [
        list(zip(part["slice"], part["sentiment"], part["text"], strict=True))
        for _, part in tweets.groupby("group", sort=False)
    ]
    words = " ".join(tweets["text"]).split()
    rng = random.Random(seed)  # noqa: S311
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(RAW_TEXTS.columns)
        number = 0
        while number < rows:
            group = f"group-{number}"
            for slice_, sentiment, text in rng.choice(groups)[: rows - number]:
                number += 1
                changed = _changed(text, words, rng)
                writer.writerow((f"made-{number}", group, slice_, sentiment, changed, "train"))


def _changed(text: str, words: list[str], rng: random.Random) -> str:
    parts = text.split(" ")
    for _ in range(EDITS):
        place = rng.randrange(len(parts))
        edit = rng.random()
        if edit < 0.25 and len(parts) > 1:
            del parts[place]
        elif edit < 0.5:
            parts.insert(place, parts[place])
        elif edit < 0.75:
            parts.append(parts.pop(place))
        else:
            parts.insert(place, rng.choice(words))
    addition = rng.random()
    if addition < 0.2:
        parts.insert(0, f"@user{rng.randrange(10**6)}")
    elif addition < 0.4:
        parts.append(f"https://t.co/{rng.randrange(16**8):x}")
    elif addition < 0.66:
        place = rng.randrange(len(parts))
        parts[place] = parts[place].upper()
    return " ".join(parts)


if __name__ == "__main__":
    make_table(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
