from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from sentigate.errors import DataError
from sentigate.evaluation.metrics import (
    calibration_table,
    classification_figures,
    confident_errors,
    expected_calibration_error,
    matthews_correlation,
    slice_figures,
    wilson_interval,
)

ANSWERS = st.lists(
    st.tuples(st.integers(0, 1), st.floats(0, 1, width=32)), min_size=1, max_size=60
).map(lambda pairs: (np.array([y for y, _ in pairs]), np.array([p for _, p in pairs])))


def answers(rows: int = 500, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.binomial(1, 0.6, rows)
    logits = (2 * labels - 1) * 0.8 + rng.normal(0, 1, rows)
    return labels, (1 / (1 + np.exp(-logits))).astype(np.float32)


def figures(labels, probabilities, samples=200, bins=15, seed=1):
    return classification_figures(labels, probabilities, samples=samples, bins=bins, seed=seed)


def frame(labels, probabilities, slices) -> pd.DataFrame:
    ids = [f"r{number:04d}" for number in range(len(labels))]
    return pd.DataFrame(
        {
            "id": ids,
            "slice": slices,
            "text": [f"text of {name}" for name in ids],
            "label": labels,
            "probability": probabilities,
        }
    )


@given(ANSWERS)
def test_figures_are_those_of_scikit_learn(pair):
    labels, probabilities = pair
    predicted = probabilities >= 0.5
    got = figures(labels, probabilities.astype(np.float32))
    if len({*labels, *predicted}) > 1:  # else scikit-learn warns
        assert got.mcc == pytest.approx(reference.matthews_corrcoef(labels, predicted), abs=1e-12)
    assert got.rows == len(labels)
    assert got.accuracy == pytest.approx(reference.accuracy_score(labels, predicted))
    assert got.precision == pytest.approx(
        reference.precision_score(labels, predicted, zero_division=0)
    )
    assert got.recall == pytest.approx(reference.recall_score(labels, predicted, zero_division=0))
    assert got.f1 == pytest.approx(reference.f1_score(labels, predicted, zero_division=0))
    assert got.log_loss == pytest.approx(
        reference.log_loss(labels, probabilities.astype(np.float32), labels=[0, 1]),
        rel=1e-5,
        abs=1e-6,
    )
    if 0 < labels.sum() < len(labels):
        assert got.auroc == pytest.approx(reference.roc_auc_score(labels, probabilities))
    else:
        assert got.auroc is None


def test_one_half_is_called_positive():
    assert figures(np.array([1]), np.array([0.5])).accuracy == 1
    assert figures(np.array([1]), np.array([np.nextafter(0.5, 0)])).accuracy == 0


def test_sure_and_wrong_costs_float32_epsilon():
    got = figures(np.array([0, 1]), np.array([1, 0], dtype=np.float32))
    assert got.log_loss == pytest.approx(23 * np.log(2))


def test_sure_and_right_costs_next_to_nothing():
    got = figures(np.array([0, 1]), np.array([0, 1], dtype=np.float32))
    assert 0 < got.log_loss < 2e-7


def test_bootstrap_is_seeded():
    labels, probabilities = answers()
    one = figures(labels, probabilities, seed=3)
    assert one == figures(labels, probabilities, seed=3)
    assert one != figures(labels, probabilities, seed=4)


def test_bootstrap_is_that_of_resampled_rows():
    labels, probabilities = answers()
    got = figures(labels, probabilities, samples=20_000)
    right = (probabilities >= 0.5) == labels
    rows = np.random.default_rng(9).integers(0, len(right), (20_000, len(right)))
    low, high = np.percentile(right[rows].mean(axis=1), [2.5, 97.5])
    assert (got.accuracy_low, got.accuracy_high) == pytest.approx((low, high), abs=0.003)
    assert got.accuracy_low < got.accuracy < got.accuracy_high


def test_bootstrap_interval_covers_the_true_accuracy_as_often_as_it_says():
    rng = np.random.default_rng(5)
    covered = 0
    for seed in range(300):
        right = rng.random(400) < 0.8
        got = figures(right.astype(int), np.ones(400), samples=400, seed=seed)
        covered += got.accuracy_low <= 0.8 <= got.accuracy_high
    assert 0.90 <= covered / 300 <= 0.99


def test_calibration_error_by_hand():
    # Confidences 0.9, 0.9 (one right), 0.6 (right), 0.7 (wrong), in bins of a tenth.
    labels = np.array([1, 0, 0, 1])
    probabilities = np.array([0.9, 0.9, 0.4, 0.3])
    expected = (2 * abs(0.5 - 0.9) + abs(1 - 0.6) + abs(0 - 0.7)) / 4
    assert expected_calibration_error(labels, probabilities, 10) == pytest.approx(expected)


def test_calibration_error_uses_confidence_not_the_probability_of_positive():
    # Both are at 0.8 confidence and one of them is right: one bin, whichever class is said.
    labels, probabilities = np.array([1, 1]), np.array([0.8, 0.2])
    assert expected_calibration_error(labels, probabilities, 10) == pytest.approx(0.3)


@pytest.mark.parametrize("bins", [1, 2, 10, 15])
def test_calibration_error_of_a_perfectly_calibrated_model_is_zero(bins):
    labels = np.repeat([1, 0, 1, 0], [3, 1, 2, 8])
    probabilities = np.repeat([0.75, 0.2], [4, 10])
    assert expected_calibration_error(labels, probabilities, bins) == pytest.approx(0, abs=1e-12)


@given(ANSWERS, st.integers(1, 20))
def test_calibration_error_is_at_least_the_overall_gap(pair, bins):
    labels, probabilities = pair
    confidence = np.maximum(probabilities, 1 - probabilities).mean()
    gap = abs(((probabilities >= 0.5) == labels).mean() - confidence)
    got = expected_calibration_error(labels, probabilities, bins)
    assert gap - 1e-9 <= got <= 1
    assert expected_calibration_error(labels, probabilities, 1) == pytest.approx(gap)


def test_calibration_table_by_hand():
    table = calibration_table(
        np.array([0, 1, 1, 0, 1]), np.array([0.0, 0.2, 0.25, 0.9, 1.0]), bins=5
    )
    assert table.columns.tolist() == ["low", "high", "mean_probability", "positives", "rows"]
    # 0.2 closes the first bin; the third and fourth are empty and left out.
    np.testing.assert_allclose(
        table.to_numpy(dtype=float),
        [[0, 0.2, 0.1, 0.5, 2], [0.2, 0.4, 0.25, 1, 1], [0.8, 1, 0.95, 0.5, 2]],
    )


def test_dictionary_is_rounded_json():
    got = figures(*answers()).as_dict()
    assert json.loads(json.dumps(got, allow_nan=False)) == got
    assert all(value == round(value, 6) for value in got.values())
    assert got["rows"] == 500
    assert isinstance(got["rows"], int)
    assert list(got) == [field.name for field in dataclasses.fields(figures(*answers()))]


def test_dictionary_of_one_class_holds_null():
    assert '"auroc": null' in json.dumps(figures(np.ones(3, int), np.full(3, 0.7)).as_dict())


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([], [], "equally long"),
        ([0, 1], [0.5], "equally long"),
        ([[0, 1]], [[0.5, 0.5]], "equally long"),
        ([0, 2], [0.5, 0.5], "labels must be 0 or 1"),
        ([0, 1], [0.5, 1.1], "between 0 and 1"),
        ([0, 1], [-0.1, 0.5], "between 0 and 1"),
        ([0, 1], [0.5, np.nan], "none may be missing"),
    ],
)
def test_wrong_answers_are_refused(labels, probabilities, message):
    with pytest.raises(DataError, match=message):
        figures(np.array(labels, dtype=int), np.array(probabilities, dtype=float))


@pytest.mark.parametrize("change", [{"samples": 0}, {"bins": 0}])
def test_wrong_settings_are_refused(change):
    with pytest.raises(ValueError, match="must be at least 1"):
        figures(*answers(), **change)


def test_slices_are_those_rows_on_their_own():
    labels, probabilities = answers()
    names = np.random.default_rng(1).choice(["a", "b", "c"], len(labels), p=[0.2, 0.5, 0.3])
    table = slice_figures(frame(labels, probabilities, names)).set_index("slice")
    assert table.index.tolist() == ["b", "c", "a"]
    for name, row in table.iterrows():
        alone = figures(labels[names == name], probabilities[names == name])
        assert row["rows"] == alone.rows
        assert row["positives"] == pytest.approx(labels[names == name].mean())
        for key in ("accuracy", "f1", "log_loss"):
            assert row[key] == pytest.approx(getattr(alone, key))


def test_slices_of_one_size_are_by_name():
    table = slice_figures(frame([0, 1, 0, 1, 1], [0.1] * 5, ["b", "z", "c", "a", "z"]))
    assert table["slice"].tolist() == ["z", "a", "b", "c"]
    assert table["rows"].tolist() == [2, 1, 1, 1]
    assert table["f1"].tolist() == [0, 0, 0, 0]
    assert table.columns.tolist() == [
        *("slice", "rows", "positives", "accuracy", "accuracy_low", "accuracy_high"),
        *("f1", "log_loss"),
    ]


def test_many_slices_of_few_sizes_are_by_size_then_name():
    names = [f"s{n:03d}" for n in range(90) for _ in range(n % 3 + 1)]
    table = slice_figures(frame([0] * len(names), [0.1] * len(names), names))
    expected = sorted(set(names), key=lambda name: (-names.count(name), name))
    assert table["slice"].tolist() == expected


def test_row_without_slice_is_refused():
    with pytest.raises(DataError, match="1 row without a slice"):
        slice_figures(frame([0, 1], [0.1, 0.9], ["a", None]))


def test_wilson_interval_is_that_of_the_literature():
    # Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    low, high = wilson_interval(np.array([81, 15, 0, 1]), np.array([263, 148, 20, 29]))
    np.testing.assert_allclose(low, [0.2553, 0.0624, 0, 0.0061], atol=5e-5)
    np.testing.assert_allclose(high, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_covers_the_share(pair):
    correct, rows = (np.array([value]) for value in pair)
    low, high = wilson_interval(correct, rows)
    assert 0 <= low <= correct / rows + 1e-12
    assert correct / rows - 1e-12 <= high <= 1


def test_errors_are_the_surest_first_and_ties_by_id():
    table = frame([1, 0, 1, 0, 1], [0.25, 0.75, 0.9, 0.99, 0.0], ["s"] * 5)
    shuffled = table.iloc[[1, 4, 0, 3, 2]].set_axis([7] * 5)  # an index must not matter
    got = confident_errors(shuffled, 10)
    assert got["id"].tolist() == ["r0004", "r0003", "r0000", "r0001"]
    assert got.columns.tolist() == ["id", "slice", "text", "label", "probability"]
    assert got.loc[0, "text"] == "text of r0004"
    assert confident_errors(shuffled, 2)["id"].tolist() == ["r0004", "r0003"]


def test_no_errors_is_an_empty_table():
    table = frame([1, 0], [0.9, 0.1], ["s", "s"])
    assert confident_errors(table, 5).to_dict("list") == {
        name: [] for name in ("id", "slice", "text", "label", "probability")
    }
    assert confident_errors(frame([0], [0.9], ["s"]), 0).empty


@pytest.mark.parametrize("positives", [50, 89])
def test_one_answer_for_all_is_chance_whatever_the_balance(positives: int) -> None:
    labels = np.repeat([1, 0], [positives, 100 - positives])
    assert matthews_correlation(labels, np.full(100, 0.9)) == 0
    assert matthews_correlation(labels, labels.astype(float)) == pytest.approx(1)
    assert matthews_correlation(labels, 1.0 - labels) == pytest.approx(-1)
    assert matthews_correlation(np.ones(3, int), np.full(3, 0.9)) == 0


def test_correlation_of_rows_by_the_million_does_not_overflow() -> None:
    labels = np.tile([0, 1], 2_000_000)
    assert matthews_correlation(labels, labels.astype(np.float32)) == pytest.approx(1)


def test_correlation_refuses_what_no_classifier_answers() -> None:
    with pytest.raises(DataError, match="none may be missing"):
        matthews_correlation(np.array([0, 1]), np.array([0.5, np.nan]))


def test_a_good_model_of_skewed_data_is_far_from_chance() -> None:
    """Accuracy 0.932 where always saying the commoner label has 0.892."""
    labels = np.repeat([1, 0], [892, 108])
    answers = np.concatenate([np.repeat([1.0, 0.0], [862, 30]), np.repeat([1.0, 0.0], [38, 70])])
    assert figures(labels, answers).accuracy == 0.932
    assert figures(labels, answers).mcc > 0.6
