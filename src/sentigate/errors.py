"""The errors that sentigate raises on purpose.

SentigateError
├── ParamsError          params.yaml has a wrong key, type or value
├── SourceError          a data source is unreachable, or is not the expected one
├── DataError            a stage cannot use its input
├── GateError            a Great Expectations suite refused the output of a stage
├── RegistryError        MLflow cannot be reached, or has no such model
│   └── LostModelError   the files of a registered model are missing or changed
└── ServerError          a server cannot be started

Each has one message for the user: what is wrong, where, and what is allowed. Stage scripts and the
command line print this message and exit with 1. A stack trace means a bug in sentigate.
"""

from __future__ import annotations


class SentigateError(Exception):
    """Base class of all errors whose cause is the input, not a bug in the program."""


class ParamsError(SentigateError):
    """A key, type or value in params.yaml is not allowed."""


class SourceError(SentigateError):
    """A data source is unreachable, or is not the expected one."""


class DataError(SentigateError):
    """A stage cannot use its input."""


class GateError(SentigateError):
    """A gate refused the output of a stage; the message lists every failed expectation."""


class RegistryError(SentigateError):
    """MLflow cannot be reached, refuses a request, or has no such run, model or alias."""


class LostModelError(RegistryError):
    """The files of a registered model are missing or changed."""


class ServerError(SentigateError):
    """A server cannot be started on the requested port."""


def counted(number: int, noun: str) -> str:
    """Return ``number`` and its noun, as in "1 row" and "2,000 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shorten(value: object, limit: int = 80) -> str:
    """Return ``repr(value)``, cut after ``limit`` characters to keep messages short."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"
