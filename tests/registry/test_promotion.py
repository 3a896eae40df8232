"""Promotion: which version becomes the champion, and the reason."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.registry import SEVEN, THREE, write_files

from sentigate.errors import RegistryError
from sentigate.model.answers import Probabilities, log_losses
from sentigate.model.labels import BINARY, Classes
from sentigate.model.predictor import Predictor
from sentigate.registry.package import package_model
from sentigate.registry.promotion import Standing, promote
from sentigate.registry.training_keys import TRAINED_ON, training_keys
from sentigate.registry.versions import MODEL_TAG, add_version, aliased, find_whole
from sentigate.settings.params import RegisterParams
from sentigate.tracking.connection import connect
from sentigate.tracking.ended_run import EndedRun

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
VALIDATION = ROWS.loc[ROWS["split"] == "validation"]
KEYS = training_keys(ROWS, "grouped")
FINE = Standing(False, False, "The model is not found to be worse.")
WORSE = Standing(True, True, "The model is worse than the linear baseline: 0.590 against 0.735.")


class Guesser:
    """A model that is right on a share of the rows; its answer has the probability 0.95.

    The label of "text 7" is 7 modulo the number of classes.
    """

    def __init__(self, share: float, classes: Classes = BINARY) -> None:
        self.share = share
        self.classes = classes
        self.threshold: float | None = None

    def __call__(self, texts: Sequence[str]) -> Probabilities:
        numbers, count = np.array([int(text.split()[1]) for text in texts]), self.classes.count
        answered = (numbers + (numbers % 100 >= 100 * self.share)) % count
        probabilities = np.full((len(texts), count), 0.05 / (count - 1), dtype=np.float32)
        probabilities[np.arange(len(texts)), answered] = 0.95
        return probabilities


def promoted(
    version: Any, newcomer: Guesser, standing: Standing = FINE, rows: pd.DataFrame = VALIDATION
) -> dict[str, Any]:
    return promote(version, newcomer, rows, "grouped", SETTINGS, standing)


def with_keys(files: Path, keys: Any, folder: Path) -> Path:
    """Return a package of a copy of a model's folder, with the keys of its training texts."""
    copied = shutil.copytree(files, folder / "files")
    np.save(copied / TRAINED_ON, keys)
    return package_model(copied, folder)


@pytest.fixture(scope="session")
def keyed(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a package with the keys of the training texts in ROWS; only read it."""
    return with_keys(files, KEYS, tmp_path_factory.mktemp("keyed"))


def add_first(run: EndedRun, package: Path, tags: dict[str, str] | None = None) -> Any:
    """Register a package as version 1 of "made", which becomes the champion."""
    version = add_version(run, package, "made", tags or {})
    assert promoted(version, Guesser(0)) == {
        "name": "made",
        "version": 1,
        "alias": "champion",
        "promoted": True,
        "reason": "the first version",
        "worse_than_baseline": False,
        "network_worse_than_baseline": False,
        "beside_baseline": FINE.sentence,
    }
    return version


def alias_of(alias: str) -> int | None:
    version = aliased("made", alias)
    return None if version is None else int(version.version)


def test_a_better_version_is_promoted_and_a_worse_one_challenges(
    run: EndedRun, package: Path, keyed: Path
) -> None:
    add_first(run, keyed, {"split_sha256": "a"})
    worse = add_version(run, package, "made", {"split_sha256": "b"})  # compared despite a new split
    made = promoted(worse, Guesser(0))
    assert (made["version"], made["alias"], made["promoted"]) == (2, "challenger", False)
    assert (
        "on 40 texts that neither was trained on (paired t-test, p = 1, not below"
        in (made["reason"])
    )
    assert (alias_of("champion"), alias_of("challenger")) == (1, 2)
    better = add_version(run, package, "made", {"split_sha256": "b"})
    made = promoted(better, Guesser(1))
    assert (made["version"], made["alias"], made["promoted"]) == (3, "champion", True)
    assert ", below 0.05)" in made["reason"]
    assert "against version 1's" in made["reason"]
    assert (alias_of("champion"), alias_of("challenger")) == (3, 2)
    again = promoted(better, Guesser(0))
    assert again == made  # the champion is not compared with itself


@pytest.mark.parametrize("classes", [THREE, SEVEN], ids=lambda classes: classes.count)
def test_models_of_any_number_of_classes_are_compared(
    run: EndedRun, tmp_path: Path, classes: Classes
) -> None:
    files = write_files(tmp_path / "untrained", classes)
    package = with_keys(files, KEYS, tmp_path)
    rows = VALIDATION.assign(label=VALIDATION["id"].astype(int) % classes.count)
    first = add_version(run, package, "made", {})
    promoted(first, Guesser(0, classes), rows=rows)
    theirs = log_losses(rows["label"].to_numpy(), Predictor(files)(rows["raw"].tolist())).mean()

    worse = add_version(run, package, "made", {})
    made = promoted(worse, Guesser(0, classes), rows=rows)
    mine = -np.log(0.05 / (classes.count - 1))
    figures = f"validation log loss {mine:.4f} against version 1's {theirs:.4f} on 40 texts"
    assert made["reason"].startswith(figures)
    assert not made["promoted"]
    better = add_version(run, package, "made", {})
    assert promoted(better, Guesser(1, classes), rows=rows)["promoted"]


@pytest.mark.parametrize(
    ("classes", "shown"),
    [
        (THREE, "'negative, neutral, positive'"),
        (Classes(names=("positive", "negative")), "'positive, negative'"),
    ],
    ids=["another class", "another order"],
)
@pytest.mark.parametrize("standing", [FINE, WORSE], ids=["as good as the baseline", "worse"])
def test_a_champion_that_answers_other_classes_is_kept(
    run: EndedRun, package: Path, keyed: Path, classes: Classes, shown: str, standing: Standing
) -> None:
    """Also if the champion is worse than the linear baseline, and the newcomer is not."""
    first = add_version(run, keyed, "made", {})
    promoted(first, Guesser(0), standing)
    rows = VALIDATION.assign(label=VALIDATION["id"].astype(int) % classes.count)
    second = add_version(run, package, "made", {})
    made = promoted(second, Guesser(1, classes), rows=rows)
    assert made["reason"] == (
        f"version 1 answers 'negative, positive', this version {shown}, so they cannot be "
        "compared; to serve this version, give it that version's alias in the MLflow UI"
    )
    assert not made["promoted"]
    assert (alias_of("champion"), alias_of("challenger")) == (1, 2)
    connect().set_registered_model_alias("made", "champion", second.version)  # as it says
    again = promoted(second, Guesser(1, classes), rows=rows)
    assert (again["promoted"], alias_of("champion")) == (True, 2)


def test_a_version_worse_than_the_baseline_is_served_until_one_is_not(
    run: EndedRun, keyed: Path
) -> None:
    def add(share: float, standing: Standing) -> dict[str, Any]:
        version = add_version(run, keyed, "made", {})
        made = promoted(version, Guesser(share), standing)
        found = connect().get_model_version("made", version.version)
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
    assert (alias_of("champion"), alias_of("challenger")) == (3, 4)


def test_the_standing_of_the_champion_is_kept_up_to_date(run: EndedRun, package: Path) -> None:
    version = add_version(run, package, "made", {})
    for standing in (FINE, WORSE):
        promoted(version, Guesser(0), standing)
        found = connect().get_model_version("made", version.version)
        assert found.description == standing.sentence
        assert found.tags["worse_than_baseline"] == str(standing.worse).lower()


@pytest.mark.parametrize(
    ("seen", "alias", "said"),
    [
        (50, "champion", "on 10 texts that neither was trained on"),
        (60, "challenger", "nothing to compare on"),
    ],
)
def test_the_training_texts_of_the_champion_are_left_out_of_the_comparison(
    run: EndedRun, files: Path, package: Path, tmp_path: Path, seen: int, alias: str, said: str
) -> None:
    """The champion has seen their labels; the newcomer has not."""
    rows = ROWS.assign(split=np.where(ROWS.index < seen, "train", "validation"))
    add_first(run, with_keys(files, training_keys(rows, "grouped"), tmp_path))
    made = promoted(add_version(run, package, "made", {}), Guesser(1))
    assert said in made["reason"]
    assert made["alias"] == alias


def test_the_reason_says_that_the_comparison_does_not_measure_the_threshold(
    run: EndedRun, package: Path, keyed: Path
) -> None:
    add_first(run, keyed)
    newcomer = Guesser(0)
    newcomer.threshold = 0.2
    made = promoted(add_version(run, package, "made", {}), newcomer)
    assert not made["promoted"]
    assert "; their thresholds differ, which the log loss does not measure: " in made["reason"]
    same = promoted(add_version(run, package, "made", {}), Guesser(0))
    assert "threshold" not in same["reason"]


def test_a_champion_that_cannot_be_loaded_is_replaced(
    run: EndedRun, package: Path, keyed: Path
) -> None:
    lost = add_first(run, keyed)
    for name in ("weights.safetensors", "MLmodel"):
        for path in Path(connect().get_model_version_download_uri("made", 1)).rglob(name):
            path.unlink()
    assert find_whole("made", lost.tags.get(MODEL_TAG, "")) is None
    made = promoted(add_version(run, package, "made", {}), Guesser(0))
    assert made["promoted"]
    assert made["reason"] == "version 1, the previous champion, cannot be loaded"


def test_a_champion_without_keys_is_compared_only_on_the_same_split(
    run: EndedRun, package: Path
) -> None:
    old = add_first(run, package, {"split_sha256": "a"})  # has no keys
    same = add_version(run, package, "made", {"split_sha256": "a"})
    assert promoted(same, Guesser(1))["promoted"]
    connect().set_registered_model_alias("made", "champion", old.version)
    other = add_version(run, package, "made", {"split_sha256": "b"})
    made = promoted(other, Guesser(1))
    assert not made["promoted"]
    assert "has no list of its training texts" in made["reason"]


def test_no_version_is_promoted_while_mlflow_does_not_answer(
    run: EndedRun, package: Path, keyed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_first(run, keyed)
    version = add_version(run, package, "made", {})

    def fails(**arguments: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mlflow.artifacts.download_artifacts", fails)
    with pytest.raises(RegistryError, match="No space left"):
        promoted(version, Guesser(1))
    assert alias_of("champion") == 1


def test_a_model_of_another_table_with_the_same_name_is_not_promoted(
    run: EndedRun, package: Path
) -> None:
    add_first(run, package, {"table": "restaurants/train.csv"})
    other = add_version(run, package, "made", {"table": "finance/train.csv"})
    made = promoted(other, Guesser(1))
    assert not made["promoted"]
    assert (
        "version 1 was trained on another table, restaurants/train.csv: give this table a name"
        in (made["reason"])
    )


def test_the_same_model_with_new_code_takes_over_the_alias(run: EndedRun, package: Path) -> None:
    tags = {"weights_sha256": "x", "files_sha256": "y"}
    add_first(run, package, tags)
    made = promoted(add_version(run, package, "made", tags), Guesser(0))
    assert made["promoted"]
    assert "the same model as version 1" in made["reason"]


def test_the_same_weights_with_another_fusion_are_compared(run: EndedRun, package: Path) -> None:
    add_first(run, package, {"weights_sha256": "x", "files_sha256": "y"})
    new = add_version(run, package, "made", {"weights_sha256": "x", "files_sha256": "z"})
    made = promoted(new, Guesser(0))
    assert not made["promoted"]
    assert "log loss" in made["reason"]
