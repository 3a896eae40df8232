"""The harness of benchmarks/: rounds in turn, ratios the right way round, pages from results."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT, copy_project

sys.path.insert(0, str(ROOT / "benchmarks"))
import many_tweets
import measuring

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
    with pytest.raises(SystemExit, match=r"SystemExit\(3\) ended with 3"):
        worker()
    worker.close()


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
