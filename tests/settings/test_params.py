"""params.yaml is valid, and errors name the wrong key, its value and the allowed values."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.params import read_values, set_value

from sentigate.cli.selection import choose
from sentigate.errors import ParamsError
from sentigate.model.text.values import as_text
from sentigate.settings.params import load_params, parse_params
from sentigate.settings.yaml_file import parse_yaml

ROOT = Path(__file__).parents[2]
COMMITTED = (ROOT / "params.yaml").read_text("utf-8")
VALUES = read_values()
MISSING = object()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(COMMITTED, encoding="utf-8")
    shutil.copytree(ROOT / "datasets", tmp_path / "datasets")
    return path


def refusal(values: object) -> str:
    """Return the message of the error about these values."""
    with pytest.raises(ParamsError) as caught:
        parse_params(values, "params.yaml")
    return str(caught.value)


def refusal_of_file(path: Path, text: str | None = None) -> str:
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        load_params(path)
    return str(caught.value)


def changed(key: str, value: object) -> dict[str, Any]:
    """Return the values of params.yaml with a dotted key changed or removed."""
    values = copy.deepcopy(VALUES)
    *sections, last = key.split(".")
    node = values
    for section in sections:
        node = node[section]
    if value is MISSING:
        del node[last]
    else:
        node[last] = value
    return values


def test_committed_params_are_valid() -> None:
    params = load_params(ROOT / "params.yaml")
    assert set(params.datasets) >= {"vader", "twitter", "imdb", "csv"}
    assert set(params.models) >= {"bilstm", "lstm", "char_lstm", "bpe_lstm"}
    assert params.chosen_dataset is params.datasets[VALUES["dataset"]]
    assert params.chosen_model is params.models[VALUES["model"]]


@pytest.mark.parametrize("dataset", VALUES["datasets"])
@pytest.mark.parametrize("model", VALUES["models"])
def test_every_choice_is_valid(dataset: str, model: str) -> None:
    params = parse_params(VALUES | {"dataset": dataset, "model": model}, "params.yaml")
    chosen = params.chosen()
    assert chosen["dataset"]["name"] == dataset
    written = VALUES["models"][model]["training"]
    trained = chosen["model"]["training"]
    if pretraining := written.get("pretraining"):
        written = written | {"pretraining": trained["pretraining"] | pretraining}
    assert trained == trained | written
    assert not {"datasets", "models"} & set(chosen)


@pytest.mark.parametrize(
    ("key", "value", "fragments"),
    [
        # A wrong key: its section, its name, and the allowed keys.
        ("gates.min_covrage", 0.5, ["gates: unknown key 'min_covrage'", "min_coverage"]),
        ("colour", 1, ["top level: unknown key 'colour'", "dataset, model, seed", "register"]),
        ("datasets.csv.source.sep", ";", ["datasets/csv.yaml:source: unknown key 'sep'", "sha256"]),
        (
            "datasets.vader.clean.steps.stem",
            True,
            ["datasets/vader.yaml:clean.steps: unknown key 'stem'", "lowercase"],
        ),
        ("models.lstm.training.epochs", 3, ["models.lstm.training: unknown key", "max_epochs"]),
        # A wrong type.
        ("seed", "42", ["seed: ", "valid integer", "'42'"]),
        ("seed", True, ["seed: ", "valid integer", "True"]),
        ("models.lstm.training.batch_size", 6.5, ["models.lstm.training.batch_size", "6.5"]),
        ("datasets.imdb.split.stratify", "yes", ["split.stratify", "boolean", "'yes'"]),
        ("models.bilstm.network", [1], ["models.bilstm.network", "dictionary", "[1]"]),
        ("gates", None, ["gates: ", "dictionary", "None"]),
        # Out of range.
        (
            "models.lstm.training.batch_size",
            -64,
            ["models.lstm.training.batch_size", "greater than or equal to 1", "-64"],
        ),
        ("models.lstm.training.learning_rate", 0.0, ["learning_rate", "greater than 0", "0.0"]),
        ("models.lstm.network.head_dropout", 1.0, ["head_dropout", "less than 1", "1.0"]),
        ("gates.min_class_share", 0.6, ["gates.min_class_share", "equal to 0.5", "0.6"]),
        ("gates.min_baseline_mcc", 1.5, ["gates.min_baseline_mcc", "equal to 1", "1.5"]),
        ("models.lstm.min_validation_mcc", -2, ["lstm.min_validation_mcc", "equal to -1", "-2"]),
        ("baseline.candidates", {}, ["baseline.candidates", "at least 1 item"]),
        ("baseline.candidates.words.word_ngrams", [2, 1], ["words.word_ngrams", "smaller first"]),
        ("baseline.candidates.words.word_ngrams", [1], ["words.word_ngrams.1", "required"]),
        ("baseline.candidates.words.word_ngrams", None, ["words.word_ngrams", "None"]),
        (
            "baseline.candidates.naive_bayes.character_ngrams",
            [0, 2],
            ["ngrams.0", "equal to 1"],
        ),
        (
            "baseline.candidates.naive_bayes.character_ngrams",
            [5, 2],
            ["ngrams", "in the wrong order"],
        ),
        (
            "baseline.candidates.naive_bayes.naive_bayes_smoothing",
            0.0,
            ["smoothing", "greater than 0"],
        ),
        ("baseline.candidates.words.word_ngrams", [1, 4], ["word_ngrams.1", "equal to 3"]),
        ("gates.min_coverage", float("nan"), ["gates.min_coverage", "finite", "nan"]),
        ("models.lstm.training.weight_decay", float("inf"), ["weight_decay", "finite", "inf"]),
        ("datasets.vader.source.sha256", "abc", ["source.sha256", "[0-9a-f]{64}", "'abc'"]),
        ("datasets.vader.split.rule", "fair", ["split.rule", "'random', 'grouped'", "'fair'"]),
        (
            "datasets.vader.split.near_duplicates",
            True,
            ["split.near_duplicates", "'keep_together' or 'allow'", "True"],
        ),
        (
            "datasets.twitter_random.split.near_duplicates",
            "keep_together",
            ["'keep_together' with rule random", "allowed: allow, or rule grouped"],
        ),
        ("models.lstm.vocab.level", "letter", ["models.lstm.vocab.level", "'word'", "'letter'"]),
        ("models.lstm.network.cell", "mlp", ["cell", "'rnn', 'lstm' or 'gru'", "'mlp'"]),
        (
            "models.lstm.network.layer_dropout",
            0.2,
            ["layer_dropout is 0.2", "one entry in hidden_sizes"],
        ),
        ("models.bilstm.network.pooling", "last_padded", ["last_padded", "bidirectional false"]),
        (
            "models.t5_cnn_lstm.network.pooling",
            "last_padded",
            ["last_padded", "no convolution"],
        ),
        ("models.t5_cnn_lstm.network.convolution.width", 4, ["width is 4", "an odd number"]),
        ("models.bpe_lstm.vocab.order", "first_seen", ["first_seen", "bpe", "frequency"]),
        (
            "models.lstm.vocab.vectors",
            ["glov"],
            [
                "models.lstm.vocab.vectors names 'glov'",
                "allowed: glove_50, minilm_256, or no vectors",
            ],
        ),
        (
            "models.lstm.vocab.vectors",
            ["glove_50", "glove_50"],
            ["vectors is ['glove_50', 'glove_50']", "allowed: each entry once"],
        ),
        (
            "models.lstm.vocab.outside_words",
            5,
            ["outside_words is 5 with vectors []", "allowed: 0, or vectors that list words"],
        ),
        (
            "models.bilstm.vocab.vectors",
            ["minilm_256"],
            ["outside_words is 50000 with vectors ['minilm_256']", "allowed: 0"],
        ),
        ("models.lstm.vocab.outside_words", -1, ["outside_words", "equal to 0", "-1"]),
        (
            "models.bpe_lstm.vocab.vectors",
            ["glove_50"],
            ["['glove_50'] with level bpe", "allowed: none, or level word or glove"],
        ),
        ("vectors.glove_50.sha256", "abc", ["vectors.glove_50.sha256", "'abc'"]),
        (
            "vectors.glove_50.kind",
            "conda",
            ["vectors.glove_50", "'pip', 'minilm', 'file'", "conda"],
        ),
        ("vectors.minilm_256.pool", 5, ["vectors.minilm_256: unknown key 'pool'", "size"]),
        ("vectors.minilm_256.size", 385, ["vectors.minilm_256.size: ", "384", "385"]),
        ("vectors.minilm_256.size", MISSING, ["vectors.minilm_256.size: ", "required"]),
        ("models.lstm.network.hidden_sizes", [], ["hidden_sizes", "at least 1 item", "[]"]),
        ("datasets.csv.source.kind", "excel", ["datasets/csv.yaml:source", "'table'", "excel"]),
        (
            "datasets.csv.labels.neutral",
            2,
            ["datasets/csv.yaml: labels maps 'neutral' to '2'", "allowed (classes.names, or null"],
        ),
        (
            "datasets.csv.labels.neutral",
            "Positive",
            ["datasets/csv.yaml: labels maps 'neutral' to 'Positive'", "negative, positive, null"],
        ),
        (
            "datasets.csv.labels.neutral",
            ["positive"],
            ["datasets/csv.yaml:labels.neutral: ", "string"],
        ),
        ("datasets.csv.labels", ["positive"], ["datasets/csv.yaml:labels: ", "dictionary"]),
        (
            "datasets.csv.labels",
            {"a": "negative", None: "positive"},
            ["csv.yaml: labels has the key null"],
        ),
        (
            "datasets.csv.labels",
            {"a": "negative", "1": "positive", 1: "positive"},
            ["datasets/csv.yaml: labels has '1' twice, as a number and as a text"],
        ),
        ("datasets.csv.classes", "positive", ["datasets/csv.yaml:classes: ", "dictionary"]),
        (
            "datasets.csv.classes.names",
            ["positive"],
            ["csv.yaml:classes.names: ", "at least 2 items"],
        ),
        (
            "datasets.csv.classes.names",
            ["negative", "negative"],
            ["datasets/csv.yaml:classes.names: 'negative' occurs twice"],
        ),
        ("datasets.csv.classes.order", True, ["classes: unknown key 'order'", "names, ordered"]),
        ("datasets.imdb.source.sentiment", "title", ["source.sentiment", "'folder' or 'stars'"]),
        (
            "datasets.imdb.source.sentiment",
            MISSING,
            ["datasets/imdb.yaml:source.sentiment", "required"],
        ),
        (
            "datasets.vader.source.bands",
            [-1.0, 1.0],
            ["datasets/vader.yaml:source: threshold is 0.5 with bands [-1.0, 1.0]", "one of them"],
        ),
        (
            "datasets.vader_5.source.bands",
            None,
            ["datasets/vader_5.yaml:source: threshold is None with bands None", "one of them"],
        ),
        ("datasets.vader_5.source.bands", [1.0, 1.0], ["bands is [1.0, 1.0]", "rising numbers"]),
        ("datasets.vader_5.source.bands", [1.0, 4.5], ["source.bands", "equal to 4", "4.5"]),
        ("register.alias", "The Best", ["register.alias", "a-z", "'The Best'"]),
        # Missing.
        ("seed", MISSING, ["seed: ", "required"]),
        ("models.lstm.vocab.max_size", MISSING, ["models.lstm.vocab.max_size", "required"]),
        ("models.lstm.max_length", MISSING, ["models.lstm.max_length", "required"]),
        *(
            (
                "models.lstm.max_length",
                wrong,
                [f"\n  models.lstm.max_length: {wrong!r} is not a length; allowed: auto, a whole"],
            )
            for wrong in (None, "all", 0, 100_001, 1.5, True, {"first": 3}, {"first": 0, "last": 3})
        ),
        ("register", MISSING, ["register: ", "required"]),
        # A setting that another setting makes useless.
        (
            "datasets.csv.source.fold_column",
            "fold",
            [
                "datasets/csv.yaml: ",
                "fold_column is 'fold' with split.rule grouped",
                "rule published",
            ],
        ),
        (
            "datasets.csv.clean.folds",
            ["train"],
            [
                "datasets/csv.yaml: ",
                "clean.folds is ['train'] without source.fold_column",
                "no folds",
            ],
        ),
        (
            "datasets.vader.clean.folds",
            ["train"],
            ["datasets/vader.yaml: ", "clean.folds is ['train'] without a source with folds"],
        ),
        (
            "datasets.imdb.clean.folds",
            ["train"],
            [
                "datasets/imdb.yaml",
                "clean.folds is ['train'] with split.rule published",
                "no folds",
            ],
        ),
        (
            "datasets.csv.split",
            {"rule": "published", "validation_size": 0.1},
            ["datasets/csv.yaml: ", "published without source.fold_column", "random, grouped"],
        ),
        ("datasets.vader.max_length", 64, ["datasets/vader.yaml: unknown key 'max_length'"]),
        ("gates.min_validation_mcc", 0.1, ["gates: unknown key 'min_validation_mcc'"]),
        # A choice without an entry.
        ("dataset", "amazon", ["dataset is 'amazon'", "csv, imdb, imdb_8", "vader"]),
        ("model", "transformer", ["model is 'transformer'", "bilstm", "lstm", "char_lstm"]),
        # Settings that contradict each other.
        (
            "datasets.imdb.split.test_size",
            0.2,
            ["datasets/imdb.yaml:split", "test_size is 0.2 with rule published", "allowed: none"],
        ),
        (
            "datasets.vader.split.test_size",
            None,
            ["datasets/vader.yaml:split", "test_size is None with rule grouped", "a share"],
        ),
        (
            "models.pretrained_lstm.network.bidirectional",
            True,
            ["models.pretrained_lstm", "bidirectional is true with pretraining", "false"],
        ),
        (
            "models.pretrained_lstm.network.convolution",
            {"filters": 8, "width": 3, "pool": 1},
            ["models.pretrained_lstm", "convolution with pretraining", "allowed: no convolution"],
        ),
        (
            "models.pretrained_lstm.network.pooling",
            "last_padded",
            ["models.pretrained_lstm", "'last_padded' with pretraining", "another pooling"],
        ),
        (
            "models.pretrained_lstm.training.pretraining.pretraining",
            None,
            ["training.pretraining: unknown key 'pretraining'", "max_epochs"],
        ),
        (
            "datasets.csv.labels",
            {"good": "positive", "fine": "positive", "meh": None},
            [
                "datasets/csv.yaml: labels maps no sentiment to 'negative'",
                "allowed: at least one for",
            ],
        ),
    ],
)
def test_errors_name_key_value_and_allowed_values(
    key: str, value: object, fragments: list[str]
) -> None:
    message = refusal(changed(key, value))
    assert message.startswith(("params.yaml is not valid:\n", "datasets/ is not valid:\n"))
    for fragment in fragments:
        assert fragment in message
    assert len(message.splitlines()) == 2
    assert "pydantic" not in message


LINES = (
    "classes: {names: [negative, positive]}",
    'labels: {good: positive, "2": positive, bad: negative, "true": null}',
)


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"labels": {"good": 1, 2: 1, "bad": 0, True: None}, "classes": MISSING}, LINES),
        ({"labels": {"good": 1, "2": 1, "bad": 0, "true": None}}, LINES[1:]),
        (
            {"labels": {"a": "so so", "b": "good", "c": "so so"}, "classes": MISSING},
            (
                "classes: {names: [so so, good]}",
                "labels: {a: so so, b: good, c: so so}",
            ),
        ),
    ],
)
def test_the_error_about_labels_of_older_versions_has_the_lines_to_write(
    changes: dict[str, object], lines: tuple[str, ...]
) -> None:
    values = copy.deepcopy(VALUES)
    entry = values["datasets"]["csv"]
    for key, value in changes.items():
        entry.pop(key)
        if value is not MISSING:
            entry[key] = value
    message = refusal(values)
    _, problem, *written = message.splitlines()
    assert problem.startswith("  datasets/csv.yaml: ")
    assert problem.endswith("Write in this file:")
    assert written == list(lines)
    entry |= parse_yaml("\n".join(lines), "the message")
    parse_params(values, "params.yaml")


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        (None, "{2026-11-27: good, other: bad}"),
        (None, "{2026-11-27: 1, other: 0}"),
        ("{names: [bad, good]}", "{2026-11-27: 1, other: 0}"),
        ("{names: [[bad], good]}", "{a: 1, b: 0}"),
    ],
)
def test_a_date_or_a_list_in_place_of_a_name_is_an_error_in_words(
    classes: str | None, labels: str
) -> None:
    values = copy.deepcopy(VALUES)
    entry = values["datasets"]["csv"]
    del entry["classes"]
    entry["labels"] = parse_yaml(labels, "params.yaml")
    if classes:
        entry["classes"] = parse_yaml(classes, "params.yaml")
    assert "datasets/csv.yaml:" in refusal(values)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("{1: negative, 2: positive}", {"1": "negative", "2": "positive"}),
        ("{1.0: negative, 2.5: positive}", {"1.0": "negative", "2.5": "positive"}),
        ("{true: positive, false: negative}", {"true": "positive", "false": "negative"}),
        ("{yes: positive, no: negative}", {"yes": "positive", "no": "negative"}),
        ("{-1: negative, +1: positive, 0: }", {"-1": "negative", "1": "positive", "0": None}),
    ],
)
def test_numbers_and_truth_values_are_sentiments(text: str, labels: dict[str, object]) -> None:
    values = changed("datasets.csv.labels", parse_yaml(text, "params.yaml"))
    params = parse_params(values | {"dataset": "csv"}, "params.yaml")
    assert params.chosen_dataset.labels == labels
    assert params.chosen()["dataset"]["labels"] == json.dumps(labels)
    for key in parse_yaml(text, "params.yaml"):
        assert as_text(key) in labels  # what a source reads for this value


@pytest.mark.parametrize(
    ("classes", "line"),
    [
        (["negative", "positive"], "classes: {names: [negative, positive]}"),
        ([True, 2], 'classes: {names: ["true", "2"]}'),
    ],
)
def test_the_error_about_a_list_of_classes_has_the_line_to_write(
    classes: list[object], line: str
) -> None:
    message = refusal(changed("datasets.csv.classes", classes))
    _, problem, written = message.splitlines()
    assert problem.startswith("  datasets/csv.yaml: classes is [")
    assert problem.endswith("allowed: a section with names. Write in this file:")
    assert written == line


def test_names_may_be_numbers_too() -> None:
    entry = copy.deepcopy(VALUES["datasets"]["csv"])
    entry |= {"classes": {"names": [1, 2, 3]}, "labels": {"1": 1, "2": 2, "3": 3, "?": None}}
    params = parse_params(changed("datasets.csv", entry), "params.yaml")
    assert params.datasets["csv"].classes.names == ("1", "2", "3")
    assert params.datasets["csv"].labels == {"1": "1", "2": "2", "3": "3", "?": None}


@pytest.mark.parametrize(
    ("dataset", "share", "most"), [("vader_5", 0.21, 0.2), ("imdb_8", 0.13, 0.125)]
)
def test_no_class_can_be_more_common_than_all_rows_allow(
    dataset: str, share: float, most: float
) -> None:
    values = changed("gates.min_class_share", share)
    parse_params(values, "params.yaml")  # vader has two classes
    assert refusal(values | {"dataset": dataset}).splitlines()[1] == (
        f"  gates.min_class_share is {share} with the {len(VALUES['datasets'][dataset]['labels'])} "
        f"classes of datasets/{dataset}.yaml; allowed: up to {most}"
    )


def test_a_data_set_may_allow_rarer_classes_than_the_others() -> None:
    values = changed("datasets.imdb_8.clean.min_class_share", 0.01)
    assert parse_params(values | {"dataset": "imdb_8"}, "params.yaml").min_class_share == 0.01
    assert parse_params(values, "params.yaml").min_class_share == 0.05
    values = changed("datasets.imdb_8.clean.min_class_share", 0.2)
    assert "datasets/imdb_8.yaml:clean.min_class_share is 0.2 with the 8 classes" in refusal(
        values | {"dataset": "imdb_8"}
    )


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("dataset", "amazon", "  dataset is 'amazon'; allowed: csv, "),
        ("model", "transformer", "  model is 'transformer'; allowed: bilstm, "),
        ("models.lstm.vocab.vectors", ["x"], "  models.lstm.vocab.vectors names 'x'; allowed: "),
        ("models.lstm.vocab.outside_words", 10, "  models.lstm.vocab.outside_words is 10 with "),
        # A table with the name of a data set, from source.name or from its file.
        (
            "datasets.csv.source.name",
            "vader",
            "  datasets/csv.yaml:source.name: the table is named 'vader', like that of "
            "datasets/vader.yaml; allowed: any other name",
        ),
        (
            "datasets.csv.source.path",
            "data/own/imdb.csv",
            "  datasets/csv.yaml:source.name: the table is named 'imdb', like that of "
            "datasets/imdb.yaml; allowed: any other name",
        ),
    ],
)
def test_an_error_about_two_sections_begins_with_the_key_to_change(
    key: str, value: object, line: str
) -> None:
    assert refusal(changed(key, value)).splitlines()[1].startswith(line)


def test_the_error_about_equal_table_names_names_the_users_table() -> None:
    assert next(iter(VALUES["datasets"])) == "csv"  # it comes before the other
    message = refusal(changed("datasets.csv.source.name", "vader"))
    assert "  datasets/csv.yaml:source.name: the table is named 'vader'" in message


def test_several_problems_are_all_named() -> None:
    values = changed("seed", -1)
    set_value(values, "models.bilstm.training.batch_size", 0)
    message = refusal(values)
    assert "seed: " in message
    assert "models.bilstm.training.batch_size: " in message


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        (COMMITTED + "seed: 7\n", ['duplicate key "seed"', "line "]),
        (COMMITTED.replace("  lstm:", "  bilstm:"), ['duplicate key "bilstm"', "line "]),
        ("dataset: [vader\n", ["line 2", "expected"]),
        ("a: b: c\n", ["line 1"]),
        ("dataset: \tvader: x\n", ["line 1"]),
        ("seed: !!python/object/apply:os.getcwd []\n", ["could not determine a constructor"]),
        ("seed: \x00\n", ["control characters are not allowed"]),
    ],
)
def test_not_yaml(path: Path, text: str, fragments: list[str]) -> None:
    message = refusal_of_file(path, text)
    assert message.startswith(f"{path} is not YAML: ")
    assert len(message.splitlines()) == 1
    for fragment in fragments:
        assert fragment in message


def test_bytes_that_are_not_utf8(path: Path) -> None:
    path.write_bytes(b"dataset: \xff\xfe\n")
    assert refusal_of_file(path).startswith(f"{path} is not YAML: 'utf-8' codec can't decode")


@pytest.mark.parametrize("text", ["", "# only a comment\n", "- dataset\n", "vader\n"])
def test_yaml_that_is_not_a_mapping(path: Path, text: str) -> None:
    message = refusal_of_file(path, text)
    assert message.startswith("params.yaml is not valid:\n  top level: ")
    assert "dictionary" in message


def test_a_section_of_data_sets_is_refused(path: Path) -> None:
    message = refusal_of_file(path, COMMITTED + "datasets:\n  mine: {}\n")
    assert message.startswith("params.yaml has a section datasets; ")
    assert "datasets/NAME.yaml" in message


@pytest.mark.parametrize("name", ["my table.yaml", "mine.yml", "${x}.yaml"])
def test_a_file_of_a_data_set_has_an_allowed_name(path: Path, name: str) -> None:
    (path.parent / "datasets" / name).write_text("", "utf-8")
    assert refusal_of_file(path).startswith(f"datasets/{name}: the file's name is the name of ")


def test_an_entry_that_is_not_a_mapping_is_named(path: Path) -> None:
    (path.parent / "datasets/mine.yaml").write_text("- source\n", "utf-8")
    assert "\n  datasets/mine.yaml: " in refusal_of_file(path)


def test_an_entry_that_is_not_yaml_is_named(path: Path) -> None:
    (path.parent / "datasets/mine.yaml").write_text("source: [\n", "utf-8")
    assert "datasets/mine.yaml is not YAML" in refusal_of_file(path)


def test_missing_file(tmp_path: Path) -> None:
    message = refusal_of_file(tmp_path / "params.yaml")
    assert message == f"{tmp_path}/params.yaml does not exist; run from the project's root"


def test_params_are_frozen() -> None:
    params = load_params(ROOT / "params.yaml")
    with pytest.raises(ValueError, match="frozen"):
        params.seed = 1  # type: ignore[misc]


# choose


def test_choose_changes_only_the_chosen_names(path: Path) -> None:
    params = choose(path, {"dataset": "csv", "model": "char_lstm"})
    assert (params.dataset, params.model) == ("csv", "char_lstm")
    before, after = COMMITTED.splitlines(True), path.read_text("utf-8").splitlines(True)
    different = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert different == [
        (line, line.replace(VALUES[key], name, 1))
        for key, name in (("dataset", "csv"), ("model", "char_lstm"))
        for line in before
        if line.startswith(f"{key}:")
    ]
    assert all("#" in new for _, new in different)
    assert load_params(path) == params


def test_choosing_the_old_names_restores_the_file(path: Path) -> None:
    choose(path, {"dataset": "imdb", "model": "lstm"})
    choose(path, {"dataset": VALUES["dataset"], "model": VALUES["model"]})
    assert path.read_bytes() == COMMITTED.encode()


def test_choose_keeps_line_endings(path: Path) -> None:
    path.write_bytes(COMMITTED.replace("\n", "\r\n").encode())
    choose(path, {"dataset": "csv", "model": ""})
    assert path.read_bytes().count(b"\r\n") == path.read_bytes().count(b"\n") > 100


def test_folds_that_have_an_effect_are_allowed() -> None:
    values = copy.deepcopy(VALUES)
    csv = values["datasets"]["csv"]
    csv["source"]["fold_column"] = "fold"
    csv["clean"]["folds"] = ["train"]  # as in datasets/twitter.yaml
    assert parse_params(values, "params.yaml").datasets["csv"].split.rule == "grouped"
    del csv["clean"]["folds"]
    csv["split"] = {"rule": "published", "validation_size": 0.1}
    assert parse_params(values, "params.yaml").datasets["csv"].split.test_size is None


def test_missing_settings_are_off(path: Path) -> None:
    """The code has no other defaults."""
    params = load_params(path)
    assert not any(params.datasets["twitter_random"].clean.steps.model_dump().values())
    scratch = params.models["t1_char_lstm_mended"]
    network, training = scratch.network, scratch.training
    assert {network.word_dropout, network.layer_dropout, network.head_dropout} == {0.0}
    assert network.convolution is None
    assert [network.bidirectional, network.cell_from_scratch, training.fused] == [False] * 3
    assert training.patience is training.gradient_clip is training.average_decay is None
    assert training.learning_rate_decay is training.pretraining is None
    assert training.weight_decay == 0.0
    assert scratch.vocab.vectors == ()


@pytest.mark.parametrize("name", ["lstm.big", "a@b", "a/b", 'a"b', "a b", ""])
def test_names_that_are_invalid_in_dvc_or_a_path_are_refused(name: str) -> None:
    models = VALUES["models"] | {name: VALUES["models"]["lstm"]}
    message = refusal(VALUES | {"models": models})
    assert "should match pattern" in message
    assert f"(given: {name!r})" in message


def test_choose_without_a_change_writes_nothing(path: Path) -> None:
    path.chmod(0o444)
    stamp = path.stat().st_mtime_ns, path.stat().st_ino
    params = choose(path, {"dataset": "", "model": VALUES["model"]})
    assert params == load_params(ROOT / "params.yaml")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == stamp


@pytest.mark.parametrize(
    ("choices", "fragments"),
    [
        ({"dataset": "amazon", "model": "lstm"}, ["dataset is 'amazon'; allowed: csv"]),
        ({"dataset": "imdb", "model": "transformer"}, ["model is 'transformer'; allowed: bilstm"]),
        ({"dataset": "no such", "model": ""}, ["'no such'"]),
        ({"dataset": "[", "model": ""}, ["dataset cannot be set to '[': it must be a name"]),
        ({"dataset": "{a: b}", "model": ""}, ["dataset cannot be set to '{a: b}'"]),
        ({"dataset": r"\g<1>", "model": ""}, [r"dataset is '\\g<1>'; allowed: csv"]),
        ({"dataset": "", "model": "lstm\nseed: 7"}, [r"model cannot be set to 'lstm\nseed: 7'"]),
        ({"dataset": "imdb # or not", "model": ""}, ["dataset cannot be set to 'imdb # or not'"]),
    ],
)
def test_a_refused_choice_does_not_change_the_file(
    path: Path, choices: dict[str, str], fragments: list[str]
) -> None:
    with pytest.raises(ParamsError) as caught:
        choose(path, choices)
    for fragment in fragments:
        assert fragment in str(caught.value)
    assert path.read_bytes() == COMMITTED.encode()
    assert {file.name for file in path.parent.iterdir()} == {"datasets", "params.yaml"}


def test_choose_refuses_an_invalid_file(path: Path) -> None:
    values = changed("gates.min_coverage", 7)
    del values["datasets"]
    text = yaml.safe_dump(values, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError, match=r"gates\.min_coverage"):
        choose(path, {"dataset": "csv", "model": ""})
    assert path.read_text("utf-8") == text
