"""Files are written whole or not at all, even if the process is killed."""

import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from sentigate.files import sha256_of, templates, written_whole


def test_the_file_exists_only_after_the_block(tmp_path: Path) -> None:
    target = tmp_path / "deep" / ("ä" * 120)  # close to the longest allowed name
    with written_whole(target) as file:
        file.write(b"whole" * 100_000)
        assert not target.exists()
    assert target.read_bytes() == b"whole" * 100_000
    assert list(target.parent.iterdir()) == [target]


def test_the_new_file_replaces_the_old_one_and_has_the_usual_mode(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    target = tmp_path / "answers"
    target.write_text("old")
    with written_whole(target) as file:
        file.write(b"new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert target.stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt, SystemExit])
def test_a_failure_keeps_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "answers"
    target.write_text("old")

    def fail() -> None:
        with written_whole(target) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_only_a_file_is_replaced(tmp_path: Path) -> None:
    for target in (tmp_path, Path("/dev/null")):
        with pytest.raises(OSError, match="not a file"), written_whole(target):
            pass
    assert not Path("/dev/null").is_file()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_created_raises(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError), written_whole(tmp_path / "file" / "answers"):
        pass


def test_a_killed_process_keeps_the_old_file(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from sentigate.files import written_whole\n"
        "with written_whole(Path(sys.argv[1])) as file:\n"
        "    file.write(b'half' * 1_000_000)\n"
        "    print('written', flush=True)\n"
        "    time.sleep(60)\n"
    )
    target = tmp_path / "answers"
    target.write_text("old")
    command = [sys.executable, "-c", code, str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert target.read_text() == "old"


def test_sha256_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc" * 100_000)
    assert sha256_of(tmp_path / "x") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_templates_escape_values_and_refuse_missing_ones() -> None:
    shown = templates().from_string("{% if true %}\n<b>{{ text }}</b>\n{% endif %}\n")
    assert shown.render(text="<i>") == "<b>&lt;i&gt;</b>\n"
    with pytest.raises(UndefinedError, match="text"):
        shown.render()
