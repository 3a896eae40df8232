"""What can be wrong with a model's files, in one message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sentigate.errors import RegistryError


@contextmanager
def model_errors(name: str) -> Iterator[None]:
    """Turn what loading a model's files raises, by this code or the model's own, into one message.

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
            f"({' '.join(problem.split())[:200]}); `make train` makes one that can be read, "
            "and `sentigate explain --model latest` reads it whether it is promoted or not"
        ) from None
