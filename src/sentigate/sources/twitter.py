"""Kaggle's tweets about 32 entities; each tweet occurs six times, in different words."""

from __future__ import annotations

import csv
import hashlib
import io
import tempfile
import zipfile
import zlib
from pathlib import Path

import pandas as pd

from sentigate.errors import SourceError, shorten
from sentigate.files import written_whole
from sentigate.model.text.context import with_context
from sentigate.progress import say
from sentigate.settings.dataset import TwitterSource

from .download import MIRROR, mirrored, wrong_hash
from .rows import frame_of

ARCHIVE = "twitter-entity-sentiment-analysis.zip"
FOLD_FILES = {"train": "twitter_training.csv", "validation": "twitter_validation.csv"}


def read(source: TwitterSource, cache: Path) -> pd.DataFrame:
    """Read the 74,682 training rows, then the 1,000 rows of the published validation file.

    ``id`` is the fold and the row number in its file, ``group`` the tweet's id, ``slice`` the
    entity. With ``source.context_column``, a text begins with its entity. A text may be empty. The
    last five rows of the validation file have no id, entity or sentiment; they are not tweets of
    the corpus and are skipped.

    Raises:
        SourceError: the files are not available, or have other hashes.
    """
    if missing := set(FOLD_FILES.values()) - set(source.sha256):
        raise SourceError(f"source has no sha256 for {', '.join(sorted(missing))}")
    files = _from_mirror(source) or _from_cache(source, cache) or _from_kaggle(source, cache)
    rows = [row for fold, name in FOLD_FILES.items() for row in _rows(files[name], fold, name)]
    frame = frame_of(rows)
    if source.context_column:
        texts = map(with_context, frame["slice"], frame["text"])
        frame["text"] = pd.Series(list(texts), dtype="str")
    return frame


def _rows(data: bytes, fold: str, name: str) -> list[tuple[str, str, str, str, str, str]]:
    rows = []
    try:
        # csv, not pandas: the texts "NA" and "null" must remain texts.
        records = list(csv.reader(io.StringIO(data.decode(), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{name} is not a CSV file in UTF-8: {error}") from None
    for number, fields in enumerate(records, 1):
        if len(fields) != 4:
            raise SourceError(f"{name}: row {number:,} is {shorten(fields)}; expected 4 fields")
        tweet, entity, sentiment, text = fields
        if tweet or entity or sentiment:
            rows.append((f"{fold}-{number}", tweet, entity, sentiment, text, fold))
    return rows


def _from_mirror(source: TwitterSource) -> dict[str, bytes] | None:
    path = mirrored(ARCHIVE)
    if path is None:
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in FOLD_FILES.values()}
    except KeyError as error:
        raise SourceError(f"{path} is not the expected archive: {error.args[0]}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as error:
        raise SourceError(f"{path} cannot be read as a zip archive: {error}") from None
    for name, data in files.items():
        _check(name, data, source, f" in {path}", f"Replace the archive, or unset {MIRROR}.")
    return files


def _from_cache(source: TwitterSource, cache: Path) -> dict[str, bytes] | None:
    paths = {name: cache / name for name in FOLD_FILES.values()}
    if not all(path.is_file() for path in paths.values()):
        return None
    files = {name: path.read_bytes() for name, path in paths.items()}
    for name, data in files.items():
        if hashlib.sha256(data).hexdigest() != source.sha256[name]:
            say(f"{paths[name]} is not the file that the settings expect; downloading it again")
            return None
    return files


def _from_kaggle(source: TwitterSource, cache: Path) -> dict[str, bytes]:
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SourceError(f"{cache} cannot be written: {error}") from None
    # Not in kagglehub's own cache: it would return a damaged file from there every time.
    with tempfile.TemporaryDirectory(prefix=".kaggle-", dir=cache) as folder:
        try:
            import kagglehub

            found = Path(kagglehub.dataset_download(source.handle, output_dir=folder))
            files = {name: (found / name).read_bytes() for name in FOLD_FILES.values()}
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise SourceError(
                f"Kaggle's data set {source.handle} could not be downloaded: "
                f"{reason[:300]}. Or download the zip by hand, name it {ARCHIVE}, and set the "
                f"environment variable {MIRROR} to its folder"
            ) from None
    for name, data in files.items():
        _check(
            name,
            data,
            source,
            f" of Kaggle's {source.handle}",
            "The download was removed. Kaggle probably has a newer version: check it before you "
            "change sha256 in the settings, or pin the old one with /versions/NUMBER in handle.",
        )
    try:
        for name, data in files.items():
            with written_whole(cache / name) as file:
                file.write(data)
    except OSError as error:
        raise SourceError(f"{cache} cannot be written: {error}") from None
    return files


def _check(name: str, data: bytes, source: TwitterSource, where: str, advice: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != source.sha256[name]:
        raise wrong_hash(f"{name}{where}", [source.sha256[name]], found, advice)
