"""Compressed tables, and files whose unpacked size is over the limit."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support.packers import PACKERS

from sentigate.errors import SourceError
from sentigate.tables import compression
from sentigate.tables.compression import unpack


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_file_over_the_limit_is_refused(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "FREE_BYTES", 1 << 20)
    file = tmp_path / f"t.csv{suffix}"
    data = b"text\n" + b"fine film\n" * 200_000
    PACKERS[suffix](data, file)
    assert file.stat().st_size * compression.MAX_RATIO < 2_000_000
    with file.open("rb") as packed, pytest.raises(SourceError) as error:
        unpack(packed, suffix, str(file))
    assert re.fullmatch(
        rf"{file} unpacks to more than \d MiB; allowed: 1 MiB, or 100 times the packed size if "
        "that is more. If the file is right, unpack it yourself and name the unpacked file",
        str(error.value),
    )
    monkeypatch.setattr(compression, "FREE_BYTES", 10 << 20)
    with file.open("rb") as packed, unpack(packed, suffix, str(file)) as unpacked:
        assert unpacked.read() == data


def test_unpacking_stops_at_the_limit(run_python: Callable[..., str], tmp_path: Path) -> None:
    """`predict` reads a file of 3 GiB of zeros; the process may write at most 400 MiB."""
    file = tmp_path / "t.csv.gz"
    file.write_bytes(gzip.compress(bytes(1 << 24)) * 192)
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400 << 20, 400 << 20))\n"
        "from pathlib import Path\n"
        "from sentigate.errors import SourceError\n"
        "from sentigate.serving.bulk_prediction import predict_file\n"
        "try:\n"
        "    predict_file(None, Path(sys.argv[1]), Path(sys.argv[1] + '.csv'), 'text')\n"
        "except SourceError as error:\n"
        "    print(error)\n"
    )
    assert "unpacks to more than 298 MiB; allowed: 256 MiB" in run_python(code, file)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
