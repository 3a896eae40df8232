"""dvc.yaml against the code: a stage lists exactly the rooms, libraries and params that it uses."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.dvc_yaml import DVC, listed_params
from support.params import read_values

from sentigate import artifacts
from sentigate.artifacts import STAGES

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/sentigate"
PARAMS = read_values()
# Code that a stage uses but does not list: it only describes, logs or reports, and changes no
# output, so an edit there must not train again. Of __init__.py files, see the test below.
DESCRIBING = (
    PACKAGE / "settings",
    PACKAGE / "tracking",
    PACKAGE / "gates/page.py",
    PACKAGE / "artifacts.py",
    PACKAGE / "errors.py",
    PACKAGE / "progress.py",
    PACKAGE / "model/strict_model.py",
)
# Pinned libraries that change no output, so that a new version reruns no stage.
WITHOUT_EFFECT = {
    "charset_normalizer", "dvc", "great_expectations", "jinja2", "kagglehub", "matplotlib_inline",
    "psutil", "requests", "rich", "sqlalchemy", "starlette", "threadpoolctl", "typer", "urllib3",
    "uvicorn", "yaml",
}  # fmt: skip
TEMPLATE = re.compile(r'"([a-z/]+\.html\.j2)"')
LIBRARIES: dict[str, str] = json.loads((ROOT / "libraries.json").read_text("utf-8"))
# Import name -> distribution, if they differ.
DISTRIBUTIONS = {
    "lightning_fabric": "pytorch-lightning",
    "python_calamine": "python-calamine",
    "pytorch_lightning": "pytorch-lightning",
    "sklearn": "scikit-learn",
}


# From a file to the project files that it imports


@cache
def imports(path: Path) -> list[tuple[str, bool]]:
    """Return the dotted absolute names that a file imports, and whether the import is lazy.

    ``from x import y`` gives ``x`` and ``x.y``, because y may be a module. Imports under
    ``if TYPE_CHECKING:`` are left out, because they never run.
    """

    def walk(node: ast.AST, lazy: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for child in node.orelse:
                yield from walk(child, lazy)
            return
        if isinstance(node, ast.Import):
            yield from ((alias.name, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(path, node)
            yield base, lazy
            yield from ((f"{base}.{alias.name}", lazy) for alias in node.names)
        lazy = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, lazy)

    return list(walk(ast.parse(path.read_text("utf-8")), False))


def absolute(path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        assert node.module
        return node.module
    base = ROOT / "src" if path.is_relative_to(ROOT / "src") else ROOT
    package = path.relative_to(base).parent.parts
    kept = package[: len(package) - node.level + 1]
    return ".".join([*kept, *filter(None, [node.module])])


def module_file(name: str) -> Path | None:
    """Return the project's file of a dotted name; None if the name is not a module of ours."""
    base = ROOT / "src" if name.split(".")[0] == "sentigate" else ROOT
    if name.split(".")[0] not in ("sentigate", "pipeline"):
        return None
    path = base.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


def reached(*start: Path, but: Collection[Path] = DESCRIBING) -> set[str]:
    """Return ``start`` and the files that they import or render, except ``but``."""
    found, todo = set(start), list(start)
    while todo:
        for name, _ in imports(todo.pop()):
            file = module_file(name)
            if file is None or file in found or any(map(file.is_relative_to, but)):
                continue
            found.add(file)
            todo.append(file)
    found |= {
        PACKAGE / name for file in found for name in TEMPLATE.findall(file.read_text("utf-8"))
    }
    return {file.relative_to(ROOT).as_posix() for file in found if not is_package(file)}


def is_package(file: Path) -> bool:
    return file.name == "__init__.py" and file.parent.name != "sources"


def code_deps(stage: str) -> list[str]:
    """Return a stage's deps in src/ and pipeline/: rooms, and a few files."""
    return [d for d in DVC["stages"][stage]["deps"] if d.startswith(("src/", "pipeline/"))]


def used_by(stage: str) -> set[str]:
    if stage != "register":
        return reached(ROOT / f"pipeline/{stage}.py")
    but = [
        path for path in DESCRIBING if path != PACKAGE / "tracking"
    ]  # register's result is in MLflow
    copied = (PACKAGE / "model/predictor.py", PACKAGE / "registry/served_model.py")
    return reached(ROOT / "pipeline/register.py", *copied, but=but)


def libraries_of(stage: str) -> set[str]:
    """Return the distributions that a stage's code imports."""
    names = {
        name.split(".")[0]
        for file in used_by(stage)
        if file.endswith(".py")
        for name, _ in imports(ROOT / file)
    } - sys.stdlib_module_names
    names -= {"sentigate", "sentigate_model", "pipeline", "__future__", *WITHOUT_EFFECT}
    return {DISTRIBUTIONS.get(name, name) for name in names}


def test_imports_are_found_if_lazy_or_relative_but_not_for_types(tmp_path: Path) -> None:
    """This tests ``imports`` and ``reached`` themselves."""
    probe = tmp_path / "probe.py"
    probe.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import never\nelse:\n    import otherwise\n"
        "import top, top.two as alias\n"
        "def f():\n    from package import name\n    class C:\n        import deep\n",
        "utf-8",
    )
    assert dict(imports(probe)) == {
        "typing": False,
        "typing.TYPE_CHECKING": False,
        "otherwise": False,
        "top": False,
        "top.two": False,
        "package": True,
        "package.name": True,
        "deep": True,
    }
    relative = {name for name, _ in imports(PACKAGE / "sources/vader.py")}
    assert "sentigate.errors" in relative
    assert "src/sentigate/sources/vader.py" in reached(ROOT / "pipeline/ingest.py")
    assert "src/sentigate/gates/validate.py" in reached(ROOT / "pipeline/stage.py")  # lazy


def test_code_that_changes_no_output_is_no_dependency_of_training() -> None:
    """An edit in tracking/ does not train again: no stage depends on a folder that contains it."""
    apart = {*DESCRIBING} - {PACKAGE / "model/strict_model.py"}  # stages list model/ as a whole
    for stage in STAGES[: STAGES.index("register")]:
        for dep in code_deps(stage):
            assert not any(path.is_relative_to(ROOT / dep) for path in apart), (stage, dep)


def test_stages_and_their_commands() -> None:
    for name, stage in DVC["stages"].items():
        assert stage["cmd"] == f"python -m pipeline.{name}"
        assert stage["desc"]
    scripts = {path.stem for path in (ROOT / "pipeline").glob("*.py")}
    assert scripts == {*STAGES, "stage", "vocabulary", "leaderboard_entry", "__init__"}


@pytest.mark.parametrize("stage", STAGES)
def test_deps_are_the_rooms_that_the_stage_uses(stage: str) -> None:
    used, rooms = used_by(stage), code_deps(stage)
    for file in used:
        inside = [room for room in rooms if Path(file).is_relative_to(room)]
        assert len(inside) == 1, f"a change of {file} would not rerun the stage, or is there twice"
    for room in rooms:
        inside = [file for file in used if Path(file).is_relative_to(room)]
        assert inside, f"a change in {room} would rerun the stage for nothing"


@pytest.mark.parametrize("stage", STAGES)
def test_libraries_are_those_that_the_stage_uses(stage: str) -> None:
    """A new version of a library reruns the stages that use it."""
    params = [each for each in DVC["stages"][stage]["params"] if isinstance(each, dict)]
    (listed,) = [each["libraries.json"] for each in params if "libraries.json" in each]
    used = libraries_of(stage)
    if stage == "register":  # the requirements of a registered model
        from sentigate.registry.package import PACKAGES

        used |= set(PACKAGES)
    else:  # tracking and the types of params change no output
        used -= {"mlflow", "pydantic"}
    assert sorted(listed) == sorted(used)
    assert used <= set(LIBRARIES)


def test_libraries_json_has_the_locked_versions() -> None:
    locked = dict(
        line.split("==")
        for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines()
        if "==" in line
    )
    locked = {name.lower().replace("_", "-"): version for name, version in locked.items()}
    assert {name: locked[name] for name in LIBRARIES} == LIBRARIES
    development = (ROOT / "requirements-dev.lock").read_text("utf-8")
    assert not [name for name in locked if f"\n{name}==" in development.lower()]


@pytest.mark.parametrize("stage", STAGES)
def test_deps_exist_and_include_only_the_stages_own_suite(stage: str) -> None:
    deps = DVC["stages"][stage]["deps"]
    assert len(set(deps)) == len(deps)
    suites = {dep for dep in deps if dep.startswith("expectations/")}
    assert suites == {f"expectations/{stage}.json"}
    for dep in deps:
        if dep.startswith(("src/", "pipeline/", "expectations/")):
            assert (ROOT / dep).exists()


@pytest.mark.parametrize("stage", STAGES)
def test_data_deps_are_outputs_of_earlier_stages(stage: str) -> None:
    earlier = {out for name in STAGES[: STAGES.index(stage)] for out in artifacts.OUTPUTS[name]}
    data = {
        Path(dep)
        for dep in DVC["stages"][stage]["deps"]
        if not dep.startswith(("src/", "pipeline/", "expectations/"))
    }
    # data/own has the user's files: tables, corrections and word vectors.
    own = {
        "ingest": {Path("data/own/${dataset}")},
        "clean": {Path("data/own/${dataset}/corrections.csv")},
        "vocab": {Path("data/own/vectors")},
    }
    assert data - earlier == own.get(stage, set())


def test_every_data_set_has_the_folder_that_ingest_depends_on() -> None:
    """DVC refuses to run a stage whose dependency does not exist."""
    for name in PARAMS["datasets"]:
        assert (ROOT / "data/own" / name / "corrections.csv").is_file()


def artifacts_in(file: str) -> Iterator[Path]:
    """Yield the paths of the artifacts that a script names."""
    for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "artifacts":
            found = getattr(artifacts, node.attr)
            if isinstance(found, artifacts.Table | Path):
                yield getattr(found, "path", found)


@pytest.mark.parametrize("stage", STAGES)
def test_artifacts_in_the_script_are_deps_or_outs(stage: str) -> None:
    files = [f"pipeline/{stage}.py", *(["pipeline/vocabulary.py"] if stage == "vocab" else [])]
    listed = [*map(Path, DVC["stages"][stage]["deps"]), *artifacts.OUTPUTS[stage], artifacts.GATES]
    for path in {path for file in files for path in artifacts_in(file)}:
        assert any(path.is_relative_to(each) or path in each.parents for each in listed), path
    literal = re.compile(r"""["'](data|models|reports)/""")
    assert not any(literal.search((ROOT / file).read_text("utf-8")) for file in files)


def test_packages_do_next_to_nothing_on_import() -> None:
    """No stage lists an __init__.py, so it must not contain code that changes results."""
    settings = {
        "os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')",
        "os.access(os.path.expanduser('~'), os.W_OK) or "
        "os.environ.setdefault('MPLCONFIGDIR', os.path.abspath('.cache/matplotlib'))",
        "gc.set_threshold(10000)",
        "atexit.register(gc.freeze)",
        "if sys.argv[0] == '-m':\n    sentigate.progress.watch_stage()",
    }
    modules = {"atexit", "gc", "os", "sys", "sentigate.progress"}
    packages = [ROOT / "pipeline/__init__.py", *PACKAGE.rglob("__init__.py")]
    for file in filter(is_package, packages):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.Import):
                assert {alias.name for alias in node.names} <= modules
            elif ast.unparse(node) not in settings:  # waiting, garbage collection and progress
                assert isinstance(node, ast.Expr)
                assert isinstance(node.value, ast.Constant)


def test_a_stage_collects_no_garbage_among_its_modules(run_python: Callable[..., str]) -> None:
    """Not on import and not at exit; garbage of the stage itself is collected as usual."""
    code = (
        "import atexit, gc\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 10_000))  # called last\n"
        "import pipeline.ingest\n"
        "print(gc.isenabled(), gc.get_threshold()[0], gc.get_freeze_count())\n"
    )
    assert run_python(code).split() == ["True", "10000", "0", "True"]


# Params


def lookup(key: str) -> Any:
    node: Any = PARAMS
    for part in key.split("."):
        assert part in node, f"params.yaml has no {key}"
        node = node[part]
    return node


@pytest.mark.parametrize("stage", STAGES)
def test_params_exist_for_every_choice(stage: str) -> None:
    keys = listed_params(stage)
    assert len(set(keys)) == len(keys)
    for dataset in PARAMS["datasets"]:
        for model in PARAMS["models"]:
            for key in keys:
                lookup(key.replace("${dataset}", dataset).replace("${model}", model))
    text = json.dumps(keys)
    assert ("${dataset}" in text) <= ("dataset" in keys)
    assert ("${model}" in text) <= ("model" in keys)


def test_every_param_concerns_some_stage() -> None:
    """Some stage lists every key, except keys of entries that are not chosen."""
    chosen = {"dataset": PARAMS["dataset"], "model": PARAMS["model"]}
    listed = []
    for stage in STAGES:
        for key in listed_params(stage):
            for name, value in chosen.items():
                key = key.replace(f"${{{name}}}", value)
            listed.append(key)

    def leaves(node: Any, prefix: str) -> Iterator[str]:
        if isinstance(node, dict):
            for name, value in node.items():
                yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix[:-1]

    for leaf in leaves(PARAMS, ""):
        if leaf.startswith("datasets.") and not leaf.startswith(f"datasets.{chosen['dataset']}."):
            continue
        if leaf == f"datasets.{chosen['dataset']}.model":  # only the command line reads it
            continue
        if leaf.startswith("models.") and not leaf.startswith(f"models.{chosen['model']}."):
            continue
        assert any(leaf == key or leaf.startswith(f"{key}.") for key in listed), leaf


# Lazy imports


HEAVY = ("torch", "pytorch_lightning", "mlflow", "great_expectations", "sklearn", "matplotlib")


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        ([f"pipeline.{stage}" for stage in ("ingest", "clean", "split", "vocab", "pad")], HEAVY),
        (["pipeline.baseline"], ("torch", "mlflow", "great_expectations", "matplotlib")),
        (["pipeline.evaluate"], ("pytorch_lightning", "mlflow", "great_expectations")),
        (["pipeline.register"], HEAVY[1:]),
        (["sentigate.cli.main"], (*HEAVY, "pandas", "scipy")),
    ],
)
def test_modules_start_without_the_libraries_that_they_do_not_need(
    run_python: Callable[..., str], modules: list[str], unwanted: tuple[str, ...]
) -> None:
    code = (
        f"import sys, importlib\n"
        f"for name in {modules}: importlib.import_module(name)\n"
        f"print(*[name for name in {unwanted} if name in sys.modules])"
    )
    assert run_python(code).split() == []


def importers(package: str) -> set[str]:
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "pipeline").glob("*.py")]
    return {
        path.relative_to(ROOT).as_posix()
        for path in files
        if any(name.split(".")[0] == package for name, _ in imports(path))
    }


def test_only_some_rooms_import_the_heavy_libraries() -> None:
    assert importers("great_expectations") == {"src/sentigate/gates/validate.py"}
    rooms = {Path(path).parts[2] for path in importers("mlflow")}
    assert rooms == {"tracking", "registry", "cli"}
    assert {p for p in importers("mlflow") if "/cli/" in p} == {"src/sentigate/cli/ui.py"}
    for name in (
        "gates/validate",
        "tracking/connection",
        "tracking/delivery",
        "tracking/ended_run",
        "registry/versions",
        "registry/loading",
        "registry/package",
    ):
        path = PACKAGE / f"{name}.py"
        lazy = {
            lazily
            for name, lazily in imports(path)
            if name.split(".")[0] in ("mlflow", "great_expectations")
        }
        assert lazy == {True}, f"{path.name} imports one of them on its own import"
