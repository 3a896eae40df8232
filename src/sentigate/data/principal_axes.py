"""Principal axes: shorten vectors to their coordinates on the main axes of a reference set."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .word_vectors import Floats

Doubles = npt.NDArray[np.float64]


class PrincipalAxes(NamedTuple):
    """A projection onto the principal axes of a reference set.

    Attributes:
        mean: Mean of the reference set, (W,) float64.
        axes: (W, D) float64, orthonormal columns; the largest number of each column is positive.
        deviation: Standard deviation of all numbers of the projected reference set.
    """

    mean: Doubles
    axes: Doubles
    deviation: float

    def project(self, values: npt.NDArray[np.floating]) -> Floats:
        """Project (N, W) to (N, D) float32; the reference set gets a standard deviation of 1."""
        centred = values.astype(np.float64) - self.mean
        return (centred @ self.axes / self.deviation).astype(np.float32)


def fit_axes(values: npt.NDArray[np.floating], size: int) -> PrincipalAxes:
    """Find the ``size`` axes on which ``values`` (N, W) vary most, with signs fixed."""
    exact = values.astype(np.float64)
    mean = exact.mean(axis=0)
    centred = exact - mean
    _, vectors = np.linalg.eigh(centred.T @ centred / len(exact))
    axes = vectors[:, : -size - 1 : -1]
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(size)]
    axes = np.ascontiguousarray(axes * np.sign(largest))
    return PrincipalAxes(mean, axes, float((centred @ axes).std()))
