"""Cleaning: each switch, the order of switches, and pieces of real tweets."""

import re
import sys
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cleaning import ALL_BUT_LOSSY, cleaning

from sentigate.model.text.cleaning import LINK, MENTION, make_cleaner
from sentigate.model.text.cleaning_steps import CleaningSteps

SWITCHES = tuple(CleaningSteps.model_fields)
# Pieces on which the steps act, so that hypothesis joins them in every order.
PIECES = st.lists(
    st.sampled_from(
        ["@ann", "me@x.org", "https://t.co/a1", "www.x.org", "Awww...", "<br />", "a < b", "&lt;3"]
    )
    | st.sampled_from(["&amp;", "NOT", "the", "fine", "😀", "\uff21\uff22", "\ufb01ne", "e\u0301"])
    | st.sampled_from([" ", "\t\n ", "."])
    | st.text(max_size=4),
    max_size=12,
).map("".join)


LINKS = st.sampled_from(["HTTPs://x", "http\u017f://x", "wwW.x", "PIC.Twitter.com/x", "p\u0131c."])


def clean(text: str, *switches: str) -> str:
    return make_cleaner(cleaning(*switches))(text)


@settings(deadline=None)
@given(PIECES)
def test_without_a_switch_the_text_stays_the_same(text: str) -> None:
    assert make_cleaner(cleaning())(text) == text


@settings(deadline=None)
@given(st.lists(PIECES | LINKS | st.text(), max_size=5).map("".join))
def test_the_search_before_a_pattern_changes_no_result(text: str) -> None:
    """Before a step uses its pattern, it looks for a string that every match contains."""
    assert clean(text, "remove_links") == LINK.sub(" ", text)
    assert clean(text, "remove_mentions") == MENTION.sub(" ", text)
    assert clean(text, "squeeze_whitespace") == re.sub(r"\s+", " ", text).strip()


def test_the_search_misses_no_letter_when_case_is_ignored() -> None:
    """U+017F, for example, is an s when case is ignored; such a letter could hide a link."""
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    assert set(re.findall("[wcom./]", every, re.IGNORECASE)) == set("wcomWCOM./")
    assert "WWW.COM/".lower() == "www.com/"


ALONE = [
    ("normalize_unicode", "\uff27\uff32\uff25\uff21\uff34 \ufb01lm\u2026", "GREAT film..."),
    ("normalize_unicode", "\U0001d403\U0001d428\U0001d427e caf\u0065\u0301", "Done café"),
    ("remove_html", "Good.<br /><br>Bad.", "Good.  Bad."),
    ("remove_html", "one<!-- a\n<b> comment -->two", "one two"),
    ("remove_html", "one <!-- two", "one <!-- two"),
    ("remove_html", "write &lt;b&gt; for bold", "write <b> for bold"),  # a text about tags
    ("remove_html", "I &lt;3 this &amp; that &#33;", "I <3 this & that !"),
    ("remove_html", '<a href="x">link</a>', " link "),
    ("remove_html", "a < b and c > d", "a < b and c > d"),
    ("remove_html", "I <3 you >:(", "I <3 you >:("),
    ("remove_html", "1<2>0", "1<2>0"),
    ("remove_links", "see https://t.co/aB3?x=1&y=2 now", "see   now"),
    ("remove_links", "HTTP://X.ORG/a", " "),
    ("remove_links", "(www.example.org)", "( "),
    ("remove_links", "watchpic.twitter.com/0a1b", "watch "),
    (
        "remove_links",
        "Awwww....so cute, ewww...bad",
        "Awwww....so cute, ewww...bad",
    ),
    ("remove_links", "www... what", "www... what"),
    ("remove_links", "the http: part and https", "the http: part and https"),
    ("remove_mentions", "@Xbox_Support help", "  help"),
    ("remove_mentions", "RT @a: hi", "RT  : hi"),
    ("remove_mentions", "(@a) .@b", "( ) . "),
    ("remove_mentions", "me.too@example.org", "me.too@example.org"),
    ("remove_mentions", "3 @ 5 dollars", "3 @ 5 dollars"),
    ("remove_mentions", "@Jürgen_ß!", " !"),
    ("lowercase", "GREAT Ärger ΑΣ", "great ärger ας"),
    ("remove_stop_words", "This is NOT good", "      good"),
    ("remove_stop_words", "(It was the) film!", "(     ) film!"),
    ("remove_stop_words", "don't, I'm", "don't, I'm"),
    ("letters_only", "so-so, 10/10 :) café", "so so        :) caf ".replace(":)", "  ")),
    ("squeeze_whitespace", " \t a\r\n\u00a0b\u3000 ", "a b"),
]
"""Switch, text, and the text after cleaning with this switch only."""


@pytest.mark.parametrize(("switch", "text", "expected"), ALONE)
def test_one_switch(switch: str, text: str, expected: str) -> None:
    assert clean(text, switch) == expected


def test_every_switch_has_a_case() -> None:
    changing = {switch for switch, text, expected in ALONE if text != expected}
    missing = sorted(set(SWITCHES) - changing)
    assert not missing, f"add a case to ALONE whose text these switches change: {missing}"


def test_steps_run_in_the_order_of_the_switches() -> None:
    asked: list[str] = []

    class Asked:
        def __getattr__(self, switch: str) -> bool:
            asked.append(switch)
            return False

    make_cleaner(Asked())
    assert asked == list(SWITCHES), (
        "make_cleaner must ask for every switch of CleaningSteps once, in the order of the class"
    )


TWEET = "  @EA I\uff4d  LOVE it &lt;3 https://t.co/x1 <b>not</b> 100% 😀 "


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        (SWITCHES, "im love"),
        (tuple(name for name, on in ALL_BUT_LOSSY if on), "im love it <3 not 100% 😀"),
        (("lowercase", "squeeze_whitespace"), TWEET.lower().strip().replace("  ", " ")),
        (("remove_html", "letters_only", "squeeze_whitespace"), "EA I LOVE it https t co x not"),
        (("letters_only", "remove_stop_words", "squeeze_whitespace"), "EA I LOVE lt https t x b b"),
    ],
)  # fmt: skip
def test_several_switches(switches: tuple[str, ...], expected: str) -> None:
    assert clean(TWEET, *switches) == expected


def test_entities_are_decoded_before_links_are_removed() -> None:
    assert clean("https&#58;//t.co/x good", "remove_html", "remove_links") == "  good"


def test_full_width_mentions_are_mentions() -> None:
    assert clean("\uff20ann hi", "normalize_unicode", "remove_mentions") == "  hi"


def test_emoji_keep_skin_tones_and_joiners() -> None:
    text = "👍🏽 👩\u200d💻 ❤\ufe0f 🇩🇪"
    assert make_cleaner(ALL_BUT_LOSSY)(text) == text


@pytest.mark.parametrize("text", ["", " ", "\n\t", "@a @b", "https://t.co/x", "<br />", "&nbsp;"])
def test_a_text_without_content_becomes_empty(text: str) -> None:
    assert make_cleaner(ALL_BUT_LOSSY)(text) == ""


@settings(deadline=None)
@given(PIECES)
def test_cleaning_is_idempotent(text: str) -> None:
    """Not so for entities ("&amp;lt;b&gt;" becomes a tag) and mentions ("@a@b" leaves one)."""
    steps = cleaning("normalize_unicode", "lowercase", "letters_only", "squeeze_whitespace")
    clean_once = make_cleaner(steps)
    assert clean_once(clean_once(text)) == clean_once(text)


@settings(deadline=None)
@given(PIECES)
def test_no_stop_word_is_left(text: str) -> None:
    words = clean(text, "remove_stop_words", "squeeze_whitespace").lower().split()
    assert not {"the", "not", "me", "i"} & set(words)
    assert ("fine" in text.split()) <= ("fine" in words)


@settings(deadline=None)
@given(PIECES)
def test_the_result_of_each_switch_has_its_property(text: str) -> None:
    assert unicodedata.is_normalized("NFKC", clean(text, "normalize_unicode"))
    assert "www.x.org" not in clean(text, "remove_links").split()
    lowered = clean(text, "lowercase")
    assert lowered.lower() == lowered
    letters = clean(text, "letters_only")
    assert len(letters) == len(text)
    assert all(sign == " " or (sign.isascii() and sign.isalpha()) for sign in letters)
    squeezed = clean(text, "squeeze_whitespace")
    assert squeezed == " ".join(text.split())


@settings(deadline=None)
@given(PIECES)
def test_a_cleaner_keeps_no_state_between_texts(text: str) -> None:
    cleaner = make_cleaner(ALL_BUT_LOSSY)
    first = cleaner(text)
    cleaner("another <b>text</b> @b")
    assert cleaner(text) == first == make_cleaner(ALL_BUT_LOSSY)(text)


@pytest.mark.parametrize(
    "piece",
    ["<!--", "<a ", "&lt", "@", "www.", "https://", "<", "&#", "&amp;", "amp;", "\u200d", "\u2019"],
)
def test_the_longest_allowed_text_is_cleaned_quickly(piece: str) -> None:
    started = time.process_time()
    make_cleaner(ALL_BUT_LOSSY)("👩&" + piece * (100_000 // len(piece)) + "👩")
    make_cleaner(ALL_BUT_LOSSY)("👩" + piece * (100_000 // len(piece)) + "👩")
    seconds = time.process_time() - started  # of this process alone: other processes do not count
    assert seconds < 5, f"cleaning {piece!r} took {seconds:.1f} s: make its pattern linear"
