"""The harness of benchmarks/: rounds in turn, ratios the right way round, pages from results."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.commands import environment_of, warm
from support.project import ROOT, commit_all, copy_project

sys.path.insert(0, str(ROOT / "benchmarks"))
import ablation
import fresh_run
import many_tweets
import measuring
import running
import suspects
import training
from support.models import vocab_params
from workers.presets import changed, preset

from sentigate.data.vocabulary import build_tokenizer
from sentigate.data.word_vectors import WordVectors, write_vectors
from sentigate.model.text.encoding import write_padded

COUNTER = """
import sys; sys.path.insert(0, {folder!r})
from measuring import answer_rounds
seen = []
answer_rounds(lambda: seen.append(1) or {{"rounds": len(seen)}})
"""


def test_contenders_take_turns_and_the_first_round_is_not_counted() -> None:
    calls: list[str] = []

    def contender(name: str) -> dict[str, int]:
        calls.append(name)
        return {"call": len(calls)}

    names = ("a", "b")
    figures = measuring.alternate({n: lambda n=n: contender(n) for n in names}, 2)
    assert calls == ["a", "b"] * 3
    assert figures == {"a": [{"call": 3}, {"call": 5}], "b": [{"call": 4}, {"call": 6}]}


def test_a_worker_answers_a_round_for_a_line() -> None:
    worker = measuring.Worker(
        [sys.executable, "-c", COUNTER.format(folder=str(ROOT / "benchmarks"))]
    )
    assert [worker()["rounds"] for _ in range(3)] == [1, 2, 3]
    worker.close()
    assert worker.process.returncode == 0


def test_a_worker_that_ends_is_named() -> None:
    worker = measuring.Worker([sys.executable, "-c", "raise SystemExit(3)"])
    worker.process.wait()
    with pytest.raises(SystemExit, match=r"SystemExit\(3\)` ended with 3: it printed nothing$"):
        worker()
    worker.close()


def test_a_worker_that_breaks_is_told_in_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    worker = measuring.Worker([sys.executable, "-c", "import no_such_peer"])
    with pytest.raises(running.MeasurementError) as caught:
        worker()
    worker.close()
    assert str(caught.value).endswith("ended with 1: ModuleNotFoundError: No module named "
                                      "'no_such_peer'")  # fmt: skip
    assert "Traceback" not in capfd.readouterr().err


def test_a_worker_without_its_interpreter_is_told_in_a_line() -> None:
    with pytest.raises(running.MeasurementError, match="No such file or directory: 'no_python'"):
        measuring.Worker(["no_python", "worker.py"])


def test_a_command_that_fails_is_told_in_its_own_words() -> None:
    says = "echo 'sentigate ingest: no data' >&2; echo 'ERROR: failed to reproduce' >&2; exit 7"
    with pytest.raises(running.MeasurementError) as caught:
        running.run(["sh", "-c", says])
    assert str(caught.value).endswith("` ended with 7: sentigate ingest: no data")
    assert "\n" not in str(caught.value)
    assert running.run(["echo", "fine"], stdout=subprocess.PIPE).stdout == "fine\n"


@pytest.fixture(scope="module")
def unreachable(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A copy of the project, and an environment without mirror, cache and network."""
    project = copy_project(tmp_path_factory.mktemp("benchmarks"))
    commit_all(project)
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:9")
    environment = warm(environment_of(project))
    environment.pop("SENTIGATE_MIRROR", None)
    settings = {"KAGGLE_API_ENVIRONMENT": "LOCALHOST", "PIP_RETRIES": "0", "NO_PROXY": ""}
    settings |= {"PIP_INDEX_URL": "https://127.0.0.1:9", "PIP_CONFIG_FILE": os.devnull}
    cache = {"KAGGLEHUB_CACHE": str(project / "unused"), "PIP_NO_CACHE_DIR": "1"}
    return project, environment | nowhere | settings | cache


@pytest.mark.parametrize(
    ("script", "missing"),
    [
        ("training", "aclImdb"),
        ("overhead", "vaderSentiment"),
        ("precision", "vaderSentiment"),
        ("threads", "vaderSentiment"),
        ("data_stages", "twitter-entity-sentiment-analysis"),
        ("prediction", "twitter-entity-sentiment-analysis"),
        ("ablation", "vaderSentiment"),
    ],
)
def test_data_that_cannot_be_had_ends_a_script_in_a_line_before_it_measures(
    unreachable: tuple[Path, dict[str, str]], script: str, missing: str
) -> None:
    project, environment = unreachable
    results = project / f"benchmarks/{script}.json"
    before = results.read_bytes() if results.exists() else None
    done = subprocess.run(
        [sys.executable, f"benchmarks/{script}.py"],
        cwd=project, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert missing in done.stderr.splitlines()[-1]
    assert "round 0" not in done.stderr
    assert (results.read_bytes() if results.exists() else None) == before


def test_what_was_measured_stays_when_a_later_part_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def made() -> Iterator[Callable[[str, str], Path]]:
        yield lambda dataset, model: tmp_path

    def against_peer(label: str, *_: object) -> tuple[list[measuring.Ratio], dict[str, object]]:
        if label.startswith("Keras"):
            raise running.MeasurementError("no Keras")
        return [measuring.ratio(label, [30.0], [1.0], "tokens/s", asked=1)], {}

    monkeypatch.setattr(training, "__file__", str(tmp_path / "training.py"))
    monkeypatch.setattr(training, "padded_data", made)
    monkeypatch.setattr(training, "subset", lambda folder, rows: folder)
    monkeypatch.setattr(training, "against_peer", against_peer)
    with pytest.raises(SystemExit, match="no Keras"):
        training.main()
    results = json.loads((tmp_path / "training.json").read_text("utf-8"))
    assert [row["label"] for row in results["ratios"]] == ["T4's loop", "T1's loop"]


def test_a_data_set_that_fails_keeps_no_other_from_being_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_pipeline(changes: dict[str, object]) -> dict[str, object]:
        if changes["dataset"] == "b":
            raise running.MeasurementError("b is nowhere")
        return {"found": changes["dataset"]}

    monkeypatch.setattr(fresh_run, "run_pipeline", run_pipeline)
    monkeypatch.setattr(sys, "argv", ["script"])
    runs = {name: {"dataset": name} for name in "abc"}
    results = tmp_path / "results.json"
    with pytest.raises(SystemExit, match="not measured: b"):
        fresh_run.measure_named(results, "datasets", runs, lambda content: "table\n")
    assert list(json.loads(results.read_text("utf-8"))["datasets"]) == ["a", "c"]
    assert "b: b is nowhere" in capsys.readouterr().err


def test_a_changed_model_is_checked_and_the_others_are_as_they_were() -> None:
    entry = {"fused": True, "network": {"word_dropout": 0.1}}
    assert changed(entry, {"fused": False}) == {**entry, "fused": False}
    assert changed(entry, {"network.word_dropout": 0.0})["network"] == {"word_dropout": 0.0}
    assert entry == {"fused": True, "network": {"word_dropout": 0.1}}
    with pytest.raises(KeyError, match="no_such"):
        changed(entry, {"network.no_such": 1})
    assert preset("bilstm", {"training.max_epochs": 3}).training != preset("bilstm").training
    with pytest.raises(ValueError, match="max_epochs"):
        preset("bilstm", {"training.max_epochs": 0})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as padded_data makes it, of 40 training rows."""
    made = tmp_path / "made"
    texts = [f"{word} film {n}" for n in range(20) for word in ("good", "bad")]
    tokenizer = build_tokenizer(texts, vocab_params("glove", max_size=50))
    for name, rows in (("train", 40), ("validation", 6), ("test", 4)):
        (made / name).mkdir(parents=True)
        write_padded(tokenizer, pd.Series(texts[:rows]), 4, made / name)
        np.save(made / name / "labels.npy", np.array([1, 0] * (rows // 2), np.int8))
    (made / "tokenizer.json").write_text(tokenizer.to_str(), "utf-8")
    size = tokenizer.get_vocab_size()
    values = np.random.default_rng(0).normal(size=(size, 306)).astype(np.float16)
    write_vectors(made / "vectors.safetensors", WordVectors(values, size, (50, 256)))
    split = np.repeat(["train", "validation", "test"], [40, 6, 4])
    table = pd.DataFrame({"text": [*texts, *texts[:10]], "label": [1, 0] * 25, "split": split})
    table.to_parquet(made / "texts.parquet")
    return made


def test_a_worker_trains_a_changed_model(folder: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks/workers/fit.py"), str(folder), "bilstm"]
    worker = measuring.Worker([*command, "32-true", json.dumps({"network.hidden_sizes": [4]})])
    assert worker()["tokens_per_second"] > 0
    assert worker()["precision"] == "32-true"
    worker.close()


@pytest.mark.parametrize("how", [[], ["frozen"]])
def test_the_bare_loop_trains_over_word_vectors(folder: Path, how: list[str]) -> None:
    script = str(ROOT / "benchmarks/workers/bare_loop.py")
    worker = measuring.Worker([sys.executable, script, str(folder), "bilstm", "32-true", *how])
    assert worker()["milliseconds_per_step"] > 0
    worker.close()


def test_a_training_gives_the_fused_model_and_the_network_alone(folder: Path) -> None:
    params = ablation.load_params(ROOT / "params.yaml")
    data = ablation.read_data("vader", folder, params)
    assert data.figures["test_accuracy"] == 1  # a word tells all
    run = ablation.train(data, params, "glove_50", 42)
    assert 0 <= run["share"] <= 1
    assert run["epochs"] == params.models["bilstm"].training.max_epochs
    for kind in (ablation.FUSED, ablation.ALONE):
        assert run[kind]["validation_log_loss"] >= 0
        assert run[kind]["difference"]["only_model_right"] == 0


def test_a_part_of_the_word_vectors_is_left_out() -> None:
    vectors = WordVectors(np.arange(8, dtype=np.float16).reshape(2, 4), 2, (1, 3))
    assert ablation.without(vectors, ["a", "b"], None) is vectors
    values, trained, widths = ablation.without(vectors, ["a", "b"], "a")
    assert (values.tolist(), trained, widths) == ([[1, 2, 3], [5, 6, 7]], 2, (3,))
    assert ablation.without(vectors, ["a", "b"], "b").values.tolist() == [[0], [4]]


def test_models_of_params_yaml_are_trained_first() -> None:
    order = [*ablation.trainings(("vader", "imdb"))]
    assert order[:5] == [
        ("vader", ablation.OWN, 42), ("vader", ablation.OWN, 43), ("vader", ablation.OWN, 44),
        ("imdb", ablation.OWN, 42), ("vader", "without GloVe", 42),
    ]  # fmt: skip


def judged(accuracy: float) -> dict[str, object]:
    """Figures of a model, as ablation.py has them."""
    gap = {"accuracy": -0.01, "accuracy_low": -0.02, "accuracy_high": 0.001}
    gap |= {"only_model_right": 7, "only_baseline_right": 9, "p_value": 0.043}
    figures = {"validation_accuracy": 0.8, "validation_log_loss": 0.4, "test_accuracy": accuracy}
    return {**figures, "difference": gap}


def training_of(accuracy: float) -> dict[str, object]:
    """What ablation.py finds in one training."""
    both = {ablation.FUSED: judged(accuracy), ablation.ALONE: judged(0.6)}
    return {"share": 0.25, "epochs": 8, **both}


def test_each_training_of_the_ablation_is_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def made() -> Iterator[Callable[[str, str], Path]]:
        yield lambda dataset, model: folder

    trained: list[tuple[str | None, int]] = []

    def train(
        data: ablation.Data, params: object, left_out: str | None, seed: int
    ) -> dict[str, object]:
        trained.append((left_out, seed))
        if len(trained) == 3:
            raise running.MeasurementError("diverged")
        return training_of(0.7)

    monkeypatch.setattr(ablation, "RESULTS", tmp_path / "ablation.json")
    monkeypatch.setattr(ablation, "padded_data", made)
    monkeypatch.setattr(ablation, "train", train)
    monkeypatch.setattr(sys, "argv", ["ablation.py", "vader", "--resume"])
    with pytest.raises(SystemExit, match="diverged"):
        ablation.main()
    kept = json.loads((tmp_path / "ablation.json").read_text("utf-8"))["datasets"]["vader"]
    assert list(kept["trained"][ablation.OWN]) == ["42", "43"]
    ablation.main()
    assert trained[2:4] == [(None, 44), (None, 44)]
    assert len(trained) == 10
    assert (tmp_path / "ablation.md").is_file()


def test_the_ablation_shows_means_and_ranges_and_the_paired_test() -> None:
    found = {
        "model": "bilstm",
        "rows": {"validation": 6, "test": 4000},
        "baseline": {**judged(0.71), "description": "words"},
        "trained": {ablation.OWN: {"42": training_of(0.7), "43": training_of(0.9)}},
    }
    page = ablation.table({"machine": fresh_run.machine(), "datasets": {"vader": found}})
    assert "| vader | **`bilstm`**, the default | 0.8000 (0.8000 – 0.8000) | 0.4000 (0.4000" in page
    assert "| 0.8000 (0.7000 – 0.9000) | 0.25 (0.25 – 0.25) |" in page
    assert "| vader | the linear baseline | 0.8000 | 0.4000 | 0.7100 | |" in page
    assert (
        "| vader, 42 | **`bilstm`**, the default | 0.7000 | **−1.0** (−2.0 to +0.1) | 7, 9 " in page
    )
    assert "| vader, 43 | the default's network alone | 0.6000 |" in page


def test_make_bench_goes_on_and_lists_what_failed(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "ran $1"\ncase $1 in */b.py) exit 3;; esac\n', "utf-8")
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "-o", ".venv/installed", "-o", ".cache/peers/installed", "bench",
         f"BIN={tmp_path}", "BENCHMARKS=a b c"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode != 0
    assert [line.split("/")[-1] for line in done.stdout.splitlines() if "ran" in line] == [
        "a.py", "b.py", "c.py", "chart.py",
    ]  # fmt: skip
    assert "failed: b\n" in done.stderr


def test_ratios_are_above_one_where_ours_is_better() -> None:
    faster = measuring.ratio("speed", [20, 30, 60], [10, 10, 10], "rows/s", asked=2)
    assert faster[1:7] == (30, 10, 3, 2, 6, 2)
    quicker = measuring.ratio("time", [1, 2, 4], [4, 4, 4], "s", lower_is_better=True)
    assert quicker[1:6] == (2, 4, 2, 1, 4)


def test_results_become_a_table(tmp_path: Path) -> None:
    row = measuring.ratio("tokens", [54_321.0], [1234.5], "tokens/s", asked=0.93)
    measuring.write_results(str(tmp_path / "x.py"), [row], {"more": 1}, ["A note."])
    results = json.loads((tmp_path / "x.json").read_text("utf-8"))
    assert results["more"] == 1
    assert results["ratios"][0]["ratio"] == pytest.approx(44.0024, abs=1e-3)
    assert results["machine"]["cores"]
    page = (tmp_path / "x.md").read_text("utf-8")
    assert (
        "| tokens | 54,321 tokens/s | 1,234 tokens/s | **44.00** (44.00 – 44.00) | 0.93 |" in page
    )
    assert "A note." in page


def test_made_tweets_are_the_same_each_time_and_nearly_all_distinct(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(os.environ.get("SENTIGATE_MIRROR") or ROOT.parent / "shared" / "data")
    if not (folder / "twitter-entity-sentiment-analysis.zip").is_file():
        pytest.skip(f"the tweets are not in {folder}")
    monkeypatch.setenv("SENTIGATE_MIRROR", str(folder))
    paths = [tmp_path / f"{number}.csv" for number in range(2)]
    for path in paths:
        many_tweets.make_table(path, 3000, 42)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    made = pd.read_csv(paths[0], dtype="str", keep_default_na=False)
    assert len(made) == 3000
    assert made["id"].is_unique
    assert made["text"].nunique() > 2700
    assert made["group"].nunique() < 3000


def test_make_bench_names_every_benchmark_and_each_has_its_results() -> None:
    named = re.search(r"^BENCHMARKS := (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert named
    for name in named[1].split():
        for suffix in ("py", "json", "md"):
            assert (ROOT / f"benchmarks/{name}.{suffix}").is_file(), (name, suffix)
    planned = subprocess.run(
        ["make", "-n", "bench", "ONLY=threads"], cwd=ROOT, capture_output=True, text=True
    )
    assert "benchmarks/$name.py" in planned.stdout
    refused = subprocess.run(
        ["make", "-o", ".venv/installed", "-o", ".cache/peers/installed", "bench", "ONLY=nothing"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert refused.returncode
    assert "ONLY is one of: training" in refused.stderr


def test_the_picture_is_drawn_from_the_committed_results(tmp_path: Path) -> None:
    project = copy_project(tmp_path)
    (project / "docs/bench.png").unlink(missing_ok=True)
    subprocess.run([sys.executable, "benchmarks/chart.py"], cwd=project, check=True)
    assert (project / "docs/bench.png").read_bytes().startswith(b"\x89PNG")


def test_flipped_labels_become_other_classes_and_the_table_names_what_was_found() -> None:
    labels = pd.Series(np.arange(3000) % 3, dtype="int8")
    flipped = suspects.flip(labels, 3, 0.05, 1)
    assert 100 < (flipped != labels).sum() < 200
    assert flipped.dtype == "int8"
    assert set(flipped[(flipped != labels) & (labels == 0)]) == {1, 2}
    pd.testing.assert_series_equal(flipped, suspects.flip(labels, 3, 0.05, 1))
    run = {"rows": 3000, "flipped": 150, "suspects": 200, "precision": 0.6, "top_precision": 0.9,
           "recall": 0.8, "right_class": 1.0, "cpu_seconds": 2.5}  # fmt: skip
    results = {
        "machine": fresh_run.machine(),
        "unflipped": {"x": 50},
        "datasets": {"x": {"1": run}},
    }
    page = suspects.table(results)
    assert "| x | 3,000 | 150 | 200 | 0.800 | 0.600 | 0.900 | 1.000 | 2.5 |" in page
    assert "without a flip, 50 of x are suspect" in page
