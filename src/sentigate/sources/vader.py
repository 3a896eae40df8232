"""The sentences that VADER was validated on (Hutto & Gilbert 2014), each rated by 20 people."""

from __future__ import annotations

import io
import tarfile
import zlib
from pathlib import Path

import pandas as pd

from sentigate.errors import SourceError, shorten
from sentigate.settings.dataset import VaderSource

from .pip_download import SourceDistribution, fetched
from .rows import frame_of

CORPUS = "additional_resources/hutto_ICWSM_2014.tar.gz"
FILES = {
    "tweets": "tweets",
    "movies": "movieReviewSnippets",
    "amazon": "amazonReviewSnippets",
    "nyt": "nytEditorialSnippets",
}
"""Slice -> the beginning of its file's name."""


def read(source: VaderSource, cache: Path) -> pd.DataFrame:
    """Read the rated sentences, with the slices tweets, movies, amazon and nyt.

    ``group`` is the product review or editorial. Each tweet is a group of its own, and so is each
    movie sentence, because its document is unknown. ``sentiment`` comes from the mean rating: with
    ``source.threshold`` Positive, Negative or Neutral, and with ``source.bands`` the number of the
    rating's band, "1" for the lowest.

    Raises:
        SourceError: the source distribution is not available, or has another hash.
    """
    path = fetched(SourceDistribution("vaderSentiment", source.version, source.sha256), cache)
    rows = []
    for slice_, text in _rated_files(path).items():
        # Not splitlines(): it also splits at characters that occur inside a sentence.
        for number, line in enumerate(text.rstrip("\r\n").split("\n"), 1):
            fields = line.removesuffix("\r").split("\t")
            try:
                identifier, rating, sentence = fields
                sentiment = _sentiment(float(rating), source)
            except ValueError:
                raise SourceError(
                    f"{path}: line {number:,} of {FILES[slice_]}_GroundTruth.txt is "
                    f"{shorten(line)}; expected id, mean rating and text, separated by tabs"
                ) from None
            group = f"{slice_}-{identifier.partition('_')[0]}"
            rows.append((f"{slice_}-{identifier}", group, slice_, sentiment, sentence, ""))
    return frame_of(rows)


def _sentiment(rating: float, source: VaderSource) -> str:
    if source.bands is not None:
        # A rating at a border is in the band that is farther from zero.
        above = [rating >= border if border > 0 else rating > border for border in source.bands]
        return str(1 + sum(above))
    if rating and abs(rating) >= (source.threshold or 0.0):
        return "Positive" if rating > 0 else "Negative"
    return "Neutral"


def _rated_files(path: Path) -> dict[str, str]:
    """Read slice -> rated file from the archive inside the archive, in memory."""
    try:
        with tarfile.open(path) as outer:
            folder = outer.getnames()[0].partition("/")[0]
            with tarfile.open(fileobj=io.BytesIO(_member(outer, f"{folder}/{CORPUS}"))) as inner:
                return {
                    slice_: _member(inner, f"hutto_ICWSM_2014/{stem}_GroundTruth.txt").decode()
                    for slice_, stem in FILES.items()
                }
    except (tarfile.TarError, OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise SourceError(f"{path} does not contain VADER's rated sentences: {error}") from None


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    try:
        file = archive.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise tarfile.ReadError(f"it has no file {name}")
    return file.read()
