"""Successful and failing downloads from a real HTTP server on this machine."""

import gzip
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from sentigate.errors import SourceError
from sentigate.settings.table import TableSource
from sentigate.sources import read_source

TABLE = b"text,sentiment\nfine,good\npoor,bad\n"
PACKED = gzip.compress(TABLE, mtime=0)


class Handler(BaseHTTPRequestHandler):
    """A server whose path selects the response; ``asked`` records the requests."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = self.path.partition("?")[0]
        if path == "/cut.csv":
            self._send(TABLE, length=len(TABLE) + 1_000)
        elif path == "/cut_chunked.csv":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%b\r\nFFFF\r\nhalf" % (len(TABLE), TABLE))
        elif path == "/encoded.csv.gz":
            self._send(PACKED, encoding="gzip")
        elif path == "/moved.csv":
            self.send_response(302)
            self.send_header("Location", "/a.csv")
            self.end_headers()
        elif path in ("/a.csv", "/b/a.csv"):
            self._send(TABLE)
        else:
            self.send_error(404)

    def _send(self, body: bytes, length: int | None = None, encoding: str = "") -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length or len(body)))
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Handler.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def read(url: str, cache: Path, sha256: str | None = None) -> pd.DataFrame:
    source = TableSource(
        kind="table",
        name=None,
        path=url,
        sha256=sha256,
        text_column="text",
        sentiment_column="sentiment",
        id_column=None,
        group_column=None,
        slice_column=None,
        fold_column=None,
        context_column=None,
    )
    return read_source(source, {"good": "good", "bad": "bad"}, 1_000, cache)


def refusal(url: str, cache: Path, sha256: str | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        read(url, cache, sha256)
    assert not cache.exists() or list(cache.iterdir()) == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_table_is_downloaded(
    server: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    frame = read(f"{server}/a.csv", tmp_path / "deep" / "cache")
    assert frame["text"].tolist() == ["fine", "poor"]
    assert capfd.readouterr().err == "downloading a.csv (34 bytes)\n"


def test_redirects_are_followed(server: str, tmp_path: Path) -> None:
    assert len(read(f"{server}/moved.csv", tmp_path)) == 2


def test_a_url_may_have_an_upper_case_scheme_and_a_query(server: str, tmp_path: Path) -> None:
    assert len(read(f"HTTP{server.removeprefix('http')}/a.csv?token=1", tmp_path)) == 2


def test_a_file_without_a_hash_is_downloaded_again(server: str, tmp_path: Path) -> None:
    read(f"{server}/a.csv", tmp_path)
    read(f"{server}/a.csv", tmp_path)
    assert len(Handler.asked) == 2
    digest = hashlib.sha256(TABLE).hexdigest()
    read(f"{server}/a.csv", tmp_path, digest)
    assert len(Handler.asked) == 2


def test_a_changed_file_in_the_cache_is_replaced(server: str, tmp_path: Path) -> None:
    digest = hashlib.sha256(TABLE).hexdigest()
    read(f"{server}/a.csv", tmp_path, digest)
    (cached,) = tmp_path.iterdir()
    cached.write_bytes(b"text,sentiment\nforged,good\n")
    assert read(f"{server}/a.csv", tmp_path, digest)["text"].tolist() == ["fine", "poor"]
    assert cached.read_bytes() == TABLE


def test_two_urls_with_the_same_file_name_are_two_files(server: str, tmp_path: Path) -> None:
    read(f"{server}/a.csv", tmp_path)
    read(f"{server}/b/a.csv", tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_an_archive_with_a_content_encoding_is_not_unpacked(server: str, tmp_path: Path) -> None:
    digest = hashlib.sha256(PACKED).hexdigest()
    assert len(read(f"{server}/encoded.csv.gz", tmp_path, digest)) == 2


def test_a_download_with_a_wrong_hash_is_removed(server: str, tmp_path: Path) -> None:
    message = refusal(f"{server}/a.csv", tmp_path, "0" * 64)
    assert f"{server}/a.csv" in message
    assert hashlib.sha256(TABLE).hexdigest() in message
    assert "0" * 64 in message
    assert "removed" in message


def test_status_404_is_refused(server: str, tmp_path: Path) -> None:
    assert f"{server}/none.csv answered 404 Not Found" in refusal(f"{server}/none.csv", tmp_path)


@pytest.mark.parametrize("path", ["/cut.csv", "/cut_chunked.csv"])
def test_a_broken_connection_is_refused(server: str, tmp_path: Path, path: str) -> None:
    message = refusal(server + path, tmp_path)
    assert f"{server}{path} could not be downloaded" in message
    assert "IncompleteRead" in message


def test_a_broken_download_keeps_the_earlier_file(server: str, tmp_path: Path) -> None:
    address = f"{server}/cut.csv"
    name = f"{hashlib.sha256(address.encode()).hexdigest()[:12]}-cut.csv"
    (tmp_path / name).write_bytes(TABLE)
    with pytest.raises(SourceError, match="IncompleteRead"):
        read(address, tmp_path)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [TABLE]


def test_an_unreachable_server_is_refused(tmp_path: Path) -> None:
    message = refusal("http://127.0.0.1:9/a.csv", tmp_path)
    assert "http://127.0.0.1:9/a.csv could not be downloaded" in message
    assert "Connection refused" in message


def test_the_error_hides_user_password_and_query(tmp_path: Path) -> None:
    message = refusal("http://ada:pa55word@127.0.0.1:9/a.csv?token=s3cret", tmp_path)
    assert "http://127.0.0.1:9/a.csv" in message
    assert "pa55word" not in message
    assert "s3cret" not in message


@pytest.mark.parametrize("url", ["http://[::1/a.csv", "http:///a.csv", "http://a b/c.csv"])
def test_an_invalid_url_is_refused(tmp_path: Path, url: str) -> None:
    assert "a.csv" in refusal(url, tmp_path) or "c.csv" in refusal(url, tmp_path)


@pytest.mark.parametrize("url", ["ftp://example.org/a.csv", "s3://bucket/a.csv"])
def test_other_schemes_are_refused(tmp_path: Path, url: str) -> None:
    assert "only http and https are allowed" in refusal(url, tmp_path)


def test_the_extension_is_checked_before_the_download(server: str, tmp_path: Path) -> None:
    assert "allowed: .csv" in refusal(f"{server}/a.docx", tmp_path)
    assert Handler.asked == []


def test_a_cache_that_is_a_file_is_refused(server: str, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(SourceError, match="cannot be written"):
        read(f"{server}/a.csv", tmp_path / "cache")
