"""The rooms of src/sentigate/: which rooms may import which, and that model/ imports none."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter

import rooms
from pydantic import BaseModel
from support.project import ROOT

from sentigate.settings.params import Params

PACKAGE = ROOT / "src/sentigate"


def test_every_room_has_a_floor() -> None:
    found = {path.stem for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert found - {"__init__", "py"} == {room for floor in rooms.FLOORS for room in floor}
    for path in PACKAGE.rglob("*.py"):
        assert (path.parent / "__init__.py").is_file(), f"import-linter does not see {path}"


def test_the_picture_shows_the_current_imports() -> None:
    """If it does not, run python docs/architecture/rooms.py."""
    assert rooms.draw(rooms.room_imports()) == rooms.PICTURE.read_text("utf-8")


def test_imports_point_down() -> None:
    """`make check` tests this, too, and names the line of a wrong import."""
    assert "#c62828" not in rooms.draw(rooms.room_imports())
    assert "#c62828" in rooms.draw({("model", "cli")})
    assert "#c62828" in rooms.draw({("errors", "files")})


def test_tests_have_the_same_rooms() -> None:
    """Each room with code has a folder of tests, and no other folder of tests exists."""
    tested = {
        path.relative_to(ROOT / "tests").parts[0]
        for path in (ROOT / "tests").glob("*/**/test_*.py")
    }
    with_code = {path.parent.name for path in PACKAGE.glob("*/*.py")}
    assert tested == with_code | {"e2e", "pipeline"}


def test_model_imports_nothing_outside_itself() -> None:
    allowed = {*sys.stdlib_module_names, "numpy", "pandas", "pydantic", "safetensors"}
    allowed |= {"sklearn", "tokenizers", "torch"}
    for path in (PACKAGE / "model").rglob("*.py"):
        depth = len(path.relative_to(PACKAGE / "model").parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert node.level <= depth, f"{path} looks out of model/"
            elif isinstance(node, ast.ImportFrom):
                assert str(node.module).split(".")[0] in allowed, path
            elif isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= allowed, path


def test_no_two_classes_share_a_name() -> None:
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "pipeline").rglob("*.py")]
    bodies = [ast.parse(path.read_text("utf-8")).body for path in files]
    names = Counter(node.name for body in bodies for node in body if isinstance(node, ast.ClassDef))
    assert not [name for name, count in names.items() if count > 1]


def test_only_labels_know_the_classes() -> None:
    """The names of the classes and the threshold are written once, in model/labels.py."""
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "pipeline").rglob("*.py")]:
        if path == PACKAGE / "model/labels.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant):
                assert node.value not in ("positive", "negative"), f"{path}:{node.lineno}"
            if isinstance(node, ast.Compare):
                values = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant)]
                compared = re.search("prob|answer|label", ast.unparse(node))
                assert not (0.5 in values and compared), f"{path}:{node.lineno}"


def settings_of(model: type[BaseModel], seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
    if model not in seen:
        seen.add(model)
        for field in model.model_fields.values():
            for part in parts(field.annotation):
                settings_of(part, seen)
    return seen


def parts(annotation: object) -> list[type[BaseModel]]:
    """Return the classes of settings in a field's type, also if they are nested."""
    inner = getattr(annotation, "__args__", ()) or ()
    found = [part for one in inner for part in parts(one)]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        found.append(annotation)
    return found


OFF = (None, False, 0, (), "allow")
"""Allowed defaults of settings: each turns a part off."""


def test_the_only_default_of_a_setting_in_code_is_off() -> None:
    """DVC tracks only the values in params.yaml."""
    found = settings_of(Params, set())
    assert len(found) > 15
    for model in found:
        for name, field in model.model_fields.items():
            assert field.is_required() or field.default in OFF, f"{model.__name__}.{name}"
