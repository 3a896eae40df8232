"""Vocabularies: which tokens get an id, which id they get, and which tokens never get one."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models import vocab_params
from tokenizers import Tokenizer

from sentigate.data.vocabulary import PAD_TOKEN, UNKNOWN_TOKEN, build_tokenizer, vocabulary_table
from sentigate.errors import DataError
from sentigate.model.text.encoding import CHUNK, PAD_ID, UNKNOWN_ID
from sentigate.settings.model import Level

LEVELS: tuple[Level, ...] = ("character", "word", "glove", "bpe")
TEXTS = [
    "the film is good , the cast is good !",
    "the film isn't good :( it's bad",
    "great cast , great film , <unk> great <pad> fun",
    "café naïve 😀😀 👩\u200d💻 e\u0301",
]
BYTES = 256  # bpe's alphabet


def build(texts: list[str], level: Level, min_count: int = 1, max_size: int = 3000) -> Tokenizer:
    return build_tokenizer(texts, vocab_params(level, min_count, max_size))


def ids(tokenizer: Tokenizer, text: str) -> list[int]:
    encoded: list[int] = tokenizer.encode(text).ids
    return encoded


def pieces(tokenizer: Tokenizer, text: str) -> list[str]:
    encoded: list[str] = tokenizer.encode(text).tokens
    return encoded


@pytest.mark.parametrize("level", LEVELS)
def test_the_special_entries_come_first(level: Level) -> None:
    tokenizer = build(TEXTS, level)
    assert (tokenizer.id_to_token(0), tokenizer.id_to_token(1)) == (PAD_TOKEN, UNKNOWN_TOKEN)
    assert (PAD_ID, UNKNOWN_ID) == (0, 1)
    assert sorted(tokenizer.get_vocab().values()) == list(range(tokenizer.get_vocab_size()))


SPECIALS = st.sampled_from(
    [PAD_TOKEN, UNKNOWN_TOKEN, "<PAD>", "<", ">", "unk", "pad", " ", "film", "x", "#"]
)


@pytest.mark.parametrize("level", LEVELS)
@settings(deadline=None)
@given(text=st.lists(SPECIALS, max_size=10).map("".join))
def test_a_literal_special_entry_never_gets_its_id(level: Level, text: str) -> None:
    """The training texts have each of these characters, so no character is unknown either."""
    tokenizer = build(
        [*TEXTS, "<unk> <pad> <PAD> unkpad unk pad x #", *[PAD_TOKEN + UNKNOWN_TOKEN] * 50],
        level,
    )
    found = ids(tokenizer, text)
    assert PAD_ID not in found
    if level not in ("word", "glove"):  # joined, they can be words that training did not have
        assert UNKNOWN_ID not in found
    literal = [pieces(tokenizer, special) for special in (PAD_TOKEN, UNKNOWN_TOKEN)]
    assert all(len(parts) >= 3 for parts in literal)


def test_characters_ranked_by_frequency_then_code_point() -> None:
    tokenizer = build(["bbb ccc aa", "dz"], "character")
    assert [tokenizer.id_to_token(n) for n in range(2, 8)] == ["b", "c", " ", "a", "d", "z"]
    assert tokenizer.get_vocab_size() == 8


def test_words_ranked_by_frequency_then_alphabet() -> None:
    tokenizer = build(["b a c b", "c d , b"], "word")
    assert [tokenizer.id_to_token(n) for n in range(2, 7)] == ["b", "c", ",", "a", "d"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "d", "e f", "g g g"]), min_size=1), st.randoms())
def test_the_order_of_texts_does_not_change_ids(texts: list[str], random: object) -> None:
    shuffled = list(texts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for level in ("character", "word"):
        assert build(texts, level).to_str() == build(shuffled, level).to_str()


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1), st.sampled_from(["character", "word"]))
def test_ids_are_in_descending_order_of_frequency(texts: list[str], level: Level) -> None:
    try:
        tokenizer = build(texts, level)
    except DataError:
        assert not any("".join(texts).split() if level == "word" else texts)
        return
    counts = vocabulary_table(tokenizer, texts)["count"].to_numpy()[2:]
    assert (np.diff(counts) <= 0).all()
    assert (counts >= 1).all()


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1).filter(lambda texts: any(texts)))
def test_characters_are_counted_as_the_tokenizer_splits_them(texts: list[str]) -> None:
    table = vocabulary_table(build(texts, "character"), texts)
    expected = Counter("".join(texts))
    assert dict(zip(table["token"][2:], table["count"][2:], strict=True)) == expected


@settings(deadline=None)
@given(
    st.lists(st.text(st.characters(max_codepoint=127)) | st.text()).filter(
        lambda texts: any(re.search(r"\w", text) for text in texts)
    )
)
def test_words_are_counted_as_the_tokenizer_splits_them(texts: list[str]) -> None:
    table = vocabulary_table(build(texts, "word"), texts)
    cut = build(["x"], "word").pre_tokenizer.pre_tokenize_str
    expected = Counter(piece for text in texts for piece, _ in cut(text))
    assert dict(zip(table["token"][2:], table["count"][2:], strict=True)) == expected


SIGNS = st.text(st.sampled_from("nN'’tTsSmMrReEvVlLdD :;=-)(/\\<3.Ppé_o*"))


@settings(deadline=None)
@given(st.lists(SIGNS | st.text()).filter(lambda texts: any(map(str.strip, texts))))
def test_glove_words_are_counted_as_the_tokenizer_splits_them(texts: list[str]) -> None:
    tokenizer = build([*texts, "x"], "glove")
    table = vocabulary_table(tokenizer, [*texts, "x"])
    counted = dict(zip(table["token"][2:], table["count"][2:], strict=True))
    assert counted == Counter(piece for text in [*texts, "x"] for piece in pieces(tokenizer, text))
    alone = build(["x"], "word").pre_tokenizer
    for text in texts:  # no character is lost, except white space
        found = (
            "".join(pieces(tokenizer, text)),
            "".join(p for p, _ in alone.pre_tokenize_str(text)),
        )
        joined, expected = (re.sub(r"[.…]+", ".", each.replace("’", "'")) for each in found)
        assert joined == expected


@pytest.mark.parametrize(
    ("level", "order"),
    [
        pair
        for pair in product(LEVELS, ("frequency", "first_seen"))
        if pair != ("bpe", "first_seen")
    ],
)
def test_a_column_gives_the_same_vocabulary_as_a_list(level: Level, order: str) -> None:
    texts = [f"{TEXTS[n % 4]} word{n % 97}" for n in range(2 * CHUNK + 3)]
    column = pd.Series(texts, index=range(3, len(texts) + 3), dtype="str")
    made = [
        build_tokenizer(kind, vocab_params(level, 2, 500, order)).to_str()
        for kind in (texts, column)
    ]
    assert made[0] == made[1]


def test_words_keep_apostrophes_and_signs_are_single_tokens() -> None:
    tokenizer = build(["I don't. It’s 'so-so' @ann #1!! 😀"], "word")
    cut = [
        piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str("I don't. It’s 'so-so'!!")
    ]
    assert cut == ["I", "don't", ".", "It’s", "'", "so", "-", "so", "'", "!", "!"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't can't won't DON'T cannot", "do n't ca n't wo n't DO N'T cannot"),
        ("it's I'm we're I've I'll he'd IT'S", "it 's I 'm we 're I 've I 'll he 'd IT 'S"),
        ("it’s don’t ’quoted’", "it 's do n't ' quoted '"),
        ("shouldn't've he'd've", "should n't 've he 'd 've"),
        ("o'clock rock'n'roll O'Brien's n't", "o'clock rock'n'roll O'Brien 's n't"),
        ("'so-so' dogs' 'twas", "' so - so ' dogs ' ' twas"),
        (":) :( :-) ;) :D :/ :P <3 :'( =]", ":) :( :-) ;) :D :/ :P <3 :'( =]"),
        ("fine:) :d note:dogs 8) <33 10:30", "fine :) :d note : dogs 8 ) < 33 10 : 30"),
        ("wait.. no... so.....well… end.", "wait ... no ... so ... well ... end ."),
        ("I ‘can’ :-( ;-( <3", "I ' can ' :-( ;-( <3"),
        ("what?!! naïve #1 @ann 😀", "what ? ! ! naïve # 1 @ ann 😀"),
    ],
)
def test_glove_words(text: str, expected: str) -> None:
    tokenizer = Tokenizer.from_str(build([text], "glove").to_str(pretty=True))
    assert pieces(tokenizer, text) == expected.split()


def test_offsets_of_glove_words_point_into_the_text() -> None:
    text = "É it’s ’ok’ 😀 don’t"
    encoding = build([text], "glove").encode(text)
    cut = [text[begin:end] for begin, end in encoding.offsets]
    assert cut == ["É", "it", "’s", "’", "ok", "’", "😀", "do", "n’t"]


def test_a_long_word_takes_linear_time() -> None:
    text = "no" * 200_000 + "'" + "n" * 200_000
    begin = time.process_time()
    build([text, text + "é"], "glove")
    seconds = time.process_time() - begin  # of this process alone: other processes do not count
    assert seconds < 5, f"a word of 600,000 letters took {seconds:.1f} s"


@pytest.mark.parametrize(
    ("level", "min_count", "expected"),
    [
        ("character", 2, {"a", " "}),
        ("character", 5, {"a"}),
        ("word", 3, {"a"}),
        ("word", 1, {"a", "aa", "b", "c"}),
    ],
)
def test_min_count(level: Level, min_count: int, expected: set[str]) -> None:
    tokenizer = build(["a a b", "aa a c"], level, min_count)
    assert set(tokenizer.get_vocab()) - {PAD_TOKEN, UNKNOWN_TOKEN} == expected


def test_min_count_limits_the_merges_of_bpe() -> None:
    def merges(min_count: int) -> int:
        return build(["ab ab ab", "cd cd"], "bpe", min_count).get_vocab_size() - BYTES - 2

    assert merges(4) == 0
    assert merges(3) == 2  # "Ġa" and "Ġab"
    assert merges(2) == 4


@pytest.mark.parametrize("level", LEVELS)
def test_max_size_counts_the_special_entries(level: Level) -> None:
    most = 300 if level == "bpe" else 7
    texts = [" ".join(f"word{n:b}" for n in range(500))]
    tokenizer = build(texts, level, max_size=most)
    assert tokenizer.get_vocab_size() == (most if level != "character" else 7)
    if level != "bpe":
        kept = build(texts, level, max_size=1000)
        for token_id in range(2, most):
            assert tokenizer.id_to_token(token_id) == kept.id_to_token(token_id)


@pytest.mark.parametrize(
    ("texts", "level", "min_count"),
    [(["abc"], "character", 2), (["a b c"], "word", 2), ([], "word", 1), (["", " "], "word", 1)],
)
def test_an_empty_vocabulary_is_refused(texts: list[str], level: Level, min_count: int) -> None:
    with pytest.raises(DataError, match=rf"no {level} occurs {min_count} times in {len(texts)}"):
        build(texts, level, min_count)


@settings(deadline=None)
@given(st.text())
def test_characters_round_trip(text: str) -> None:
    """A token is a code point, even in emoji with joiners, combining marks, control characters."""
    tokenizer = build([text, "x"], "character")
    found = ids(tokenizer, text)
    assert len(found) == len(text)
    assert "".join(tokenizer.id_to_token(token_id) for token_id in found) == text
    assert UNKNOWN_ID not in found


@settings(deadline=None)
@given(st.text())
def test_ids_are_decoded_to_the_text(text: str) -> None:
    """Characters give exactly the text; words and signs are joined by one space."""
    characters = build([text, "x"], "character")
    assert characters.decode(ids(characters, text)) == text
    words = [piece for piece, _ in build(["x"], "word").pre_tokenizer.pre_tokenize_str(text)]
    for level in ("word", "bpe"):
        tokenizer = build([text, "x"], level)
        assert tokenizer.decode(ids(tokenizer, text)) == " ".join(words)


@pytest.mark.parametrize("level", LEVELS)
def test_a_tokenizer_from_a_file_decodes_ids(level: Level) -> None:
    tokenizer = Tokenizer.from_str(build(TEXTS, level).to_str(pretty=True))
    text = "it's bad, café 😀"
    others = {"character": text, "glove": "it 's bad , café 😀"}
    expected = others.get(level, "it's bad , café 😀")
    assert tokenizer.decode(ids(tokenizer, text)) == expected


@settings(deadline=None)
@given(st.text())
def test_subwords_know_every_text(text: str) -> None:
    tokenizer = build(TEXTS, "bpe", min_count=2)
    found = ids(tokenizer, text)
    assert not {PAD_ID, UNKNOWN_ID} & set(found)
    # Python counts the separators U+001C to U+001F as white space; tokenizers does not.
    assert bool(found) == bool(re.search(r"[\S\x1c-\x1f]", text))


@pytest.mark.parametrize("level", ["character", "word", "glove"])
def test_tokens_outside_the_training_texts_are_unknown(level: Level) -> None:
    tokenizer = build(["good film"], level)
    assert ids(tokenizer, "Ж") == [UNKNOWN_ID]
    assert UNKNOWN_ID not in ids(tokenizer, "film")


@pytest.mark.parametrize("level", LEVELS)
def test_a_tokenizer_from_a_file_gives_the_same_ids(level: Level) -> None:
    tokenizer = build(TEXTS, level)
    again = Tokenizer.from_str(tokenizer.to_str(pretty=True))
    for text in [*TEXTS, "<unk> Ж unseen"]:
        assert ids(again, text) == ids(tokenizer, text)
    assert json.loads(tokenizer.to_str())["added_tokens"] == []


@pytest.mark.parametrize("level", LEVELS)
def test_the_table_counts_every_token(level: Level) -> None:
    tokenizer = build(TEXTS, level)
    seen = [*TEXTS, "Жж unseen film", ""]
    table = vocabulary_table(tokenizer, seen)
    found = Counter(token_id for text in seen for token_id in ids(tokenizer, text))
    assert table["id"].tolist() == list(range(tokenizer.get_vocab_size()))
    assert table["token"].tolist() == [tokenizer.id_to_token(n) for n in table["id"]]
    assert table["count"].tolist() == [found[n] for n in table["id"]]
    known = sum(found.values()) - found[UNKNOWN_ID]
    assert table["known_share"].sum() == pytest.approx(known / sum(found.values()))
    assert table["known_share"].iloc[:2].tolist() == [0.0, 0.0]


def test_the_table_of_texts_without_tokens() -> None:
    for texts in ([], ["", " "]):
        table = vocabulary_table(build(TEXTS, "word"), texts)
        assert table["count"].sum() == 0
        assert table["known_share"].sum() == 0


def test_more_texts_than_one_chunk() -> None:
    texts = [f"word{n % 7} end" for n in range(5000)]
    table = vocabulary_table(build(texts, "word"), texts).set_index("token")
    assert table.loc["end", "count"] == 5000
    assert table.loc["word0", "count"] == 715


def test_two_processes_build_the_same_bits(run_python: Callable[..., str]) -> None:
    script = (
        "import random\n"
        "from sentigate.data.vocabulary import build_tokenizer\n"
        "from sentigate.settings.model import VocabParams\n"
        "choices = {'min_count': 2, 'max_size': 600, 'order': 'frequency'}\n"
        "rng = random.Random(1)\n"
        "words = [''.join(rng.choices('abcdefgh', k=rng.randint(1, 6))) for _ in range(400)]\n"
        "texts = [' '.join(rng.choices(words, k=8)) for _ in range(500)]\n"
        "for level in ('bpe', 'word', 'glove', 'character'):\n"
        "    print(build_tokenizer(texts, VocabParams(level=level, **choices)).to_str())\n"
    )
    printed = []
    for hash_seed, threads in (("1", "1"), ("2", "2")):
        printed.append(run_python(script, PYTHONHASHSEED=hash_seed, RAYON_NUM_THREADS=threads))
    assert printed[0] == printed[1]
    assert printed[0].count("\n") == 4
