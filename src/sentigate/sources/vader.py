"""The sentences that VADER was validated on (Hutto & Gilbert 2014), rated by 20 people each."""

from __future__ import annotations

import importlib.metadata
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path

import pandas as pd

from sentigate.errors import SourceError, shorten
from sentigate.files import sha256_of, written_whole
from sentigate.progress import say
from sentigate.settings.dataset import VaderSource

from .download import find_verified, wrong_hash
from .rows import frame_of

CORPUS = "additional_resources/hutto_ICWSM_2014.tar.gz"
FILES = {
    "tweets": "tweets",
    "movies": "movieReviewSnippets",
    "amazon": "amazonReviewSnippets",
    "nyt": "nytEditorialSnippets",
}
"""Slice, and the beginning of its file's name."""


def read(source: VaderSource, cache: Path) -> pd.DataFrame:
    """The rated sentences, with the slices tweets, movies, amazon and nyt.

    ``group`` is the product review or editorial; tweets and the movie sentences, whose document
    is not told, are a group each. ``sentiment`` is Positive, Negative, or Neutral by the mean
    rating and ``source.threshold``.

    Raises:
        SourceError: the source distribution cannot be had, or is not the expected one.
    """
    name = f"vaderSentiment-{source.version}.tar.gz"
    path = find_verified(name, [source.sha256], cache) or _fetch(source, cache / name)
    rows = []
    for slice_, text in _rated_files(path).items():
        # Not splitlines(), which also splits at characters that occur inside a sentence.
        for number, line in enumerate(text.rstrip("\r\n").split("\n"), 1):
            fields = line.removesuffix("\r").split("\t")
            try:
                identifier, rating, sentence = fields
                sentiment = _sentiment(float(rating), source.threshold)
            except ValueError:
                raise SourceError(
                    f"{path}: line {number:,} of {FILES[slice_]}_GroundTruth.txt is "
                    f"{shorten(line)}; expected id, mean rating and text between tabs"
                ) from None
            group = f"{slice_}-{identifier.partition('_')[0]}"
            rows.append((f"{slice_}-{identifier}", group, slice_, sentiment, sentence, ""))
    return frame_of(rows)


def _sentiment(rating: float, threshold: float) -> str:
    if rating and abs(rating) >= threshold:
        return "Positive" if rating > 0 else "Negative"
    return "Neutral"


def _rated_files(path: Path) -> dict[str, str]:
    """The rated files by slice, read from the archive inside the archive, in memory."""
    try:
        with tarfile.open(path) as outer:
            folder = outer.getnames()[0].partition("/")[0]
            with tarfile.open(fileobj=io.BytesIO(_member(outer, f"{folder}/{CORPUS}"))) as inner:
                return {
                    slice_: _member(inner, f"hutto_ICWSM_2014/{stem}_GroundTruth.txt").decode()
                    for slice_, stem in FILES.items()
                }
    except (tarfile.TarError, OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise SourceError(f"{path} does not hold VADER's rated sentences: {error}") from None


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    try:
        file = archive.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise tarfile.ReadError(f"no file {name} in it")
    return file.read()


def _fetch(source: VaderSource, target: Path) -> Path:
    """Have pip download the source distribution, with the user's own index, proxy and cache."""
    say(f"fetching the source distribution of vaderSentiment {source.version} with pip")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pip-", dir=target.parent) as folder:
            _pip_download(source, Path(folder))
            found = list(Path(folder).glob("*.tar.gz"))
            if not found:
                raise SourceError(f"pip brought no source distribution of {_pinned(source)}")
            with written_whole(target) as file:
                file.write(found[0].read_bytes())
    except OSError as error:
        raise SourceError(f"{target} cannot be written: {error}") from None
    if (digest := sha256_of(target)) != source.sha256:
        target.unlink()
        raise _wrong_hash(source, digest)
    return target


def _pip_download(source: VaderSource, folder: Path) -> None:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{_pinned(source)} --hash=sha256:{source.sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--no-binary", ":all:", "--require-hashes", "--dest", str(folder)]
    if _can_build_here():
        # pip asks the package for its metadata; the environment made for that takes 10 seconds.
        command.append("--no-build-isolation")
    done = subprocess.run(
        [*command, "--requirement", str(requirements)], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return
    if got := re.search(r"^\s*Got\s+([0-9a-f]{64})\s*$", done.stderr, re.MULTILINE):
        raise _wrong_hash(source, got[1])
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    reason = (errors or lines or [f"exit status {done.returncode}"])[-1]
    raise SourceError(
        f"pip could not fetch {_pinned(source)}: {reason[:300]}. Check the network and pip's index "
        f"(`pip config list`), or put vaderSentiment-{source.version}.tar.gz into a folder and "
        "name that in SENTIGATE_MIRROR"
    )


def _can_build_here() -> bool:
    """Whether setuptools is here, and new enough to need no `wheel` package beside it."""
    try:
        return int(importlib.metadata.version("setuptools").partition(".")[0]) >= 71
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return False


def _pinned(source: VaderSource) -> str:
    return f"vaderSentiment=={source.version}"


def _wrong_hash(source: VaderSource, found: str) -> SourceError:
    return wrong_hash(
        f"vaderSentiment-{source.version}.tar.gz from pip's index",
        [source.sha256],
        found,
        "The download was removed; check the index that pip uses (`pip config list`).",
    )
