"""Guessing the language of short texts."""

from __future__ import annotations

import pytest

from sentigate.data.languages import LANGUAGES, language_of, languages

TEXTS = {
    "ar": "لن أشتريه مرة أخرى",
    "de": "würde ich nicht noch einmal kaufen",
    "en": "i would not buy this again",
    "es": "no lo volvería a comprar",
    "fr": "je ne l'achèterais pas une deuxième fois",
    "hi": "मैं इसे दोबारा नहीं खरीदूंगा",
    "ja": "もう二度と買いません",
    "pl": "nie kupiłbym go drugi raz",
    "ru": "совсем не стоит своих денег",
    "th": "จะไม่ซื้ออีกแล้ว",
    "tr": "bir daha asla almam",
    "zh": "我不会再买第二次了",
}


@pytest.mark.parametrize("code", TEXTS)
def test_short_sentences(code: str) -> None:
    assert language_of(TEXTS[code]) == code
    assert code in LANGUAGES


@pytest.mark.parametrize("text", ["", " ", "12345 67", "😀😀😀", "ok", "!!!", "a", "\ud800"])
def test_what_has_no_language_is_unknown(text: str) -> None:
    assert language_of(text) == ""


def test_shares_are_those_of_the_texts_and_the_largest_comes_first() -> None:
    texts = [TEXTS["de"], TEXTS["en"], "ok", TEXTS["en"].upper()]
    assert languages(texts) == {"en": 0.5, "": 0.25, "de": 0.25}
    assert list(languages(texts)) == ["en", "", "de"]
    assert languages([]) == {}


def test_a_long_text_is_judged_by_its_beginning() -> None:
    assert language_of(TEXTS["en"] * 20 + TEXTS["ru"] * 10_000) == "en"
