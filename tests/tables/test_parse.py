"""Tables are parsed in chunks of rows and read in blocks of bytes."""

from __future__ import annotations

import io
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentigate.errors import SourceError
from sentigate.tables import parse


def test_rows_are_parsed_chunk_by_chunk() -> None:
    data = b"text,sentiment\n" + b"a,good\n" * (parse.CHUNK + 1)
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        chunks = list(parse.parse_csv(file, ["text"], "a.csv"))
    assert [len(chunk.columns["text"]) for chunk in chunks] == [parse.CHUNK, 1]
    assert [list(chunk.places)[-1] for chunk in chunks] == [parse.CHUNK, parse.CHUNK + 1]


BYTES = st.sampled_from(
    [b"a", b"\n", b"\r", b"\r\n", "é".encode(), "😀".encode(), b"\xff", b"\xe9"]
)


@given(st.lists(BYTES, min_size=1).map(b"".join), st.integers(1, 7))
def test_the_error_names_the_line_of_an_invalid_byte(data: bytes, block: int) -> None:
    """The same line as if all was decoded at once, wherever a block ends."""
    try:
        expected = "" if data.decode().strip() else "a is empty"
    except UnicodeDecodeError as error:
        line = len((data[: error.start] + b".").splitlines())
        expected = f"a: line {line} is not UTF-8: byte 0x{data[error.start]:02X} at offset "
        expected += f"{error.start}; save the file as UTF-8"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parse, "BLOCK_BYTES", block)
        try:
            parse.check_text(io.BytesIO(data), "a")
            found = ""
        except SourceError as error:
            found = str(error)
    assert found == expected
