"""Each stage's gate against broken data: exactly the expectations that the data breaks fail.

The first six stages run once for all tests (``made``), because that takes seconds; each test breaks
a copy of a stage's rows. The last three stages need a network, so ``by_hand`` has their rows.

While a stage runs, ``recorded`` notes the settings that the stage reads, by replacing StrictModel's
attribute access. A stand-in or a subclass would not work, because stages check a section's class.
"""

from __future__ import annotations

import importlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from support.dvc_yaml import listed_params
from support.params import TINY_MODEL, set_value, tiny_values, write_values
from support.project import ROOT, put_small_table
from support.vectors import put_small_vectors

from pipeline.stage import GateInput, StageRun
from sentigate.artifacts import STAGES
from sentigate.data.filtering import class_checks
from sentigate.data.near_copies import near_copies
from sentigate.data.splitting import split_checks
from sentigate.gates.validate import _parameters, validate
from sentigate.model.strict_model import StrictModel
from sentigate.settings.dataset import SplitParams
from sentigate.settings.params import Params, load_params

RUN = STAGES[: STAGES.index("train")]
Frame = pd.DataFrame
Corrupt = Callable[[Frame], Frame]


class Made(NamedTuple):
    outputs: dict[str, GateInput]
    read: dict[str, set[str]]
    """Stage that ran -> the dotted keys of params.yaml that it read."""


def by_hand() -> dict[str, GateInput]:
    """Return the gate inputs of train, evaluate and register."""
    rows = np.arange(20)
    ids = pd.Series([f"text-{row}" for row in rows], dtype="str")
    label = pd.Series(rows % 2, dtype="int8")
    predicted = label.where(rows >= 4, 1 - label)  # four wrong predictions
    test = pd.DataFrame({"id": ids, "label": label})
    return {
        "train": GateInput(
            pd.DataFrame(
                {
                    "epoch": [0, 1, 2],
                    "train_loss": [0.69, 0.6, 0.5],
                    "validation_loss": [0.68, 0.6, 0.61],
                    "validation_accuracy": [0.5, 0.7, 0.75],
                    "kept_mcc": [np.nan, 0.2, np.nan],
                }
            ),
            {"min_validation_mcc": 0.1},
            key="epoch",
        ),
        "evaluate": GateInput(
            test.assign(
                predicted=predicted,
                probability_sum=1.0,
                baseline_probability_sum=1.0,
                correct=(predicted == label).astype("float64"),
            ),
            {"min_test_accuracy": 0.75},
        ),
        "register": GateInput(
            test.assign(
                served_label=pd.Series(np.where(predicted == 1, "good", "bad")),
                evaluated_label=pd.Series(np.where(predicted == 1, "good", "bad")),
                difference=1e-7,
            ),
            {"classes": ["bad", "good"], "max_served_difference": 0.00001},
        ),
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("project")
    values = tiny_values()
    words = ["the", ",", "a", "good", "zebra", "quagga", "not", "no", "never"]
    values["vectors"]["small"] = put_small_vectors(folder, words, np.arange(18).reshape(9, 2) + 1)
    values["models"]["tiny"]["vocab"] |= {"vectors": ["small"], "outside_words": 2}
    set_value(values, "gates.min_vector_coverage", 0.05)
    set_value(values, "gates.min_negation_coverage", 0.05)
    set_value(values, "datasets.csv.split.near_duplicates", "keep_together")
    write_values(values, folder)
    put_small_table(folder)
    outputs, read = by_hand(), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SENTIGATE_MIRROR", str(folder))
        patch.chdir(folder)
        for name in RUN:
            function = getattr(importlib.import_module(f"pipeline.{name}"), name)
            params = load_params(Path("params.yaml"))
            with recorded(params) as keys:
                outputs[name] = function(StageRun(params, Path("scratch")))
            read[name] = keys
            shutil.copytree("scratch", ".", dirs_exist_ok=True)
        yield Made(outputs, read)


class recorded:  # noqa: N801
    """Within a ``with`` block, a set of the dotted keys that are read from ``params``.

    ``places`` has the dotted key of each section by its identity. A section that is dumped as a
    whole counts as one key. Reading a section from another one reads no value.
    """

    def __init__(self, params: Params) -> None:
        self.places: dict[int, str] = {}
        self.keys: set[str] = set()
        self.patch = pytest.MonkeyPatch()
        self.walk(params, "")

    def walk(self, node: StrictModel, prefix: str) -> None:
        self.places[id(node)] = prefix
        for name, value in node:
            key = prefix + (type(node).model_fields[name].alias or name)
            children = value if isinstance(value, dict) else {}
            for child, section in [("", value), *((f".{k}", v) for k, v in children.items())]:
                if isinstance(section, StrictModel):
                    self.walk(section, f"{key}{child}.")

    def __enter__(self) -> set[str]:
        plain = StrictModel.__getattribute__

        def get(node: StrictModel, name: str) -> Any:
            value = plain(node, name)
            place = self.places.get(id(node))
            if place is None:
                return value
            fields = type(node).model_fields
            if name in ("model_dump", "model_dump_json", "__iter__"):
                self.keys.add(place.rstrip("."))
            elif (
                name in fields
                and name not in ("datasets", "models")
                and not isinstance(value, StrictModel)
            ):
                self.keys.add(place + (fields[name].alias or name))
            return value

        self.patch.setattr(StrictModel, "__getattribute__", get, raising=False)
        return self.keys

    def __exit__(self, *error: object) -> None:
        self.patch.undo()


# Functions that break a frame


def put(column: str, rows: int | Sequence[int], value: Any) -> Corrupt:
    """Set a column in some rows."""

    def corrupt(frame: Frame) -> Frame:
        frame = frame.reset_index(drop=True)
        frame.loc[rows, column] = value
        return frame

    return corrupt


def both(*steps: Corrupt) -> Corrupt:
    def corrupt(frame: Frame) -> Frame:
        for step in steps:
            frame = step(frame)
        return frame

    return corrupt


def like(column: str, row: int, other: int) -> Corrupt:
    """Copy a column's value from another row."""
    return lambda frame: put(column, row, frame[column].iloc[other])(frame)


def drop(column: str) -> Corrupt:
    return lambda frame: frame.drop(columns=column)


SPLIT = SplitParams(rule="grouped", test_size=0.2, validation_size=0.1)


def rechecked(corrupt: Corrupt) -> Corrupt:
    """Break the split, and compute its checks again as the stage does."""

    def corrupt_and_check(frame: Frame) -> Frame:
        splits = corrupt(frame.loc[:, :"split"].reset_index(drop=True))
        copies = near_copies(splits).astype("int64")
        return split_checks(splits, SPLIT).assign(near_copy=copies)

    return corrupt_and_check


def part_a_group(frame: Frame) -> Frame:
    """Move one row of a group with several rows to another split."""
    row = parted_group(frame)[0]
    return put("split", row, "test" if frame["split"].iloc[row] != "test" else "train")(frame)


def parted_group(frame: Frame) -> list[int]:
    sizes = frame.groupby("group")["id"].transform("size").to_numpy()
    row = int(np.flatnonzero(sizes > 1)[0])
    return [int(n) for n in np.flatnonzero(frame["group"] == frame["group"].iloc[row])]


def repeat_a_text(frame: Frame) -> Frame:
    a, b = repeated_text(frame)
    return like("text", b, a)(frame)


def repeated_text(frame: Frame) -> list[int]:
    """Return the first row of training and the first row of test."""
    splits = frame["split"]
    return sorted(int(np.flatnonzero(splits == side)[0]) for side in ("train", "test"))


def nearly_repeat_a_text(frame: Frame) -> Frame:
    """Give a test row the text of a training row with one more word."""
    text = frame.loc[frame["split"] == "train", "text"].loc[lambda t: t.str.len() > 80].iloc[0]
    return put("text", nearly_repeated(frame), f"{text} indeed")(frame)


def nearly_repeated(frame: Frame) -> list[int]:
    return [int(np.flatnonzero(frame["split"] == "test")[0])]


def train_on_news(frame: Frame) -> Frame:
    """Give the splits a year each, and a training row a later one."""
    years = {"train": "2024", "validation": "2025", "test": "2026"}
    dated = frame.assign(date=frame["split"].map(years))
    newer = put("date", first_of_training(frame), "2027")(dated)
    # Each row is a unit, so that no other row of training is as new.
    checks = split_checks(
        newer.loc[:, :"split"].assign(group=newer["id"], text=newer["id"]),
        SplitParams(rule="by_time", test_size=0.2, validation_size=0.1),
    )
    return newer.assign(newer_than_later_split=checks["newer_than_later_split"])


def first_of_training(frame: Frame) -> list[int]:
    return [int(np.flatnonzero(frame["split"] == "train")[0])]


def move_groups_to_test(frame: Frame) -> Frame:
    names = frame.loc[frame["split"] == "train", "group"].drop_duplicates().iloc[:100]
    return frame.assign(split=frame["split"].mask(frame["group"].isin(names), "test"))


def positive_test(frame: Frame) -> Frame:
    return frame.assign(label=frame["label"].mask(frame["split"] == "test", 1).astype("int8"))


def all_negatives_elsewhere(frame: Frame) -> Frame:
    """Leave only positive rows in validation."""
    away = (frame["split"] == "validation") & (frame["label"] == 0)
    return frame.loc[~away]


def in_split(name: str) -> Callable[[Frame], list[int]]:
    return lambda frame: [int(n) for n in np.flatnonzero(frame["split"] == name)]


def beyond(column: str, most: float) -> Callable[[Frame], list[int]]:
    return lambda frame: [int(n) for n in np.flatnonzero(frame[column].abs() > most)]


def reclassed(corrupt: Corrupt) -> Corrupt:
    """Break the labels, and compute the checks of the classes again as the stage does."""

    def corrupt_and_check(frame: Frame) -> Frame:
        broken = corrupt(frame)
        return broken.assign(**class_checks(broken, ["negative", "positive"]))

    return corrupt_and_check


def negative_rows(frame: Frame) -> list[int]:
    return [int(n) for n in np.flatnonzero(frame["label"] == 0)]


def five_negatives(frame: Frame) -> Frame:
    negatives = frame.index[frame["label"] == 0][:5]
    return frame.loc[(frame["label"] == 1) | frame.index.isin(negatives)]


def huge_vocabulary(frame: Frame) -> Frame:
    numbers = range(len(frame), TINY_MODEL["vocab"]["max_size"] + 3)
    more = pd.DataFrame({"id": numbers, "token": [f"#{n}" for n in numbers]})
    rest = {"count": 1, "known_share": 0.0, "vector_share": 0.0, "not_finite": 0}
    return pd.concat([frame, more.assign(**rest, has_vector=False)], ignore_index=True)


AGGREGATE: list[int] = []
Rows = list[int] | Callable[[Frame], list[int]]
Case = tuple[str, str, Corrupt, dict[str, Rows]]
EVERY_LABEL = "every label is the number of a class (datasets/X.yaml:classes)"
ALL_CLASSES = "every class has rows (datasets/X.yaml:classes)"
COMMON = (
    "every class is common enough to learn from (share of all rows, gates.min_class_share or "
    "datasets/X.yaml:clean.min_class_share)"
)
CORRECTED = "every row that corrections.csv names is as it says: dropped, or of the class"
FEW_CORRECTED = (
    "corrections.csv drops or relabels few rows "
    "(share of the source's rows, gates.max_corrected_share)"
)
TWICE = "no text occurs twice, if duplicates are dropped (datasets/X.yaml:clean.drop_duplicates)"
SEVERAL = (
    "no text has several labels, if conflicts are dropped (datasets/X.yaml:clean.drop_conflicts)"
)
GROUPS = "no group is in two splits, if the rule keeps groups together (datasets/X.yaml:split.rule)"
TEXTS = "no text is in two splits, if the rule keeps groups together (datasets/X.yaml:split.rule)"
NEAR = (
    "no row outside training has a near-copy of another group in training, if near-copies are kept "
    "together (datasets/X.yaml:split.near_duplicates)"
)
SIZE = "each split has the requested share of rows (gates.max_size_difference)"
BALANCE = (
    "each class has the same share of each split as of all rows, unless the rule goes by time "
    "(gates.max_balance_difference)"
)
MISSING = "no class is missing in a split"
NEWER = (
    "training is not newer than validation and test, nor validation than test, if the rule goes by "
    "time: no row's unit (rows that share a group or a text) is newer than a unit of a later split "
    "(datasets/X.yaml:split.rule)"
)
ENTRIES = (
    "the vocabulary has more than the two special entries, and not more than allowed "
    "(models.X.vocab.max_size and outside_words)"
)
GAP = "ids have no gap: the largest id is the size minus 1"
ROWS = "the vectors have a row for every entry"
VECTORS = (
    "enough of the training tokens have a vector in every part, if the model has vectors "
    "(gates.min_vector_coverage)"
)
NEGATIONS = (
    "enough of the negations among the training tokens have a vector in every part "
    "(gates.min_negation_coverage)"
)
COVERAGE = "the vocabulary covers enough of the training tokens (gates.min_coverage)"
SPACED = (
    "spaces separate the words of the texts; for texts without spaces, use MODEL=char_lstm, or "
    "another model whose models.X.vocab.level is character"
)
LENGTH = "every text has at least one token and at most models.X.max_length"
CUT = (
    "the network reads most of a text, on average over texts "
    "(gates.max_cut_share; models.X.max_length is the limit)"
)
LINEAR = (
    "the linear model is better than chance on held-out rows "
    "(Matthews correlation, gates.min_baseline_mcc)"
)
KEPT = (
    "the kept weights are better than chance on validation "
    "(Matthews correlation, models.X.min_validation_mcc)"
)
FLOOR = "test accuracy is not below the floor (datasets/X.yaml:gates.min_test_accuracy)"
ANSWERED = "for raw texts, the logged model answers the classes of the evaluate stage"
SERVED = (
    "for raw texts, the logged model gives the probabilities of the evaluate stage "
    "(gates.max_served_difference)"
)

# stage, the mistake, a function that makes it, and the sentences that must fail with their rows
CASES: list[Case] = [
    ("ingest", "duplicate id", like("id", 5, 0), {"ids are unique": [0, 5]}),
    ("ingest", "unknown sentiment", put("sentiment", [3, 7], "angry"),
     {"every sentiment is in datasets/X.yaml:labels": [3, 7]}),
    ("ingest", "too few rows", lambda f: f.head(99),
     {"the table has at least the expected number of rows "
      "(datasets/X.yaml:gates.min_rows)": AGGREGATE}),
    ("ingest", "too long text", put("characters", 2, 100_001),
     {"no text is too long (gates.max_text_characters)": [2]}),
    ("ingest", "missing text", put("text", [1, 4], None), {"text is never missing": [1, 4]}),
    ("ingest", "missing group", put("group", 6, None), {"group is never missing": [6]}),
    ("ingest", "empty id", put("id", 4, ""), {"ids are not empty": [4]}),
    ("ingest", "unknown fold", put("fold", 9, "dev"),
     {"fold is empty or a published fold": [9]}),
    ("ingest", "wrong type", lambda f: f.assign(slice=7), {"slice is str": AGGREGATE}),
    ("ingest", "missing column", drop("slice"),
     {"all columns exist": AGGREGATE, "slice is str": AGGREGATE}),

    ("clean", "label outside 0 and 1", put("label", [2, 8, 9], 2), {EVERY_LABEL: [2, 8, 9]}),
    ("clean", "negative label", put("label", 3, -1), {EVERY_LABEL: [3]}),
    ("clean", "one class too rare", reclassed(five_negatives), {COMMON: negative_rows}),
    ("clean", "one class alone", reclassed(lambda f: f.loc[f["label"] == 0]),
     {ALL_CLASSES: AGGREGATE}),
    ("clean", "empty text", both(put("text", 5, ""), put("characters", 5, 0)),
     {"no text is empty": [5]}),
    ("clean", "missing text", put("text", 5, None), {"text is never missing": [5]}),
    ("clean", "text twice", put("rows_of_text", [1, 3], 2),
     {TWICE: [1, 3]}),
    ("clean", "text with both labels", put("labels_of_text", [1, 3], 2),
     {SEVERAL: [1, 3]}),
    ("clean", "not as corrected", put("as_corrected", [1, 3], 0), {CORRECTED: [1, 3]}),
    ("clean", "many corrections", lambda f: f.assign(corrected_share=0.11),
     {FEW_CORRECTED: AGGREGATE}),
    ("clean", "duplicate id", like("id", 4, 2), {"ids are unique": [2, 4]}),
    ("clean", "one row", lambda f: f.head(1),
     {"at least two rows are kept": AGGREGATE, ALL_CLASSES: AGGREGATE}),
    ("clean", "wide label", lambda f: f.astype({"label": "int64"}), {"label is int8": AGGREGATE}),

    ("split", "a group in two splits", rechecked(part_a_group),
     {GROUPS: parted_group}),
    ("split", "a text in two splits", rechecked(repeat_a_text),
     {TEXTS: repeated_text, NEAR: nearly_repeated}),
    ("split", "a near-copy in training", rechecked(nearly_repeat_a_text),
     {NEAR: nearly_repeated}),
    ("split", "wrong size", rechecked(move_groups_to_test),
     {SIZE: beyond("size_difference", 0.05)}),
    ("split", "unbalanced", rechecked(positive_test),
     {BALANCE: beyond("balance_difference", 0.1), MISSING: in_split("test")}),
    ("split", "a class missing in validation", rechecked(all_negatives_elsewhere),
     {BALANCE: in_split("validation"), MISSING: in_split("validation")}),
    ("split", "newer than test", train_on_news, {NEWER: first_of_training}),
    ("split", "unknown split", put("split", [0, 2], "dev"),
     {"every row is in train, validation or test": [0, 2]}),
    ("split", "no validation", lambda f: f.loc[f["split"] != "validation"],
     {"all requested splits have rows (datasets/X.yaml:split.validation_size)": AGGREGATE}),
    ("split", "duplicate id", like("id", 4, 2), {"ids are unique": [2, 4]}),

    ("vocab", "gap in ids", lambda f: put("id", len(f) - 1, len(f) + 4)(f), {GAP: AGGREGATE}),
    ("vocab", "duplicate id", put("id", 5, 4), {"ids are unique": [4, 5]}),
    ("vocab", "duplicate token", like("token", 5, 4), {"tokens are unique": [4, 5]}),
    ("vocab", "special entries swapped", lambda f: put("token", [0, 1], ["<unk>", "<pad>"])(f),
     {"id 0 is <pad>": [0], "id 1 is <unk>": [1]}),
    ("vocab", "no padding entry", put("token", 0, "zero"), {"id 0 is <pad>": [0]}),
    ("vocab", "ids from below 0", put("id", 0, -1), {"ids start at 0": AGGREGATE}),
    ("vocab", "low coverage", lambda f: f.assign(known_share=f["known_share"] * 0.6),
     {COVERAGE: AGGREGATE}),
    ("vocab", "texts without spaces", lambda f: f.assign(characters_per_word=20.1),
     {SPACED: AGGREGATE}),
    ("vocab", "too large", huge_vocabulary,
     {ENTRIES: AGGREGATE, GAP: AGGREGATE, ROWS: AGGREGATE}),
    ("vocab", "special entries alone", lambda f: f.head(2),
     {ENTRIES: AGGREGATE, GAP: AGGREGATE, COVERAGE: AGGREGATE, ROWS: AGGREGATE,
      VECTORS: AGGREGATE, NEGATIONS: AGGREGATE}),
    ("vocab", "vectors of another length", lambda f: f.iloc[:-1],
     {GAP: AGGREGATE, ROWS: AGGREGATE}),
    ("vocab", "numbers that are none", put("not_finite", [4, 7], 3),
     {"every number of a vector is finite": [4, 7]}),
    ("vocab", "padding with a vector", put("has_vector", 0, True), {"padding has no vector": [0]}),
    ("vocab", "few tokens with a vector", lambda f: f.assign(vector_share=0.0),
     {VECTORS: AGGREGATE}),
    ("vocab", "few negations with a vector", lambda f: f.assign(negation_share=0.0),
     {NEGATIONS: AGGREGATE}),
    ("vocab", "padding in texts", put("count", 0, 3), {"padding does not occur in texts": [0]}),

    ("pad", "length 0", both(put("length", 3, 0), put("tokens", 3, 0)), {LENGTH: [3]}),
    ("pad", "length above the most", both(put("length", 3, 33), put("tokens", 3, 33)),
     {LENGTH: [3]}),
    ("pad", "length is not the count", put("tokens", [4, 6], 99),
     {"the length is the number of ids that are not padding": [4, 6]}),
    ("pad", "id out of range", put("largest_id", 5, 60_000),
     {"every id is in the vocabulary": [5]}),
    ("pad", "nothing but padding", put("largest_id", 5, 0),
     {"every id is in the vocabulary": [5]}),
    ("pad", "too many unknown", lambda f: f.assign(unknown_share=0.9),
     {"few tokens are unknown, on average over texts (gates.max_unknown_share)": AGGREGATE}),
    ("pad", "most is cut off", lambda f: f.assign(cut_share=0.6), {CUT: AGGREGATE}),
    ("pad", "labels inverted", lambda f: f.assign(label=1 - f["label"]),
     {"every text has its label from the split stage": lambda f: list(range(len(f)))}),
    ("pad", "on another side", put("split", 3, "elsewhere"),
     {"every text is in the split that the split stage chose": [3]}),
    ("pad", "a row of nobody", both(put("dealt_label", 4, np.nan), put("dealt_split", 4, None)),
     {"every text has its label from the split stage": [4],
      "every text is in the split that the split stage chose": [4]}),
    ("pad", "row lost", lambda f: f.iloc[1:], {"every text has a row": AGGREGATE}),
    ("pad", "row twice", like("id", 9, 8), {"ids are unique": [8, 9]}),

    ("baseline", "probabilities above 1", put("probability_sum", [2, 5], 1.5),
     {"the probabilities of a text sum to 1": [2, 5]}),
    ("baseline", "probabilities below 1", put("probability_sum", 2, 0.9),
     {"the probabilities of a text sum to 1": [2]}),
    ("baseline", "probability missing", put("probability_sum", 3, np.nan),
     {"no probability is missing": [3]}),
    ("baseline", "logit missing", put("largest_logit", 3, np.nan), {"no logit is missing": [3]}),
    ("baseline", "logit infinite", put("largest_logit", [4, 6], np.inf),
     {"logits are finite": [4, 6]}),
    ("baseline", "worse than chance", lambda f: f.assign(mcc=-1.0000001), {LINEAR: AGGREGATE}),
    ("baseline", "training row", put("split", 4, "train"),
     {"every row is a held-out row": [4]}),
    ("baseline", "row twice", like("id", 9, 8), {"ids are unique": [8, 9]}),

    ("train", "train loss NaN", put("train_loss", 1, np.nan), {"train_loss is never missing": [1]}),
    ("train", "train loss infinite", put("train_loss", [1, 2], np.inf),
     {"training losses are finite": [1, 2]}),
    ("train", "validation loss NaN", put("validation_loss", 2, np.nan),
     {"validation_loss is never missing": [2]}),
    ("train", "validation loss infinite", put("validation_loss", 2, np.inf),
     {"validation losses are finite": [2]}),
    ("train", "no better than chance", put("kept_mcc", 1, 0.09), {KEPT: AGGREGATE}),
    ("train", "nothing kept", put("kept_mcc", 1, np.nan), {KEPT: AGGREGATE}),
    ("train", "no epoch", lambda f: f.iloc[:0],
     {"training has at least one epoch": AGGREGATE, KEPT: AGGREGATE}),

    ("evaluate", "below the floor", put("correct", [4, 5], 0.0), {FLOOR: AGGREGATE}),
    ("evaluate", "baseline's probability missing",
     put("baseline_probability_sum", [1, 2], np.nan),
     {"no probability of the baseline is missing": [1, 2]}),
    ("evaluate", "probabilities above 1", put("probability_sum", 6, 1.01),
     {"the probabilities of the model for a text sum to 1": [6]}),
    ("evaluate", "probability missing", put("probability_sum", 6, np.nan),
     {"no probability of the model is missing": [6]}),
    ("evaluate", "baseline above 1", put("baseline_probability_sum", 7, 2.0),
     {"the probabilities of the baseline for a text sum to 1": [7]}),
    ("evaluate", "row twice", like("id", 9, 8), {"ids are unique": [8, 9]}),

    ("register", "another answer", put("difference", [3, 11], 0.00002), {SERVED: [3, 11]}),
    ("register", "an answer that is none", put("served_label", 2, "neutral"),
     {"the model answers one of the classes (datasets/X.yaml:classes)": [2], ANSWERED: [2]}),
    ("register", "no label", put("served_label", 2, None),
     {"every text has a predicted label": [2], ANSWERED: [2]}),
    ("register", "another threshold", put("evaluated_label", 2, "other"), {ANSWERED: [2]}),
    ("register", "no probability", put("difference", 5, np.nan),
     {"difference is never missing": [5]}),
    ("register", "nothing checked", lambda f: f.iloc[:0],
     {"at least one row is checked": AGGREGATE}),
]  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_gate_passes_correct_data(stage: str, made: Made) -> None:
    output = made.outputs[stage]
    suite = ROOT / f"expectations/{stage}.json"
    result = validate(suite, output.frame, output.thresholds, output.key)
    assert result.success, result.message()
    # Each threshold is used by an expectation.
    wanted = set(output.thresholds)
    assert {name for name in wanted if f'"$PARAMETER": "{name}"' in suite.read_text()} == wanted


@pytest.mark.parametrize(
    ("stage", "corrupt", "broken"),
    [pytest.param(s, c, b, id=f"{s}-{what.replace(' ', '_')}") for s, what, c, b in CASES],
)
def test_gate_fails_on_broken_data(
    stage: str, corrupt: Corrupt, broken: dict[str, Rows], made: Made
) -> None:
    output = made.outputs[stage]
    frame = corrupt(output.frame.reset_index(drop=True))
    result = validate(ROOT / f"expectations/{stage}.json", frame, output.thresholds, output.key)
    failed = {item["says"]: item for item in result.expectations if not item["success"]}
    assert set(failed) == set(broken)
    for says, where in broken.items():
        rows = where(frame) if callable(where) else where
        assert bool(rows) == (where is not AGGREGATE)
        assert failed[says]["unexpected_count"] == len(rows)
        keys = frame[output.key].iloc[rows[:5]].tolist()
        assert [row[output.key] for row in failed[says]["sample"]] == keys
        for key in keys:
            assert f"      {output.key}: {key!r}" in result.message()


def test_every_expectation_fails_in_some_case() -> None:
    """Each sentence has a case, except those that another stage's suite has, too."""
    seen = {says for _, _, _, broken in CASES for says in broken}
    unseen = {
        f"{path.stem}: {item['meta']['notes']}"
        for path in (ROOT / "expectations").glob("*.json")
        for item in json.loads(path.read_text("utf-8"))["expectations"]
        if item["meta"]["notes"] not in seen
    }
    types = {f"{column} is str" for column in ("id", "group", "sentiment", "text", "fold")}
    alike = {f"{stage}: {says}" for stage in ("ingest", "clean", "split") for says in types}
    assert unseen - alike == {"ingest: id is never missing", "split: split is str"}


COMPUTED = {"rows", "max_id", "last_id", "vector_rows"}
"""Thresholds that come from the run's data and not from a parameter."""


def test_a_sentence_names_the_parameter_that_sets_its_threshold() -> None:
    values = load_params(ROOT / "params.yaml").model_dump(by_alias=True)
    choices = {"datasets/X.yaml:": "datasets.csv.", "models.X": "models.bilstm"}
    for path in (ROOT / "expectations").glob("*.json"):
        for item in json.loads(path.read_text("utf-8"))["expectations"]:
            says = item["meta"]["notes"]
            if not set(_parameters(item["kwargs"])) - COMPUTED:
                continue
            keys = re.findall(r"(?:datasets/X\.yaml:|gates\.|models\.)[\w.]+", says)
            assert keys, f"{path.stem}: {says}"
            for key in keys:
                for name, chosen in choices.items():
                    key = key.replace(name, chosen)
                node = values
                for part in key.split("."):
                    node = node[part]


def test_no_expectation_is_always_met() -> None:
    """A share or an accuracy always lies between 0 and 1."""
    shares = {"correct", "baseline_correct", "validation_accuracy", "kept_accuracy"}
    for path in (ROOT / "expectations").glob("*.json"):
        for item in json.loads(path.read_text("utf-8"))["expectations"]:
            kwargs = item["kwargs"]
            if kwargs.get("column") in shares:
                assert (kwargs.get("min_value"), kwargs.get("max_value")) != (0, 1), path.stem


@pytest.mark.parametrize("stage", RUN)
def test_stage_reads_the_params_that_it_lists(stage: str, made: Made) -> None:
    listed = {
        key.replace("${dataset}", "csv").replace("${model}", "tiny") for key in listed_params(stage)
    }
    unlisted = {
        key
        for key in made.read[stage]
        if not any(key == name or key.startswith(f"{name}.") for name in listed)
    }
    assert unlisted == set(), "a change of these would not rerun the stage"
    unread = {
        name
        for name in listed
        if not any(key == name or key.startswith(f"{name}.") for key in made.read[stage])
    }
    assert unread == set(), "a change of these would rerun the stage for nothing"
