"""Write a data set's folder and entry, whole or not at all."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from sentigate.data.corrections import COLUMNS
from sentigate.errors import ParamsError, SourceError
from sentigate.files import sha256_of, written_whole
from sentigate.progress import doing
from sentigate.settings.entry_files import entry_file
from sentigate.settings.params import load_params
from sentigate.sources.own_file import is_url

from .entry import entry_text
from .look import Looked, shorten_path
from .propose import OWN, Proposal

CORRECTIONS_HEADER = ",".join(COLUMNS) + "\n"


def entry_path(name: str) -> Path:
    """Return the path of a data set's entry."""
    return Path(entry_file(name))


def text_of(proposal: Proposal) -> str:
    """Return the entry's YAML, with what was not sure as comments."""
    looked = proposal.looked
    # A path is only true on one machine.
    given = looked.given if is_url(looked.given) else Path(looked.given).name
    head = [
        f"{shorten_path(given)}, {looked.rows:,} rows, described by `sentigate adopt`; "
        "all keys: docs/parameters.md"
    ]
    if proposal.doubts:
        head.append("It was not sure of:")
        head += [f"- {line}" for doubt in proposal.doubts for line in doubt.said.splitlines()]
    return entry_text(head, proposal.values(), proposal.notes)


def existing(proposal: Proposal) -> bool:
    """Return whether the data set exists already, with the same table.

    Raises:
        ParamsError: it exists with another table.
    """
    path = entry_path(proposal.name)
    if not path.exists():
        return False
    source = load_params(Path("params.yaml")).datasets[proposal.name].source
    if _same(proposal, getattr(source, "path", ""), getattr(source, "sha256", None)):
        return True
    raise ParamsError(
        f"{path} exists and describes another table; allowed: --name with another name, or remove "
        f"{path} and {OWN / proposal.name}"
    )


def _same(proposal: Proposal, path: str, sha256: str | None) -> bool:
    looked = proposal.looked
    if is_url(looked.given):
        return path == looked.given and sha256 in (None, proposal.source["sha256"])
    if path != proposal.source["path"]:
        return False
    return all(
        copy.is_file() and sha256_of(copy) == sha256_of(file)
        for file, copy in _copies(looked, Path(OWN) / proposal.name)
    )


def _copies(looked: Looked, folder: Path) -> list[tuple[Path, Path]]:
    """Return each file to copy, and its place in the data set's folder."""
    if is_url(looked.given):
        return []
    given = Path(looked.given).absolute()
    pairs = []
    for file in looked.files:
        inside = file.path.absolute()
        if inside.is_relative_to(folder.absolute()):
            continue
        if given.is_dir():
            target = folder / given.name / inside.relative_to(given)
        else:
            target = folder / file.name
        pairs.append((file.path, target))
    targets = [target for _, target in pairs]
    for target in targets:
        if targets.count(target) > 1:
            raise SourceError(
                f"several files of {looked.given} are named {target.name}; put them under one "
                f"folder, with different names, and name a pattern"
            )
    return pairs


def write(proposal: Proposal) -> None:
    """Copy the files, write corrections.csv and the entry; after an error, nothing is left.

    Raises:
        SourceError: a file cannot be copied or written.
        ParamsError: the entry would not be valid.
    """
    folder, path = Path(OWN) / proposal.name, entry_path(proposal.name)
    part = folder.with_name(f".{secrets.token_hex(4)}.part")
    made: list[Path] = []
    try:
        part.mkdir(parents=True)
        with doing(f"copying the table to {folder}"):
            for file, target in _copies(proposal.looked, folder):
                if target.exists():
                    raise SourceError(f"{target} exists; remove it, or give another --name")
                place = part / target.relative_to(folder)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place)
        if not (folder / "corrections.csv").exists():
            (part / "corrections.csv").write_text(CORRECTIONS_HEADER, "utf-8")
        new = not folder.exists()
        folder.mkdir(exist_ok=True)
        if new:
            made.append(folder)
        for each in sorted(part.iterdir()):
            target = folder / each.name
            each.rename(target)
            made.append(target)
        made.append(path)
        with written_whole(path) as entry:
            entry.write(text_of(proposal).encode())
        load_params(Path("params.yaml"))
    except BaseException as error:
        for each in reversed(made):
            _remove(each)
        if isinstance(error, OSError):
            raise SourceError(f"{error.filename} cannot be written: {error.strerror}") from None
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
