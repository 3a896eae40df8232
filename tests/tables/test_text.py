"""Encodings of text: what is read, and what an error says to write."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentigate.errors import SourceError
from sentigate.tables import text
from sentigate.tables.dialect import ON_COMMAND_LINE, Dialect
from sentigate.tables.encodings import encodings
from sentigate.tables.reader import open_table, opened, read_columns
from sentigate.tables.table_file import TableFile
from sentigate.tables.text import utf8_blocks

TEXTS = {
    "en": "It’s a café — naïve, I’d say.\nnothing here\n“Cheap” for a résumé, £5\n",
    "es": "El niño comió paella, ¡qué rico!\nMañana será otro día, ¿no?\nEspaña es así\n",
    "de": "Über die Straße, schön und groß\nGrüße aus Köln\nÄrger\n",
    "pl": "Zażółć gęślą jaźń\nŁódź jest piękna, śliczna\nmąż i żona\n",
    "ru": "Привет, как дела? Хороший фильм\nочень плохо, не понравилось\nЁлка и чай\n",
    "el": "Καλημέρα, πώς είσαι;\nπολύ καλό προϊόν\nΑθήνα\n",
    "ja": "この映画はとても良かったです。\nつまらない、時間の無駄\n面白いカメラを買った\n",
    "zh": "这部电影非常好看，我很喜欢。\n质量太差了，不推荐iPhone手机\n物流很快\n",
    "tw": "這部電影非常好看，我很喜歡。\n品質太差了，不推薦這個產品\n物流很快，謝謝\n",
    "ko": "이 영화는 정말 재미있었어요.\n별로였다, 시간 낭비\n배송이 빠르고 좋아요\n",
}
CASES = [("en", "cp1252"), ("en", "mac_roman"), ("es", "latin-1"), ("de", "cp1252"),
         ("pl", "cp1250"), ("pl", "iso8859-2"), ("ru", "cp1251"), ("ru", "koi8-r"),
         ("ru", "cp866"), ("el", "cp1253"), ("ja", "shift_jis"), ("ja", "euc_jp"),
         ("zh", "gb18030"), ("tw", "big5"), ("ko", "euc_kr")]  # fmt: skip


@pytest.mark.parametrize(("language", "encoding"), CASES)
def test_the_first_candidate_reads_the_text(language: str, encoding: str) -> None:
    written = TEXTS[language]
    best, *others = encodings(written.encode(encoding))
    assert written.encode(encoding).decode(best.encoding) == written
    assert best.odd < 0.01
    assert all(guess.odd >= best.odd for guess in others)
    assert set(best.lines) <= set(written.splitlines())
    for name in best.same:
        assert written.encode(encoding).decode(name) == written


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_unicode_has_no_other_candidate(encoding: str) -> None:
    (guess,) = encodings(TEXTS["en"].encode(encoding))
    assert guess.odd == 0
    assert guess.encoding.startswith(encoding[:5])


def read(path: Path, **given: str) -> list[str]:
    files = [TableFile(path, path.name, path.name)]
    return read_columns(files, ["text"], Dialect(**given)).columns["text"].tolist()


def refusal(path: Path, **given: str) -> str:
    with pytest.raises(SourceError) as caught:
        read(path, **given)
    return str(caught.value)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt", "t.jsonl", "t.json"])
@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("cp1252", "cp1252"),
        ("utf-16", None),
        ("utf-16-le", "utf-16-le"),
        ("utf-32", None),
        ("utf-8-sig", None),
        ("utf-8-sig", "utf-8"),
        ("mac_roman", "mac_roman"),
    ],
)
def test_every_text_format_is_read_in_every_encoding(
    tmp_path: Path, name: str, encoding: str, declared: str | None
) -> None:
    lines = {
        "t.txt": "“café”\n",
        "t.jsonl": '{"text": "“café”"}\n',
        "t.json": '[{"text": "“café”"}]',
    }
    data = lines.get(name, "text\n“café”\n").encode(encoding)
    (tmp_path / name).write_bytes(data)
    given = {} if declared is None else {"encoding": declared}
    assert read(tmp_path / name, **given) == ["“café”"]


def test_the_error_has_the_lines_to_write(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("text\nfine\nIt’s a naïve café\nfor £5\n".encode("cp1252"))
    said = refusal(path)
    assert said.startswith(
        "t.csv: line 3 is not UTF-8: byte 0x92 at offset 12. Write in datasets/NAME.yaml, under "
        "source the encoding whose lines read well; odd is the share of unlikely characters "
        "among those beyond ASCII:\n  encoding: cp1252\n    # 0% odd; the same text as cp1254"
    )
    assert "    #   It’s a naïve café\n    #   for £5\n" in said
    assert "  encoding: cp1250\n" in said
    assert "    #   It’s a naďve café\n" in said
    for written in re.findall(r"^  encoding: (\S+)$", said, re.MULTILINE):
        assert len(read(path, encoding=written)) == 3


def test_the_error_of_prediction_has_the_option_to_add(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"text\ncaf\xe9\n")
    files = [TableFile(tmp_path / "t.csv", "t.csv", "t.csv")]
    with (
        pytest.raises(SourceError, match="Add to the command the encoding") as caught,
        open_table(files, Dialect(), writing=ON_COMMAND_LINE) as table,
    ):
        list(table.chunks)
    assert "\n  --encoding cp1252\n" in str(caught.value)


def test_a_wrong_declared_encoding_names_line_and_byte(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("text\nпривет\n".encode("cp1251") + b"\x98\n")
    said = refusal(tmp_path / "t.csv", encoding="cp1251")
    assert said.startswith("t.csv: line 3 is not cp1251: byte 0x98 at offset 12. ")
    (tmp_path / "t.csv").write_bytes("text\nfine\n".encode("utf-16-le") + b"\x00\xd8\n\x00")
    said = refusal(tmp_path / "t.csv", encoding="utf-16-le")
    assert said.startswith("t.csv: line 3 is not utf-16-le: byte 0x00 at offset 20")
    (tmp_path / "t.csv").write_bytes("text\n良い".encode("shift_jis")[:-1])
    assert "line 2 is not shift_jis" in refusal(tmp_path / "t.csv", encoding="shift_jis")


def test_a_byte_order_mark_is_never_letters(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(codecs.BOM_UTF8 + "text\ncafé\n".encode())
    said = refusal(path, encoding="latin-1")
    assert "begins with the byte-order mark of UTF-8, and is UTF-8" in said
    assert said.endswith("\n  encoding: utf-8")
    path.write_bytes(codecs.BOM_UTF8 + "text\ncafé\n".encode("latin-1"))
    assert "line 2 is not UTF-8" in refusal(path)
    assert read(path, encoding="latin-1") == ["café"]
    path.write_bytes("\ufefftext\ncafé\n".encode("utf-16-le"))
    assert read(path, encoding="utf-16-le") == ["café"]


@pytest.mark.parametrize("encoding", ["klingon", "base64", "rot13", "idna", "unicode_escape", ""])
def test_an_encoding_that_is_none_is_refused(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.csv").write_bytes(b"text\na\n")
    assert "is unknown; allowed: the names of Python" in refusal(
        tmp_path / "t.csv", encoding=encoding
    )


def test_a_binary_file_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"text\na\0b\n")
    assert refusal(tmp_path / "t.csv") == (
        "t.csv: line 2 has a NUL byte, so the file is binary or damaged; allowed: text"
    )


BYTES = st.sampled_from(
    [b"a", b"\n", b"\r", b"\r\n", "é".encode(), "😀".encode(), b"\xff", b"\xe9", b"\xf0\x9f", b"\0"]
)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(BYTES, min_size=1).map(b"".join), st.integers(1, 7))
def test_the_error_names_the_line_of_an_invalid_byte(
    tmp_path: Path, data: bytes, block: int
) -> None:
    """The same line as if all was decoded at once, wherever a block ends."""
    expected, end = "", data.find(b"\0") if b"\0" in data else len(data)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if error.start < end:
            line = len((data[: error.start] + b".").splitlines())
            expected = f"a: line {line} is not UTF-8: byte 0x{data[error.start]:02X} at offset "
            expected += f"{error.start}"
    if not expected and end < len(data):
        expected = f"a: line {len((data[:end] + b'.').splitlines())} has a NUL byte"
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "BLOCK_BYTES", block)
        patch.setattr(text, "encodings", lambda _: [])
        try:
            with opened(TableFile(tmp_path / "a.csv", "a.csv", "a")) as opening:
                assert b"".join(utf8_blocks(opening)) == data
            found = ""
        except SourceError as error:
            found = str(error)
    if expected and found.partition(":")[2].startswith(" line"):
        # In one block, a wrong byte is found before a NUL byte that comes first.
        assert found.startswith(expected) or (
            end < len(data) and ("is not UTF-8" in found or "has a NUL byte" in found)
        )
    else:
        assert found == expected
