"""Word vectors learned from a data set's own texts: word2vec's skip-gram (Mikolov et al. 2013)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from sentigate.errors import DataError, counted

from .word_vectors import VectorTable


def texts_for_vectors(
    splits: pd.DataFrame,
    raw: pd.DataFrame,
    labels: Mapping[str, int | None],
    clean: Callable[[str], str],
) -> list[str]:
    """The texts that vectors may learn from: nothing of validation or test, nor anything like it.

    They are the training texts and, cleaned, those whose sentiment is left out. A text of either
    kind is not taken when its group, or the very text, is in validation or test; nor is a text
    left out that was published as part of a test or validation fold.

    Args:
        splits: columns group, text (cleaned) and split (str).
        raw: columns group, sentiment, text and fold (str), as ingest writes them.
        labels: sentiment -> 1, 0, or None for left out.
        clean: the data set's cleaning.

    Returns:
        The training texts in their order, and then the others in theirs.
    """
    in_train = splits["split"] == "train"
    left_out = [name for name, label in labels.items() if label is None]
    others = raw.loc[raw["sentiment"].isin(left_out) & raw["fold"].isin(["", "train"])]
    candidates = pd.concat(
        [
            splits.loc[in_train, ["group", "text"]],
            others[["group"]].assign(text=[clean(text) for text in others["text"]]),
        ],
        ignore_index=True,
    )
    held_out = splits.loc[~in_train]
    alike = candidates["group"].isin(held_out["group"]) | candidates["text"].isin(held_out["text"])
    taken: list[str] = candidates.loc[~alike, "text"].tolist()
    return taken


def learn_vectors(
    texts: Sequence[str],
    cut: Callable[[str], list[str]],
    *,
    size: int,
    window: int,
    epochs: int,
    min_count: int,
    seed: int,
) -> VectorTable:
    """Train skip-gram with negative sampling on one thread: the same inputs give the same bits.

    Args:
        texts: cleaned.
        cut: gives a text's tokens.
        size: numbers in a vector.
        window: how many tokens away a context reaches, at most.
        epochs: passes over the texts.
        min_count: rarer tokens get no vector.
        seed: of first values, contexts and negative samples.

    Raises:
        DataError: no token occurs ``min_count`` times.
    """
    from gensim.models import Word2Vec

    one_of: dict[str, str] = {}  # a string for each word, not for each of its occurrences
    tokens = [[one_of.setdefault(token, token) for token in cut(text)] for text in texts]
    model = Word2Vec(
        sg=1,
        vector_size=size,
        window=window,
        min_count=min_count,
        seed=seed,
        hashfxn=_hash,
        workers=1,
    )
    model.build_vocab(tokens)
    if not len(model.wv):
        raise DataError(
            f"word vectors cannot be learned: no token occurs {min_count} times in "
            f"{counted(len(texts), 'text')}; lower min_count of the entry in vectors:"
        )
    model.train(tokens, total_examples=len(tokens), epochs=epochs)
    return VectorTable(model.wv.index_to_key, model.wv.vectors)


def _hash(word: str) -> int:
    """Python's own differs from process to process."""
    return zlib.crc32(word.encode())
