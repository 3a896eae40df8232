"""What several test files share: a copy of the project, small enough to run in a minute."""

from __future__ import annotations

import atexit
import copy
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import strategies as st
from tokenizers import Tokenizer

from sentigate.files import sha256_of
from sentigate.model.fusion import Fusion
from sentigate.model.linear_model import LinearDescription, LinearModel
from sentigate.model.network.architecture import Architecture
from sentigate.model.network.network import Network
from sentigate.model.saved_model import Description, SavedModel
from sentigate.model.text.cleaning_steps import CleaningSteps
from sentigate.settings.yaml_file import read_yaml

ROOT = Path(__file__).parents[1]
WARM = ROOT / "tests/e2e/warm"
_FORK_SERVERS: list[subprocess.Popen[bytes]] = []  # kept: their standard input stays open
SMALL_TABLE = "data/own/small.csv"
TINY_MODEL = {
    "vocab": {
        "level": "glove",
        "min_count": 1,
        "max_size": 20_000,
        "order": "frequency",
    },
    "max_length": 32,
    "min_validation_mcc": -1.0,
    "network": {
        "embedding_size": 16,
        "cell": "lstm",
        "hidden_sizes": [16],
        "bidirectional": True,
        "pooling": "max",
        "word_dropout": 0.1,
    },
    "training": {
        "batch_size": 32,
        "max_epochs": 4,
        "monitor": "validation_loss",
        "learning_rate": 0.01,
        "learning_rate_decay": "linear",
        "weight_decay": 0.01,
        "gradient_clip": 1.0,
        "average_decay": 0.9,
        "fused": True,
    },
}
UNFUSED = Fusion(share=0.0, temperature=1.0, prior=0.0)
"""The network's own answers."""


def architecture(**values: Any) -> Architecture:
    """An architecture of ``values``, plain where they say nothing."""
    return Architecture(**values)


def cleaning(*steps: str) -> CleaningSteps:
    """The named cleaning steps and no other."""
    return CleaningSteps(**dict.fromkeys(steps, True))


def linear_model(
    weights: dict[tuple[int, ...], float], bias: float, tokens: Sequence[str]
) -> LinearModel:
    """A model in which each n-gram of ids adds its weight once, whose vocabulary is ``tokens``."""
    size = len(tokens)
    codes = {
        sum(token * size**power for power, token in enumerate(reversed(ngram))): weight
        for ngram, weight in weights.items()
    }
    return LinearModel(
        LinearDescription(
            description="by hand",
            ngrams=(1, max(map(len, weights))),
            weighting="naive_bayes",
            words=tuple(tokens),
        ),
        codes=np.array(sorted(codes), dtype=np.int64),
        weights=np.array([codes[code] for code in sorted(codes)], dtype=np.float32),
        idf=None,
        characters=None,
        bias=bias,
    )


ALL_BUT_LOSSY = cleaning(
    "normalize_unicode",
    "remove_html",
    "remove_links",
    "remove_mentions",
    "lowercase",
    "squeeze_whitespace",
)
"""The cleaning of most data sets: all steps but those that drop words and signs."""


def save_model(
    folder: Path,
    network: Network,
    tokenizer: Tokenizer,
    steps: CleaningSteps,
    max_length: int = 24,
    *,
    linear: LinearModel | None = None,
    fusion: Fusion = UNFUSED,
) -> Path:
    """Write a model as the train stage does, around any network, and give its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    description = Description(
        dataset="vader",
        model="bilstm",
        cleaning=steps,
        max_length=max_length,
        vocabulary_size=tokenizer.get_vocab_size(),
        network=network.architecture,
        start="random",
        precision="32-true",
        fusion=fusion,
    )
    SavedModel(description, tokenizer, network.state_dict(), linear).save(folder)
    return folder


def tiny_values(path: Path = ROOT / "params.yaml") -> dict[str, Any]:
    """params.yaml with a small table and a network that trains in two seconds.

    Its 600 rows teach a network little, so the floors that judge its accuracy are low.
    """
    values: dict[str, Any] = read_yaml(path)
    values |= {"dataset": "csv", "model": "tiny"}
    values["models"]["tiny"] = copy.deepcopy(TINY_MODEL)
    csv = values["datasets"]["csv"]
    csv["source"] |= {
        "path": SMALL_TABLE,
        "id_column": "id",
        "group_column": "document",
        "slice_column": "source",
    }
    csv["gates"] = {"min_rows": 100, "min_test_accuracy": 0.3}
    values["gates"] |= {"min_baseline_mcc": -1.0, "max_balance_difference": 0.1}
    values["evaluate"]["bootstrap_samples"] = 100
    return values


def write_values(values: object, folder: Path) -> None:
    unshared = json.loads(json.dumps(values))  # or else what is there twice becomes an anchor
    text = yaml.safe_dump(unshared, sort_keys=False, allow_unicode=True)
    (folder / "params.yaml").write_text(text, encoding="utf-8")


def set_value(values: dict[str, Any], key: str, value: object) -> None:
    """Set a dotted key."""
    *sections, last = key.split(".")
    for section in sections:
        values = values[section]
    values[last] = value


def environment_of(folder: Path) -> dict[str, str]:
    """The environment in which a copied project runs its own code, and MLflow in the copy."""
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment["PYTHONPATH"] = str(folder / "src")
    return environment


def run_in(
    folder: Path, *command: str, timeout: int = 300, cold: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a command in a copied project; ``cold`` as users do, without the fork server."""
    environment = environment_of(folder)
    return subprocess.run(
        command,
        cwd=folder,
        env=environment if cold else warm(environment),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def without_signs(printed: str) -> str:
    """What was printed less the lines of ``sentigate.progress``, which depend on time."""
    return re.sub(r"(?m)^  \S.*( \.\.\.|: \d+ s)\n", "", printed)


def warm(environment: dict[str, str]) -> dict[str, str]:
    """``environment``, in which the project's commands are forked with the libraries imported.

    The code of the project, its processes and what they exchange stay the real ones: a stage takes
    a third of a second in place of three.
    """
    if not hasattr(os, "pidfd_open"):  # as on macOS
        return environment
    paths = [environment.get("PYTHONPATH", ""), str(WARM)]
    return environment | {
        "SENTIGATE_WARM": fork_server(),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


@cache
def fork_server() -> str:
    """The address of this process's fork server, which ends when this process does."""
    address = str(Path(tempfile.mkdtemp(prefix="warm-")) / "socket")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "PYTHON"))}
    server = subprocess.Popen(
        [sys.executable, WARM / "fork_server.py", address],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    atexit.register(shutil.rmtree, Path(address).parent)
    _FORK_SERVERS.append(server)
    return address


def vader_or_skip() -> None:
    """Skip where the default data set cannot be had."""
    if reason := _why_no_vader():
        pytest.skip(reason)


@cache
def _why_no_vader() -> str:
    source = read_yaml(ROOT / "params.yaml")["datasets"]["vader"]["source"]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries=1"]
        command += ["--no-binary=:all:", "--no-build-isolation", f"--dest={folder}"]
        done = subprocess.run(
            [*command, f"vaderSentiment=={source['version']}"], capture_output=True, text=True
        )
    if done.returncode == 0:
        return ""
    return f"needs the network: pip cannot reach its index: {done.stderr.strip().splitlines()[-1]}"


def put_small_vectors(folder: Path, words: Sequence[str], values: np.ndarray) -> dict[str, str]:
    """Put a wheel of word vectors into a folder, and give its entry of ``vectors:``."""
    path = folder / "small_vectors-1.0-py3-none-any.whl"
    index, numbers = io.BytesIO(), io.BytesIO()
    pd.DataFrame({"index": pd.Series(list(words), dtype="str")}).to_parquet(index)
    np.save(numbers, values.astype(np.float32))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("small/words.parquet", index.getvalue())
        archive.writestr("small/vectors.npy", numbers.getvalue())
    return {
        "kind": "pip",
        "package": "small-vectors",
        "version": "1.0",
        "sha256": sha256_of(path),
        "vectors": "small/vectors.npy",
        "words": "small/words.parquet",
    }


def put_small_table(folder: Path) -> None:
    """Put it where ``tiny_values`` says it is."""
    (folder / SMALL_TABLE).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(ROOT / "tests/small.csv", folder / SMALL_TABLE)


def copy_project(target: Path) -> Path:
    """The files of the working tree that git does not ignore but tests, and the small table."""
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listing.stdout.split("\0")):
        if not name.startswith("tests/") and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    put_small_table(target)
    return target


def commit_all(folder: Path) -> None:
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "A copy"]):
        subprocess.run([*git, *command], cwd=folder, check=True)


def add_champion(files: Path, name: str, scratch: Path) -> str:
    """Make a model's folder the promoted version of ``name``, and give its URI."""
    from sentigate.registry.model_package import package_model
    from sentigate.registry.versions import add_version
    from sentigate.tracking.runs import Run, connect, start_run

    opened = start_run("made for a test")
    opened.end()
    package = package_model(files, scratch)
    version = add_version(Run(connect(), opened.id), package, name, {"split_sha256": "a"})
    connect().set_registered_model_alias(name, "champion", version.version)
    return f"models:/{name}/{version.version}"


ANSWERS = st.lists(
    st.tuples(st.integers(0, 1), st.floats(0, 1, width=32)), min_size=1, max_size=60
).map(lambda pairs: (np.array([y for y, _ in pairs]), np.array([p for _, p in pairs])))
"""Any labels and probabilities, one class among them."""


def answers(rows: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities (float32) that are right more often than not."""
    rng = np.random.default_rng(0)
    labels = rng.binomial(1, 0.6, rows)
    logits = (2 * labels - 1) * 0.8 + rng.normal(0, 1, rows)
    return labels, (1 / (1 + np.exp(-logits))).astype(np.float32)


def answers_frame(labels: Any, probabilities: Any, slices: Any) -> pd.DataFrame:
    """Test rows as reports/predictions.parquet and the texts have them."""
    ids = [f"r{number:04d}" for number in range(len(labels))]
    return pd.DataFrame(
        {
            "id": ids,
            "slice": slices,
            "text": [f"text of {name}" for name in ids],
            "label": labels,
            "probability": probabilities,
        }
    )
