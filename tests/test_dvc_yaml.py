"""dvc.yaml against the code: what a stage lists is what it uses, no less and no more."""

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
import yaml

from sentigate import artifacts
from sentigate.artifacts import STAGES

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/sentigate"
DVC: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))
PARAMS: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
# What a stage may use without naming it: it only describes, logs or shows, and bears on no output,
# so that a docstring there trains nothing anew. Packages hold next to nothing: see below.
DESCRIBING = (
    PACKAGE / "settings",
    PACKAGE / "tracking",
    PACKAGE / "gates/page.py",
    PACKAGE / "artifacts.py",
    PACKAGE / "errors.py",
    PACKAGE / "progress.py",
    PACKAGE / "model/strict_model.py",
)
# Pinned, and no reason to run again: none of them bears on a stage's outputs.
WITHOUT_EFFECT = {
    "dvc", "great_expectations", "jinja2", "kagglehub", "matplotlib_inline", "psutil", "requests",
    "rich", "sqlalchemy", "starlette", "threadpoolctl", "typer", "urllib3", "uvicorn", "yaml",
}  # fmt: skip
LIBRARIES: dict[str, str] = json.loads((ROOT / "libraries.json").read_text("utf-8"))
# The name to import, where it is not that of the distribution.
DISTRIBUTIONS = {
    "lightning_fabric": "pytorch-lightning",
    "pytorch_lightning": "pytorch-lightning",
    "sklearn": "scikit-learn",
}


# From a file to the project files that it imports


@cache
def imports(path: Path) -> list[tuple[str, bool]]:
    """Dotted absolute names that a file imports, and whether only when it needs them.

    ``from x import y`` gives ``x`` and ``x.y``, since y may be a module. What stands under
    ``if TYPE_CHECKING:`` is left out, for it is never run.
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
    """The project's file that a dotted name stands for."""
    base = ROOT / "src" if name.split(".")[0] == "sentigate" else ROOT
    if name.split(".")[0] not in ("sentigate", "pipeline"):
        return None
    path = base.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


def reached(*start: Path, but: Collection[Path] = DESCRIBING) -> set[str]:
    """The files that are run when ``start`` are, these among them, without those in ``but``."""
    found, todo = set(start), list(start)
    while todo:
        for name, _ in imports(todo.pop()):
            file = module_file(name)
            if file is None or file in found or any(map(file.is_relative_to, but)):
                continue
            found.add(file)
            todo.append(file)
    return {file.relative_to(ROOT).as_posix() for file in found if not is_package(file)}


def is_package(file: Path) -> bool:
    return file.name == "__init__.py" and file.parent.name != "sources"


def code_deps(stage: str) -> list[str]:
    """A stage's deps in src/ and pipeline/: rooms, and a few files."""
    return [d for d in DVC["stages"][stage]["deps"] if d.startswith(("src/", "pipeline/"))]


def used_by(stage: str) -> set[str]:
    if stage != "register":
        return reached(ROOT / f"pipeline/{stage}.py")
    but = [path for path in DESCRIBING if path != PACKAGE / "tracking"]  # it writes to MLflow
    copied = (PACKAGE / "model/predictor.py", PACKAGE / "registry/served_model.py")
    return reached(ROOT / "pipeline/register.py", *copied, but=but)


def libraries_of(stage: str) -> set[str]:
    """The distributions that a stage's own code imports."""
    names = {
        name.split(".")[0] for file in used_by(stage) for name, _ in imports(ROOT / file)
    } - sys.stdlib_module_names
    names -= {"sentigate", "sentigate_model", "pipeline", "__future__", *WITHOUT_EFFECT}
    return {DISTRIBUTIONS.get(name, name) for name in names}


def test_the_walk_itself(tmp_path: Path) -> None:
    """The walk sees lazy and relative imports and is not led astray by annotations."""
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


def test_what_bears_on_no_output_is_no_dependency_of_training() -> None:
    """A docstring in tracking/ trains nothing anew: no stage depends on a folder that holds it."""
    apart = {*DESCRIBING} - {PACKAGE / "model/strict_model.py"}  # model/ is a dependency whole
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
    """A pinned library that changes reruns what it touches."""
    (listed,) = [p["libraries.json"] for p in DVC["stages"][stage]["params"] if isinstance(p, dict)]
    used = libraries_of(stage)
    if stage == "register":  # what a registered model names as its requirements
        from sentigate.registry.package import PACKAGES

        used |= set(PACKAGES)
    else:  # tracking and types of params bear on no output
        used -= {"mlflow", "pydantic"}
    assert sorted(listed) == sorted(used)
    assert used <= set(LIBRARIES)


def test_libraries_are_pinned_as_they_are_locked() -> None:
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
def test_deps_that_are_no_code(stage: str) -> None:
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
    # Files of the user's own: tables, and word vectors.
    assert data - earlier == ({Path("data/own")} if stage in ("ingest", "vocab") else set())


def artifacts_in(file: str) -> Iterator[Path]:
    """The paths of the artifacts that a script names."""
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
    """No stage lists them, so they may hold nothing that bears on results."""
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
            elif ast.unparse(node) not in settings:  # how the process waits, collects and talks
                assert isinstance(node, ast.Expr)
                assert isinstance(node.value, ast.Constant)


def test_a_stage_does_not_look_for_garbage_in_its_modules(run_python: Callable[..., str]) -> None:
    """Neither while they are imported nor at exit; what comes later is collected as ever."""
    code = (
        "import atexit, gc\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 10_000))  # the last to be called\n"
        "import pipeline.ingest\n"
        "print(gc.isenabled(), gc.get_threshold()[0], gc.get_freeze_count())\n"
    )
    assert run_python(code).split() == ["True", "10000", "0", "True"]


# Params


def params_of(stage: str) -> list[str]:
    return [key for key in DVC["stages"][stage]["params"] if isinstance(key, str)]


def lookup(key: str) -> Any:
    node: Any = PARAMS
    for part in key.split("."):
        assert part in node, f"params.yaml has no {key}"
        node = node[part]
    return node


@pytest.mark.parametrize("stage", STAGES)
def test_params_exist_for_every_choice(stage: str) -> None:
    keys = params_of(stage)
    assert len(set(keys)) == len(keys)
    for dataset in PARAMS["datasets"]:
        for model in PARAMS["models"]:
            for key in keys:
                lookup(key.replace("${dataset}", dataset).replace("${model}", model))
    text = json.dumps(keys)
    assert ("${dataset}" in text) <= ("dataset" in keys)
    assert ("${model}" in text) <= ("model" in keys)


def test_every_param_concerns_some_stage() -> None:
    """But for the choices not made, there is no key that no stage lists."""
    chosen = {"dataset": PARAMS["dataset"], "model": PARAMS["model"]}
    listed = []
    for stage in STAGES:
        for key in params_of(stage):
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
        if leaf == f"datasets.{chosen['dataset']}.model":  # read by the command line alone
            continue
        if leaf.startswith("models.") and not leaf.startswith(f"models.{chosen['model']}."):
            continue
        assert any(leaf == key or leaf.startswith(f"{key}.") for key in listed), leaf


# What is imported when


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
def test_they_start_without_what_they_do_not_need(
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


def test_who_imports_the_heavy_libraries() -> None:
    assert importers("great_expectations") == {"src/sentigate/gates/validate.py"}
    rooms = {Path(path).parts[2] for path in importers("mlflow")}
    assert rooms == {"tracking", "registry", "serving", "cli"}
    assert {p for p in importers("mlflow") if "/cli/" in p} == {"src/sentigate/cli/servers.py"}
    for name in (
        "gates/validate",
        "tracking/connection",
        "tracking/delivery",
        "tracking/ended_run",
        "registry/versions",
        "registry/loading",
        "registry/package",
        "serving/scoring_app",
    ):
        path = PACKAGE / f"{name}.py"
        lazy = {
            lazily
            for name, lazily in imports(path)
            if name.split(".")[0] in ("mlflow", "great_expectations")
        }
        assert lazy == {True}, f"{path.name} imports one of them on its own import"
