"""The entries with more than two classes: the real shares of the classes pass the gates."""

from pathlib import Path

import numpy as np
import pytest
from support.mirror import mirror_file
from support.project import ROOT

from sentigate.data.filtering import class_checks, label_and_clean, text_checks
from sentigate.data.splitting import split_checks, split_rows, split_summary
from sentigate.settings.params import load_params
from sentigate.sources import read_source

PARAMS = load_params(ROOT / "params.yaml")
SHARES = {
    "twitter_3": {"negative": 0.370, "neutral": 0.297, "positive": 0.333},
    "twitter_4": {"negative": 0.305, "neutral": 0.245, "positive": 0.275, "irrelevant": 0.176},
    "imdb_8": dict(
        zip(
            (
                "1 star",
                "2 stars",
                "3 stars",
                "4 stars",
                "7 stars",
                "8 stars",
                "9 stars",
                "10 stars",
            ),
            (0.201, 0.092, 0.099, 0.107, 0.097, 0.118, 0.093, 0.195),
            strict=True,
        )
    ),
}
FILES = {"twitter": "twitter-entity-sentiment-analysis.zip", "imdb": "aclImdb_v1.tar.gz"}


@pytest.mark.parametrize("name", SHARES)
def test_classes_of_real_data(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, gates = PARAMS.datasets[name], PARAMS.gates
    archive = mirror_file(FILES[dataset.source.kind])
    monkeypatch.setenv("SENTIGATE_MIRROR", str(archive.parent))
    classes = dataset.classes.names
    raw = read_source(dataset.source, dataset.labels, gates.max_text_characters, tmp_path)
    assert len(raw) >= dataset.gates.min_rows
    texts, *_ = label_and_clean(raw, dataset.labels, classes, dataset.clean)
    counts = np.bincount(texts["label"], minlength=len(classes))
    shares = dict(zip(classes, (counts / counts.sum()).tolist(), strict=True))
    assert shares == pytest.approx(SHARES[name], abs=0.0006)
    assert class_checks(texts, classes)["class_share"].min() == min(shares.values())
    assert min(shares.values()) > gates.min_class_share
    assert text_checks(texts)["labels_of_text"].max() == 1

    splits = split_rows(texts, classes, dataset.split, PARAMS.seed)
    checks = split_checks(splits, dataset.split)
    assert checks["missing_classes"].max() == 0
    assert checks["balance_difference"].max() < gates.max_balance_difference
    majority = max(split_summary(splits, classes)["test"]["classes"].values())
    assert majority < dataset.gates.min_test_accuracy < majority + 0.07
