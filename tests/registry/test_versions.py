"""The registry: models that load without this repository, versions, and promotion."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from mlflow.exceptions import MlflowException
from support.cleaning import cleaning
from support.models import architecture, save_model, vocab_params

from sentigate.cli.main import main
from sentigate.data.vocabulary import build_tokenizer
from sentigate.errors import RegistryError
from sentigate.model.columns import Columns
from sentigate.model.network.network import Network
from sentigate.model.predictor import Predictor
from sentigate.registry.loading import code_of, load_predict, load_predictor, model_files
from sentigate.registry.package import model_sha256, package_model
from sentigate.registry.promotion import Standing, promote
from sentigate.registry.training_keys import TRAINED_ON, training_keys, unseen
from sentigate.registry.versions import (
    MODEL_TAG,
    add_version,
    aliased,
    find_version,
    find_whole,
    is_whole,
    model_name,
)
from sentigate.settings.params import RegisterParams
from sentigate.tracking.connection import connect, tracking_uri
from sentigate.tracking.ended_run import EndedRun
from sentigate.tracking.open_run import start_run
from sentigate.tracking.provenance import git_commit

ROOT = Path(__file__).parents[2]
TEXTS = [
    "A fine film, warm and funny.",
    "I want my two hours back.",
    "",
    " ",
    "😀",
    "word " * 10_000,
]
Model = Callable[[Any], pd.DataFrame]


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a project the working directory, once, because its database takes 5 s."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # Absolute, because MLflow keeps one connection for each URI, even in another folder.
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        yield folder


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a saved model with an untrained network."""
    folder = tmp_path_factory.mktemp("files")
    tokenizer = build_tokenizer([t.lower() for t in TEXTS], vocab_params())
    shape = architecture(
        embedding_size=8, cell="lstm", hidden_sizes=(6,), bidirectional=True, pooling="max",
        embedding_dropout=0.5, layer_dropout=0.0, head_dropout=0.5,
    )  # fmt: skip
    torch.manual_seed(0)  # with this seed the network predicts both labels
    network = Network(shape, tokenizer.get_vocab_size())
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    return save_model(folder, network, tokenizer, cleaning("lowercase", "squeeze_whitespace"))


@pytest.fixture(scope="module")
def run(project: Path) -> EndedRun:
    opened = start_run("vader-bilstm")
    opened.end()
    return EndedRun(connect(), opened.id)


@pytest.fixture(scope="module")
def package(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package_model(files, tmp_path_factory.mktemp("packaged"))


@pytest.fixture(scope="module")
def uri(run: EndedRun, package: Path) -> str:
    version = add_version(run, package, "logged", {})
    return f"models:/{version.name}/{version.version}"


@pytest.fixture(scope="module")
def served(uri: str) -> Model:
    return load_predict(uri)


def test_a_served_model_answers_as_the_predictor_does(served: Model, files: Path) -> None:
    answers = served(TEXTS)
    probabilities = Predictor(files)(TEXTS)
    assert np.abs(answers["probability"].to_numpy() - probabilities).max() < 1e-6
    assert (
        answers["label"].tolist() == np.where(probabilities >= 0.5, "positive", "negative").tolist()
    )
    assert set(answers["label"]) == {"positive", "negative"}
    assert answers["note"].tolist() == Predictor(files).judge(TEXTS).notes
    assert "nothing to go by" in answers["note"][2]
    assert answers["note"][5] == "cut: 24 of 10,000 tokens read"


@pytest.mark.parametrize(
    "wrong",
    [
        *(None, 3, "a bare text", [None], ["a", None], [1.5], [["a"]], {"text": "a"}, b"a"),
        *(pd.Series([1, 2]), pd.Series(["a", None]), np.array([["a"]]), np.array("a"), {"a"}),
        *(pd.DataFrame({"stars": [1]}), pd.DataFrame({"text": [["a"]]})),
        pd.DataFrame([["a", "b"]], columns=["text", "text"]),
    ],
    ids=repr,
)
def test_wrong_input_is_refused(served: Model, wrong: Any) -> None:
    with pytest.raises(MlflowException):
        served(wrong)


TABLE = pd.DataFrame(
    {"title": ["two hours", ""], "text": ["fine film", "my word"], "stars": [1, 5]}, index=[7, 3]
)


@pytest.mark.parametrize(
    "given",
    [
        TABLE,
        TABLE[["text"]],
        TABLE[["text"]].astype("category"),
        TABLE[["stars", "text"]].rename(columns={"text": "review"}),  # the only column of texts
        TABLE["text"],
        TABLE["text"].to_numpy(object),
        TABLE["text"].to_numpy(str),
        tuple(TABLE["text"]),
    ],
    ids=lambda given: f"{type(given).__name__} {getattr(given, 'shape', '')}",
)
def test_tables_series_and_arrays_get_the_answers_of_a_list(served: Model, given: Any) -> None:
    expected, answers = served(TABLE["text"].tolist()), served(given)
    assert answers["probability"].tolist() == expected["probability"].tolist()
    assert len(set(answers["probability"])) == 2
    rows = [7, 3] if isinstance(given, pd.DataFrame | pd.Series) else [0, 1]
    assert answers.index.tolist() == rows  # so that answers can be joined to the given rows


def test_a_table_with_two_possible_text_columns_is_refused(served: Model) -> None:
    with pytest.raises(MlflowException) as error:
        served(TABLE.rename(columns={"text": "body"}))
    assert str(error.value) == (
        "the model was trained on the column 'text'; the table has 'title', 'body', 'stars', of "
        "which 2 may hold the texts; rename one to 'text', or give a list of texts"
    )
    assert error.value.error_code == "INVALID_PARAMETER_VALUE"


def test_a_model_reads_the_columns_that_it_was_trained_on(files: Path, tmp_path: Path) -> None:
    """A model without columns.json reads ``text``, as in the tests above."""
    shutil.copytree(files, tmp_path / "files")
    Columns(text="title", context="stars").save(tmp_path / "files")
    served = load_predict(package_model(tmp_path / "files", tmp_path))
    expected = served(["__context_1 two hours", ""])
    assert served(TABLE)["probability"].tolist() == expected["probability"].tolist()


def test_half_a_surrogate_pair_is_refused(served: Model) -> None:
    with pytest.raises(MlflowException, match=r"text 1 \(from 0\) holds half a") as error:
        served(["fine", "no \ud800"])
    assert error.value.error_code == "INVALID_PARAMETER_VALUE"


def test_nothing_is_pickled(uri: str, project: Path) -> None:
    logged = [path for path in (project / "mlartifacts").rglob("*") if path.is_file()]
    assert {path.name for path in logged} >= {"MLmodel", "weights.safetensors", "served_model.py"}
    for path in logged:
        assert path.suffix not in {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin"}, path
        assert not path.read_bytes().startswith(b"\x80"), f"{path} looks like a pickle"


def test_a_model_needs_only_the_code_that_it_carries(
    uri: str, project: Path, tmp_path: Path
) -> None:
    """Predicts in another process, in which importing sentigate fails."""
    script = (
        "import sys, warnings; warnings.simplefilter('ignore'); sys.modules['sentigate'] = None\n"
        "import mlflow; mlflow.set_tracking_uri(sys.argv[1])\n"
        "print(mlflow.pyfunc.load_model(sys.argv[2]).predict(['fine film'])['label'][0])\n"
        "print(sorted(n for n in sys.modules if n.startswith('sentigate_model.')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tracking_uri(), uri],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    label, modules = done.stdout.splitlines()
    assert label in {"positive", "negative"}
    # It carries no module that it does not import.
    folder = ROOT / "src/sentigate/model"
    paths = [path.relative_to(folder) for path in folder.rglob("*.py")]
    modules_there = {
        ".".join(["sentigate_model", *path.with_suffix("").parts]).removesuffix(".__init__")
        for path in paths
    } - {"sentigate_model"}
    assert modules == str(sorted(modules_there))


def test_requirements_are_pinned_to_public_versions(package: Path) -> None:
    lines = (package / "requirements.txt").read_text().splitlines()
    assert any(line.startswith("torch==") for line in lines)
    assert all("==" in line and "+" not in line for line in lines)


def test_logging_leaves_no_module_behind(uri: str) -> None:
    assert not [path for path in sys.path if "packaged" in path]


SETTINGS = RegisterParams(alias="champion", challenger_alias="challenger", significance_level=0.05)
ROWS = pd.DataFrame(
    {
        "id": [str(number) for number in range(60)],
        "group": [str(number) for number in range(60)],
        "raw": [f"text {number}" for number in range(60)],
        "split": ["train"] * 20 + ["validation"] * 40,
        "label": [number % 2 for number in range(60)],
    }
)
FINE = Standing(False, False, "The model is not found to be worse.")
WORSE = Standing(True, True, "The model is worse than the linear baseline: 0.590 against 0.735.")
VALIDATION = ROWS.loc[ROWS["split"] == "validation"]


def with_keys(files: Path, keys: Any, folder: Path) -> Path:
    """Return a copy of a model's folder, with the keys of its training texts."""
    shutil.copytree(files, folder)
    np.save(folder / TRAINED_ON, keys)
    return folder


def answers_well(share: float) -> Callable[[Any], Any]:
    """Return a predictor that is right on a share of the rows, with probability 0.95."""

    def answer(texts: Any) -> Any:
        numbers = np.array([int(text.split()[1]) for text in texts])
        right = numbers % 100 < 100 * share
        return np.where(right == (numbers % 2 == 1), 0.95, 0.05).astype(np.float32)

    return answer


@pytest.fixture(scope="module")
def rule_champion(
    run: EndedRun, files: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Any], Any]:
    """Return a function that adds a version with the given keys and promotes it as the first."""

    def add(name: str, keys: Any) -> Any:
        folder = with_keys(files, keys, tmp_path_factory.mktemp("keys") / "files")
        package = package_model(folder, tmp_path_factory.mktemp("packaged"))
        version = add_version(run, package, name, {"split_sha256": "a"})
        made = promote(version, answers_well(0), VALIDATION, "grouped", SETTINGS, FINE)
        assert made == {
            "name": name,
            "version": 1,
            "alias": "champion",
            "promoted": True,
            "reason": "the first version",
            "worse_than_baseline": False,
            "network_worse_than_baseline": False,
            "beside_baseline": FINE.sentence,
        }
        return version

    return add


def alias_of(name: str, alias: str) -> int | None:
    version = aliased(name, alias)
    return None if version is None else int(version.version)


def test_a_better_version_is_promoted_and_a_worse_one_challenges(
    run: EndedRun, package: Path, rule_champion: Callable[[str, Any], Any]
) -> None:
    rule_champion("rule", training_keys(ROWS, "grouped"))
    worse = add_version(run, package, "rule", {"split_sha256": "b"})  # compared despite a new split
    made = promote(worse, answers_well(0), VALIDATION, "grouped", SETTINGS, FINE)
    assert (made["version"], made["alias"], made["promoted"]) == (2, "challenger", False)
    assert (
        "on 40 texts that neither was trained on (paired t-test, p = 1, not below"
        in (made["reason"])
    )
    assert (alias_of("rule", "champion"), alias_of("rule", "challenger")) == (1, 2)
    better = add_version(run, package, "rule", {"split_sha256": "b"})
    made = promote(better, answers_well(1), VALIDATION, "grouped", SETTINGS, FINE)
    assert (made["version"], made["alias"], made["promoted"]) == (3, "champion", True)
    assert ", below 0.05)" in made["reason"]
    assert "against version 1's" in made["reason"]
    assert (alias_of("rule", "champion"), alias_of("rule", "challenger")) == (3, 2)
    again = promote(better, answers_well(0), VALIDATION, "grouped", SETTINGS, FINE)
    assert again == made  # the champion is not compared with itself


def test_a_version_worse_than_the_baseline_is_served_until_one_is_not(
    run: EndedRun, files: Path, tmp_path: Path
) -> None:
    folder = with_keys(files, training_keys(ROWS, "grouped"), tmp_path / "files")
    package = package_model(folder, tmp_path)

    def add(share: float, standing: Standing) -> dict[str, Any]:
        version = add_version(run, package, "bad", {})
        made = promote(version, answers_well(share), VALIDATION, "grouped", SETTINGS, standing)
        found = connect().get_model_version("bad", version.version)
        assert found.tags["worse_than_baseline"] == str(standing.worse).lower()
        assert found.tags["network_worse_than_baseline"] == str(standing.network_worse).lower()
        assert found.description == standing.sentence
        return made

    made = add(0, WORSE)
    assert made["alias"] == "champion"  # otherwise no model could be served
    assert made["reason"] == "the first version, though worse than the linear baseline"
    assert (made["worse_than_baseline"], made["beside_baseline"]) == (True, WORSE.sentence)
    assert add(0, WORSE)["alias"] == "challenger"  # both are worse: the paired test decides
    made = add(0, FINE._replace(network_worse=True))  # only the model's answers count
    assert made["alias"] == "champion"
    assert made["reason"] == "version 1 is worse than the linear baseline, this version is not"
    made = add(1, WORSE)  # by the paired test alone this version would be promoted
    assert made["alias"] == "challenger"
    assert made["reason"] == "this version is worse than the linear baseline, version 3 is not"
    assert (alias_of("bad", "champion"), alias_of("bad", "challenger")) == (3, 4)


def test_the_standing_of_the_champion_is_kept_up_to_date(run: EndedRun, package: Path) -> None:
    version = add_version(run, package, "again", {})
    for standing in (FINE, WORSE):
        promote(version, answers_well(0), VALIDATION, "grouped", SETTINGS, standing)
        found = connect().get_model_version("again", version.version)
        assert found.description == standing.sentence
        assert found.tags["worse_than_baseline"] == str(standing.worse).lower()


def test_the_training_texts_of_the_champion_are_left_out_of_the_comparison(
    run: EndedRun, package: Path, rule_champion: Callable[[str, Any], Any]
) -> None:
    """The champion has seen their labels; the newcomer has not."""
    seen = ROWS.assign(split=np.where(ROWS.index < 50, "train", "validation"))
    rule_champion("seen", training_keys(seen, "grouped"))
    version = add_version(run, package, "seen", {})
    made = promote(version, answers_well(1), VALIDATION, "grouped", SETTINGS, FINE)
    assert "on 10 texts that neither was trained on" in made["reason"]
    rule_champion("all", training_keys(ROWS.assign(split="train"), "grouped"))
    version = add_version(run, package, "all", {})
    made = promote(version, answers_well(1), VALIDATION, "grouped", SETTINGS, FINE)
    assert made["alias"] == "challenger"
    assert "nothing to compare on" in made["reason"]


def test_a_champion_that_cannot_be_loaded_is_replaced(
    run: EndedRun, package: Path, rule_champion: Callable[[str, Any], Any], project: Path
) -> None:
    lost = rule_champion("lost", training_keys(ROWS, "grouped"))
    for name in ("weights.safetensors", "MLmodel"):
        for path in Path(connect().get_model_version_download_uri("lost", 1)).rglob(name):
            path.unlink()
    assert find_whole("lost", lost.tags.get(MODEL_TAG, "")) is None
    version = add_version(run, package, "lost", {})
    made = promote(version, answers_well(0), VALIDATION, "grouped", SETTINGS, FINE)
    assert made["promoted"]
    assert made["reason"] == "version 1, the previous champion, cannot be loaded"


def test_a_champion_without_keys_is_compared_only_on_the_same_split(
    run: EndedRun, package: Path
) -> None:
    old = add_version(run, package, "old", {"split_sha256": "a"})  # has no keys
    promote(old, answers_well(0), VALIDATION, "grouped", SETTINGS, FINE)
    same = add_version(run, package, "old", {"split_sha256": "a"})
    assert promote(same, answers_well(1), VALIDATION, "grouped", SETTINGS, FINE)["promoted"]
    connect().set_registered_model_alias("old", "champion", old.version)
    other = add_version(run, package, "old", {"split_sha256": "b"})
    made = promote(other, answers_well(1), VALIDATION, "grouped", SETTINGS, FINE)
    assert not made["promoted"]
    assert "has no list of its training texts" in made["reason"]


def test_a_registered_model_is_found_by_its_hash(run: EndedRun, package: Path, files: Path) -> None:
    digest = model_sha256(files, code_of(package / "artifacts/files"))
    assert find_whole("once", digest) is None
    made = add_version(run, package, "once", {MODEL_TAG: digest})
    found = find_whole("once", digest)
    assert found is not None
    assert found.version == made.version
    assert find_whole("once", "0" * 64) is None


def test_lost_code_and_a_damaged_description_are_detected(run: EndedRun, package: Path) -> None:
    for name, damage in (("code", shutil.rmtree), ("MLmodel", lambda path: path.write_text("- ["))):
        version = add_version(run, package, f"damaged-{name}", {})
        assert is_whole(version)
        folder = Path(connect().get_model_version_download_uri(version.name, version.version))
        damage(folder / name)
        assert not is_whole(version)
        with pytest.raises(RegistryError, match=r"make train|has lost its code"):
            load_predictor(f"models:/{version.name}/1")


def test_no_version_is_promoted_while_mlflow_does_not_answer(
    run: EndedRun,
    package: Path,
    rule_champion: Callable[[str, Any], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rule_champion("away", training_keys(ROWS, "grouped"))
    version = add_version(run, package, "away", {})

    def fails(**arguments: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mlflow.artifacts.download_artifacts", fails)
    with pytest.raises(RegistryError, match="No space left"):
        promote(version, answers_well(1), VALIDATION, "grouped", SETTINGS, FINE)
    with pytest.raises(RegistryError, match="No space left"):
        is_whole(version)
    assert alias_of("away", "champion") == 1


def test_a_model_of_another_table_with_the_same_name_is_not_promoted(
    run: EndedRun, package: Path
) -> None:
    first = add_version(run, package, "train", {"table": "restaurants/train.csv"})
    promote(first, answers_well(0), VALIDATION, "grouped", SETTINGS, FINE)
    other = add_version(run, package, "train", {"table": "finance/train.csv"})
    made = promote(other, answers_well(1), VALIDATION, "grouped", SETTINGS, FINE)
    assert not made["promoted"]
    assert (
        "version 1 was trained on another table, restaurants/train.csv: give this table a name"
        in (made["reason"])
    )


def test_the_same_model_with_new_code_takes_over_the_alias(run: EndedRun, package: Path) -> None:
    tags = {"weights_sha256": "x", "files_sha256": "y"}
    old = add_version(run, package, "code", tags)
    promote(old, answers_well(0), VALIDATION, "grouped", SETTINGS, FINE)
    new = add_version(run, package, "code", tags)
    made = promote(new, answers_well(0), VALIDATION, "grouped", SETTINGS, FINE)
    assert made["promoted"]
    assert "the same model as version 1" in made["reason"]


def test_the_same_weights_with_another_fusion_are_compared(run: EndedRun, package: Path) -> None:
    old = add_version(run, package, "share", {"weights_sha256": "x", "files_sha256": "y"})
    promote(old, answers_well(1), VALIDATION, "grouped", SETTINGS, FINE)
    new = add_version(run, package, "share", {"weights_sha256": "x", "files_sha256": "z"})
    made = promote(new, answers_well(0), VALIDATION, "grouped", SETTINGS, FINE)
    assert not made["promoted"]
    assert "log loss" in made["reason"]


def test_the_hash_of_the_files_covers_all_that_answers(files: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(files, tmp_path / "files")
    assert model_sha256(copied) == model_sha256(files)
    description = copied / "model.json"
    description.write_text(description.read_text("utf-8").replace("0.", "1.", 1), "utf-8")
    assert model_sha256(copied) != model_sha256(files)


def test_a_text_counts_as_seen_by_its_group_but_not_by_its_row_number() -> None:
    rows = pd.DataFrame(
        {
            "id": ["1", "2", "3", "4"],
            "group": ["a", "a", "3", "4"],
            "raw": ["one", "two", "three", "four"],
            "split": ["train", "validation", "train", "validation"],
        }
    )
    keys = training_keys(rows, "grouped")
    assert unseen(rows, "grouped", keys).tolist() == [False, False, False, True]
    assert unseen(rows, "random", training_keys(rows, "random")).tolist() == [False, True] * 2
    # The same row number with another text counts as unseen.
    other = rows.assign(raw=["five", "six", "seven", "eight"])
    assert unseen(other, "grouped", keys).tolist() == [False, False, True, True]


def test_a_model_that_cannot_be_registered_is_deleted(
    run: EndedRun, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect()
    experiment = client.get_run(run.id).info.experiment_id

    def logged() -> int:
        return len(client.search_logged_models([experiment]))

    before = logged()
    with pytest.raises(RegistryError):
        add_version(run, package, "bad", {"k" * 300: "a tag's name is too long"})
    assert logged() == before


def test_two_models_are_loaded_side_by_side(served: Model, uri: str, files: Path) -> None:
    """Each runs its own code, although both packages have the same name."""
    predictor = load_predictor(uri)
    assert np.abs(predictor(TEXTS) - served(TEXTS)["probability"]).max() < 1e-6


def test_a_model_gets_the_latest_figures_of_its_run_and_the_run_stays_unchanged(
    project: Path, package: Path
) -> None:
    opened = start_run("figures")
    opened.log_params({"seed": 1})
    opened.log_metrics({"loss": 0.7}, step=0)
    opened.log_metrics({"loss": 0.5}, step=1)
    opened.end()
    run = EndedRun(connect(), opened.id)
    version = add_version(run, package, "figures", {})
    model = connect().get_logged_model(version.source.rpartition("/")[2])
    assert {metric.key: metric.value for metric in model.metrics} == {"loss": 0.5}
    assert model.params == {"seed": "1"}
    history = connect().get_metric_history(run.id, "loss")
    assert [(point.step, point.value) for point in history] == [(0, 0.7), (1, 0.5)]


def test_registering_changes_no_times_of_the_run(run: EndedRun, package: Path) -> None:
    before = connect().get_run(run.id).info
    add_version(run, package, "times", {})
    after = connect().get_run(run.id).info
    assert (after.status, after.end_time) == (before.status, before.end_time)


def test_versions_are_found_by_tags(run: EndedRun, package: Path) -> None:
    for weights, split in (("x", "a"), ("y", "a"), ("x", "b")):
        tags = {"weights_sha256": weights, "split_sha256": split}
        add_version(run, package, "found", tags)
    newest = find_version("found", {"weights_sha256": "x"})
    assert newest is not None
    assert int(newest.version) == 3
    assert newest.run_id == run.id
    assert find_version("found", {"weights_sha256": "y", "split_sha256": "a"}) is not None
    assert find_version("found", {"weights_sha256": "y", "split_sha256": "b"}) is None
    assert find_version("never-registered", {}) is None


def test_versions_are_ordered_as_numbers(run: EndedRun, uri: str) -> None:
    client = connect()
    client.create_registered_model("many")
    for _ in range(10):
        client.create_model_version("many", uri, run.id, tags={"t": "1"})
    newest = find_version("many", {"t": "1"})
    assert newest is not None
    assert int(newest.version) == 10


@pytest.mark.parametrize(
    "missing",
    [
        "models:/nothing@champion",
        "models:/nothing/1",
        "models:/m-0123456789",
        "runs:/0/model",
        "no/such/folder",
    ],
)
def test_a_missing_model_is_reported_in_one_line(missing: str) -> None:
    with pytest.raises(RegistryError) as error:
        load_predict(missing)
    message = str(error.value)
    assert missing in message
    assert tracking_uri() in message
    assert "make train" in message
    assert "\n" not in message


def test_the_command_line_predicts_with_the_promoted_version(
    run: EndedRun,
    package: Path,
    served: Model,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    version = add_version(run, package, model_name("vader"), {})
    promote(version, answers_well(1), VALIDATION, "grouped", SETTINGS, FINE)
    texts = ["A fine film, warm and funny.", "two\tlines\nof text", ""]
    monkeypatch.setattr(sys, "argv", ["sentigate", "predict", *texts])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    answers = served(texts)
    assert lines == [
        f"{label}\t{probability:.4f}\t{text}"
        for label, probability, text in zip(
            answers["label"],
            answers["probability"],
            [texts[0], "two lines of text", "\t" + answers["note"][2]],
            strict=True,
        )
    ]


def test_the_command_line_predicts_a_file(
    run: EndedRun,
    uri: str,
    served: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tweets, out = tmp_path / "tweets.csv", tmp_path / "answers.parquet"
    pd.DataFrame({"tweet": TEXTS * 60}).to_csv(tweets, index=False)
    arguments = ["--file", str(tweets), "--out", str(out), "--column", "tweet", "--model", uri]
    monkeypatch.setattr(sys, "argv", ["sentigate", "predict", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    found, answers = pd.read_parquet(out), served(TEXTS * 60)
    assert found["tweet"].tolist() == TEXTS * 60
    assert found["label"].tolist() == answers["label"].tolist()
    assert np.abs(found["probability"] - answers["probability"]).max() < 1e-6
    assert found["note"].tolist() == answers["note"].tolist()
    assert not [name for name in sys.modules if name.startswith("sentigate_model")]


def test_a_model_of_an_older_version_predicts_without_notes(
    uri: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    older = model_files(uri, tmp_path / "older").parents[1]
    code = next(older.rglob("sentigate_model/predictor.py"))
    text = code.read_text("utf-8")
    before = text.index("        return self.judge(")
    old = text[before:].replace("def judge(", "def _judge(").replace("self.judge(", "self._judge(")
    code.write_text(text[:before] + old, "utf-8")
    monkeypatch.setattr(sys, "argv", ["sentigate", "predict", "", "--model", str(older)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.rstrip("\n").split("\t")) == 3


def git(*arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def test_the_commit_is_marked_dirty_if_tracked_files_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_commit() == "unknown"
    git("init", "-q")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-qm", "one")
    clean = git_commit()
    assert len(clean) == 40
    (tmp_path / "untracked").write_text("1")
    assert git_commit() == clean
    (tmp_path / "a").write_text("2")
    assert git_commit() == f"{clean}-dirty"
