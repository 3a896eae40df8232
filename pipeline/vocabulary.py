"""Building a model's vocabulary, for the vocab stage and for leaderboard entries."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from sentigate.data.vocabulary import add_words, build_tokenizer, tokens_of
from sentigate.data.word_vectors import WordVectors, join_vectors, words_outside
from sentigate.model.text.cleaning import make_cleaner
from sentigate.progress import doing
from sentigate.settings.params import Params
from sentigate.settings.vectors import MiniLMVectors, VectorSource
from sentigate.sources.word_vectors import read_word_vectors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ARCHIVES, COMPUTED = Path(".cache/archives"), Path(".cache/vectors")


class Vocabulary(NamedTuple):
    """A tokenizer and the vectors of its entries."""

    tokenizer: Tokenizer
    vectors: WordVectors


def make_vocabulary(params: Params, splits: pd.DataFrame) -> Vocabulary:
    """Build the tokenizer of the chosen model, and look up the vectors of its entries.

    Args:
        params: the whole of params.yaml.
        splits: columns text and split (str).

    Raises:
        SourceError: word vectors cannot be fetched or read.
    """
    vocab, sources = params.chosen_model.vocab, params.chosen_vectors
    with doing("building the tokenizer"):
        tokenizer = build_tokenizer(splits.loc[splits["split"] == "train", "text"], vocab)
    trained = tokenizer.get_vocab_size()
    parts = read_word_vectors(sources, ARCHIVES, COMPUTED, bfloat16=_in_bfloat16(sources.values()))
    if vocab.outside_words:
        with doing("choosing words outside the training texts"):
            clean = make_cleaner(params.chosen_dataset.clean.steps)
            listed = next(part.words for part in parts.values() if part.words)
            outside = words_outside(tokenizer, listed, clean)
            add_words(tokenizer, islice(outside, vocab.outside_words))
    if not parts:
        return Vocabulary(tokenizer, join_vectors(tokens_of(tokenizer), trained, parts))
    with doing("looking up the word vectors"):
        return Vocabulary(tokenizer, join_vectors(tokens_of(tokenizer), trained, parts))


def _in_bfloat16(sources: Iterable[VectorSource]) -> bool:
    """Return whether to compute vectors in bfloat16: if the processor has fast bfloat16."""
    if not any(isinstance(source, MiniLMVectors) for source in sources):
        return False
    from sentigate.training.bfloat16 import multiplies_bfloat16  # torch takes seconds

    return multiplies_bfloat16("cpu")
