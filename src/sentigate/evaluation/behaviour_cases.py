"""Behavioural tests (CheckList, Ribeiro et al. 2020): cases made from templates and word lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml
from pydantic import Field, ValidationError, model_validator

from sentigate.errors import DataError, shorten
from sentigate.model.labels import BINARY
from sentigate.model.strict_model import StrictModel

CASES = Path(__file__).with_name("behaviour.yaml")
"""File with the tests of this project."""
SAME, NOT_LOWER, NOT_HIGHER = "the same", "not lower", "not higher"
SWAPPED, DOUBLED, CURLY = "swapped letters", "doubled letter", "curly apostrophe"
SLOT = re.compile(r"\{(\w+)\}")
OPTION = re.compile(r"\[([^\[\]]+)\]")
LONG_WORD = re.compile(r"[A-Za-z]{5,}")
"""A word that people still recognise with a typo in it."""


class Case(NamedTuple):
    """One test of a model.

    Attributes:
        capability: tested capability, such as negation.
        kind: MFT, INV or DIR.
        says: description of the test.
        expect: expected class (MFT), "the same" (INV), or "not lower" or "not higher" (DIR) for the
            probability of the positive class.
        text: raw text.
        changed: raw text after the change; "" for MFT.
    """

    capability: str
    kind: str
    says: str
    expect: str
    text: str
    changed: str


class Suite(NamedTuple):
    """All tests of a file.

    Attributes:
        cases: cases, without duplicates.
        tolerance: largest change of a probability that does not count.
        unknown_words: texts that consist of words that no model knows.
    """

    cases: list[Case]
    tolerance: float
    unknown_words: list[str]


class _Test(StrictModel):
    """Templates of one kind. MFT and DIR need ``expect``; INV needs ``change``."""

    capability: str = Field(pattern=r"^[a-z_]+$")
    kind: Literal["MFT", "INV", "DIR"]
    says: str = Field(min_length=1)
    expect: str | None = None
    change: str | None = None
    texts: list[str] = Field(min_length=1)

    @model_validator(mode="after")
    def _parts_fit(self) -> _Test:
        allowed = {"MFT": BINARY.names, "INV": (None,), "DIR": (NOT_LOWER, NOT_HIGHER)}[self.kind]
        if self.expect not in allowed:
            raise ValueError(f"expect is {self.expect!r}; allowed with {self.kind}: {_or(allowed)}")
        if (self.change is None) == (self.kind == "INV"):
            raise ValueError("INV needs change; other kinds must not have change")
        return self


class _File(StrictModel):
    tolerance: float = Field(ge=0, lt=1)
    words: dict[str, list[str]]
    unknown_words: list[str] = Field(min_length=1)
    tests: list[_Test] = Field(min_length=1)


def read_suite(path: Path) -> Suite:
    """Read the tests of a YAML file; the first lines of behaviour.yaml describe the format.

    Raises:
        DataError: an entry of the file is malformed, or a case is in it twice.
    """
    try:
        file = _File.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise DataError(f"{path.name}: {place}: {_message(problem)}") from None
    except yaml.YAMLError as error:
        raise DataError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from None
    cases: dict[tuple[str, str], Case] = {}
    for number, test in enumerate(file.tests):
        try:
            for case in _cases(test, file.words):
                if cases.setdefault((case.text, case.changed), case) is not case:
                    raise ValueError(f"{shorten(case.text)} is in the file twice")
        except ValueError as error:
            raise DataError(f"{path.name}: tests.{number}: {error}") from None
    return Suite(list(cases.values()), file.tolerance, file.unknown_words)


def _cases(test: _Test, words: dict[str, list[str]]) -> Iterator[Case]:
    for template in test.texts:
        for text, changed in _pairs(test, template, words):
            if left := re.search(r"[{}\[\]]", text + changed):
                raise ValueError(f"{left[0]!r} in {shorten(template)} has no counterpart")
            expect = test.expect or SAME
            yield Case(test.capability, test.kind, test.says, expect, text, changed)


def _pairs(test: _Test, template: str, words: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Yield the texts of a template, before and after the change."""
    if test.kind == "MFT":
        for text in _filled(template, words):
            yield text, ""
    elif test.kind == "DIR":
        if len(OPTION.findall(template)) != 1:
            raise ValueError(f"{shorten(template)} needs one part in [brackets]")
        for text in _filled(template, words):
            yield OPTION.sub("", text), OPTION.sub(r"\1", text)
    elif test.change in (SWAPPED, DOUBLED):
        for text in _filled(template, words):
            typos = [_with_typo(text, word, str(test.change)) for word in LONG_WORD.finditer(text)]
            yield from ((text, typo) for typo in typos)
    elif test.change == CURLY:
        if "'" not in template:
            raise ValueError(f"{shorten(template)} needs an apostrophe")
        for text in _filled(template, words):
            yield text, text.replace("'", "\u2019")
    else:
        if SLOT.findall(template) != [test.change]:
            raise ValueError(
                f"{shorten(template)} needs one {{{test.change}}} and no other list; "
                f"allowed as change: a list of words, {SWAPPED}, {DOUBLED} and {CURLY}"
            )
        first, *others = _filled(template, words)
        yield from ((first, other) for other in others)


def _filled(template: str, words: dict[str, list[str]]) -> list[str]:
    """Fill the template with every combination of words from its lists, in their order."""
    names = list(dict.fromkeys(SLOT.findall(template)))
    if missing := [name for name in names if not words.get(name)]:
        raise ValueError(f"there is no list {missing[0]!r}; allowed: {', '.join(words)}")
    combinations = product(*(words[name] for name in names))
    return [_fill(template, dict(zip(names, chosen, strict=True))) for chosen in combinations]


def _fill(template: str, chosen: Mapping[str, str]) -> str:
    return SLOT.sub(lambda slot: chosen[slot[1]], template)


def _with_typo(text: str, word: re.Match[str], typo: str) -> str:
    """Return the text with a typo in the middle of the word, never at its first letter."""
    letters = word[0]
    at = len(letters) // 2
    if typo == DOUBLED:
        letters = letters[:at] + letters[at] + letters[at:]
    else:
        while letters[at] == letters[at - 1]:  # a swap of equal letters is no typo
            at -= 1
        letters = letters[: at - 1] + letters[at] + letters[at - 1] + letters[at + 1 :]
    return text[: word.start()] + letters + text[word.end() :]


def _or(values: Sequence[object]) -> str:
    return " or ".join("nothing" if value is None else str(value) for value in values)


def _message(problem: Any) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    given = "" if problem["type"] == "value_error" else f" (given: {shorten(problem['input'])})"
    return message + given
