"""From logits to probabilities, and from probabilities to the answered class.

K is the number of classes. A model of two classes has one logit, that of the later class; any other
model has K logits, and softmax turns them into probabilities.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.float32]
"""(rows, 1) for two classes, or else (rows, K)."""
Probabilities = npt.NDArray[np.float32]
"""(rows, K), columns in the order of the classes; each row sums to 1."""
Labels = npt.NDArray[np.int64]
"""(rows,), indexes into the names of the classes."""
SMALLEST_PROBABILITY = 2.0**-23
"""float32's epsilon: networks answer in float32, which rounds a sure answer to exactly 0 or 1."""


def probabilities(logits: npt.NDArray[Any]) -> Probabilities:
    """Return the probability of each class, (rows, K) float32. A large logit does not overflow.

    Args:
        logits: (rows, 1), the later of two classes against the earlier; or (rows, K).
    """
    exact = logits.astype(np.float64)
    if exact.shape[1] == 1:
        later = np.exp(-np.logaddexp(0.0, -exact)).astype(np.float32)
        return np.concatenate([1 - later, later], axis=1)
    exact -= exact.max(axis=1, keepdims=True)
    np.exp(exact, out=exact)
    return np.asarray(exact / exact.sum(axis=1, keepdims=True), dtype=np.float32)


def predicted_labels(
    probabilities: npt.NDArray[np.floating[Any]], threshold: float | None = None
) -> Labels:
    """Return the answered class of each row, (rows,).

    It is the most probable class, and the later one if several are equally probable.

    Args:
        probabilities: (rows, K).
        threshold: for two classes: the answer is the later class if its probability is at least
            this. None for the most probable class.
    """
    count = probabilities.shape[1]
    if threshold is not None:
        if count != 2:
            raise ValueError(f"a threshold decides between two classes, not {count}")
        return (probabilities[:, 1] >= threshold).astype(np.int64)
    labels: Labels = count - 1 - np.argmax(probabilities[:, ::-1], axis=1)
    return labels


def confidences(
    probabilities: npt.NDArray[np.floating[Any]], labels: npt.NDArray[np.integer[Any]]
) -> npt.NDArray[Any]:
    """Return each row's probability of the class in ``labels``, (rows,)."""
    picked: npt.NDArray[Any] = np.take_along_axis(
        probabilities, np.asarray(labels, dtype=np.int64)[:, None], axis=1
    )[:, 0]
    return picked


def log_losses(
    labels: npt.NDArray[np.integer[Any]], probabilities: npt.NDArray[np.floating[Any]]
) -> npt.NDArray[np.floating[Any]]:
    """Return each answer's loss: -ln of the true class's probability, (rows,), in nats.

    Args:
        labels: the true classes, (rows,).
        probabilities: (rows, K); clipped to float32's epsilon.
    """
    true = confidences(probabilities, labels)
    losses: npt.NDArray[np.floating[Any]] = -np.log(
        np.clip(true, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    )
    return losses


def named_columns(prefix: str, values: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of ``values`` for a table: ``<prefix>_0``, ``<prefix>_1`` and so on."""
    return {f"{prefix}_{k}": values[:, k] for k in range(values.shape[1])}


def table_columns(table: Any, prefix: str = "probability") -> npt.NDArray[np.float32]:
    """Return the columns of a DataFrame that ``named_columns`` named, as one array.

    Raises:
        ValueError: the table has no such column.
    """
    columns: list[npt.NDArray[np.float32]] = []
    while (name := f"{prefix}_{len(columns)}") in table:
        columns.append(np.asarray(table[name]))
    return np.stack(columns, axis=1)
