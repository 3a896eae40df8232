"""Train T3's network in Keras on TensorFlow, with Keras's best practice; a round is an epoch.

`python keras_loop.py FOLDER`, with the Python of the peers. tf.data's bucket_by_sequence_length
makes batches of similar length, which are cached and shuffled.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import keras
import numpy as np
import tensorflow as tf

BATCH = 32


def batches(ids, lengths, labels, *, step: int, in_front: bool) -> tf.data.Dataset:
    """Batch rows whose lengths round up to the same multiple of ``step``."""

    def rows():
        for row, length, label in zip(ids, lengths, labels, strict=True):
            tokens = row[:length].astype(np.int32)
            padding = np.zeros(-length % step, np.int32)
            yield np.concatenate((padding, tokens) if in_front else (tokens, padding)), label

    signature = (tf.TensorSpec((None,), tf.int32), tf.TensorSpec((), tf.float32))
    bounds = list(range(step + 1, ids.shape[1] + 1, step))
    dataset = tf.data.Dataset.from_generator(rows, output_signature=signature)
    bucketed = dataset.bucket_by_sequence_length(
        lambda tokens, _: tf.shape(tokens)[0], bounds, [BATCH] * (len(bounds) + 1)
    ).cache()
    return bucketed.shuffle(-(-len(lengths) // BATCH) + len(bounds), seed=42).prefetch(4)


def main() -> None:
    """Train an epoch for each input line."""
    folder = Path(sys.argv[1], "train")
    ids, lengths, labels = (np.load(folder / f"{n}.npy") for n in ("ids", "lengths", "labels"))
    keras.utils.set_random_seed(42)
    model = keras.Sequential(
        [
            keras.layers.Embedding(20_000, 128),
            keras.layers.LSTM(128, return_sequences=True),
            keras.layers.Dropout(0.2),
            keras.layers.LSTM(64),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    data = batches(ids, lengths, labels, step=4, in_front=True)
    tokens = int(lengths.sum())
    for _ in range(2):  # warm-up: traces functions and fills the cache
        model.fit(data, epochs=1, verbose=0)
    for _ in sys.stdin:
        start = time.perf_counter()
        history = model.fit(data, epochs=1, verbose=0).history
        speed = tokens / (time.perf_counter() - start)
        print(json.dumps({"tokens_per_second": speed, "loss": history["loss"][0]}), flush=True)


if __name__ == "__main__":
    main()
