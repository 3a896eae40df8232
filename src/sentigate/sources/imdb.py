"""The Large Movie Review Dataset (Maas et al. 2011): 25,000 reviews each for training and test."""

from __future__ import annotations

import re
import tarfile
import zlib
from pathlib import Path

import pandas as pd

from sentigate.errors import SourceError
from sentigate.progress import progress
from sentigate.settings.dataset import ImdbSource

from .download import download, find_verified
from .rows import frame_of

ARCHIVE = "aclImdb_v1.tar.gz"
REVIEW = re.compile(r"aclImdb/(train|test)/(pos|neg)/([0-9]+)_([0-9]+)\.txt")
SENTIMENTS = {"pos": "Positive", "neg": "Negative"}
REVIEWS_A_FOLD = 25_000


def read(source: ImdbSource, cache: Path) -> pd.DataFrame:
    """Read the 50,000 labelled reviews: train before test, pos before neg, then by number.

    ``id`` is like "train/pos/0_9". ``group`` equals ``id``, because the data set does not name the
    films. ``sentiment`` is Positive or Negative, and ``slice`` the rating, "1" to "10"; with
    ``source.sentiment`` stars, ``sentiment`` is the rating, and ``slice`` is "".

    Raises:
        SourceError: the archive is not available, has another hash, is damaged or unsafe, or does
            not have 25,000 + 25,000 reviews.
    """
    path = find_verified(ARCHIVE, source.sha256, cache)
    if path is None:
        path = cache / ARCHIVE
        download(source.url, path, source.sha256)
    texts = _reviews(path)
    for fold in ("train", "test"):
        found = sum(key[0] == fold for key in texts)
        if found != REVIEWS_A_FOLD:
            raise SourceError(
                f"{path} has {found:,} reviews in aclImdb/{fold}/{{pos,neg}}; "
                f"expected {REVIEWS_A_FOLD:,}"
            )
    rows = []
    # "train" and "pos" come first: False sorts before True.
    for key in sorted(texts, key=lambda key: (key[0] != "train", key[1] != "pos", int(key[2]))):
        fold, folder, number, rating = key
        identifier = f"{fold}/{folder}/{number}_{rating}"
        slice_, sentiment = rating, SENTIMENTS[folder]
        if source.sentiment == "stars":
            slice_, sentiment = "", rating
        rows.append((identifier, identifier, slice_, sentiment, texts[key], fold))
    return frame_of(rows)


def _reviews(path: Path) -> dict[tuple[str, str, str, str], str]:
    """Read (fold, folder, number, rating) -> text as a stream, without extracting files."""
    texts: dict[tuple[str, str, str, str], str] = {}
    try:
        with (
            tarfile.open(path, "r|gz") as archive,
            progress(f"reading {path.name}", 2 * REVIEWS_A_FOLD, "reviews") as advance,
        ):
            for member in archive:
                _check_safe(member, path)
                match = REVIEW.fullmatch(member.name)
                file = archive.extractfile(member) if match and member.isreg() else None
                if match is None or file is None:
                    continue
                key = (match[1], match[2], match[3], match[4])
                if key in texts:
                    raise SourceError(f"{path}: {member.name} occurs twice")
                texts[key] = _text(file.read(), member, path)
                advance(1)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise SourceError(f"{path} cannot be read as a tar.gz archive: {error}") from None
    return texts


def _check_safe(member: tarfile.TarInfo, path: Path) -> None:
    """Refuse members that only an attack needs, although no file is extracted."""
    parts = re.split(r"[/\\]", member.name)
    if not parts[0] or parts[0].endswith(":") or ".." in parts:
        problem = "is outside the archive's folder"
    elif not (member.isreg() or member.isdir()):
        problem = "is a link or a device"
    else:
        return
    raise SourceError(f"{path}: member {member.name!r} {problem}; the archive is not safe to read")


def _text(data: bytes, member: tarfile.TarInfo, path: Path) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: {member.name} is not UTF-8: {error}") from None
