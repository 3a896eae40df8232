"""The n-gram part."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support import architecture, ngram_part

from sentigate.model.network.batches import EncodedSplit
from sentigate.model.network.network import Network
from sentigate.model.network.ngrams import NgramPart, run_codes
from sentigate.model.predictor import predict

VOCABULARY = 7
SHAPE = architecture(
    embedding_size=4, cell="lstm", hidden_sizes=(5,), bidirectional=True, pooling="max",
    embedding_dropout=0.0, layer_dropout=0.0, head_dropout=0.0,
)  # fmt: skip
texts = st.lists(
    st.lists(st.integers(1, VOCABULARY - 1), min_size=1, max_size=6), min_size=1, max_size=5
)


def part_of(weights: dict[tuple[int, ...], float], bias: float) -> NgramPart:
    return ngram_part(weights, bias, VOCABULARY)


def padded(rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    return ids, torch.tensor([len(row) for row in rows])


runs = st.lists(st.integers(1, VOCABULARY - 1), min_size=1, max_size=3).map(tuple)


@given(texts, st.dictionaries(runs, st.floats(-2, 2, width=32), max_size=30))
def test_it_is_the_sum_over_all_runs(
    rows: list[list[int]], weights: dict[tuple[int, ...], float]
) -> None:
    expected = [
        0.5
        + sum(
            weights.get(tuple(row[start : start + length]), 0.0)
            for length in (1, 2, 3)
            for start in range(len(row) - length + 1)
        )
        / len(row) ** 0.5
        for row in rows
    ]
    assert part_of(weights, 0.5)(*padded(rows)).tolist() == pytest.approx(expected, abs=1e-5)


def test_no_two_runs_share_a_number() -> None:
    ids = torch.cartesian_prod(*[torch.arange(1, VOCABULARY)] * 3)
    pairs = run_codes(ids, 2, VOCABULARY).flatten().unique()
    triples = run_codes(ids, 3, VOCABULARY).flatten().unique()
    assert len(pairs) == (VOCABULARY - 1) ** 2
    assert len(triples) == (VOCABULARY - 1) ** 3
    assert len(torch.cat((pairs, triples)).unique()) == len(pairs) + len(triples)


@pytest.mark.parametrize("rows", [1, 300])
def test_a_network_adds_it_batch_or_single_and_divides_by_its_temperature(rows: int) -> None:
    """More rows than a batch take the fast path."""
    torch.manual_seed(0)
    part = part_of({(2,): 1.0, (3, 4): -2.0, (5, 5, 5): 3.0}, 0.25)
    network = Network(SHAPE, VOCABULARY, ngrams=part)
    network.temperature.fill_(2.0)
    with torch.no_grad():
        network.ngram_weight.fill_(0.7)
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 7, rows).astype(np.int32)
    ids = rng.integers(2, VOCABULARY, (rows, 6)) * (np.arange(6) < lengths[:, None])
    split = EncodedSplit(ids.astype(np.uint16), lengths, np.zeros(rows, np.int8))
    alone = Network(SHAPE, VOCABULARY)
    own = {name: value for name, value in network.state_dict().items() if "ngram" not in name}
    alone.load_state_dict(own | {"temperature": torch.ones(())})
    with torch.inference_mode():
        given = torch.from_numpy(ids.astype(np.int64)), torch.from_numpy(lengths.astype(np.int64))
        expected = ((alone.eval()(*given) + 0.7 * part(*given)) / 2.0).sigmoid()
    assert predict(network, split) == pytest.approx(expected.numpy(), abs=1e-6)


def test_held_out_logits_take_its_place() -> None:
    torch.manual_seed(0)
    network = Network(SHAPE, VOCABULARY, ngrams=part_of({(2,): 100.0}, 0.0)).eval()
    ids, lengths = torch.tensor([[2, 3]]), torch.tensor([2])
    with torch.inference_mode():
        without = network(ids, lengths, torch.zeros(1))
        assert network(ids, lengths, torch.ones(1)) == pytest.approx(without + 1.0)
        assert network(ids, lengths) > 50


def test_a_text_without_a_known_token_gets_the_prior() -> None:
    torch.manual_seed(0)
    network = Network(SHAPE, VOCABULARY, ngrams=part_of({(1,): 5.0}, 1.0)).eval()
    network.prior.fill_(-0.3)
    with torch.inference_mode():
        logits = network(torch.tensor([[1, 1], [1, 2]]), torch.tensor([2, 2]))
    assert logits[0] == pytest.approx(-0.3)
    assert logits[1] != logits[0]


def test_weights_bring_their_part_along() -> None:
    torch.manual_seed(0)
    network = Network(SHAPE, VOCABULARY, ngrams=part_of({(2,): 1.0, (3, 4): -2.0}, 0.25))
    again = Network.from_weights(SHAPE, VOCABULARY, network.state_dict())
    ids, lengths = torch.tensor([[2, 3, 4]]), torch.tensor([3])
    with torch.inference_mode():
        assert torch.equal(again(ids, lengths), network.eval()(ids, lengths))
