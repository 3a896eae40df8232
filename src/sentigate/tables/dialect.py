"""How a table is written in its file, and how a user writes these settings."""

from __future__ import annotations

import codecs
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from sentigate.errors import SourceError, shorten

TAB = ("tab", "\\t")
"""Other ways to write the separator tab."""
NOT_FOR_TEXT = ("undefined", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf_7")


@dataclass(frozen=True)
class Dialect:
    """What the name of a file does not say; each setting is optional.

    Attributes:
        encoding: encoding of text; None for UTF-8, or UTF-16 and UTF-32 with a byte-order mark.
        separator: one character, or "tab"; None for the one of the extension.
        no_header: whether the first row is data. The columns are then named "1", "2", ...
        plain_quotes: whether a double quote is a character like others.
        sheet: name of a sheet in a spreadsheet; None for the only one.
    """

    encoding: str | None = None
    separator: str | None = None
    no_header: bool = False
    plain_quotes: bool = False
    sheet: str | None = None

    @property
    def delimiter(self) -> str | None:
        """The separator as one character."""
        return "\t" if self.separator in TAB else self.separator

    def check(self, origin: str) -> None:
        """Refuse an encoding or a separator that does not exist.

        Raises:
            SourceError: the message names the setting.
        """
        if self.encoding is not None and not _is_encoding(self.encoding):
            raise SourceError(
                f"{origin}: the encoding {shorten(self.encoding)} is unknown; allowed: the names "
                "of Python, such as utf-8, utf-16, cp1252, latin-1, cp1250, cp1251, koi8-r, "
                "shift_jis, gb18030, euc_kr, big5"
            )
        separator = self.delimiter
        if separator is not None and not re.fullmatch(r"[^\r\n\0\"\x80-\U0010ffff]", separator):
            raise SourceError(
                f"{origin}: the separator is {shorten(separator)}; allowed: one ASCII "
                'character except a double quote and the end of a line, such as ";", "|" or tab'
            )


def _is_encoding(name: str) -> bool:
    try:
        found = codecs.lookup(name)
        "".encode(name)  # refuses the codecs that are not for text, such as base64
    except (LookupError, ValueError):
        return False
    return found.name.replace("-", "_") not in NOT_FOR_TEXT


class Writing(NamedTuple):
    """How a user writes a setting, for messages.

    Attributes:
        where: an instruction, before the lines to write.
        line: returns what to write for a setting and its value.
    """

    where: str
    line: Callable[[str, object], str]

    def lines(self, *settings: tuple[str, object]) -> str:
        """Return the instruction and, below it, a line for each setting."""
        written = "".join(f"\n  {self.line(key, value)}" for key, value in settings)
        return f"{self.where}:{written}"


def _as_key(key: str, value: object) -> str:
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w-]*", value)
    return f"{key}: {value if plain else json.dumps(value, ensure_ascii=False)}"


def _as_option(key: str, value: object) -> str:
    option = f"--{key.replace('_', '-')}"
    if value is True:
        return option
    return f"{option} {'tab' if value == TAB_CHARACTER else shlex.quote(str(value))}"


TAB_CHARACTER = "\t"


def in_entry(file: str) -> Writing:
    """Return how to write settings in the file of a data set."""
    return Writing(f"Write in {file}, under source", _as_key)


IN_ENTRY = in_entry("datasets/NAME.yaml")
ON_COMMAND_LINE = Writing("Add to the command", _as_option)
