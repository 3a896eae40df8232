"""The predictor: cleaning, tokenizer and network from a folder of plain files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.cleaning import ALL_BUT_LOSSY
from support.models import architecture, linear_model, save_model, vocab_params
from tokenizers import Tokenizer

from sentigate.data.vocabulary import build_tokenizer
from sentigate.model.fusion import Fusion
from sentigate.model.labels import Classes
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.network.inputs import Inputs
from sentigate.model.network.network import Network
from sentigate.model.notes import EMPTY, NO_KNOWN_WORD
from sentigate.model.predictor import BATCH_SIZE, Predictor, network_logits
from sentigate.model.saved_model import SavedModel
from sentigate.model.text.cleaning import make_cleaner
from sentigate.model.text.encoding import UNKNOWN_ID, pad_texts
from sentigate.settings.model import Level

pytestmark = pytest.mark.numeric
SHAPE = architecture(
    embedding_size=8,
    cell="lstm",
    hidden_sizes=(6, 5),
    bidirectional=True,
    pooling="mean",
    embedding_dropout=0.5,
    layer_dropout=0.5,
    head_dropout=0.5,
)
MAX_LENGTH = 24
TEXTS = [
    "A fine film, warm and funny.",
    "I want my two hours back.",
    "@ann <b>GREAT</b> cast https://t.co/x &lt;3",
    "",
    " \n\t",
    "😀👩\u200d💻❤\ufe0f",
    "<unk> <pad>",
    "word " * 10_000,
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a model folder with an untrained network."""
    folder = tmp_path_factory.mktemp("model")
    clean = make_cleaner(ALL_BUT_LOSSY)
    tokenizer = build_tokenizer([clean(t) for t in TEXTS], vocab_params())
    torch.manual_seed(5)
    network = Network(SHAPE, tokenizer.get_vocab_size(), 1)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)  # answers differ widely, so that a wrong answer is visible
    return save_model(folder, network, tokenizer, ALL_BUT_LOSSY, MAX_LENGTH)


def test_the_predictor_cleans_pads_and_runs_the_network(model: Path) -> None:
    network = SavedModel.load(model).network
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    padded = pad_texts(tokenizer, [make_cleaner(ALL_BUT_LOSSY)(t) for t in TEXTS], MAX_LENGTH)
    ids, lengths = (torch.from_numpy(values.astype(np.int64)) for values in padded)
    with torch.no_grad():
        answers = network(Inputs(ids, lengths)).sigmoid().squeeze(1)
    expected = answers.where((ids > UNKNOWN_ID).any(1), 0.5).numpy()  # else the prior
    found = Predictor(model)(TEXTS)
    assert found.dtype == np.float32
    assert np.abs(found - np.stack([1 - expected, expected], axis=1)).max() < 1e-6
    assert np.ptp(found[:, 1]) > 0.05


def test_the_predictor_cleans_texts(model: Path) -> None:
    dirty, plain = Predictor(model)(["@ann <b>GREAT</b>  CAST https://t.co/x", "great cast"])
    assert dirty == pytest.approx(plain, abs=1e-6)


def test_texts_without_tokens_are_one_unknown_token(model: Path) -> None:
    found = Predictor(model)(["", " \n\t", "https://t.co/x", "neverseen"])
    assert found == pytest.approx(found[[3] * 4], abs=1e-6)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("", EMPTY),
        (" \n\t\0\u2028", EMPTY),
        ("\u200b\u200d\ufe0f\u2060\ufeff\u00ad\u202e", EMPTY),
        ("\u3164\u2800", EMPTY),
        ("https://t.co/x <br>", EMPTY),
        ("neverseen", NO_KNOWN_WORD),
        ("漢字 \ufe0f neverseen", NO_KNOWN_WORD),  # the selector is known, but invisible
        ("fine " * MAX_LENGTH, ""),
        ("fine " * MAX_LENGTH + "film", "cut: 24 of 25 tokens read"),
        ("word " * 10_000, "cut: 24 of 10,000 tokens read"),
        # The model does not read the last word.
        ("neverseen " * MAX_LENGTH + "fine", f"{NO_KNOWN_WORD}; cut: 24 of 25 tokens read"),
        ("neverseen fine", ""),
        ("😀", ""),
        (".", ""),
    ],
)
def test_notes_name_cut_texts_and_texts_without_known_words(
    model: Path, text: str, note: str
) -> None:
    predictor = Predictor(model)
    assert predictor.judge([text]).notes == [note]
    answers = predictor.judge(["fine", text, "fine"])
    assert answers.notes == ["", note, ""]
    assert np.array_equal(answers.probabilities, predictor(["fine", text, "fine"]))


@pytest.mark.parametrize("level", ["character", "bpe"])
def test_invisible_characters_and_bytes_are_nothing_to_go_by(
    model: Path, tmp_path: Path, level: Level
) -> None:
    tokenizer = build_tokenizer(["fine film \u200d"] * 9, vocab_params(level, max_size=400))
    save_model(tmp_path, Network(SHAPE, tokenizer.get_vocab_size(), 1), tokenizer, ALL_BUT_LOSSY)
    notes = Predictor(tmp_path).judge(["", "\u200d \u200d", "漢 \u200d 字", "film"]).notes
    # No byte is unknown.
    assert notes == [EMPTY, EMPTY, NO_KNOWN_WORD if level == "character" else "", ""]


@pytest.fixture(scope="module")
def fused(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save the same network with a linear model that gives "hours" a negative weight."""
    saved = SavedModel.load(model)
    tokens = sorted(vocabulary := saved.tokenizer.get_vocab(), key=vocabulary.__getitem__)
    linear = linear_model({(vocabulary["hours"],): -5.0}, 0.0, tokens)
    return save_model(
        tmp_path_factory.mktemp("fused"),
        saved.network,
        saved.tokenizer,
        ALL_BUT_LOSSY,
        MAX_LENGTH,
        linear=linear,
        fusion=Fusion(share=0.5, temperature=1.0, prior=(0.0,)),
    )


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("fine " * MAX_LENGTH, ""),
        ("fine " * MAX_LENGTH + "hours", "cut: the network read 24 of 25 tokens"),
        # The answer is the share of positive texts, without the linear model.
        ("neverseen " * MAX_LENGTH + "hours", f"{NO_KNOWN_WORD}; cut: 24 of 25 tokens read"),
        # A selector is known but invisible, and the linear model reads beyond the selectors.
        ("\ufe0f " * MAX_LENGTH + "hours", "cut: the network read 24 of 25 tokens"),
        ("\ufe0f " * (MAX_LENGTH + 1), EMPTY),
    ],
)
def test_the_linear_model_reads_the_whole_text(fused: Path, text: str, note: str) -> None:
    predictor = Predictor(fused)
    found = predictor.judge(["fine", text])
    assert found.notes == ["", note]
    without = predictor([text.removesuffix("hours")])
    changed = (found.probabilities[1] != without[0]).all()
    assert changed == note.startswith("cut: the network")


def test_tokens_that_are_cut_off_do_not_count(model: Path) -> None:
    first = "fine film " * (MAX_LENGTH // 2)
    found = Predictor(model)([first, first + "two hours back", first + "word " * 10_000])
    assert found == pytest.approx(found[[0] * 3], abs=1e-6)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(st.text() | st.sampled_from(TEXTS), min_size=1, max_size=8))
def test_other_texts_and_order_do_not_count(model: Path, texts: list[str]) -> None:
    predictor = Predictor(model)
    found = predictor(texts)
    assert found.shape == (len(texts), 2)
    assert ((found >= 0) & (found <= 1)).all()
    assert np.abs(found - predictor(texts[::-1])[::-1]).max() < 1e-6


def test_no_texts_give_no_answers(model: Path) -> None:
    assert Predictor(model)([]).shape == (0, 2)
    answers = Predictor(model).judge([])
    assert answers.labels == answers.notes == []
    assert answers.confidences.shape == (0,)


def test_several_batches_keep_the_order_of_rows(model: Path) -> None:
    network = SavedModel.load(model).network
    rng = np.random.default_rng(0)
    lengths = rng.choice([1, 5, 16], 2 * BATCH_SIZE + 9).astype(np.int32)
    ids = np.where(np.arange(16) < lengths[:, None], rng.integers(1, 20, (len(lengths), 16)), 0)
    split = EncodedSplit(ids.astype(np.uint16), lengths, np.zeros(len(lengths), np.int8))
    network.train()  # network_logits must switch dropout off
    found = network_logits(network, split)
    some = [0, BATCH_SIZE, len(lengths) - 1]
    alone = [network_logits(network, split.take([row]))[0] for row in some]
    assert found[some] == pytest.approx(np.array(alone), abs=1e-6)


@pytest.mark.parametrize("scores", [1, 4])
@pytest.mark.parametrize("cell", ["lstm", "gru"])  # with and without the fast path
def test_the_number_of_threads_changes_only_rounding(cell: str, scores: int) -> None:
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, 17, 5 * BATCH_SIZE).astype(np.int32)
    ids = np.where(np.arange(16) < lengths[:, None], rng.integers(1, 20, (len(lengths), 16)), 0)
    split = EncodedSplit(ids.astype(np.uint16), lengths, np.zeros(len(lengths), np.int8))
    torch.manual_seed(1)
    network = Network(SHAPE.model_copy(update={"cell": cell}), 20, scores)
    threads = torch.get_num_threads()
    answers = []
    try:
        for number in (1, 2, 3):
            torch.set_num_threads(number)
            answers.append(network_logits(network, split))
            assert np.array_equal(answers[-1], network_logits(network, split))
            assert torch.get_num_threads() == number  # restored
    finally:
        torch.set_num_threads(threads)
    assert np.ptp(answers, axis=0).max() < 1e-5
    with torch.no_grad():
        expected = network(
            Inputs(torch.from_numpy(ids), torch.from_numpy(lengths.astype(np.int64)))
        )
    assert np.abs(np.array(answers) - expected.numpy()).max() < 1e-5


STARS = Classes(names=("one star", "two", "三", "four"), ordered=True)
SHARES = np.array([0.1, 0.2, 0.3, 0.4])


@pytest.fixture(scope="module")
def stars(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a model of four classes: an untrained network, and a linear model that knows "hours"."""
    saved = SavedModel.load(model)
    tokens = sorted(vocabulary := saved.tokenizer.get_vocab(), key=vocabulary.__getitem__)
    torch.manual_seed(5)
    network = Network(SHAPE, len(tokens), STARS.scores)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    linear = linear_model({(vocabulary["hours"],): [9.0, 0.0, -9.0, 0.0]}, [0.0] * 4, tokens)
    return save_model(
        tmp_path_factory.mktemp("stars"),
        network,
        saved.tokenizer,
        ALL_BUT_LOSSY,
        MAX_LENGTH,
        linear=linear,
        fusion=Fusion(share=0.5, temperature=2.0, prior=tuple(np.log(SHARES).tolist())),
        classes=STARS,
    )


def test_the_answer_is_the_most_probable_of_the_models_classes(stars: Path) -> None:
    predictor = Predictor(stars)
    answers = predictor.judge(TEXTS)
    network, tokenizer = predictor.network, predictor.tokenizer
    padded = pad_texts(tokenizer, [make_cleaner(ALL_BUT_LOSSY)(t) for t in TEXTS], MAX_LENGTH)
    ids, lengths = (torch.from_numpy(values.astype(np.int64)) for values in padded)
    with torch.no_grad():
        logits = network(Inputs(ids, lengths)) * 0.25
    logits[1] += torch.tensor([9.0, 0.0, -9.0, 0.0]) * 0.25  # "hours" is in the second text
    known = (ids > UNKNOWN_ID).any(1, keepdim=True)
    expected = torch.where(known, logits.softmax(1), torch.from_numpy(SHARES).float())
    assert predictor.classes == STARS
    assert answers.probabilities.dtype == answers.confidences.dtype == np.float32
    assert answers.probabilities == pytest.approx(expected.numpy(), abs=1e-6)
    assert answers.labels == [STARS.names[place] for place in expected.argmax(1).tolist()]
    assert (answers.confidences == answers.probabilities.max(axis=1)).all()
    assert set(answers.labels) == set(STARS.names)
    assert len(answers.notes) == len(TEXTS)


@pytest.mark.parametrize(("text", "note"), [("", EMPTY), ("neverseen", NO_KNOWN_WORD)])
def test_a_text_without_a_known_token_is_answered_with_the_shares_of_training(
    stars: Path, text: str, note: str
) -> None:
    labels, confidences, probabilities, notes = Predictor(stars).judge([text])
    assert (labels, notes) == (["four"], [note])
    assert probabilities[0] == pytest.approx(SHARES)
    assert confidences == pytest.approx([0.4])


def test_the_threshold_of_a_model_decides_between_its_two_classes(
    model: Path, tmp_path: Path
) -> None:
    """The names, too, are the model's."""
    saved, names = SavedModel.load(model), ("no", "yes")
    later = Predictor(model)(TEXTS)[:, 1]
    threshold = float(np.sort(later)[-2:].mean())  # only one text is above
    save_model(
        tmp_path, saved.network, saved.tokenizer, ALL_BUT_LOSSY, MAX_LENGTH,
        classes=Classes(names=names), threshold=threshold,
    )  # fmt: skip
    answers = Predictor(tmp_path).judge(TEXTS)
    assert answers.labels == [names[int(chance >= threshold)] for chance in later]
    assert answers.labels.count("yes") == 1
    assert (answers.confidences == np.where(later >= threshold, later, 1 - later)).all()
    assert answers.probabilities[:, 1] == pytest.approx(later, abs=1e-6)
