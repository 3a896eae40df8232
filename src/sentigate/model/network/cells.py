"""The recurrent cells from scratch, written to be read: a function is a step, a line an equation.

``x`` is the input (..., X) and ``h`` the hidden state (..., H) of any batch shape; with X = H = 1
every gate is one number, and a step is scalar arithmetic:

>>> one = torch.ones(1)
>>> gate = Affine(one.view(1, 1), one.view(1, 1), 0 * one)      # x + h
>>> gates = {name: gate for name in ("forget", "input_", "candidate", "output")}
>>> step = lstm_step(one, 0 * one, 2 * one, **gates)
>>> [round(part.item(), 4) for part in step]                    # f, i, g, o, c, h
[0.7311, 0.7311, 0.7616, 0.7311, 2.0189, 0.7057]

``Recurrence`` runs a cell over a sequence. Its parameters have the names, the order and the initial
values of torch's layers, so that each can load the other's weights.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Affine(NamedTuple):
    """W [h, x] + b, with W in two parts.

    Attributes:
        input_weights: (H, X).
        hidden_weights: (H, H).
        bias: (H,).
    """

    input_weights: Tensor
    hidden_weights: Tensor
    bias: Tensor

    def __call__(self, h: Tensor, x: Tensor) -> Tensor:
        """(..., H) and (..., X) -> (..., H)."""
        return h @ self.hidden_weights.T + x @ self.input_weights.T + self.bias


class LSTMStep(NamedTuple):
    """The values of an LSTM cell at one token, each (..., H).

    Attributes:
        forget: share of the cell state that is kept, in (0, 1).
        input: share of the candidate that is written, in (0, 1).
        candidate: new content for the cell state, in (-1, 1).
        output: share of the cell state that is shown, in (0, 1).
        cell: cell state (long-term memory) after the step.
        hidden: hidden state (short-term memory) after the step, in (-1, 1).
    """

    forget: Tensor
    input: Tensor
    candidate: Tensor
    output: Tensor
    cell: Tensor
    hidden: Tensor


class GRUStep(NamedTuple):
    """The values of a GRU cell at one token, each (..., H).

    Attributes:
        reset: share of the hidden state that the candidate sees, in (0, 1).
        update: share of the hidden state that is kept, in (0, 1).
        candidate: new content for the hidden state, in (-1, 1).
        hidden: hidden state after the step, in (-1, 1).
    """

    reset: Tensor
    update: Tensor
    candidate: Tensor
    hidden: Tensor


class RNNStep(NamedTuple):
    """The values of a plain recurrent cell at one token.

    Attributes:
        hidden: (..., H), hidden state after the step, in (-1, 1).
    """

    hidden: Tensor


def lstm_step(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    *,
    forget: Affine,
    input_: Affine,
    candidate: Affine,
    output: Affine,
) -> LSTMStep:
    """One step of an LSTM (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000)."""
    f = torch.sigmoid(forget(h, x))  # f_t = sigmoid(W_f [h_{t-1}, x_t] + b_f)
    i = torch.sigmoid(input_(h, x))  # i_t = sigmoid(W_i [h_{t-1}, x_t] + b_i)
    g = torch.tanh(candidate(h, x))  # g_t = tanh(W_C [h_{t-1}, x_t] + b_C)
    c = f * c + i * g  # c_t = f_t * c_{t-1} + i_t * g_t
    o = torch.sigmoid(output(h, x))  # o_t = sigmoid(W_o [h_{t-1}, x_t] + b_o)
    h = o * torch.tanh(c)  # h_t = o_t * tanh(c_t)
    return LSTMStep(f, i, g, o, c, h)


def gru_step(
    x: Tensor, h: Tensor, *, reset: Affine, update: Affine, candidate: Affine, hidden_bias: Tensor
) -> GRUStep:
    """One step of a GRU (Cho et al. 2014), with the reset gate after the product, as in cuDNN.

    Args:
        x: (..., X).
        h: (..., H).
        reset: affine map of the reset gate.
        update: affine map of the update gate.
        candidate: affine map of the candidate.
        hidden_bias: (H,), part of the candidate's bias that the reset gate scales.
    """
    r = torch.sigmoid(reset(h, x))  # r_t = sigmoid(W_r [h_{t-1}, x_t] + b_r)
    z = torch.sigmoid(update(h, x))  # z_t = sigmoid(W_z [h_{t-1}, x_t] + b_z)
    recalled = r * (h @ candidate.hidden_weights.T + hidden_bias)
    n = torch.tanh(x @ candidate.input_weights.T + candidate.bias + recalled)
    h = (1 - z) * n + z * h  # h_t = (1 - z_t) * n_t + z_t * h_{t-1}
    return GRUStep(r, z, n, h)


def rnn_step(x: Tensor, h: Tensor, *, hidden: Affine) -> RNNStep:
    """One step of a plain recurrent network (Elman 1990)."""
    return RNNStep(torch.tanh(hidden(h, x)))  # h_t = tanh(W [h_{t-1}, x_t] + b)


Step = LSTMStep | GRUStep | RNNStep


class Recurrence(nn.Module):
    """A cell run over a sequence: nn.LSTM, nn.GRU or nn.RNN of one layer, in plain Python."""

    weight_ih_l0: nn.Parameter
    weight_hh_l0: nn.Parameter
    bias_ih_l0: nn.Parameter
    bias_hh_l0: nn.Parameter

    def __init__(self, cell: str, input_size: int, hidden_size: int) -> None:
        super().__init__()
        gates = {"rnn": 1, "lstm": 4, "gru": 3}[cell]
        self.cell = cell
        self.hidden_size = hidden_size
        bound = 1 / math.sqrt(hidden_size)
        for name, shape in {
            "weight_ih_l0": (gates * hidden_size, input_size),
            "weight_hh_l0": (gates * hidden_size, hidden_size),
            "bias_ih_l0": (gates * hidden_size,),
            "bias_hh_l0": (gates * hidden_size,),
        }.items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape).uniform_(-bound, bound)))

    def forward(self, inputs: Tensor) -> tuple[Tensor, Step]:
        """Run the cell over the sequence.

        Args:
            inputs: (B, T, X).

        Returns:
            The hidden states, (B, T, H), and the last step, which holds the final states.
        """
        steps = self.steps(inputs)
        return torch.stack([step.hidden for step in steps], dim=1), steps[-1]

    def steps(self, inputs: Tensor) -> list[Step]:
        """Run the cell over the sequence and keep all values.

        Args:
            inputs: (B, T, X).

        Returns:
            T steps; each of their values is (B, H).
        """
        gates = self._gates()
        h = inputs.new_zeros(len(inputs), self.hidden_size)
        c = h
        steps: list[Step] = []
        for x in inputs.unbind(1):
            step: Step
            if self.cell == "lstm":
                input_, forget, candidate, output = gates  # torch's order
                step = lstm_step(
                    x, h, c, forget=forget, input_=input_, candidate=candidate, output=output
                )
                c = step.cell
            elif self.cell == "gru":
                hidden_bias = self.bias_hh_l0[-self.hidden_size :]
                reset, update, candidate = gates
                step = gru_step(
                    x, h, reset=reset, update=update, candidate=candidate, hidden_bias=hidden_bias
                )
            else:
                step = rnn_step(x, h, hidden=gates[0])
            h = step.hidden
            steps.append(step)
        return steps

    def _gates(self) -> list[Affine]:
        """Split the stacked weights, in the order of torch's layers, into gates."""
        bias = self.bias_ih_l0 + self.bias_hh_l0
        if self.cell == "gru":  # the candidate of a GRU has two separate biases
            bias = torch.cat(
                (bias[: 2 * self.hidden_size], self.bias_ih_l0[2 * self.hidden_size :])
            )
        parts = (self.weight_ih_l0, self.weight_hh_l0, bias)
        return [
            Affine(*gate)
            for gate in zip(*(torch.split(p, self.hidden_size) for p in parts), strict=True)
        ]
