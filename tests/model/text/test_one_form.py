"""One form for each letter, quote, dash and space, in all their encodings and escapes."""

import sys
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.cleaning import cleaning
from support.models import vocab_params

from sentigate.data.vocabulary import build_tokenizer, cutter
from sentigate.model.text.cleaning import make_cleaner
from sentigate.model.text.cleaning_steps import CleaningSteps
from sentigate.model.text.one_form import one_form
from sentigate.settings.model import Level

APOSTROPHES = (
    *"\u2018\u2019\u201a\u201b\u2032\u2035",  # quotes and primes
    *"\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb",  # modifier letters
    *"`\u00b4\u0384\u1fbd\u1fef\uff07\uff40",  # accents that stand alone, full-width forms
    *"\ua78c\u055a\u05f3\u275b\u275c",
    *"\x91\x92",  # Windows-1252 read as Latin-1
    *(
        "\u00e2\u20ac\u2122",
        "\u00e2\x80\x99",
        "\u00e2\u20ac\u02dc",
    ),  # UTF-8 read as Latin-1 or Windows-1252
)
WRITTEN_OUT = (r"\u2019", r"\u2018", r"\u0027", r"\\u2019")  # JSON's escapes, not decoded
SELECTED = ("'\ufe0e", "\u2019\ufe0f")  # with a variation selector
ENTITIES = ("&rsquo;", "&lsquo;", "&#8217;", "&#x2019;", "&#X27;", "&apos;", "&#39;", "&#146;")
UNENDED = ("&rsquo", "&lsquo", "&apos")
ESCAPED_AGAIN = ("&amp;rsquo;", "&amp;#39;", "&amp;amp;apos;", "&#38;#39;", "\uff06rsquo\uff1b")
OTHERS = sorted(set(CleaningSteps.model_fields) - {"normalize_unicode"})
EVERY_SIGN = [chr(n) for n in range(sys.maxunicode + 1) if not 0xD800 <= n < 0xE000]
AROUND = st.lists(
    st.sampled_from(["isn", "don", "t", "s", "re", "@ann", "https://t.co/", "NOT", "the", "\u0130"])
    | st.sampled_from(["<b>", "</b>", "<!--", "-->", "&amp;", "&shy;", "&#8203;", ";", "#39;"])
    | st.sampled_from(["\u0301", "\u200d", "\u200b", "\u00ad", "\ufe0f", "👩", "💻", " ", "'", "."])
    | st.sampled_from(["\u0313", "''", "\\", "\\u2019", "&rsquo"])
    | st.text(max_size=3),
    max_size=6,
).map("".join)
SOME = st.sets(st.sampled_from(OTHERS))


def tokens(text: str, level: Level) -> list[str]:
    return cutter(build_tokenizer(["x"], vocab_params(level)), level)(text)


@pytest.mark.parametrize("level", ["word", "glove"])
@pytest.mark.parametrize(
    "variant", APOSTROPHES + WRITTEN_OUT + SELECTED + ENTITIES + UNENDED + ESCAPED_AGAIN
)
def test_every_apostrophe_gives_the_tokens_of_the_straight_one(variant: str, level: Level) -> None:
    clean = make_cleaner(cleaning("normalize_unicode", "remove_html", "lowercase"))
    for word in ("It doesn{}t work", "it{}s O{}Brien{}s", "{}quoted{} dogs{}", "👩{}s"):
        straight = tokens(clean(word.replace("{}", "'")), level)
        assert tokens(clean(word.replace("{}", variant)), level) == straight
    assert "'" in "".join(straight)


@settings(deadline=None)
@given(AROUND, AROUND, SOME, st.sampled_from(APOSTROPHES))
def test_other_steps_treat_all_apostrophes_equally(
    before: str, after: str, others: set[str], variant: str
) -> None:
    clean = make_cleaner(cleaning("normalize_unicode", *others))
    assert clean(before + variant + after) == clean(before + "'" + after)


@settings(deadline=None)
@given(AROUND, AROUND, SOME, st.sampled_from([*ENTITIES, *ESCAPED_AGAIN]))
def test_other_steps_treat_an_entity_like_its_character(
    before: str, after: str, others: set[str], variant: str
) -> None:
    clean = make_cleaner(cleaning("normalize_unicode", "remove_html", *others))
    # Two apostrophes are joined before entities are read.
    assume(clean(before)[-1:] != "'" and clean(after)[:1] != "'")
    assert clean(before + variant + after) == clean(before + "'" + after)


@settings(deadline=None)
@given(AROUND, st.sets(st.sampled_from(["lowercase", "letters_only", "squeeze_whitespace"])))
def test_cleaning_is_idempotent(text: str, others: set[str]) -> None:
    clean = make_cleaner(cleaning("normalize_unicode", *others))
    assert clean(clean(text)) == clean(text)
    assert unicodedata.is_normalized("NFKC", clean(text))


def test_one_form_is_idempotent_for_every_character() -> None:
    for start in range(0, len(EVERY_SIGN), 256):
        form = one_form(" ".join(f"a{sign}a" for sign in EVERY_SIGN[start : start + 256]))
        assert one_form(form) == form
        assert one_form(form.lower()) == form.lower()


def test_no_letter_of_any_script_becomes_a_quote() -> None:
    """Unicode's table of confusables lists Hebrew yod and a rune with the apostrophe."""
    letters = {"Lo", "Ll", "Lu", "Nd"}
    for sign in EVERY_SIGN:
        if unicodedata.category(sign) in letters and sign not in "\ua78b\ua78c\u0149":
            assert one_form(sign)[:1] not in ("'", '"', "-"), hex(ord(sign))


def test_unicodes_quotes_and_dashes_become_ascii() -> None:
    japanese = "\u301c\u3030\u30a0"  # wave dashes, and the hyphen in foreign names
    kinds = {sign: unicodedata.category(sign) for sign in EVERY_SIGN}
    dashes = {sign for sign, kind in kinds.items() if kind == "Pd"}
    rare = {sign for sign in dashes if sign in "\u1400\u1806" or "\u2e00" <= sign <= "\u2e5d"}
    for sign in dashes - set(japanese) - (rare - set("\u2e3a\u2e3b")):
        assert one_form(sign) == "-" or ord(sign) > 0xFFFF, hex(ord(sign))
    for sign, kind in kinds.items():
        if kind in ("Pi", "Pf") and not "\u2e00" <= sign <= "\u2e2f":  # editors' brackets
            assert one_form(sign) in ("'", '"'), hex(ord(sign))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "\u201cso\u201d \u201eso\u201c \u00abso\u00bb \x93so\x94 5\u2033",
            '"so" "so" "so" "so" 5"',
        ),
        ("\u2018so\u2019 \u201aso\u2018 \u2039so\u203a `so\u00b4", "'so' 'so' 'so' 'so'"),
        (
            "well\u2010known\u2011one 1\u20132 a\u2014b\x96\x97 \u22125",
            "well-known-one 1-2 a-b-- -5",
        ),
        (
            "\u00e2\u20ac\u0153so\u00e2\u20ac\x9d a\u00e2\u20ac\u201cb so\u00e2\u20ac\u00a6",
            '"so" a-b so...',
        ),
        ("\u00e2me \u00e2\u20ac \u20ac\u2122", "\u00e2me \u00e2\u20ac \u20acTM"),
        (r"doesn\'t isn\\'t 'so\' \'so x\y", r"doesn't isn't 'so\' \'so x\y"),
        ("doesn''t ''so'' a '' b", "doesn't ''so'' a '' b"),  # SQL doubles an apostrophe
        ("doesn\u0313t \u1f00", "doesn't \u1f00"),  # a comma above a Latin letter, Greek breathing
        (r"\u201cso\u201d a\u2014b \u00e9 \user", '"so" a-b \\u00e9 \\user'),
        ("wait\u2026 so\x85 \u22ef", "wait... so... ..."),
        ("a\u00a0b\u202fc\u2009d\u3000e", "a b c d e"),
        ("ter\u00adri\u200bb\u200cl\u200de\ufeff \u2060g\u200eood\u2069", "terrible good"),
        ("\u200d \u200bx\u200b", " x"),
        ("e\u200d\u0301 e\u00ad\u0301", "\u00e9 \u00e9"),  # a hidden character separated them
        ("\u1ea1\u200d\u1ea1", "\u1ea1\u1ea1"),
        ("\u0149 x", "'n x"),
        ("don\u2019t", "don't"),
    ],
)
def test_characters_have_the_expected_form(text: str, expected: str) -> None:
    assert one_form(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d💻 👩🏽\u200d🔬 🏳\ufe0f\u200d🌈 ❤\ufe0f\u200d🔥 🤷\u200d♀\ufe0f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # England's flag
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # separates a Persian prefix
        "\u0915\u094d\u200d\u0937",  # joins Devanagari letters
        "\u1780\u200b\u1781",  # separates Khmer words
        "カーテン ~",
    ],
)
def test_joiners_with_a_meaning_stay(text: str) -> None:
    assert one_form(text) == text


def test_an_entity_may_stand_for_any_character() -> None:
    clean = make_cleaner(cleaning("normalize_unicode", "remove_html"))
    assert clean("a&nbsp;b&mdash;c&hellip; d&shy;e&zwj;f &ldquo;g&rdquo; &#65313;") == (
        'a b-c... def "g" A'
    )
    assert clean("R&amp;B AT&amp;T &amp;amp; &amp;lt;3 R&B") == "R&B AT&T & <3 R&B"


def test_without_the_step_characters_stay_the_same() -> None:
    text = "`don\u2019t\u00a0\u2014\u200d\u2026`"
    assert make_cleaner(cleaning("lowercase"))(text) == text


def test_neighbours_do_not_change_a_characters_form() -> None:
    signs = [*APOSTROPHES, "\u2033", "\u2014", "\u2026", "\u00ad", "x"]
    for pair in pairwise(signs + signs[::-1]):
        assert one_form("".join(pair)) == "".join(map(one_form, pair))
