"""Known facts about the real tweets, measured without this code, with scikit-learn and pandas."""

from pathlib import Path

import pandas as pd
import pytest
from support.mirror import MIRROR, mirror_file
from support.models import vocab_params
from support.project import ROOT

from sentigate.data.filtering import label_and_clean
from sentigate.data.splitting import leakage, split_checks, split_rows
from sentigate.data.vocabulary import build_tokenizer
from sentigate.gates.validate import GateResult, validate
from sentigate.settings.dataset import Dataset, SplitParams
from sentigate.settings.params import load_params
from sentigate.sources import read_source

PARAMS = load_params(ROOT / "params.yaml")
GROUPED, RANDOM = PARAMS.datasets["twitter"], PARAMS.datasets["twitter_random"]
WITHOUT_VALIDATION = RANDOM.split.model_copy(update={"validation_size": 0.0})
SEED = 42  # the facts hold for this seed, whatever params.yaml says


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    archive = mirror_file("twitter-entity-sentiment-analysis.zip")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SENTIGATE_MIRROR", str(archive.parent))
        cache = tmp_path_factory.mktemp("cache")
        return read_source(RANDOM.source, RANDOM.labels, 100_000, cache)  # without a context


def cleaned(raw: pd.DataFrame, dataset: Dataset) -> tuple[pd.DataFrame, dict[str, int]]:
    texts, taken, *_ = label_and_clean(raw, dataset.labels, dataset.classes.names, dataset.clean)
    return texts, taken


@pytest.fixture(scope="module")
def random_split(raw: pd.DataFrame) -> pd.DataFrame:
    """The split of the tutorials: 80/20 at random, without cleaning."""
    return split_rows(cleaned(raw, RANDOM)[0], RANDOM.classes.names, WITHOUT_VALIDATION, SEED)


@pytest.fixture(scope="module")
def grouped_split(raw: pd.DataFrame) -> pd.DataFrame:
    return split_rows(cleaned(raw, GROUPED)[0], GROUPED.classes.names, GROUPED.split, SEED)


def test_texts_begin_with_their_entity(
    raw: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTIGATE_MIRROR", str(MIRROR))
    texts = read_source(GROUPED.source, GROUPED.labels, 100_000, tmp_path)
    blank = raw["text"].str.strip() == ""
    entities = raw["slice"].str.lower().str.replace(r"[^a-z0-9]+", "_", regex=True)
    marked = "__context_" + entities.str.strip("_") + " " + raw["text"]
    assert texts["text"].equals(raw["text"].where(blank, marked))
    assert 0 < blank.sum() < 2_000


def test_dropped_rows(raw: pd.DataFrame) -> None:
    texts, taken = cleaned(raw, RANDOM)
    assert taken == {
        "fold_left_out": 1_000,
        "sentiment_left_out": 18_318 + 12_990,
        "empty": 22_542 + 20_832 - 43_013,
        "kept": 43_013,
    }
    assert (texts["text"] != "").all()


def test_sizes_of_the_random_split(random_split: pd.DataFrame) -> None:
    assert random_split["split"].value_counts().to_dict() == {"train": 34_410, "test": 8_603}


def test_characters_and_lengths(random_split: pd.DataFrame) -> None:
    texts = random_split.loc[random_split["split"] == "train", "text"]
    tokenizer = build_tokenizer(texts.tolist(), vocab_params("character", max_size=2_000))
    assert tokenizer.get_vocab_size() - 1 == 274  # with the unknown token, without padding
    lengths = texts.str.len()
    assert lengths.mean() == pytest.approx(103.600262, abs=5e-7)
    assert lengths.std() == pytest.approx(79.972798, abs=5e-7)
    assert (lengths.min(), lengths.median(), lengths.max()) == (1, 83, 727)


def test_the_random_split_leaks(random_split: pd.DataFrame) -> None:
    assert leakage(random_split)["group"] == pytest.approx(0.9986, abs=5e-5)


def test_the_published_validation_file_leaks_too(raw: pd.DataFrame) -> None:
    published = raw.assign(split=raw["fold"].replace({"validation": "test"}))
    assert leakage(published)["group"] == 1.0


def test_the_grouped_split_does_not_leak(grouped_split: pd.DataFrame) -> None:
    assert leakage(grouped_split) == {"group": 0.0, "text": 0.0}
    for key in ("group", "text"):
        assert grouped_split.groupby(key)["split"].nunique().max() == 1
    assert set(grouped_split["split"]) == {"train", "validation", "test"}


def test_no_text_keeps_both_labels(raw: pd.DataFrame, grouped_split: pd.DataFrame) -> None:
    as_published, _ = cleaned(raw, RANDOM)
    assert (as_published.groupby("text")["label"].nunique() > 1).sum() == 88
    assert not grouped_split.duplicated("text").any()


def gate(splits: pd.DataFrame, split: SplitParams) -> GateResult:
    """Run the gate of the split stage, with the thresholds of the grouped rule."""
    size, balance = PARAMS.gates.max_size_difference, PARAMS.gates.max_balance_difference
    return validate(
        ROOT / "expectations" / "split.json",
        split_checks(splits, split).assign(near_copy=0),
        {
            "max_splits": 1,
            "min_share_without_near_copy": 0.0,
            "splits": ["train", "test"],
            "min_size_difference": -size,
            "max_size_difference": size,
            "max_balance_difference": balance,
        },
    )


def test_the_gate_accepts_the_grouped_split(grouped_split: pd.DataFrame) -> None:
    assert gate(grouped_split, GROUPED.split).success


def test_the_gate_refuses_the_random_split(random_split: pd.DataFrame) -> None:
    result = gate(random_split, WITHOUT_VALIDATION)
    failed = {e["kwargs"].get("column"): e for e in result.expectations if not e["success"]}
    assert not result.success
    assert set(failed) == {"splits_of_group", "splits_of_text"}
    parted = failed["splits_of_group"]
    assert parted["unexpected_count"] > 0.7 * 43_013  # six variants: 1 - 0.8 ** 6
    sample = parted["sample"]
    assert len(sample) == 5
    assert set(random_split["id"]) >= {row["id"] for row in sample}
    assert sample[0]["id"] in result.message()
