"""Modules that are imported when something in them is looked up."""

import subprocess
import sys
from pathlib import Path

import pytest

from sentigate.gates.import_on_use import import_on_use


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that has not been imported, in a package that has."""
    package = tmp_path / "some_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "late.py").write_text("print('imported')\nVALUE = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("some_package", "some_package.late"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return "some_package.late"


def test_it_is_imported_once_and_on_use(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    import_on_use(module)
    import some_package.late
    from some_package import late

    assert capsys.readouterr().out == ""
    assert late.VALUE == some_package.late.VALUE == 3
    assert capsys.readouterr().out == "imported\n"
    assert sys.modules[module] is not late  # the module itself, and no stand-in
    assert not hasattr(late, "OTHER")


def test_what_is_imported_already_stays(module: str) -> None:
    import some_package.late

    before = some_package.late
    import_on_use(module)
    assert sys.modules[module] is before


def test_great_expectations_does_without_the_two() -> None:
    """Should it use them on import, the saving is gone; should it not, they still work."""
    code = (
        "import sys\n"
        "from sentigate.gates.import_on_use import import_on_use\n"
        "import_on_use('altair'); import_on_use('scipy.stats')\n"
        "import great_expectations\n"
        "assert 'altair.vegalite' not in sys.modules\n"
        "assert 'scipy.stats._distn_infrastructure' not in sys.modules\n"
        "from scipy import stats\n"
        "assert abs(stats.entropy([0.5, 0.5]) - 0.6931472) < 1e-6\n"
        "import scipy.stats as again\n"
        "assert again.entropy is stats.entropy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
