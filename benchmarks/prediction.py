"""Measure the prediction of tweets: the command on files, and the model beside its peers.

`python benchmarks/prediction.py [--rounds 5]`. The peers include an earlier model. The networks are
untrained, which does not change the times. Tokenizers and the linear model are fitted on the real
tweets. many_tweets.py makes the texts from them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import chdir, closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from many_tweets import make_table, real_tweets
from measuring import PEERS_PYTHON, Ratio, Worker, alternate, ratio, write_results
from running import ROOT, MeasurementError, run
from tokenizers import Tokenizer

from sentigate.data.vocabulary import add_words, build_tokenizer, tokens_of
from sentigate.data.word_vectors import words_outside
from sentigate.errors import SentigateError
from sentigate.evaluation import linear_fit
from sentigate.model.fusion import Fusion, probabilities
from sentigate.model.linear_model import LinearModel
from sentigate.model.network.batches import Batches, EncodedSplit
from sentigate.model.network.network import Network
from sentigate.model.predictor import BATCH_SIZE, Predictor, network_logits
from sentigate.model.saved_model import Description, SavedModel
from sentigate.model.text.cleaning import make_cleaner
from sentigate.model.text.encoding import encode_texts, pad_texts
from sentigate.registry.package import package_model
from sentigate.registry.versions import add_version, model_name
from sentigate.settings.model import VocabParams
from sentigate.settings.params import Params, load_params
from sentigate.settings.vectors import MiniLMVectors
from sentigate.sources.word_vectors import read_word_vectors
from sentigate.tracking.connection import connect
from sentigate.tracking.ended_run import EndedRun
from sentigate.tracking.open_run import start_run
from sentigate.training.classifier import EMBEDDING

OURS, EARLIER = "bilstm_tweets", "bilstm_from_scratch"
"""The fused model with word vectors; and the network alone, without word vectors."""
EARLIER_ASKED = 0.9
SHARE = 0.4
"""Share of the linear baseline in each answer; any share except 0 takes the same time."""
CANDIDATE = "words_and_characters"
"""The fitted linear model of params.yaml: a part of our model, and also a peer. The validation rows
of Twitter choose it."""
ROUNDS = 5
FEW, MANY = 100_000, 1_000_000
BULK, SINGLE = 65_536, 1000
ARCHIVES = ROOT / ".cache/archives"
Judge = Callable[[Sequence[str]], Any]
Rounds = list[dict[str, Any]]

# Measures seconds and peak KiB of a command, in a new process: a child's peak is at least that of
# its parent, and this script holds a gigabyte.
WATCHED = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
print(json.dumps([time.perf_counter() - start, used.ru_maxrss]))
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Linear(NamedTuple):
    """The linear baseline and its tokenizer."""

    tokenizer: Tokenizer
    model: LinearModel


def fit_linear(params: Params, tweets: pd.DataFrame) -> Linear:
    """Fit the linear baseline on the tweets that have a label."""
    dataset, settings = params.datasets["twitter"], params.baseline.candidates[CANDIDATE]
    clean = make_cleaner(dataset.clean.steps)
    names = dataset.classes.names
    labels = tweets["sentiment"].map(
        {key: None if name is None else names.index(name) for key, name in dataset.labels.items()}
    )
    known = labels.notna()
    texts = [clean(text) for text in tweets["text"][known]]
    training = linear_fit.TrainingTexts(texts, labels[known].to_numpy(dtype=np.int8))
    return Linear(training.tokenizer, linear_fit.fit_linear(training, settings, params.seed))


def linear_alone(linear: Linear, params: Params) -> Judge:
    """Return a function from raw texts to the logits of the linear baseline."""
    clean = make_cleaner(params.datasets["twitter"].clean.steps)
    return lambda texts: linear.model.logits(
        *encode_texts(linear.tokenizer, [clean(text) for text in texts])
    )


def make_model(
    name: str, params: Params, tweets: pd.DataFrame, linear: Linear, folder: Path
) -> None:
    """Write the files of a model of params.yaml to ``folder``; its max_length fits every text."""
    dataset, entry = params.datasets["twitter"], params.models[name]
    clean = make_cleaner(dataset.clean.steps)
    texts = [clean(text) for text in tweets["text"]]
    tokenizer = build_tokenizer(texts, entry.vocab)
    outside = words_outside(tokenizer, _listed(entry.vocab, params), clean)
    add_words(tokenizer, islice(outside, entry.vocab.outside_words))
    size = tokenizer.get_vocab_size()
    torch.manual_seed(params.seed)
    weights = Network(entry.network, size).state_dict()
    if entry.vocab.vectors:
        weights[EMBEDDING] = weights[EMBEDDING].half()  # word vectors are stored as float16
    description = Description(
        dataset="twitter",
        model=name,
        cleaning=dataset.clean.steps,
        max_length=max(len(encoding.ids) for encoding in tokenizer.encode_batch_fast(texts)),
        vocabulary_size=size,
        network=entry.network,
        start="vectors" if entry.vocab.vectors else "random",
        fusion=Fusion(share=SHARE if entry.training.fused else 0.0, temperature=1.0, prior=0.0),
        precision="32-true",
    )
    part = linear.model.renumbered(tokens_of(tokenizer)) if entry.training.fused else None
    folder.mkdir()
    SavedModel(description, tokenizer, weights, part).save(folder)


def _listed(vocab: VocabParams, params: Params) -> Sequence[str]:
    """Return the word list of the vectors, or () if the model has no outside words."""
    sources = {name: params.vectors[name] for name in vocab.vectors if vocab.outside_words}
    listed = {n: s for n, s in sources.items() if not isinstance(s, MiniLMVectors)}
    try:
        parts = read_word_vectors(listed, ARCHIVES, ARCHIVES)
    except SentigateError as error:
        raise MeasurementError(str(error)) from None
    return next((part.words for part in parts.values()), ())


def register(files: Path) -> str:
    """Register the files as a model version, and return its URI."""
    opened = start_run("prediction")
    opened.end()
    with tempfile.TemporaryDirectory() as scratch:
        package = package_model(files, Path(scratch))
        run = EndedRun(connect(), opened.id)
        version = add_version(run, package, model_name("twitter"), {})
    return f"models:/{version.name}/{version.version}"


def in_process(judge: Judge, texts: Sequence[str]) -> Callable[[], dict[str, Any]]:
    """Return a round: predict all texts at once, then SINGLE of them one by one."""

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
    """Return the milliseconds of a call: median and 99th percentile."""
    times = []
    for call in calls:
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    p50, p99 = np.percentile(times, [50, 99])
    return {"p50_ms": float(p50), "p99_ms": float(p99)}


def command(file: Path, model: str) -> Callable[[], dict[str, Any]]:
    """Return a round: run `sentigate predict` on a file, start included."""
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


def write_batches(predictor: Predictor, texts: Sequence[str], folder: Path) -> EncodedSplit:
    """Write the network and its batches for the ONNX worker."""
    padded = pad_texts(
        predictor.tokenizer, [predictor.clean(t) for t in texts], predictor.max_length
    )
    split = EncodedSplit(padded.ids, padded.lengths, np.zeros(len(texts), np.int8))
    weights = {name: values.numpy() for name, values in predictor.network.state_dict().items()}
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
    """Return a round: predict all padded rows, then SINGLE of them one by one."""
    singles = [split.take([row]) for row in range(SINGLE)]

    def one_round() -> dict[str, Any]:
        start = time.perf_counter()
        network_logits(network, split)
        rate = len(split.lengths) / (time.perf_counter() - start)
        return {
            "rows_per_second": rate,
            **latency([lambda s=s: network_logits(network, s) for s in singles]),
        }

    return one_round


def figures(rounds: Rounds, name: str) -> list[float]:
    """Return one figure of each round."""
    return [figure[name] for figure in rounds]


def main() -> None:
    """Measure all, and write prediction.json and prediction.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    params = load_params(ROOT / "params.yaml")
    tweets = real_tweets(params)
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    rows: list[Ratio] = []
    details: dict[str, Any] = {}
    rate = "rows_per_second"

    def against(name: str, ours: Rounds, peer: Rounds, asked: float | None = None) -> None:
        pair = figures(ours, rate), figures(peer, rate)
        rows.append(ratio(f"against {name}", *pair, "rows/s", asked=asked))
        for key, words in (("p50_ms", "p50"), ("p99_ms", "p99")):
            label = f"the same, one text a call, {words}"
            pair = figures(ours, key), figures(peer, key)
            rows.append(ratio(label, *pair, "ms", lower_is_better=True))
        write_results(__file__, rows, details)

    with tempfile.TemporaryDirectory() as temporary, chdir(temporary):
        folder = Path(temporary)
        linear = fit_linear(params, tweets)
        files = {name: folder / name for name in (OURS, EARLIER)}
        for name, place in files.items():
            make_model(name, params, tweets, linear, place)
        models = {name: register(place) for name, place in files.items()}
        tables = {number: folder / f"{number}.csv" for number in (FEW, MANY)}
        for number, path in tables.items():
            make_table(path, number, params.seed)
        few = alternate({n: command(tables[FEW], model) for n, model in models.items()}, rounds)
        details["command"] = {**few, "many": command(tables[MANY], models[OURS])()}
        rows += file_rows(few, details["command"]["many"])
        write_results(__file__, rows, details)
        texts = pd.read_csv(tables[FEW], keep_default_na=False, nrows=BULK)["text"].tolist()
        judges: dict[str, Judge] = {name: Predictor(place) for name, place in files.items()}
        judges["linear"] = linear_alone(linear, params)
        whole = alternate({n: in_process(judge, texts) for n, judge in judges.items()}, rounds)
        details["from_raw_texts"] = whole
        against(f"`{EARLIER}`, from raw texts", whole[OURS], whole[EARLIER], EARLIER_ASKED)
        against("the linear baseline alone, from raw texts", whole[OURS], whole["linear"])
        predictor = Predictor(files[OURS])
        split = write_batches(predictor, texts, folder)
        worker = str(Path(__file__).parent / "workers/onnx_lstm.py")
        with closing(Worker([str(PEERS_PYTHON), worker, temporary])) as onnx:
            ours = network_alone(predictor.network, split)
            alone = alternate({"ours": ours, "onnx": onnx}, rounds)
        order = np.argsort(split.lengths, kind="stable")
        answers = probabilities(network_logits(predictor.network, split))[order]
        difference = float(np.abs(answers - np.load(folder / "onnx.npy")).max())
    if difference > 1e-4:
        raise MeasurementError(f"ONNX Runtime's probabilities differ by up to {difference:g}")
    details["network_alone"] = alone
    against("ONNX Runtime, same network and padded batches", alone["ours"], alone["onnx"])
    write_results(
        __file__,
        rows,
        details,
        [
            f"Ours is `{OURS}`: word vectors, and fused with the linear baseline. {BULK:,} texts "
            f"at once, {SINGLE:,} one by one. ONNX Runtime and we have the network alone; their "
            f"probabilities differ by at most {difference:.1g}. Ours uses a thread a core, a batch "
            "each; ONNX Runtime two threads in each operator; the linear baseline one."
        ],
    )


def file_rows(few: dict[str, Rounds], many: dict[str, Any]) -> list[Ratio]:
    """Compare the command with the earlier model, and for files of different length."""
    rate, peak = "rows_per_second", "peak_mib"
    start = "`sentigate predict`, start included"
    ours, earlier = figures(few[OURS], rate), figures(few[EARLIER], rate)
    few_rate, few_peak = (statistics.median(figures(few[OURS], key)) for key in (rate, peak))
    return [
        ratio(
            f"{start}: {FEW:,} rows, against `{EARLIER}`",
            ours, earlier, "rows/s", asked=EARLIER_ASKED,
        ),
        ratio(f"{start}: {MANY:,} rows against {FEW:,}", [many[rate]], [few_rate], "rows/s"),
        ratio(
            f"its peak memory: {MANY:,} rows against {FEW:,}",
            [many[peak]], [few_peak], "MiB", lower_is_better=True,
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
