"""Suspect labels: which are found, and the rows that cannot be judged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sentigate.evaluation import suspects
from sentigate.evaluation.linear_fit import TrainingTexts, fit_linear
from sentigate.evaluation.suspects import find_suspects, label_issues, out_of_fold
from sentigate.model.labels import Classes
from sentigate.settings.care import CareParams

CLASSES = Classes(names=("bad", "fair", "good"))
CARE = CareParams(language_texts=10, suspect_characters=1_000_000, suspect_folds=4)
WORDS = (
    ("awful", "broken", "useless", "terrible", "refund", "never"),
    ("okay", "average", "decent", "usual", "fine", "middling"),
    ("great", "love", "perfect", "wonderful", "best", "happy"),
)
FILLING = ("the", "a", "phone", "battery", "it", "is", "was", "screen", "and", "camera")


def made_texts(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """Texts with words of their class, in groups of three rows."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, rows)
    texts = [
        " ".join(rng.permutation([*rng.choice(FILLING, 5), *rng.choice(WORDS[label], 3)]))
        for label in labels
    ]
    number = pd.Series(np.arange(rows))
    return pd.DataFrame(
        {
            "id": "row-" + number.astype("str"),
            "group": "group-" + (number // 3).astype("str"),
            "slice": "s",
            "split": np.where(number % 5 == 0, "test", "train"),
            "label": labels.astype(np.int8),
            "text": pd.array(texts, dtype="str"),
        }
    )


def flipped(texts: pd.DataFrame, share: float) -> tuple[pd.DataFrame, set[str]]:
    """Give some rows the next class; return their ids too."""
    chosen = np.random.default_rng(1).random(len(texts)) < share
    labels = texts["label"].mask(chosen, (texts["label"] + 1) % 3).astype("int8")
    return texts.assign(label=labels), set(texts.loc[chosen, "id"])


def test_flipped_labels_are_found_with_their_right_class_and_few_others() -> None:
    right = made_texts()
    texts, wrong = flipped(right, 0.05)
    found = find_suspects(texts, CLASSES, CARE, 42)
    assert found.judged == len(texts)
    assert found.notes == []
    table = found.table.set_index("id")
    hits = wrong & set(table.index)
    assert len(hits) >= 0.9 * len(wrong) > 20
    assert len(hits) >= 0.8 * len(table)
    names = right.set_index("id")["label"].map(lambda label: CLASSES.names[label])
    assert (table.loc[sorted(hits), "suggested"] == names[sorted(hits)]).mean() > 0.95
    assert (table["label"] != table["suggested"]).all()
    assert {"train", "test"} == set(table["split"])
    assert table["probability"].is_monotonic_increasing
    assert set(table.index[:10]) <= wrong
    assert table["text"].equals(texts.set_index("id").loc[table.index, "text"])


def test_right_labels_are_hardly_suspect() -> None:
    assert len(find_suspects(made_texts(), CLASSES, CARE, 42).table) <= 6


def test_the_same_seed_finds_the_same() -> None:
    texts, _ = flipped(made_texts(), 0.05)
    one, other = (find_suspects(texts, CLASSES, CARE, 42).table for _ in range(2))
    pd.testing.assert_frame_equal(one, other)


def test_a_row_is_judged_by_a_model_that_saw_neither_its_group_nor_its_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wrong label that is repeated in its group, or with the same text, supports itself."""
    texts = made_texts()
    texts.loc[1, "text"] = texts.loc[590, "text"]
    seen = []

    def judge(whole, folds, seed):
        seen.append(folds)
        return np.full((len(folds), 3), 1 / 3, dtype=np.float32)

    monkeypatch.setattr(suspects, "out_of_fold", judge)
    find_suspects(texts, CLASSES, CARE, 42)
    (folds,) = seen
    assert (pd.Series(folds).groupby(texts["group"]).nunique() == 1).all()
    assert folds[1] == folds[590]


def test_token_ids_of_an_equal_tokenizer_give_the_same_suspects() -> None:
    texts, _ = flipped(made_texts(), 0.05)
    training = TrainingTexts(texts["text"].tolist(), texts["label"].to_numpy(), CLASSES)
    given = find_suspects(texts, CLASSES, CARE, 42, (training, training.tokens))
    pd.testing.assert_frame_equal(given.table, find_suspects(texts, CLASSES, CARE, 42).table)


def test_the_models_are_fitted_on_the_other_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, parts = made_texts(120), []

    def fit(part, settings, seed):
        parts.append(part)
        return fit_linear(part, settings, seed)

    monkeypatch.setattr(suspects, "fit_linear", fit)
    labels, folds = texts["label"].to_numpy().astype(np.int64), np.arange(120) % 3
    whole = TrainingTexts(texts["text"].tolist(), labels.astype(np.int8), CLASSES)
    chances = out_of_fold(whole, folds, 1)
    assert np.isfinite(chances).all()
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
    for fold, part in enumerate(parts):
        assert part.labels.tolist() == labels[folds != fold].tolist()
    assert (chances.argmax(axis=1) == labels).mean() > 0.9


def test_a_class_in_one_group_is_not_judged_and_the_page_says_so() -> None:
    """Its probabilities would be zeros, and cleanlab would take all its rows for errors."""
    texts, wrong = flipped(made_texts(), 0.05)
    rare = texts["label"] == 2
    alone = texts.assign(group=texts["group"].mask(rare, "only one"))
    found = find_suspects(alone, CLASSES, CARE, 42)
    assert found.judged == len(texts) - int(rare.sum())
    (note,) = found.notes
    assert note.startswith(f"The class good was not judged: its {rare.sum()} rows are in one group")
    assert "good" not in {*found.table["label"], *found.table["suggested"]}
    assert wrong & set(found.table["id"])


@pytest.mark.parametrize("groups", [1, 2])
def test_fewer_groups_than_folds(groups: int) -> None:
    texts, wrong = flipped(made_texts(), 0.05)
    texts = texts.assign(group=(np.arange(len(texts)) % groups).astype(str))
    found = find_suspects(texts, CLASSES, CARE, 42)
    if groups == 1:
        assert found.judged == 0
        assert found.table.empty
        assert found.notes[-1].startswith(
            "No label was judged: this takes two classes with rows in"
        )
    else:
        assert found.judged == len(texts)
        assert len(wrong & set(found.table["id"])) > 0.8 * len(wrong)


def test_texts_without_anything_in_common_are_not_judged() -> None:
    texts = made_texts(60).assign(text=[f"word{number}" for number in range(60)])
    found = find_suspects(texts, CLASSES, CARE, 42)
    assert (found.judged, len(found.table)) == (0, 0)
    assert found.notes[-1].startswith("No label was judged: no baseline from")
    assert list(found.table.columns) == list(find_suspects(made_texts(), CLASSES, CARE, 1).table)


def test_of_a_large_table_whole_groups_are_judged() -> None:
    texts = made_texts()
    most = int(texts["text"].str.len().sum()) // 3
    some = CARE.model_copy(update={"suspect_characters": most})
    found = find_suspects(texts, CLASSES, some, 42)
    assert 0.9 * len(texts) / 3 < found.judged < 1.1 * len(texts) / 3
    assert found.judged % 3 == 0
    assert found.notes[0].startswith(f"Of 600 rows, {found.judged} were chosen to be judged")


@pytest.mark.parametrize(
    ("place", "value"),
    [((3, 1), np.nan), ((0, 0), np.inf), ((slice(None), 1), 0.0)],
    ids=["missing", "infinite", "a column of zeros"],
)
def test_what_cleanlab_takes_for_errors_or_for_none_is_refused(place, value: float) -> None:
    labels = np.arange(20) % 2
    chances = np.full((20, 2), 0.5)
    chances[place] = value
    with pytest.raises(ValueError, match="probability"):
        label_issues(labels, chances)


def test_cleanlab_in_a_case_by_hand() -> None:
    """Thresholds are the mean probabilities of the classes' own rows: 0.6 and 0.65."""
    chances = np.array([0.9, 0.8, 0.1, 0.2, 0.1, 0.75])  # of the first class
    labels = np.array([0, 0, 0, 1, 1, 1])
    both = np.stack([chances, 1 - chances], axis=1)
    assert label_issues(labels, both).tolist() == [False, False, True, False, False, True]
