"""Unsafe, damaged and wrong IMDB archives are refused."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sentigate.errors import SourceError
from sentigate.settings.dataset import ImdbSource
from sentigate.sources import imdb, read_source

LABELS: dict[str, str | None] = {"Positive": "positive", "Negative": "negative"}
NOWHERE = "http://127.0.0.1:9/aclImdb_v1.tar.gz"


def add(archive: tarfile.TarFile, name: str, data: bytes = b"good") -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def add_special(archive: tarfile.TarFile, name: str, kind: bytes, target: str = "") -> None:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    archive.addfile(member)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    monkeypatch.setenv("SENTIGATE_MIRROR", str(mirror))
    return mirror / "aclImdb_v1.tar.gz"


def refusal(archive: Path) -> str:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    source = ImdbSource(kind="imdb", url=NOWHERE, sha256=(digest,), sentiment="folder")
    before = sorted(archive.parent.parent.rglob("*"))
    with pytest.raises(SourceError) as caught:
        read_source(source, LABELS, 100_000, archive.parent.parent / "cache")
    assert sorted(archive.parent.parent.rglob("*")) == before
    return str(caught.value)


def write(archive: Path, fill: Callable[[tarfile.TarFile], None]) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        add(tar, "aclImdb/train/pos/0_9.txt")
        fill(tar)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../outside.txt",
        "aclImdb/../../outside.txt",
        "aclImdb/train/pos/../../../../outside.txt",
        "aclImdb\\..\\outside.txt",
        "\\outside.txt",
        "C:/outside.txt",
    ],
)
def test_a_member_outside_the_folder_is_refused(archive: Path, name: str) -> None:
    write(archive, lambda tar: add(tar, name))
    message = refusal(archive)
    assert f"member {name!r} is outside" in message


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
@pytest.mark.parametrize("name", ["aclImdb/train/pos/1_9.txt", "aclImdb/other"])
def test_a_link_or_device_is_refused(archive: Path, kind: bytes, name: str) -> None:
    write(archive, lambda tar: add_special(tar, name, kind, "aclImdb/train/pos/0_9.txt"))
    assert f"member {name!r} is a link or a device" in refusal(archive)


def test_too_few_reviews_are_refused(archive: Path) -> None:
    write(archive, lambda tar: add(tar, "aclImdb/train/unsup/0_0.txt"))
    message = refusal(archive)
    assert "has 1 reviews in aclImdb/train/{pos,neg}; expected 25,000" in message


def test_a_repeated_review_is_refused(archive: Path) -> None:
    write(archive, lambda tar: add(tar, "aclImdb/train/pos/0_9.txt", b"bad"))
    assert "aclImdb/train/pos/0_9.txt occurs twice" in refusal(archive)


def test_a_review_that_is_not_utf8_is_refused(archive: Path) -> None:
    write(archive, lambda tar: add(tar, "aclImdb/test/neg/5_1.txt", b"caf\xe9"))
    assert "aclImdb/test/neg/5_1.txt is not UTF-8" in refusal(archive)


def test_a_truncated_archive_is_refused(archive: Path) -> None:
    write(archive, lambda tar: [add(tar, f"aclImdb/test/neg/{n}_1.txt") for n in range(500)])
    archive.write_bytes(archive.read_bytes()[:-200])
    assert "cannot be read as a tar.gz archive" in refusal(archive)


@pytest.mark.parametrize(
    "data", [b"", b"<html>Not found</html>", gzip.compress(b"no tar" * 200, mtime=0)]
)
def test_a_file_that_is_not_an_archive_is_refused(archive: Path, data: bytes) -> None:
    archive.write_bytes(data)
    assert "cannot be read as a tar.gz archive" in refusal(archive)


def test_the_error_names_both_hashes_and_keeps_the_file(archive: Path, tmp_path: Path) -> None:
    archive.write_bytes(b"altered")
    source = ImdbSource(kind="imdb", url=NOWHERE, sha256=("0" * 64, "1" * 64), sentiment="folder")
    with pytest.raises(SourceError) as caught:
        read_source(source, LABELS, 100_000, tmp_path / "cache")
    message = str(caught.value)
    assert str(archive) in message
    assert hashlib.sha256(b"altered").hexdigest() in message
    assert f"{'0' * 64} or {'1' * 64}" in message
    assert archive.read_bytes() == b"altered"


def test_a_mirror_that_is_not_a_folder_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SENTIGATE_MIRROR", str(tmp_path / "nowhere"))
    source = ImdbSource(kind="imdb", url=NOWHERE, sha256=("0" * 64,), sentiment="folder")
    with pytest.raises(SourceError, match=r"SENTIGATE_MIRROR is .* which is not a folder"):
        read_source(source, LABELS, 100_000, tmp_path / "cache")


def test_without_a_mirror_the_url_is_used(archive: Path, tmp_path: Path) -> None:
    assert not archive.exists()
    source = ImdbSource(kind="imdb", url=NOWHERE, sha256=("0" * 64,), sentiment="folder")
    with pytest.raises(SourceError, match=r"could not be downloaded: .*refused"):
        read_source(source, LABELS, 100_000, tmp_path / "cache")


def test_rows_are_sorted_in_any_order_of_the_archive(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["test/neg/2_1", "train/neg/10_3", "test/pos/1_8", "train/pos/3_9", "train/neg/9_2"]
    monkeypatch.setattr(imdb, "REVIEWS_A_FOLD", 3)
    with tarfile.open(archive, "w:gz") as tar:
        for name in [*names, "test/neg/1_4"]:
            add(tar, f"aclImdb/{name}.txt", name.encode())
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    source = ImdbSource(kind="imdb", url=NOWHERE, sha256=("0" * 64, digest), sentiment="folder")
    frame = read_source(source, LABELS, 100_000, tmp_path / "cache")
    assert frame["id"].tolist() == [
        "train/pos/3_9",
        "train/neg/9_2",
        "train/neg/10_3",
        "test/pos/1_8",
        "test/neg/1_4",
        "test/neg/2_1",
    ]
    assert frame.iloc[1].to_dict() == {
        "id": "train/neg/9_2",
        "group": "train/neg/9_2",
        "slice": "2",
        "sentiment": "Negative",
        "text": "train/neg/9_2",
        "fold": "train",
        "date": "",
    }
