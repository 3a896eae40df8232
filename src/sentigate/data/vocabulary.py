"""Build a tokenizer from training texts: characters, words or byte-pair subwords."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sentigate.errors import DataError
from sentigate.model.text.context import is_context
from sentigate.model.text.encoding import UNKNOWN_ID, Texts, in_chunks
from sentigate.settings.model import Level, VocabParams

from .stage_files import reading

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Plain entries, not tokenizers' "special tokens": these would match a literal "<unk>" in a text,
# and real tweets have some. The pre-tokenizer splits "<" from "unk", so no text gives these
# entries. Their ids are encoding.PAD_ID and encoding.UNKNOWN_ID.
PAD_TOKEN, UNKNOWN_TOKEN = "<pad>", "<unk>"
# A word, or one other character. Outside ASCII, tokenizers and Python define \w and \s differently.
WORD_OR_SIGN = r"\w+(?:['’]\w+)*|[^\w\s]"
# Words as in Stanford CoreNLP, GloVe's tokenizer: "do n't", "it 's". Emoticons and runs of dots
# stay whole. An apostrophe inside any other word belongs to the word.
GLOVE = (
    r"(?>\w+)(?!')"  # most words: matched at once, without backtracking
    r"|\w+?(?=[nN]'[tT](?!\w))|[nN]'[tT](?!\w)"
    r"|'(?:[sSmMdD]|[rR][eE]|[vV][eE]|[lL][lL])(?!\w)"
    r"|\w+(?:'(?!(?:[sSmMdD]|[rR][eE]|[vV][eE]|[lL][lL])(?!\w))\w+)*"
    r"|[:;=][-o*']?(?:[)\](\[/\\|{}@*]|[dDpP](?!\w))|<3(?!\w)"
    r"|\.{2,}|[^\w\s]"
)
GLOVE_FORMS = {"[‘’]": "'", r"\.{2,}|…": "..."}
"""Pattern -> the only form in GloVe; replaced before the text is split into words."""
PATTERNS = {"word": WORD_OR_SIGN, "glove": GLOVE, "bpe": WORD_OR_SIGN}


def build_tokenizer(texts: Texts, vocab: VocabParams) -> Tokenizer:
    """Build a Hugging Face tokenizer: id 0 is padding, 1 unknown, then contexts, then words.

    Args:
        texts: Cleaned training texts.
        vocab: The level of tokens, and which tokens become entries, in which order.

    Raises:
        DataError: no token occurs ``min_count`` times.
    """
    from tokenizers import Tokenizer, decoders, models

    level, min_count = vocab.level, vocab.min_count
    if level == "bpe":
        return _byte_pairs(texts, vocab)
    # Not counted by tokenizers' trainer: it breaks ties differently in each run.
    tokenizer = _with_pre_tokenizer(Tokenizer(models.WordLevel({}, unk_token=UNKNOWN_TOKEN)), level)
    counts = _count(tokenizer, level, texts)
    frequent = [(token, count) for token, count in counts.items() if count >= min_count]
    if not frequent:
        noun = "character" if level == "character" else "word"
        raise DataError(f"no {noun} occurs {min_count} times in {len(texts)} training texts")
    if vocab.order == "frequency":
        frequent.sort(key=lambda item: (-item[1], item[0]))
    tokens = [token for token, _ in frequent]
    tokens.sort(key=lambda token: not is_context(token))  # contexts first; the sort is stable
    entries = [PAD_TOKEN, UNKNOWN_TOKEN, *tokens[: vocab.max_size - 2]]
    model = models.WordLevel({token: i for i, token in enumerate(entries)}, unk_token=UNKNOWN_TOKEN)
    tokenizer = _with_pre_tokenizer(Tokenizer(model), level)
    if level == "character":  # without a decoder, tokens are joined by spaces
        tokenizer.decoder = decoders.Fuse()
    return tokenizer


def add_words(tokenizer: Tokenizer, words: Iterable[str]) -> None:
    """Append ``words``, which must be new, to the entries of a word-level tokenizer."""
    from tokenizers import models

    entries = tokenizer.get_vocab()
    entries |= {word: token_id for token_id, word in enumerate(words, len(entries))}
    tokenizer.model = models.WordLevel(entries, unk_token=UNKNOWN_TOKEN)


def tokens_of(tokenizer: Tokenizer) -> list[str]:
    """Return the entries in the order of their ids."""
    entries = tokenizer.get_vocab()
    return sorted(entries, key=entries.__getitem__)


def cutter(tokenizer: Tokenizer, level: Level) -> Callable[[str], list[str]]:
    """Return a function that splits a text into words, as the tokenizer of this level does."""
    find_in_ascii = re.compile(PATTERNS[level], re.ASCII).findall
    split = tokenizer.pre_tokenizer.pre_tokenize_str
    normalize = tokenizer.normalizer.normalize_str if tokenizer.normalizer else str

    def cut(text: str) -> list[str]:
        if text.isascii() and not (tokenizer.normalizer and ".." in text):
            return find_in_ascii(text)  # the same pieces, 3 times faster
        return [piece for piece, _ in split(normalize(text))]

    return cut


def read_tokenizer(path: Path) -> Tokenizer:
    """Read a Hugging Face tokenizer.

    Raises:
        DataError: the file is damaged.
    """
    from tokenizers import Tokenizer

    with reading(path):
        return Tokenizer.from_str(path.read_text("utf-8"))


def vocabulary_table(tokenizer: Tokenizer, texts: Texts) -> pd.DataFrame:
    """Count each entry among the tokens of ``texts``.

    Returns:
        A row for each entry, in the order of ids, with columns id (int), token (str), count (int)
        and known_share (float): the entry's share of all tokens, 0 for the two special entries.
        The sum of known_share is the coverage.
    """
    counts = np.zeros(tokenizer.get_vocab_size(), dtype=np.int64)
    for chunk in in_chunks(texts):
        ids = [each for encoding in tokenizer.encode_batch_fast(chunk) for each in encoding.ids]
        counts += np.bincount(np.array(ids, dtype=np.int64), minlength=len(counts))
    entries = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    table = pd.DataFrame(
        {
            "id": [token_id for _, token_id in entries],
            "token": pd.Series([token for token, _ in entries], dtype="str"),
            "count": counts,
        }
    )
    share = table["count"] / max(1, table["count"].sum())
    return table.assign(known_share=share.where(table["id"] > UNKNOWN_ID, 0.0))


def _with_pre_tokenizer(tokenizer: Tokenizer, level: Level) -> Tokenizer:
    from tokenizers import Regex, normalizers, pre_tokenizers

    if level == "character":
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
        return tokenizer
    if level == "glove":
        steps = [normalizers.Replace(Regex(run), one) for run, one in GLOVE_FORMS.items()]
        tokenizer.normalizer = normalizers.Sequence(steps)
    words = pre_tokenizers.Split(Regex(PATTERNS[level]), "removed", invert=True)
    if level == "bpe":  # bytes, so that no token is unknown; "Ġ" marks the start of a word
        byte_level = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, byte_level])
    else:
        tokenizer.pre_tokenizer = words
    return tokenizer


def _count(tokenizer: Tokenizer, level: Level, texts: Texts) -> Counter[str]:
    """Count each piece; the pieces are in the order of their first occurrence."""
    counts: Counter[str] = Counter()
    if level == "character":  # the same pieces, 20 times faster
        for chunk in in_chunks(texts):
            counts.update("".join(chunk))
        return counts
    cut = cutter(tokenizer, level)
    for chunk in in_chunks(texts):
        for text in chunk:
            counts.update(cut(text))
    return counts


def _byte_pairs(texts: Texts, vocab: VocabParams) -> Tokenizer:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = _with_pre_tokenizer(Tokenizer(models.BPE(unk_token=UNKNOWN_TOKEN)), "bpe")
    trainer = trainers.BpeTrainer(
        vocab_size=vocab.max_size,
        min_frequency=vocab.min_count,
        special_tokens=[PAD_TOKEN, UNKNOWN_TOKEN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(in_chunks(texts), trainer)
    begin = decoders.Strip(" ", 1, 0)  # the space that the encoder adds before every word
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), begin])
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = []  # see PAD_TOKEN
    return Tokenizer.from_str(json.dumps(state))
