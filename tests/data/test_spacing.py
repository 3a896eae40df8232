"""Whether spaces separate the words of texts."""

import pandas as pd
import pytest
from support.project import ROOT

from sentigate.data.spacing import LOOKED_AT, spacing

EXAMPLE = pd.read_csv(ROOT / "data/own/csv/example.csv")["text"]
# A hotel review in Chinese, in Japanese and in Thai.
CHINESE = "房间很干净，服务员态度非常好，下次还会再来。"
JAPANESE = "部屋はとてもきれいで、スタッフも親切でした。"
THAI = "ห้องพักสะอาดมาก พนักงานบริการดีเยี่ยม"


@pytest.mark.parametrize(
    "text",
    [
        "The room was very clean.",
        "Donaudampfschifffahrtsgesellschaft ist ein sehr langes Wort",
        "Epäjärjestelmällisyydestään huolimatta hotelli oli erinomainen",
        "방이 매우 깨끗하고 직원들이 친절했습니다",
        "कमरा बहुत साफ था और कर्मचारी अच्छे थे",
        "அறை மிகவும் சுத்தமாக இருந்தது ஊழியர்கள் நல்லவர்கள்",
        "房间 很 干净 ， 服务员 态度 非常 好",
        "ห้อง พัก สะอาด มาก พนักงาน บริการ ดี",
        "good",
        "",
        " ",
    ],
)
def test_spaces_separate_the_words(text: str) -> None:
    assert spacing([text]).parts_words


@pytest.mark.parametrize(
    "text",
    [CHINESE, JAPANESE, THAI, f"{CHINESE} WiFi OK {CHINESE}", "GATTACAGATTACAGATTACAGATTACA"],
)
def test_spaces_do_not_separate_the_words(text: str) -> None:
    assert not spacing([text]).parts_words


def test_real_texts_with_and_without_their_spaces() -> None:
    found = spacing(EXAMPLE)
    assert found.parts_words
    assert 4 < found.characters < 7
    without = spacing(EXAMPLE.str.replace(" ", ""))
    assert not without.parts_words
    assert without.characters > 30


def test_a_column_and_a_list_give_the_same_spacing() -> None:
    column = pd.Series([*EXAMPLE], index=range(5, len(EXAMPLE) + 5), dtype="str")
    assert spacing(column) == spacing([*EXAMPLE])
    assert spacing([]) == (0.0, 20.0)


def test_a_sample_of_a_large_table_is_enough() -> None:
    assert spacing([CHINESE] + ["plain words here"] * 40 * LOOKED_AT).parts_words


def test_a_few_long_strings_without_spaces_do_not_count() -> None:
    """Encoded data looks like this."""
    texts = ["this is a fine film and I liked it a lot"] * 1990 + ["A" * 100_000] * 10
    assert spacing(texts).parts_words
    assert not spacing(["很好" * 50_000] * 20).parts_words
