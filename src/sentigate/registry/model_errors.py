"""One message for all errors of reading a model's files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sentigate.errors import RegistryError


@contextmanager
def model_errors(name: str) -> Iterator[None]:
    """Turn the errors of reading a model's files into one message, whoever's code reads them.

    Args:
        name: the model's name in the message.

    Raises:
        RegistryError: the files are damaged, or another version of sentigate wrote them.
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
            f"the model {name} is damaged, or of another version of sentigate than this one "
            f"({' '.join(problem.split())[:200]}); `make train` trains a model that can be read, "
            "and `sentigate explain --model latest` explains that model even if it is not promoted"
        ) from None
