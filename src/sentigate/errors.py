"""Everything sentigate raises on purpose.

SentigateError
├── ParamsError        params.yaml holds a wrong key, type or value
├── SourceError        a data source is unreachable, altered or not what was promised
├── DataError          a stage was given data it cannot work with
├── GateError          a Great Expectations suite refused what a stage was about to write
├── RegistryError      MLflow, or a model in it, is missing or cannot be reached
└── ServerError        a server cannot be started

Each carries one message for a person: what was wrong, where, and what is allowed. Stage scripts and
the command line print that message and exit with 1; a stack trace means a bug in sentigate.
"""

from __future__ import annotations


class SentigateError(Exception):
    """Base of every error that is the input's fault, not the program's."""


class ParamsError(SentigateError):
    """A key, type or value in params.yaml is not allowed."""


class SourceError(SentigateError):
    """A data source is unreachable, altered, or not what was promised."""


class DataError(SentigateError):
    """A stage was given data it cannot work with."""


class GateError(SentigateError):
    """A stage's suite refused its data; the message lists every failed expectation."""


class RegistryError(SentigateError):
    """The MLflow server or registry does not have, or does not give, what was asked for."""


class LostModelError(RegistryError):
    """A model's files are gone, or no longer what was registered."""


class ServerError(SentigateError):
    """A server cannot be started where it was asked for."""


def counted(number: int, noun: str) -> str:
    """``number`` and its noun, as in "1 row" and "2,000 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shorten(value: object, limit: int = 80) -> str:
    """``repr(value)`` cut to ``limit`` characters, so that a message stays one line."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"
