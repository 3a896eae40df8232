"""Judging tweets: the command on a file of a million, and the model against its peers.

`python benchmarks/prediction.py`. The network is the default one as it is before training, which
changes no time; tokenizer, n-gram part and linear model are fitted on the real tweets. The other
tweets are made out of these (many_tweets.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import chdir, closing
from itertools import compress, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from many_tweets import make_table, real_tweets
from measuring import PEERS_PYTHON, Ratio, Worker, alternate, ratio, write_results
from running import ROOT, MeasurementError, run
from sentigate.model.network.ngrams import NgramPart
from sentigate.training.ngrams import fit_ngrams

from sentigate.data.vocabulary import add_words, build_tokenizer, tokens_of
from sentigate.data.word_vectors import words_outside
from sentigate.errors import SentigateError
from sentigate.evaluation import linear_fit
from sentigate.evaluation.ngram_counts import encode
from sentigate.model.network.batches import Batches, EncodedSplit
from sentigate.model.network.network import Network
from sentigate.model.predictor import BATCH_SIZE, Predictor, predict
from sentigate.model.saved_model import Description, SavedModel
from sentigate.model.text.cleaning import make_cleaner
from sentigate.model.text.encoding import UNKNOWN_ID, pad_texts
from sentigate.registry.model_package import package_model
from sentigate.registry.versions import add_version, model_name
from sentigate.settings.params import Params, load_params
from sentigate.settings.vectors import MiniLMVectors
from sentigate.sources.word_vectors import read_word_vectors
from sentigate.tracking.runs import Run, connect, start_run

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ROUNDS = 5
FILE_ROUNDS = 1
FEW, MANY = 100_000, 1_000_000
BULK, SINGLE = 65_536, 1000
ARCHIVES = ROOT / ".cache/archives"
Judge = Callable[[Sequence[str]], Any]
Rounds = list[dict[str, Any]]

# Seconds and peak KiB of a command. A process of its own, because a child's peak begins with its
# parent's, and this script holds a gigabyte.
WATCHED = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
print(json.dumps([time.perf_counter() - start, used.ru_maxrss]))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def make_model(params: Params, tweets: pd.DataFrame, folder: Path) -> str:
    """The files of a model in ``folder``, and a registered version of it; its URI."""
    dataset, entry = params.datasets["twitter"], params.models["bilstm"]
    clean = make_cleaner(dataset.clean.steps)
    texts = [clean(text) for text in tweets["text"]]
    vocab = entry.vocab
    tokenizer = build_tokenizer(
        texts,
        vocab.level,
        min_count=vocab.min_count,
        max_size=vocab.max_size,
        order=vocab.order,
    )
    if vocab.outside_words:
        sources = {name: params.vectors[name] for name in vocab.vectors}
        listed = {n: s for n, s in sources.items() if not isinstance(s, MiniLMVectors)}
        try:
            parts = read_word_vectors(listed, ARCHIVES, ARCHIVES)
        except SentigateError as error:
            raise MeasurementError(str(error)) from None
        words = next(part.words for part in parts.values())
        outside = words_outside(tokenizer, words, clean)
        add_words(tokenizer, islice(outside, vocab.outside_words))
    ngrams = fit_part(params, tweets, tokenizer, texts)
    torch.manual_seed(params.seed)
    network = Network(entry.network, tokenizer.get_vocab_size(), ngrams=ngrams)
    longest = max(len(encoding.ids) for encoding in tokenizer.encode_batch_fast(texts))
    description = Description(
        dataset="twitter",
        model="bilstm",
        cleaning=dataset.clean.steps,
        max_length=longest,
        vocabulary_size=tokenizer.get_vocab_size(),
        network=entry.network,
        pretrained=False,
        precision="32-true",
    )
    SavedModel(description, tokenizer, network.state_dict()).save(folder)
    opened = start_run("prediction")
    opened.end()
    with tempfile.TemporaryDirectory() as scratch:
        package = package_model(folder, Path(scratch))
        run = Run(connect(), opened.id)
        version = add_version(run, package, model_name("twitter"), {})
    return f"models:/{version.name}/{version.version}"


def fit_part(
    params: Params, tweets: pd.DataFrame, tokenizer: Tokenizer, texts: Sequence[str]
) -> NgramPart | None:
    """The default model's n-gram part, fitted on the tweets that have a label."""
    dataset, settings = params.datasets["twitter"], params.models["bilstm"].ngrams
    if settings is None:
        return None
    labels = tweets["sentiment"].map(dataset.labels)
    known = labels.notna().to_numpy()
    padded = pad_texts(tokenizer, list(compress(texts, known)), dataset.max_length)
    split = EncodedSplit(padded.ids, padded.lengths, labels[known].to_numpy(dtype=np.int8))
    few_folds = settings.model_copy(update={"folds": 2})  # what they say of each row is not used
    groups = tweets["group"][known].tolist()
    return fit_ngrams(split, groups, tokens_of(tokenizer), few_folds, seed=params.seed).part


def without_ngrams(network: Network) -> Network:
    """The network alone."""
    weights = network.state_dict()
    alone = {k: v for k, v in weights.items() if not k.startswith("ngram")}
    size = len(weights["encoder.embedding.weight"])
    return Network.from_weights(network.architecture, size, alone)


def fit_linear(params: Params, tweets: pd.DataFrame) -> Judge:
    """The baseline stage's ``words``, TF-IDF and logistic regression, from raw texts on."""
    dataset, settings = params.datasets["twitter"], params.baseline.candidates["words"]
    clean = make_cleaner(dataset.clean.steps)
    labels = tweets["sentiment"].map(dataset.labels)
    known = labels.notna()
    texts = [clean(text) for text in tweets["text"][known]]
    training = linear_fit.TrainingTexts(texts, labels[known].to_numpy(dtype=np.int8))
    model = linear_fit.fit_linear(training, settings, params.seed)
    return lambda texts: model.logits(*encode(training.tokenizer, [clean(text) for text in texts]))


def in_process(judge: Judge, texts: Sequence[str]) -> Callable[[], dict[str, Any]]:
    """A round: all texts at once, then SINGLE of them one by one."""

    def one_round() -> dict[str, Any]:
        start = time.perf_counter()
        judge(texts)
        rate = len(texts) / (time.perf_counter() - start)
        return {
            "rows_per_second": rate,
            **latency([lambda t=t: judge([t]) for t in texts[:SINGLE]]),
        }

    return one_round


def latency(calls: Sequence[Callable[[], Any]]) -> dict[str, float]:
    """Milliseconds of a call, median and 99th percentile."""
    times = []
    for call in calls:
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    p50, p99 = np.percentile(times, [50, 99])
    return {"p50_ms": float(p50), "p99_ms": float(p99)}


def command(file: Path, model: str) -> Callable[[], dict[str, Any]]:
    """A round: `sentigate predict` on a file, start included."""
    out = file.with_name("answers.csv")
    rows = int(file.stem)
    arguments = ["predict", "--file", str(file), "--out", str(out), "--model", model]

    def one_round() -> dict[str, Any]:
        line = [
            sys.executable,
            "-c",
            WATCHED,
            sys.executable,
            "-m",
            "sentigate.cli.main",
            *arguments,
        ]
        done = run(line, stdout=subprocess.PIPE)
        seconds, peak = json.loads(done.stdout.splitlines()[-1])
        return {"seconds": seconds, "rows_per_second": rows / seconds, "peak_mib": peak / 1024}

    return one_round


def write_batches(
    predictor: Predictor, network: Network, texts: Sequence[str], folder: Path
) -> EncodedSplit:
    """What the ONNX worker reads: a network, and the batches that ``predict`` makes, ready."""
    padded = pad_texts(
        predictor.tokenizer, [predictor.clean(t) for t in texts], predictor.max_length
    )
    split = EncodedSplit(padded.ids, padded.lengths, np.zeros(len(texts), np.int8))
    weights = {name: values.numpy() for name, values in network.state_dict().items()}
    np.savez(folder / "weights.npz", **weights)
    singles = (split.take([row]) for row in range(SINGLE))
    calls = {
        "batches": list(Batches(split, BATCH_SIZE)),
        "single": [batch for single in singles for batch in Batches(single, 1)],
    }
    for name, batches in calls.items():
        arrays = {}
        for number, batch in enumerate(batches):
            arrays[f"ids{number}"] = batch.inputs.ids.numpy()
            arrays[f"lengths{number}"] = batch.inputs.lengths.numpy().astype(np.int32)
        np.savez(folder / f"{name}.npz", **arrays)
    return split


def network_alone(network: Network, split: EncodedSplit) -> Callable[[], dict[str, Any]]:
    """A round: all padded rows, then SINGLE of them one by one."""
    singles = [split.take([row]) for row in range(SINGLE)]

    def one_round() -> dict[str, Any]:
        start = time.perf_counter()
        predict(network, split)
        rate = len(split.lengths) / (time.perf_counter() - start)
        return {
            "rows_per_second": rate,
            **latency([lambda s=s: predict(network, s) for s in singles]),
        }

    return one_round


def figures(rounds: Rounds, name: str) -> list[float]:
    """One figure of all rounds."""
    return [figure[name] for figure in rounds]


def main() -> None:
    """Measure all, and write prediction.json and prediction.md."""
    params = load_params(ROOT / "params.yaml")
    tweets = real_tweets(params)
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    rows: list[Ratio] = []
    details: dict[str, Any] = {}
    rate = "rows_per_second"

    def against(name: str, ours: Rounds, peer: Rounds) -> None:
        rows.append(ratio(f"against {name}", figures(ours, rate), figures(peer, rate), "rows/s"))
        for key, words in (("p50_ms", "p50"), ("p99_ms", "p99")):
            label = f"the same, one text a call, {words}"
            pair = figures(ours, key), figures(peer, key)
            rows.append(ratio(label, *pair, "ms", lower_is_better=True))
        write_results(__file__, rows, details)

    with tempfile.TemporaryDirectory() as temporary, chdir(temporary):
        folder = Path(temporary)
        files = folder / "files"
        files.mkdir()
        model = make_model(params, tweets, files)
        tables = {number: folder / f"{number}.csv" for number in (FEW, MANY)}
        for number, path in tables.items():
            make_table(path, number, params.seed)
        commands = alternate(
            {f"{number:,} rows": command(path, model) for number, path in tables.items()},
            FILE_ROUNDS,
        )
        details["command"] = commands
        few, many = commands.values()
        rows += [
            ratio(
                f"`sentigate predict`, start included: {MANY:,} rows against {FEW:,}",
                figures(many, rate), figures(few, rate), "rows/s",
            ),
            ratio(
                f"its peak memory: {MANY:,} rows against {FEW:,}",
                figures(many, "peak_mib"), figures(few, "peak_mib"), "MiB", lower_is_better=True,
            ),
        ]  # fmt: skip
        write_results(__file__, rows, details)
        texts = pd.read_csv(tables[FEW], keep_default_na=False, nrows=BULK)["text"].tolist()
        predictor = Predictor(files)
        linear = in_process(fit_linear(params, tweets), texts)
        whole = alternate({"ours": in_process(predictor, texts), "linear": linear}, ROUNDS)
        details["from_raw_texts"] = whole
        against("TF-IDF + logistic regression, from raw texts", whole["ours"], whole["linear"])
        network = without_ngrams(predictor.network)
        split = write_batches(predictor, network, texts, folder)
        worker = str(Path(__file__).parent / "workers/onnx_lstm.py")
        with closing(Worker([str(PEERS_PYTHON), worker, temporary])) as onnx:
            alone = alternate({"ours": network_alone(network, split), "onnx": onnx}, ROUNDS)
        order = np.argsort(split.lengths, kind="stable")
        differences = np.abs(predict(network, split)[order] - np.load(folder / "onnx.npy"))
        told = (split.ids > UNKNOWN_ID).any(axis=1)  # of others ours asks no network
        difference = float(differences[told[order]].max())
    if difference > 1e-4:
        raise MeasurementError(f"ONNX Runtime's probabilities differ by up to {difference:g}")
    details["network_alone"] = alone
    against("ONNX Runtime, same network and padded batches", alone["ours"], alone["onnx"])
    write_results(
        __file__,
        rows,
        details,
        [
            f"{BULK:,} texts at once, {SINGLE:,} one by one. ONNX Runtime and we have the network "
            "without the n-gram part; their probabilities on texts with a known token "
            f"differ by at most {difference:.1g}. Ours uses a thread a core, a batch each; ONNX "
            "Runtime two threads in each operator; scikit-learn one."
        ],
    )


if __name__ == "__main__":
    main()
