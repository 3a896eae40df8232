"""The files of a model: those that the last training left, and what can be wrong with any."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sentigate.errors import DataError, RegistryError
from sentigate.files import sha256_of
from sentigate.settings.dataset import Dataset
from sentigate.settings.params import Params

MODELS, TOKENIZER = Path("models"), Path("data/vocab/tokenizer.json")


def latest(params: Params) -> tuple[dict[str, Any], Dataset]:
    """What the last training left in models/, checked against what is beside it.

    Returns:
        What model.json holds, and the entry of ``datasets:`` that the model was trained on, which
        need not be the one chosen now.

    Raises:
        DataError: the tokenizer in data/vocab/ is another model's, or the entry is gone.
        RegistryError: model.json is damaged or another version's.
    """
    with model_errors(f"{MODELS}/"):
        model: dict[str, Any] = json.loads((MODELS / "model.json").read_text("utf-8"))
        dataset, digest = model["dataset"], model["tokenizer_sha256"]
    if digest != sha256_of(TOKENIZER):
        raise DataError(
            f"{TOKENIZER} is not the one that the model in {MODELS}/ was trained with (on "
            f"{dataset}); `make train` brings both up to date"
        )
    if dataset not in params.datasets:
        raise DataError(
            f"the model in {MODELS}/ was trained on {dataset}, which is no entry of datasets: any "
            f"more; there are: {', '.join(params.datasets)}"
        )
    return model, params.datasets[dataset]


@contextmanager
def model_errors(name: str) -> Iterator[None]:
    """Turn what loading a model's files raises into one message.

    Raises:
        RegistryError: they are damaged, or another version of sentigate wrote them.
    """
    from pydantic import ValidationError
    from safetensors import SafetensorError

    try:
        yield
    except (ValueError, KeyError, RuntimeError, SafetensorError) as error:
        problem = str(error)
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise RegistryError(
            f"the model {name} is damaged, or of another version of sentigate than this "
            f"({' '.join(problem.split())[:200]}); `make train` makes one that can be read"
        ) from None
