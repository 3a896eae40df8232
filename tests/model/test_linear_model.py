"""The linear model: its logits, their contributions, and its files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sentigate.model.linear_model import (
    LinearDescription,
    LinearModel,
)
from sentigate.model.model_files import (
    LINEAR_DESCRIPTION,
    LINEAR_FILES,
    LINEAR_WEIGHTS,
    ModelFileError,
)
from sentigate.model.text.encoding import PAD_ID, UNKNOWN_ID
from sentigate.model.text.ngram_codes import FIRST_WORD

WORDS = ("<pad>", "<unk>", "a", "good", "film", "rare")
A, GOOD, FILM, RARE = range(2, 6)
KINDS = ("tfidf", "naive_bayes", "characters")


def code(*ids: int, size: int = len(WORDS)) -> int:
    return sum(each * size**power for power, each in enumerate(reversed(ids)))


def model(kind: str, scores: int = 1) -> LinearModel:
    """Three tokens, two pairs and, with naive Bayes, a run of three have a weight.

    With several scores, each has the weights of one score times another factor, reversed.
    """
    bayes = kind == "naive_bayes"
    grams = [(A,), (GOOD,), (FILM,), (A, GOOD), (GOOD, FILM)]
    grams += [(A, GOOD, FILM)] if bayes else []
    weights = np.array([0.5, 2.0, -1.0, 0.25, 1.5, 4.0][: len(grams)], dtype=np.float32)
    characters = np.array([0, 0, 0.5, 3, -2, 7], dtype=np.float32)
    return LinearModel(
        LinearDescription(
            description="made by hand",
            ngrams=(1, 3 if bayes else 2),
            weighting="naive_bayes" if bayes else "tfidf",
            words=WORDS,
        ),
        np.array([code(*each) for each in grams]),
        np.stack([weights, -weights[::-1], weights * 0.3][:scores]),
        None if bayes else np.array([1.0, 2.0, 1.5, 2.5, 3.0], dtype=np.float32),
        np.stack([characters, characters[[0, 1, 5, 4, 3, 2]], -characters][:scores])
        if kind == "characters"
        else None,
        np.array([-0.75, 0.5, 1.25][:scores], dtype=np.float32),
    )


def judge(linear: LinearModel, *texts: list[int]) -> np.ndarray:
    """Return the logits of a model with one score, (texts,)."""
    offsets = np.cumsum([0, *map(len, texts)])
    ids = np.array([i for text in texts for i in text], dtype=np.int64)
    return linear.logits(ids, offsets).squeeze(1)


several = pytest.mark.parametrize("scores", [1, 3])


def random_texts(rows: int, size: int = len(WORDS)) -> tuple[np.ndarray, np.ndarray]:
    """Return short and empty texts with many repetitions and unknown tokens."""
    rng = np.random.default_rng(0)
    offsets = np.cumsum([0, *rng.integers(0, 12, rows)])
    return rng.integers(1, size, offsets[-1]), offsets


def test_words_begin_after_the_special_entries() -> None:
    assert max(PAD_ID, UNKNOWN_ID) + 1 == FIRST_WORD


def test_tfidf_matches_a_hand_calculation() -> None:
    values = np.array([1 + np.log(2), 2.0, 2.5])  # "a" twice, "good", "a good"
    expected = -0.75 + values @ [0.5, 2.0, 0.25] / np.linalg.norm(values)
    assert judge(model("tfidf"), [A, GOOD, UNKNOWN_ID, A]) == pytest.approx(expected)


def test_naive_bayes_counts_each_ngram_once() -> None:
    once, twice = [A, GOOD, FILM], [A, GOOD, FILM, A, GOOD, FILM]
    found = judge(model("naive_bayes"), once, twice)
    assert found == pytest.approx(-0.75 + 0.5 + 2 - 1 + 0.25 + 1.5 + 4)


def test_characters_match_a_hand_calculation() -> None:
    """Unknown tokens count in a text's length; a token without an n-gram has its characters."""
    found = judge(model("characters"), [RARE, RARE, UNKNOWN_ID, UNKNOWN_ID])
    assert found == pytest.approx(-0.75 + 2 * 7 / np.sqrt(4))


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_known_ngram_the_logit_is_the_bias(kind: str) -> None:
    found = judge(model(kind), [], [UNKNOWN_ID], [UNKNOWN_ID] * 3, [])
    assert found.dtype == np.float32
    assert found.tolist() == [-0.75] * 4
    assert judge(model(kind)).shape == (0,)


@pytest.mark.parametrize("kind", KINDS)
def test_no_ngram_spans_an_unknown_token_or_two_texts(kind: str) -> None:
    apart = judge(model(kind), [A, UNKNOWN_ID, GOOD], [A], [GOOD])
    whole = model(kind)
    weights = replace(whole, codes=whole.codes[:3], weights=whole.weights[:, :3])
    alone = weights if weights.idf is None else replace(weights, idf=weights.idf[:3])
    assert (apart == judge(alone, [A, UNKNOWN_ID, GOOD], [A], [GOOD])).all()
    assert (judge(model(kind), [A, GOOD]) != judge(alone, [A, GOOD])).all()


@several
@pytest.mark.parametrize("kind", KINDS)
def test_other_texts_do_not_change_a_logit(
    kind: str, scores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    linear, (ids, offsets) = model(kind, scores), random_texts(300)
    together = linear.logits(ids, offsets)
    alone = [linear.logits(ids[a:b], np.array([0, b - a]))[0] for a, b in pairwise(offsets)]
    assert (together == alone).all()
    monkeypatch.setattr("sentigate.model.linear_model.AT_ONCE", 7)  # some texts are longer
    assert (linear.logits(ids, offsets) == together).all()
    assert (linear.logits(ids.astype(np.uint16), offsets.astype(np.int32)) == together).all()


@pytest.mark.parametrize("kind", KINDS)
def test_each_score_is_that_of_a_model_with_one_score(kind: str) -> None:
    whole, (ids, offsets) = model(kind, 3), random_texts(300)
    found = whole.logits(ids, offsets)
    assert found.shape == (300, 3)
    assert found.dtype == np.float32
    for score in range(3):
        part = slice(score, score + 1)
        characters = None if whole.characters is None else whole.characters[part]
        alone = replace(
            whole, weights=whole.weights[part], characters=characters, bias=whole.bias[part]
        )
        assert (found[:, part] == alone.logits(ids, offsets)).all()
    assert (np.ptp(found, axis=1) > 0.1).any()


@several
@pytest.mark.parametrize("kind", KINDS)
def test_contributions_and_bias_sum_to_the_logits(kind: str, scores: int) -> None:
    linear, (ids, offsets) = model(kind, scores), random_texts(100)
    for (start, end), logits in zip(pairwise(offsets), linear.logits(ids, offsets), strict=True):
        shares = linear.contributions(ids[start:end])
        assert {share.logits.shape for share in shares} <= {(scores,)}
        found = sum((share.logits for share in shares), linear.bias)
        assert found == pytest.approx(logits, abs=1e-5)


def test_contributions_have_places_and_length() -> None:
    text = [A, GOOD, UNKNOWN_ID, A, GOOD, FILM]
    shares = {
        (s.places, s.length): s.logits.tolist() for s in model("naive_bayes").contributions(text)
    }
    assert shares == {
        ((0, 3), 1): [0.5],
        ((1, 4), 1): [2.0],
        ((5,), 1): [-1.0],
        ((0, 3), 2): [0.25],
        ((4,), 2): [1.5],
        ((3,), 3): [4.0],
    }
    added = model("characters").contributions([RARE, RARE, UNKNOWN_ID, UNKNOWN_ID])
    assert added == [((0,), 1, 3.5), ((1,), 1, 3.5)]


@pytest.mark.parametrize("outside", [-1, len(WORDS)])
def test_ids_outside_the_vocabulary_are_refused(outside: int) -> None:
    with pytest.raises(ValueError, match=r"token ids .* allowed: 0 to 5"):
        judge(model("tfidf"), [A, outside])


# Another vocabulary

OTHERS = ["<pad>", "<unk>", "film", "new", "good", "rare", "other", "a"]


@several
@pytest.mark.parametrize("kind", KINDS)
def test_a_renumbered_model_has_the_same_logits(kind: str, scores: int) -> None:
    """Extra words of the other vocabulary count as unknown."""
    linear = model(kind, scores)
    other = linear.renumbered(OTHERS)
    ids, offsets = random_texts(300, len(OTHERS))
    own = {word: place for place, word in enumerate(WORDS)}
    translated = np.array([own.get(word, UNKNOWN_ID) for word in OTHERS])[ids]
    assert (translated != UNKNOWN_ID).any()
    expected = linear.logits(translated, offsets)
    assert other.logits(ids, offsets) == pytest.approx(expected, abs=1e-6)
    assert other.about.words == tuple(OTHERS)
    assert (np.diff(other.codes) > 0).all()


def test_a_vocabulary_that_lacks_words_is_refused() -> None:
    """A word without a weight may be missing."""
    without = [word for word in OTHERS if word not in ("good", "a")]
    with pytest.raises(ValueError, match=r"lacks 2 of 3 words .*: 'a', 'good'; build"):
        model("tfidf").renumbered([word for word in without if word != "rare"])
    with pytest.raises(ValueError, match=r"lacks 1 of 4 words .*: 'rare'"):
        model("characters").renumbered([word for word in OTHERS if word != "rare"])


def test_a_vocabulary_too_large_for_64_bits_is_refused() -> None:
    class Huge(list[str]):
        def __len__(self) -> int:
            return 2**21 + 1

    expected = r"n-grams of 3 tokens over 2,097,153 .* 2,097,15\d entries"
    with pytest.raises(ValueError, match=expected):
        model("naive_bayes").renumbered(Huge(OTHERS))


# Files


@several
@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_is_loaded_unchanged(kind: str, scores: int, tmp_path: Path) -> None:
    linear, texts = model(kind, scores), random_texts(50)
    linear.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(LINEAR_FILES)
    loaded = LinearModel.load(tmp_path)
    assert loaded.about == linear.about
    assert (loaded.logits(*texts) == linear.logits(*texts)).all()
    before = {name: (tmp_path / name).read_bytes() for name in LINEAR_FILES}
    loaded.save(tmp_path)
    assert before == {name: (tmp_path / name).read_bytes() for name in LINEAR_FILES}


def test_arrays_are_saved_by_their_values_not_by_their_memory(tmp_path: Path) -> None:
    """safetensors 0.8 writes the memory of a Fortran-ordered array, with the array's shape."""
    linear = model("tfidf", scores=3)
    replace(linear, weights=np.asfortranarray(linear.weights)).save(tmp_path)
    assert LinearModel.load(tmp_path).weights.tolist() == linear.weights.tolist()


@pytest.mark.parametrize("name", LINEAR_FILES)
@pytest.mark.parametrize("damage", ["empty", "half", "missing"])
def test_an_error_names_the_damaged_file(name: str, damage: str, tmp_path: Path) -> None:
    model("characters").save(tmp_path)
    path = tmp_path / name
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[: len(content) // 2] if damage == "half" else b"")
    expected = FileNotFoundError if damage == "missing" else ModelFileError
    with pytest.raises(expected, match=name.replace(".", r"\.")) as raised:
        LinearModel.load(tmp_path)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("weights", None, "weights does not fit"),
        ("idf", None, "idf does not fit"),
        ("more", np.zeros(1), "more does not fit"),
        ("weights", np.zeros((1, 4), np.float32), "weights does not fit"),
        ("weights", np.zeros((1, 5), np.float64), "weights does not fit"),
        ("weights", np.zeros((2, 5), np.float32), "weights does not fit"),
        ("weights", np.zeros(5, np.float32), "weights does not fit"),
        ("characters", np.zeros((1, 5), np.float32), "characters does not fit"),
        ("characters", np.zeros((2, 6), np.float32), "characters does not fit"),
        ("bias", np.zeros((), np.float32), r"linear\.safetensors"),
        ("bias", np.zeros(0, np.float32), "characters does not fit"),
        ("bias", np.array([np.nan], np.float32), "not finite"),
        ("codes", np.array([2, 3, 3, 15, 22]), "out of order"),
        ("codes", np.array([2, 3, 4, 15, 36]), "of other lengths"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    name: str, value: np.ndarray | None, reason: str, tmp_path: Path
) -> None:
    model("characters").save(tmp_path)
    tensors = load_file(tmp_path / LINEAR_WEIGHTS)
    tensors.pop(name, None)
    save_file(tensors if value is None else {**tensors, name: value}, tmp_path / LINEAR_WEIGHTS)
    with pytest.raises(ModelFileError, match=reason):
        LinearModel.load(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("weighting", "bm25"), ("ngrams", [2, 1]), ("ngrams", [0, 2]), ("ngrams", [1, 90]), ("x", 1)],
)
def test_an_invalid_description_is_refused(key: str, value: object, tmp_path: Path) -> None:
    model("tfidf").save(tmp_path)
    path = tmp_path / LINEAR_DESCRIPTION
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {key: value}), "utf-8")
    with pytest.raises(ModelFileError, match=r"linear\.json"):
        LinearModel.load(tmp_path)


def test_prediction_imports_only_numpy(run_python: Callable[..., str]) -> None:
    unwanted = ("sklearn", "scipy", "torch", "pandas", "tokenizers")
    code = (
        "import sys, sentigate.model.linear_model\n"
        f"print(*[name for name in {unwanted} if name in sys.modules])"
    )
    assert run_python(code).split() == []
