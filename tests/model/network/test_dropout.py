"""Dropout: the behaviour of nn.Dropout with fewer random bits."""

import pytest
import torch
from torch import nn

from sentigate.model.network.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_share_is_dropped_and_the_rest_scaled_up(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    dropped = Dropout(p)(torch.ones(300, 401, dtype=dtype))
    assert dropped.dtype == dtype
    assert dropped.unique().tolist() == pytest.approx([0, 1 / (1 - p)], rel=1e-2)
    share = (dropped == 0).double().mean().item()
    assert share == pytest.approx(p, abs=4 * (p * (1 - p) / dropped.numel()) ** 0.5)


def test_every_feature_of_every_text_is_dropped_equally_often() -> None:
    """One draw gives the bits of four neighbours: none of the four may be special."""
    torch.manual_seed(0)
    zero = sum((Dropout(0.5)(torch.ones(50, 8)) == 0).double() for _ in range(2000)) / 2000
    assert 0.5 - 0.06 < zero.min() < zero.max() < 0.5 + 0.06


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(0)
    zero = (Dropout(0.5)(torch.ones(100_000, 4)) == 0).double()
    assert torch.corrcoef(zero.T).fill_diagonal_(0).abs().max() < 0.02


def test_only_kept_states_have_a_gradient() -> None:
    torch.manual_seed(0)
    states = torch.randn(5, 6, requires_grad=True)
    out = Dropout(0.25)(states)
    out.sum().backward()
    assert torch.equal(states.grad == 0, out == 0)
    assert torch.allclose(states.grad[out != 0], torch.tensor(4 / 3))


def test_nothing_is_dropped_in_evaluation_or_with_p_zero() -> None:
    states = torch.randn(3, 4)
    assert Dropout(0.5).eval()(states) is states
    assert Dropout(0.0)(states) is states
    assert Dropout(0.5)(torch.empty(0, 3)).shape == (0, 3)


def test_a_seed_repeats_the_mask_and_repr_shows_p() -> None:
    masks = []
    for _ in range(2):
        torch.manual_seed(7)
        masks.append(Dropout(0.3)(torch.ones(9, 7)))
    assert torch.equal(*masks)
    assert repr(Dropout(0.5)) == "Dropout(p=0.5)"
    assert isinstance(Dropout(0.5), nn.Module)
