"""The stages vocab and pad with word vectors: outputs, printed lines and failures."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from support import minilm
from support.params import write_values
from support.vectors import put_small_vectors

from pipeline.stage import run
from sentigate import artifacts
from sentigate.data.vocabulary import read_tokenizer, tokens_of
from sentigate.data.word_vectors import read_vectors

TOKENIZER, VECTORS = artifacts.VOCAB_TOKENIZER, artifacts.WORD_VECTORS
WORDS = ["the", ",", "zebra", "Quagga", "u.s.", "n't", "movie", "gnu", "ox"]
VALUES = np.arange(1, 28, dtype=np.float32).reshape(9, 3)
Project = Callable[..., Path]


def run_stages(*names: str) -> None:
    for name in names:
        run(name, getattr(importlib.import_module(f"pipeline.{name}"), name))


@pytest.fixture
def project(
    small_project: Project,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    """Return a function that creates a project with small vectors and runs it up to split."""
    mirror = tmp_path_factory.mktemp("mirror")
    monkeypatch.setenv("SENTIGATE_MIRROR", str(mirror))

    def make(**changes: object) -> Path:
        settings: dict[str, object] = {
            "vectors__small": put_small_vectors(mirror, WORDS, VALUES),
            "models__tiny__vocab__level": "glove",
            "models__tiny__vocab__vectors": ["small"],
            "models__tiny__vocab__outside_words": 2,
            "gates__min_vector_coverage": 0.05,
            "gates__min_negation_coverage": 0.0,
        }
        folder = small_project(**settings | changes)
        run_stages("ingest", "clean", "split")
        return folder

    return make


def stopped(stage: str) -> str:
    with pytest.raises(SystemExit) as caught:
        run_stages(stage)
    assert not VECTORS.exists()
    assert not TOKENIZER.exists()
    return str(caught.value.code)


def test_vectors_have_the_order_of_token_ids(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project()
    run_stages("vocab")
    tokens = tokens_of(read_tokenizer(TOKENIZER))
    vectors = read_vectors(VECTORS)
    assert tokens[:2] == ["<pad>", "<unk>"]
    assert tokens[-2:] == ["zebra", "gnu"]  # in lower case, one piece, and new
    assert vectors.trained_entries == len(tokens) - 2
    scaled = (VALUES / VALUES.std()).astype(np.float16)
    expected = {word: scaled[n].tolist() for n, word in enumerate(WORDS)}
    for token, row in zip(tokens, vectors.values.tolist(), strict=True):
        assert row == pytest.approx(expected.get(token, [0, 0, 0]), rel=1e-3), token
    assert vectors.values[tokens.index("n't")].any()

    report = json.loads(artifacts.VOCAB_REPORT.read_text("utf-8"))
    assert report["entries"] == {"special": 2, "training": len(tokens) - 4, "outside": 2}
    said = report["vectors"]
    assert (said["parts"], said["entries"]) == ({"small": 3}, 6)
    assert 0.05 < said["share_of_tokens"] < report["known_share"]
    out = capsys.readouterr().out
    assert f"{said['share_of_tokens']:.2%} of training tokens and " in out
    assert "negations have a vector of 3 numbers" in out
    assert "2 more from small" in out

    run_stages("pad")  # its gate allows the ids of outside words
    texts = pd.read_parquet(artifacts.SPLIT_TEXTS.path)
    train = texts.loc[texts["split"] == "train", "text"]
    ids = np.load(artifacts.PADDED / "train/ids.npy")
    cut = read_tokenizer(TOKENIZER).encode_batch(train.tolist())
    assert [list(row[row > 0]) for row in ids[:50]] == [each.ids[:32] for each in cut[:50]]
    assert ids.max() < vectors.trained_entries


def test_an_outside_word_in_a_test_text_has_its_own_id(project: Project) -> None:
    folder = project()
    texts = pd.read_parquet(artifacts.SPLIT_TEXTS.path)
    row = texts.index[texts["split"] == "test"][0]
    texts.loc[row, "text"] = "a zebra and a quagga"
    texts.to_parquet(folder / artifacts.SPLIT_TEXTS.path)
    run_stages("vocab", "pad")
    tokenizer = read_tokenizer(TOKENIZER)
    zebra = tokenizer.token_to_id("zebra")
    assert zebra == tokenizer.get_vocab_size() - 2
    place = (
        pd.read_parquet(artifacts.PADDED / "test/rows.parquet")["id"]
        .tolist()
        .index(texts.loc[row, "id"])
    )
    assert zebra in np.load(artifacts.PADDED / "test/ids.npy")[place]


def test_fifty_thousand_outside_words_are_added(project: Project) -> None:
    project(models__tiny__vocab__outside_words=50_000)
    words = ["the", "a", ",", *(f"zq{n}x" for n in range(60_000))]
    mirror = Path(os.environ["SENTIGATE_MIRROR"])
    values = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    values["vectors"]["small"] = put_small_vectors(
        mirror, words, np.arange(120_006).reshape(60_003, 2) + 1
    )
    write_values(values, Path())
    run_stages("vocab", "pad")
    vectors = read_vectors(VECTORS)
    assert len(vectors.values) == vectors.trained_entries + 50_000
    gate = json.loads((artifacts.GATES / "vocab.json").read_text("utf-8"))
    assert gate["rows"] == len(vectors.values)


def test_without_vectors_the_report_and_the_gate_leave_them_out(project: Project) -> None:
    project(
        models__tiny__vocab__vectors=[],
        models__tiny__vocab__outside_words=0,
        gates__min_vector_coverage=1.0,
        gates__min_negation_coverage=1.0,
    )
    run_stages("vocab")
    vectors = read_vectors(VECTORS)
    size = read_tokenizer(TOKENIZER).get_vocab_size()
    assert vectors.values.shape == (size, 0)
    assert vectors.trained_entries == size
    assert json.loads(artifacts.VOCAB_REPORT.read_text("utf-8"))["vectors"] is None


def test_too_few_words_with_a_vector_fail_the_gate(project: Project) -> None:
    project(gates__min_vector_coverage=0.9)
    message = stopped("vocab")
    assert "enough of the training tokens have a vector" in message
    assert "min_value 0.9" in message
    assert message.count("✗") == 1


@pytest.mark.parametrize("level", ["glove", "word", "character", "bpe"])
def test_texts_without_spaces_need_a_model_of_characters(project: Project, level: str) -> None:
    folder = project(
        models__tiny__training__fused=False,
        models__tiny__vocab__vectors=[],
        models__tiny__vocab__outside_words=0,
        models__tiny__vocab__level=level,
        models__tiny__vocab__min_count=1,
    )
    texts = pd.read_parquet(artifacts.SPLIT_TEXTS.path)
    joined = texts.assign(text=texts["text"].str.replace(" ", ""))
    joined.to_parquet(folder / artifacts.SPLIT_TEXTS.path)
    if level in ("glove", "word"):
        message = stopped("vocab")
        assert "MODEL=char_lstm" in message
        assert message.count("✗") == 1
    else:
        run_stages("vocab")


def test_vectors_that_cannot_be_fetched_are_reported_in_one_message(project: Project) -> None:
    project(vectors__small__sha256="0" * 64)
    message = stopped("vocab")
    assert message.startswith("sentigate vocab: the word vectors small are not available: ")
    assert "small_vectors-1.0-py3-none-any.whl" in message
    assert "SENTIGATE_MIRROR" in message
    assert message.endswith("Or train without them: vectors: [] in the model's vocab")
    assert len(message.splitlines()) == 1


def test_negations_without_a_vector_fail_the_gate(project: Project) -> None:
    project(gates__min_negation_coverage=0.99)
    message = stopped("vocab")
    assert "enough of the negations among the training tokens" in message
    assert "gates.min_negation_coverage" in message
    assert message.count("✗") == 1


def test_a_table_without_negations_passes(project: Project) -> None:
    folder = project(gates__min_negation_coverage=1.0, gates__min_vector_coverage=0.0)
    texts = pd.read_parquet(artifacts.SPLIT_TEXTS.path)
    plain = [
        " ".join(w for w in text.split() if not set("nh") & set(w.lower()) and "bare" not in w)
        for text in texts["text"]
    ]
    texts.assign(text=plain).to_parquet(folder / artifacts.SPLIT_TEXTS.path)
    run_stages("vocab")
    assert json.loads(artifacts.VOCAB_REPORT.read_text("utf-8"))["vectors"]["negations"] == 0


def test_vectors_of_a_language_model_and_a_table_are_joined(project: Project) -> None:
    entry = minilm.put_minilm(Path(os.environ["SENTIGATE_MIRROR"])).model_dump()
    project(
        vectors__computed=entry,
        models__tiny__vocab__vectors=["computed", "small"],
        gates__min_vector_coverage=0.0,
    )
    run_stages("vocab")
    tokens, vectors = tokens_of(read_tokenizer(TOKENIZER)), read_vectors(VECTORS)
    assert vectors.widths == (4, 3)
    assert tokens[-2:] == [
        "zebra",
        "gnu",
    ]  # from the part with a list of words, although it is second
    has = {t: (row[:4].any(), row[4:].any()) for t, row in zip(tokens, vectors.values, strict=True)}
    assert (has["the"], has["good"], has["movie"]) == ((True, True), (True, False), (False, True))
    assert not vectors.values[:2].any()
    report = json.loads(artifacts.VOCAB_REPORT.read_text("utf-8"))["vectors"]
    assert report["parts"] == {"computed": 4, "small": 3}
    first = VECTORS.read_bytes()
    run_stages("vocab")
    assert VECTORS.read_bytes() == first


def test_a_damaged_table_is_named(project: Project) -> None:
    project()
    artifacts.SPLIT_TEXTS.path.write_bytes(b"\x00\xff{]" * 50)
    message = stopped("vocab")
    assert message.startswith("sentigate vocab: data/split/texts.parquet is damaged")
    assert len(message.splitlines()) == 1
