"""One form for each letter, quote, dash and space.

Phones and word processors write other apostrophes than keyboards do. So "doesn't" has more than
twenty spellings, and a vocabulary knows one of them. NFKC alone does not change the others.
"""

from __future__ import annotations

import re
import unicodedata

# From Unicode's confusables and CLDR's transform Latin-ASCII. Unlike there, a low quote is a quote,
# not a comma, and letters of other scripts that look like an apostrophe stay letters.
_FORMS = {
    "'": "`\u00b4\u0384\u1fbd\u1fbf\u1ffe"  # accents that stand alone
    "\u2018\u2019\u201a\u201b\u2039\u203a\u275b\u275c\u275f"  # quotes
    "\u2032\u2035"  # primes
    "\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\u02f4"  # modifier letters
    "\u055a\u05f3\u07f4\u07f5\ua78b\ua78c",  # Armenian, Hebrew, N'Ko, saltillo
    '"': "\u201c\u201d\u201e\u201f\u00ab\u00bb\u275d\u275e\u2760\u301d\u301e\u301f"
    "\u2033\u2036\u02ba\u02dd\u02ee\u05f4",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\u02d7\u058a\u05be\u2e3a\u2e3b",
    "...": "\u2026\u22ef",
    # Soft hyphen, grapheme joiner, marks of direction, word joiner, invisible operators, BOM.
    "": "\u00ad\u034f\u061c\u180e\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff",
}
_FORM = {sign: form for form, signs in _FORMS.items() for sign in signs}
# Control characters come from Windows-1252 that was read as Latin-1. HTML replaces them too.
for _byte in range(0x80, 0xA0):
    _sign = bytes([_byte]).decode("cp1252", "ignore")
    if _sign:
        _FORM[chr(_byte)] = _FORM.get(_sign, _sign)
_ONE = re.escape("".join(_FORM))
# UTF-8 that was read as one of the two: a phone's apostrophe becomes "\u00e2\u20ac\u2122".
for _sign in [sign for sign in _FORM if sign.encode()[:2] == b"\xe2\x80"]:
    _byte = _sign.encode()[2]
    for _third in (chr(_byte), bytes([_byte]).decode("cp1252", "ignore")):
        if _third:
            _FORM |= {f"\u00e2{second}{_third}": _FORM[_sign] for second in "\x80\u20ac"}
_THIRDS = re.escape("".join({form[2] for form in _FORM if len(form) == 3}))
_VARIANT = re.compile(f"\u00e2[\x80\u20ac][{_THIRDS}]|[{_ONE}]")
# Programs that quote a text write "doesn\\'t", "doesn''t" or, for JSON, "doesn\\u2019t".
_QUOTED = re.compile(r"(?<=\w)\\+(?='\w)|(?<=[^\W\d_]')'+(?=[^\W\d_])")
_CODE = re.compile(r"\\+u([0-9A-Fa-f]{4})")
# A comma above a Latin letter is an apostrophe that was typed as a combining character; above a
# Greek letter it is a breathing mark. A variation selector chooses a glyph for the sign before it.
_ABOVE = re.compile("(?<=[A-Za-z])[\u0313\u0315]")
_SELECTOR = re.compile("(?<=')[\ufe00-\ufe0f]+")
# Joiners and the zero-width space have a meaning within emoji, and in scripts such as Persian,
# Hindi and Khmer. Beside Latin, Greek and Cyrillic letters and ASCII characters, and at both ends
# of a text, they are noise.
_JOINERS = "\u200b\u200c\u200d"
_OTHER = "[\u0530-\u1cff\u2000-\U0010ffff]"
_RUN = f"(?<![{_JOINERS}])[{_JOINERS}]++"
_LOOSE = re.compile(f"(?<!{_OTHER}){_RUN}|{_RUN}(?!{_OTHER})")


def one_form(text: str) -> str:
    """Return ``text`` in NFKC, with straight quotes, "-", "..." and no invisible characters."""
    if "\\u" in text:
        text = _CODE.sub(_sign_of_code, text)
    form = _one_form(text)
    return _QUOTED.sub("", form) if "\\" in form or "''" in form else form


def _one_form(text: str) -> str:
    if text.isascii():
        return text.replace("`", "'")
    text = _VARIANT.sub(_form, text)  # before NFKC, which splits an accent that stands alone
    if text.isascii():
        return text
    normal = unicodedata.normalize("NFKC", text)
    if normal != text:
        normal = _VARIANT.sub(_form, normal)  # variants that NFKC adds
    if any(joiner in normal for joiner in _JOINERS):
        normal = unicodedata.normalize("NFKC", _LOOSE.sub("", normal))
    return _SELECTOR.sub("", _ABOVE.sub("'", normal))


def _form(variant: re.Match[str]) -> str:
    return _FORM[variant[0]]


def _sign_of_code(code: re.Match[str]) -> str:
    sign = chr(int(code[1], 16))
    return sign if sign in _FORM or sign in "'\"" else code[0]
