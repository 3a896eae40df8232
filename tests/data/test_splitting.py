"""Splitting: groups and texts stay on one side; sizes, balance, seeds and leakage."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sentigate.data.near_copies import near_copies, near_copy_clusters
from sentigate.data.splitting import (
    SPLITS,
    _split_clusters,
    leakage,
    split_checks,
    split_rows,
    split_summary,
)
from sentigate.errors import DataError
from sentigate.settings.dataset import SplitParams


def frame(
    labels: list[int],
    groups: list[str] | None = None,
    texts: list[str] | None = None,
    folds: list[str] | None = None,
    dates: list[str] | None = None,
) -> pd.DataFrame:
    numbers = range(len(labels))
    return pd.DataFrame(
        {
            "id": pd.Series([f"r{n}" for n in numbers], dtype="str"),
            "group": pd.Series(groups or [f"g{n}" for n in numbers], dtype="str"),
            "slice": pd.Series("s", index=numbers, dtype="str"),
            "fold": pd.Series(folds or [""] * len(labels), dtype="str"),
            "date": pd.Series(dates or [""] * len(labels), dtype="str"),
            "label": pd.Series(labels, dtype="int8"),
            "text": pd.Series(texts or [f"text {n}" for n in numbers], dtype="str"),
        }
    )


def corpus(rows: int, seed: int = 0) -> pd.DataFrame:
    """Groups of 1 to 10 rows, most of one label; one text in twenty is a copy of another."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(rows), rng.integers(1, 11, rows))[:rows]
    leaning = rng.choice([0.1, 0.4, 0.9], rows)
    labels = (rng.random(rows) < leaning[groups]).astype(int)
    texts = np.where(rng.random(rows) < 0.05, rng.integers(0, rows, rows), np.arange(rows))
    return frame(labels.tolist(), [f"g{g}" for g in groups], [f"text {t}" for t in texts])


def split(
    texts: pd.DataFrame,
    rule: str = "grouped",
    seed: int = 42,
    near_copies: Any = None,
    cleaned: Any = None,
    **choices: Any,
) -> pd.DataFrame:
    sizes = {"test_size": None if rule == "published" else 0.2, "validation_size": 0.1}
    params = SplitParams(**{"rule": rule, "stratify": True, **sizes, **choices})
    names = [f"class {label}" for label in range(max([1, *texts["label"]]) + 1)]
    return split_rows(texts, names, params, seed, near_copies=near_copies, cleaned=cleaned)


def sides(splits: pd.DataFrame, key: str) -> int:
    """Return the largest number of splits that one value of ``key`` is in."""
    return int(splits.groupby(key)["split"].nunique().max())


SMALL = st.integers(2, 40).flatmap(
    lambda rows: st.builds(
        frame,
        st.lists(st.integers(0, 1), min_size=rows, max_size=rows),
        st.lists(st.sampled_from("abcdefghijkl"), min_size=rows, max_size=rows),
        st.lists(st.sampled_from("ABCDEFGHIJKLMNOPQ"), min_size=rows, max_size=rows),
    )
)


@settings(deadline=None)
@given(SMALL, st.booleans(), st.sampled_from([0.1, 0.2, 0.5]), st.sampled_from([0.0, 0.1, 0.3]))
def test_grouped_keeps_groups_and_texts_on_one_side(
    texts: pd.DataFrame, stratify: bool, test_size: float, validation_size: float
) -> None:
    try:
        splits = split(
            texts, stratify=stratify, test_size=test_size, validation_size=validation_size
        )
    except DataError:  # too few clusters: refused, not split wrongly
        assume(False)
    assert sides(splits, "group") == 1
    assert sides(splits, "text") == 1
    assert set(splits["split"]) == {"train", "test"} | (
        {"validation"} if validation_size else set()
    )
    pd.testing.assert_frame_equal(splits.drop(columns="split"), texts)
    assert leakage(splits) == {"group": 0.0, "text": 0.0}


@pytest.mark.parametrize("stratify", [True, False])
def test_chains_stay_on_one_side(stratify: bool) -> None:
    """In a chain of 8, a row shares its group with one neighbour, its text with the other."""
    chain = 8
    rows = 40 * chain
    chains = [n // chain for n in range(rows)]
    groups = [f"{c}-{(n % chain) // 2}" for n, c in enumerate(chains)]
    strings = [f"{c}-{(n % chain + 1) // 2}" for n, c in enumerate(chains)]
    texts = frame([n % 2 for n in range(rows)], groups, strings)
    splits = split(texts, stratify=stratify).assign(chain=chains)
    assert sides(splits, "chain") == 1
    assert set(splits["split"]) == set(SPLITS)


def test_a_group_and_a_text_of_the_same_name_are_not_joined() -> None:
    names = [str(n) for n in range(200)]
    texts = frame([0, 1] * 100, names, [str(n + 1) for n in range(200)])
    assert set(split(texts)["split"]) == set(SPLITS)  # joined, they would be one chain of 200


def reworded(rows: int) -> pd.DataFrame:
    """Every fourth text is the text before it plus one word, in another group."""
    rng = np.random.default_rng(5)
    texts = [" ".join(f"w{word}" for word in rng.integers(0, 9999, 12)) for _ in range(rows)]
    texts[3::4] = [f"{text} more" for text in texts[2::4]]
    return frame(rng.integers(0, 2, rows).tolist(), None, texts)


@pytest.mark.parametrize("stratify", [True, False])
def test_near_copies_are_kept_together(stratify: bool) -> None:
    texts = reworded(800)
    alike = near_copy_clusters(texts["text"])
    assert near_copies(split(texts, stratify=stratify)).sum() > 40
    splits = split(texts, stratify=stratify, near_copies=alike)
    assert near_copies(splits).sum() == 0
    assert sides(splits.assign(alike=alike), "alike") == 1
    shares = splits["split"].value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.2, abs=0.03)
    assert shares["validation"] == pytest.approx(0.08, abs=0.02)


def test_clusters_of_one_row_change_nothing() -> None:
    texts = corpus(400)
    one_each = np.arange(len(texts))
    pd.testing.assert_frame_equal(split(texts), split(texts, near_copies=one_each))


def test_near_copies_that_join_too_many_rows_are_refused() -> None:
    texts = reworded(100)
    with pytest.raises(DataError, match="near-copies join 21 of them") as error:
        split(texts, near_copies=np.maximum(np.arange(100) - 20, 0))
    assert str(error.value).startswith("cannot split 100 rows: ")
    assert "the test split may have (20%); allowed: near_duplicates allow" in str(error.value)
    split(texts, near_copies=np.maximum(np.arange(100) - 19, 0))
    # A group of that size existed without the near-copies, and is still allowed.
    groups = ["g"] * 30 + [f"g{n}" for n in range(70)]
    split(texts.assign(group=pd.Series(groups, dtype="str")), near_copies=np.arange(100))


@pytest.mark.parametrize("rule", ["grouped", "random"])
@pytest.mark.parametrize("stratify", [True, False])
@pytest.mark.parametrize(("test_size", "validation_size"), [(0.2, 0.1), (0.5, 0.25), (0.05, 0.0)])
def test_sizes_and_balance_are_near_the_requested_ones(
    rule: str, stratify: bool, test_size: float, validation_size: float
) -> None:
    texts = corpus(3000)
    splits = split(
        texts, rule, stratify=stratify, test_size=test_size, validation_size=validation_size
    )
    shares = splits["split"].value_counts(normalize=True)
    wanted = {"test": test_size, "validation": (1 - test_size) * validation_size}
    for name, share in wanted.items():
        # Without stratifying, the share counts groups, which differ in size.
        tolerance = 0.05 if rule == "grouped" and not stratify else 0.004
        assert shares.get(name, 0.0) == pytest.approx(share, abs=tolerance)
    balance = splits.groupby("split")["label"].mean() - splits["label"].mean()
    assert balance.abs().max() < (0.01 if stratify else 0.2)


@settings(deadline=None)
@given(
    st.integers(40, 120), st.integers(20, 80), st.sampled_from([0.1, 0.25, 0.5]), st.integers(0, 99)
)
def test_stratified_splits_keep_the_balance_within_two_rows(
    negatives: int, positives: int, size: float, seed: int
) -> None:
    texts = frame([0] * negatives + [1] * positives)
    # scikit-learn rounds the number of rows up first.
    for rule, tolerance in (("random", 2), ("grouped", 1)):
        splits = split(texts, rule, test_size=size, seed=seed)
        in_test = splits.loc[splits["split"] == "test", "label"]
        assert (in_test == 1).sum() == pytest.approx(positives * size, abs=tolerance)
        assert (in_test == 0).sum() == pytest.approx(negatives * size, abs=tolerance)


@pytest.mark.parametrize("rule", ["grouped", "random"])
@pytest.mark.parametrize("stratify", [True, False])
def test_the_seed_determines_the_split(rule: str, stratify: bool) -> None:
    texts = corpus(400)
    first, again = (split(texts, rule, stratify=stratify, seed=7) for _ in range(2))
    other = split(texts, rule, stratify=stratify, seed=8)
    pd.testing.assert_frame_equal(first, again)
    assert (first["split"] != other["split"]).mean() > 0.1


def test_random_is_scikit_learns_own_split() -> None:
    from sklearn.model_selection import train_test_split

    texts = corpus(500)
    expected = train_test_split(texts["id"], test_size=0.2, random_state=42)[1]
    splits = split(texts, "random", stratify=False, validation_size=0.0)
    assert set(splits.loc[splits["split"] == "test", "id"]) == set(expected)


@pytest.mark.parametrize("other", ["test", "validation"])
def test_published_keeps_the_published_sides(other: str) -> None:
    folds = ["train"] * 100 + [other] * 60
    splits = split(frame([0, 1] * 80, folds=folds), "published")
    assert (splits["split"] == "test").tolist() == [fold != "train" for fold in folds]
    assert (splits["split"] == "validation").sum() == 10
    assert not splits.loc[splits["fold"] != "train", "split"].eq("train").any()
    carved = splits.loc[splits["split"] == "validation", "label"]
    assert carved.mean() == 0.5


@pytest.mark.parametrize(
    "folds", [["train"] * 4, ["test"] * 4, ["train", "test", "", "train"], [""] * 4]
)
def test_published_needs_both_sides_and_no_other(folds: list[str]) -> None:
    with pytest.raises(DataError, match="published") as error:
        split(frame([0, 1, 0, 1], folds=folds), "published")
    assert repr(folds[-1]) in str(error.value)
    assert "random or grouped" in str(error.value)


@pytest.mark.parametrize("stratify", [True, False])
def test_a_published_validation_fold_is_the_validation_split(stratify: bool) -> None:
    folds = ["train"] * 60 + ["validation"] * 20 + ["test"] * 40
    splits = split(
        frame([0, 1] * 60, folds=folds), "published", stratify=stratify, validation_size=None
    )
    assert splits["split"].tolist() == folds
    checks = split_checks(splits, SplitParams(rule="published"))
    assert checks["size_difference"].abs().max() < 1e-12


@pytest.mark.parametrize(
    ("folds", "size", "says"),
    [
        (
            ["train", "train", "validation", "test"],
            0.1,
            "validation_size is 0.1, and the data has a published validation fold of 1 row. To use "
            "the fold, remove validation_size; to leave its rows out, write this in the data set's "
            "file under clean:\n"
            "  folds: [train, test]",
        ),
        (
            ["train", "train", "test", "test"],
            None,
            "no published validation fold beside test. Write this in the data set's file under "
            "split, for a part of the training fold, chosen at random:\n  validation_size: 0.1",
        ),
        (["train", "train", "validation", "validation"], None, "no published validation fold"),
    ],
)
def test_validation_is_a_published_fold_or_a_share_and_not_both(
    folds: list[str], size: float | None, says: str
) -> None:
    with pytest.raises(DataError) as error:
        split(frame([0, 1, 0, 1], folds=folds), "published", validation_size=size)
    assert says in str(error.value)


def dated(rows: int, seed: int = 0) -> pd.DataFrame:
    """The rows of ``corpus``, each of one of 40 days; the file is sorted by class."""
    days = np.random.default_rng(seed).integers(1, 41, rows)
    dates = [f"2026-{1 + day // 28:02}-{1 + day % 28:02}" for day in days]
    return corpus(rows, seed).assign(date=pd.Series(dates, dtype="str")).sort_values("label")


def by_time(texts: pd.DataFrame, **choices: Any) -> pd.DataFrame:
    return split(texts, "by_time", stratify=False, **choices)


@pytest.mark.parametrize("alone", [True, False])
def test_by_time_puts_the_newest_rows_last(alone: bool) -> None:
    texts = dated(800)
    if alone:
        own = pd.Series(range(800), dtype="str", index=texts.index)
        texts = texts.assign(group=own, text=own)
    splits = by_time(texts)
    pd.testing.assert_frame_equal(splits.drop(columns="split"), texts)
    shares = splits["split"].value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.2, abs=0.02)
    assert shares["validation"] == pytest.approx(0.08, abs=0.02)
    assert sides(splits, "group") == sides(splits, "text") == 1
    checks = split_checks(splits, SplitParams(rule="by_time", test_size=0.2, validation_size=0.1))
    assert checks["newer_than_later_split"].sum() == 0
    newest = {name: row["newest"] for name, row in split_summary(splits, ["a", "b"]).items()}
    assert newest["train"] <= newest["validation"] <= newest["test"]
    if alone:  # no unit has an older row, so that the splits do not overlap
        oldest = {name: row["oldest"] for name, row in split_summary(splits, ["a", "b"]).items()}
        assert newest["train"] <= oldest["validation"] <= newest["validation"] <= oldest["test"]


def test_by_time_a_unit_is_as_new_as_its_newest_row() -> None:
    """Rows 0 and 9 are one group, rows 1 and 9 one text: all three are as new as row 9."""
    groups = ["a", *"bcdefghi", "a"]
    texts = ["t0", "same", *(f"t{n}" for n in range(2, 9)), "same"]
    dates = [f"2026-01-{day:02}" for day in range(1, 11)]
    splits = by_time(
        frame([0, 1] * 5, groups, texts, dates=dates), test_size=0.3, validation_size=0.3
    )
    assert splits["split"].tolist() == [
        *("test", "test"), *["train"] * 5, *["validation"] * 2, "test",
    ]  # fmt: skip


def test_by_time_keeps_near_copies_together() -> None:
    dates = [f"2026-01-{1 + row // 40:02}" for row in range(800)]
    texts = reworded(800).assign(date=pd.Series(dates[::-1], dtype="str"))
    texts = texts.sample(frac=1, random_state=0, ignore_index=True)
    texts["date"] = pd.Series(dates, dtype="str")
    alike = near_copy_clusters(texts["text"])
    assert near_copies(by_time(texts)).sum() > 20
    splits = by_time(texts, near_copies=alike)
    assert near_copies(splits).sum() == 0
    params = SplitParams(rule="by_time", test_size=0.2, validation_size=0.1)
    assert split_checks(splits, params, alike)["newer_than_later_split"].sum() == 0


def test_by_time_the_seed_chooses_among_units_of_one_time() -> None:
    """Otherwise a file sorted by class would have a test split of one class."""
    texts = frame([0] * 100 + [1] * 100, dates=["2026"] * 200)
    first, again, other = (by_time(texts, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert (first["split"] != other["split"]).any()
    in_test = first.loc[first["split"] == "test", "label"]
    assert len(in_test) == 40
    assert 0.3 < in_test.mean() < 0.7


def test_by_time_refuses_rows_without_a_date() -> None:
    with pytest.raises(DataError) as error:
        by_time(frame([0, 1, 0], dates=["2026-01-01", "", ""]))
    assert str(error.value).startswith(
        "rule by_time needs a date in every row; 2 rows of 3 have none, the first has id 'r1'; "
    )
    with pytest.raises(DataError, match="all rows are in one cluster; the group 'g' holds 4"):
        by_time(frame([0, 1] * 2, ["g"] * 4, dates=["2026"] * 4))


@pytest.mark.parametrize(
    ("row", "side", "newer"),
    [
        # Units are 0 to 7, from old to new; train is 0 to 3, validation 4 and 5, test 6 and 7.
        (0, "train", []),
        (7, "train", [7]),
        (7, "validation", [7]),
        (0, "test", [1, 2, 3, 4, 5]),
        (0, "validation", [1, 2, 3]),
    ],
)
def test_the_check_of_by_time_by_hand(row: int, side: str, newer: list[int]) -> None:
    """One row is moved to another split: newer rows of earlier splits are found."""
    found = ["train"] * 4 + ["validation"] * 2 + ["test"] * 2
    found[row] = side
    dates = [f"2026-01-0{day}" for day in range(1, 9)]
    splits = frame([0, 1] * 4, dates=dates).assign(split=pd.Series(found, dtype="str"))
    params = SplitParams(rule="by_time", test_size=0.2, validation_size=0.1)
    checks = split_checks(splits, params)["newer_than_later_split"]
    assert np.flatnonzero(checks).tolist() == newer
    grouped = params.model_copy(update={"rule": "grouped"})
    assert split_checks(splits, grouped)["newer_than_later_split"].sum() == 0


def test_published_names_the_rule_that_dropped_the_test_rows() -> None:
    taken = {
        "train": {"duplicate": 3, "kept": 4},
        "test": {"empty": 1, "several_labels": 2, "duplicate": 1_200},
    }
    with pytest.raises(DataError) as error:
        split(frame([0, 1, 0, 1], folds=["train"] * 4), "published", cleaned=taken)
    message = str(error.value)
    assert "the data has 'train'. Cleaning dropped all 1,203 rows of fold 'test': " in message
    assert "1 with an empty text, 2 with a text that has several labels (clean.dr" in message
    assert "1,200 that repeat an earlier row (clean.drop_duplicates). " in message
    assert "'train': 3" not in message
    assert "\n" not in message


def test_validation_is_split_off_by_the_same_rule() -> None:
    texts = frame([0, 0, 1, 1] * 100, [f"g{n // 8}" for n in range(400)])
    assert sides(split(texts, "grouped"), "group") == 1
    assert sides(split(texts, "random"), "group") == 3


def test_validation_size_0_gives_no_validation_rows() -> None:
    for rule in ("grouped", "random"):
        splits = split(corpus(200), rule, validation_size=0.0)
        assert set(splits["split"]) == {"train", "test"}


def test_the_index_of_the_frame_does_not_matter() -> None:
    texts = corpus(300)
    shifted = texts.set_index(pd.Index(range(1000, 1300)))
    for rule in ("grouped", "random"):
        assert split(shifted, rule)["split"].tolist() == split(texts, rule)["split"].tolist()


@pytest.mark.parametrize(
    ("texts", "rule", "choices", "says"),
    [
        (frame([0, 1] * 20, ["g"] * 40), "grouped", {}, "all rows are in one cluster"),
        (frame([0, 1] * 20, texts=["same"] * 40), "grouped", {}, "all rows are in one cluster"),
        (frame([0, 1] * 20, ["g"] * 40), "grouped", {"stratify": False}, "train set will be empty"),
        (frame([0, 1] * 20, ["a"] * 20 + ["b"] * 20), "grouped", {}, "small enough"),
        (frame([0, 1]), "random", {"stratify": False}, "validation|train"),
        (frame([0]), "random", {"stratify": False}, "1 row"),
        (frame([0]), "grouped", {}, "1 row"),
        (frame([0] * 40 + [1]), "random", {}, r"class 'class 1' has too few .*\(1 of 41\)"),
        (frame([0] * 96 + [1] * 2), "random", {"test_size": 0.1}, "class 'class 1' has too few"),
        (
            frame([0] * 40 + [1]),
            "grouped",
            {},
            "class 'class 1' has too few rows to be on both sides",
        ),
        (frame([0, 1, 0, 1]), "grouped", {"test_size": 0.9}, "class 'class 0' has too few"),
    ],
)
def test_rows_that_cannot_be_split_are_refused(
    texts: pd.DataFrame, rule: str, choices: dict[str, Any], says: str
) -> None:
    with pytest.raises(DataError, match=says) as error:
        split(texts, rule, **choices)
    assert str(error.value).startswith("cannot split ")


def test_the_refusal_names_the_part_and_the_largest_group() -> None:
    """The test split is possible: 40 rows are groups of their own. The other 160 are one group."""
    texts = frame([0, 1] * 100, ["acme"] * 160 + [f"g{n}" for n in range(40)])
    with pytest.raises(DataError) as error:
        split(texts)
    message = str(error.value)
    assert message.startswith("cannot split 160 rows into training and validation: "), message
    assert "the group 'acme' holds 160 of them" in message
    assert "allowed: smaller groups, or rule random" in message


def test_the_refusal_names_no_group_if_a_random_split_is_impossible_too() -> None:
    texts = frame([0] * 40 + [1], ["acme"] * 5 + [f"g{n}" for n in range(36)])
    with pytest.raises(DataError) as error:
        split(texts)
    assert "'class 1' has too few" in str(error.value)
    assert "acme" not in str(error.value)


def test_the_refusal_of_a_tiny_side_names_its_size() -> None:
    with pytest.raises(DataError, match=r"a side of 0\.1%"):
        split(frame([0, 1] * 20), validation_size=0.001)


def test_the_refusal_names_the_text_that_joins_the_rows() -> None:
    with pytest.raises(DataError) as error:
        split(frame([0, 1] * 20, texts=["the same"] * 40))
    message = str(error.value)
    assert message.startswith("cannot split 40 rows into training and test: "), message
    assert "the text 'the same' is in 40 of them" in message
    assert "group" not in message.split("allowed")[0]


def test_a_table_without_rows_is_refused() -> None:
    for rule in ("random", "grouped"):
        with pytest.raises(
            DataError, match=r"cannot split 0 rows into training and test: .*(no rows|n_samples=0)"
        ):
            split(frame([]), rule)


HAND_MADE = frame(
    [1, 0, 1, 0, 1, 0, 1, 0],
    ["a", "a", "b", "c", "a", "d", "c", "e"],
    ["T1", "T2", "T3", "T4", "T1", "T5", "T6", "T7"],
).assign(
    split=pd.Series(
        ["train", "train", "train", "validation", "test", "test", "test", "test"], dtype="str"
    )
)


def test_leakage_by_hand() -> None:
    """Two of four test rows have their group outside test; one of these has its text there too."""
    assert leakage(HAND_MADE) == {"group": 0.5, "text": 0.25}


def test_summary_by_hand() -> None:
    assert split_summary(HAND_MADE, ["bad", "good", "superb"]) == {
        "train": {"rows": 3, "classes": {"bad": 0.333333, "good": 0.666667, "superb": 0.0}},
        "validation": {"rows": 1, "classes": {"bad": 1.0, "good": 0.0, "superb": 0.0}},
        "test": {"rows": 4, "classes": {"bad": 0.5, "good": 0.5, "superb": 0.0}},
    }
    assert list(split_summary(HAND_MADE.iloc[:3], ["bad", "good"])) == ["train"]


def test_checks_by_hand() -> None:
    checks = split_checks(
        HAND_MADE, SplitParams(rule="grouped", test_size=0.25, validation_size=0.5)
    )
    assert checks["splits_of_group"].tolist() == [2, 2, 1, 2, 2, 1, 2, 1]
    assert checks["splits_of_text"].tolist() == [2, 1, 1, 1, 2, 1, 1, 1]
    # requested: test 2/8, validation 3/8, train 3/8
    assert checks["size_difference"].tolist() == [0.0] * 3 + [-0.25] + [0.25] * 4
    assert checks["balance_difference"].round(6).tolist() == [0.166667] * 3 + [0.5] + [0.0] * 4
    assert checks["missing_classes"].tolist() == [0] * 3 + [1] + [0] * 4


def test_checks_of_three_classes_by_hand() -> None:
    labels = pd.Series([0, 1, 2, 2, 2, 0, 2, 2], dtype="int8")
    checks = split_checks(
        HAND_MADE.assign(label=labels),
        SplitParams(rule="grouped", test_size=0.5, validation_size=0.25),
    )
    # all rows: 2, 1, 5 of 8; train: 1, 1, 1 of 3; validation: 0, 0, 1 of 1; test: 1, 0, 3 of 4
    differences = [5 / 8 - 1 / 3] * 3 + [3 / 8] + [1 / 8] * 4
    assert checks["balance_difference"].tolist() == pytest.approx(differences)
    assert checks["missing_classes"].tolist() == [0] * 3 + [2] + [1] * 4


def two_class_clusters(
    clusters: Any, labels: Any, size: float, seed: int
) -> tuple[list[int], list[int]]:
    """The loop of the versions that had only two classes."""
    count = int(clusters.max()) + 1
    positives = np.bincount(clusters, weights=labels, minlength=count)
    negatives = np.bincount(clusters, minlength=count) - positives
    most_negatives, most_positives = negatives.sum() * size + 0.5, positives.sum() * size + 0.5
    order = np.random.default_rng(seed).permutation(count)
    chosen = np.zeros(count, dtype=bool)
    taken_negatives = taken_positives = 0.0
    for cluster in order:
        negative, positive = negatives[cluster], positives[cluster]
        if (
            taken_negatives + negative <= most_negatives
            and taken_positives + positive <= most_positives
        ):
            taken_negatives += negative
            taken_positives += positive
            chosen[cluster] = True
    small = chosen[clusters]
    return np.flatnonzero(~small).tolist(), np.flatnonzero(small).tolist()


@settings(deadline=None)
@given(
    st.integers(0, 2**32), st.integers(2, 300), st.floats(0.02, 0.98), st.integers(0, 99),
    st.floats(0.05, 0.95),
)  # fmt: skip
def test_two_classes_are_split_as_in_older_versions(
    data: int, rows: int, size: float, seed: int, balance: float
) -> None:
    rng = np.random.default_rng(data)
    clusters = np.unique(rng.integers(0, rows, rows) // rng.integers(1, 5), return_inverse=True)[1]
    labels = (rng.random(rows) < balance).astype(np.int8)
    expected = two_class_clusters(clusters, labels, size, seed)
    assume(clusters.max() > 0 and expected[1])
    large, small = _split_clusters(clusters, labels, size, seed)
    assert (large.tolist(), small.tolist()) == expected


@pytest.mark.parametrize("count", [3, 4, 8, 64])
@pytest.mark.parametrize("rule", ["grouped", "random"])
def test_each_class_has_its_share_of_each_split(rule: str, count: int) -> None:
    rng = np.random.default_rng(1)
    rows = 150 * count
    groups = np.repeat(np.arange(rows), rng.integers(1, 4, rows))[:rows]
    weights = np.arange(count) + 0.3 * count  # the last class has about four times the first's rows
    labels = rng.choice(count, rows, p=weights / weights.sum())
    splits = split(frame(labels.tolist(), [f"g{group}" for group in groups]), rule)
    for label in range(count):
        mine = splits.loc[splits["label"] == label, "split"]
        # scikit-learn rounds to whole rows twice.
        assert (mine == "test").sum() == pytest.approx(0.2 * len(mine), abs=3)
        assert (mine == "validation").sum() == pytest.approx(0.08 * len(mine), abs=3)
    checks = split_checks(splits, SplitParams(rule="grouped", test_size=0.2, validation_size=0.1))
    assert checks["balance_difference"].max() < 0.02
    if rule == "grouped":
        assert sides(splits, "group") == 1


@pytest.mark.parametrize("rule", ["grouped", "random"])
def test_a_class_of_one_row_among_many_is_named(rule: str) -> None:
    texts = frame([0, 1, 2] * 20 + [3])
    with pytest.raises(DataError, match=r"class 'class 3' has too few .* \(1 of 61\)"):
        split(texts, rule)


def test_a_published_test_split_has_the_requested_size() -> None:
    folds = ["train"] * 100 + ["test"] * 100
    splits = split(frame([0, 1] * 100, folds=folds), "published")
    checks = split_checks(splits, SplitParams(rule="published", validation_size=0.1))
    assert checks["size_difference"].abs().max() < 1e-12
