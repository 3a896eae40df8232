"""The vocabulary of a model, as the vocab stage and a leaderboard entry make it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from sentigate.data.own_vectors import learn_vectors, texts_for_vectors
from sentigate.data.stage_files import read_table
from sentigate.data.vocabulary import add_words, build_tokenizer, cutter, tokens_of
from sentigate.data.word_vectors import (
    NO_VECTORS,
    VectorTable,
    WordVectors,
    vectors_of,
    words_outside,
)
from sentigate.errors import counted
from sentigate.model.text.cleaning import make_cleaner
from sentigate.progress import doing
from sentigate.settings.params import Params
from sentigate.settings.vectors import OwnVectors
from sentigate.sources.word_vectors import read_word_vectors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CACHE, RAW = Path(".cache/archives"), Path("data/raw/texts.parquet")


class Vocabulary(NamedTuple):
    """A tokenizer, and the vectors of its entries."""

    tokenizer: Tokenizer
    vectors: WordVectors


def make_vocabulary(params: Params, splits: pd.DataFrame) -> Vocabulary:
    """What the chosen model reads texts with.

    Args:
        params: the whole of params.yaml.
        splits: columns group, text and split (str).
    """
    vocab = params.chosen_model.vocab
    doing("building the tokenizer")
    tokenizer = build_tokenizer(
        splits.loc[splits["split"] == "train", "text"],
        vocab.level,
        min_count=vocab.min_count,
        max_size=vocab.max_size,
        order=vocab.order,
    )
    trained = tokenizer.get_vocab_size()
    table = _vector_table(params, tokenizer, splits)
    if vocab.outside_words:
        clean = make_cleaner(params.chosen_dataset.clean.steps)
        outside = words_outside(tokenizer, table.words, clean)
        add_words(tokenizer, islice(outside, vocab.outside_words))
    return Vocabulary(tokenizer, WordVectors(vectors_of(tokens_of(tokenizer), table), trained))


def _vector_table(params: Params, tokenizer: Tokenizer, splits: pd.DataFrame) -> VectorTable:
    dataset, vocab, source = params.chosen_dataset, params.chosen_model.vocab, params.chosen_vectors
    if vocab.vectors is None or source is None:
        return NO_VECTORS
    if not isinstance(source, OwnVectors):
        doing(f"reading the word vectors {vocab.vectors}")
        return read_word_vectors(vocab.vectors, source, CACHE)
    raw = read_table(RAW, ["group", "sentiment", "text", "fold"])
    clean = make_cleaner(dataset.clean.steps)
    texts = texts_for_vectors(splits, raw, dataset.labels, clean)
    doing(f"learning the word vectors {vocab.vectors} from {counted(len(texts), 'text')}")
    return learn_vectors(
        texts,
        cutter(tokenizer, vocab.level),
        size=source.size,
        window=source.window,
        epochs=source.epochs,
        min_count=source.min_count,
        seed=params.seed,
    )
