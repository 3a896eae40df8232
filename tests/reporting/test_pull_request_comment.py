"""Test the comment on a pull request with real git repositories."""

from __future__ import annotations

import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from sentigate.errors import DataError
from sentigate.reporting.pull_request_comment import MARKER, render_comment

FIGURES = {
    "rows": 1000,
    "accuracy": 0.8,
    "accuracy_low": 0.775,
    "accuracy_high": 0.825,
    "precision": 0.81,
    "recall": 0.79,
    "f1": 0.8,
    "auroc": 0.9,
    "log_loss": 0.5,
    "expected_calibration_error": 0.04,
}
STAGES = {
    "clean": {"deps": ["data/raw"], "outs": ["data/clean"]},
    "baseline": {"deps": ["data/clean"], "outs": ["reports/baseline"]},
    "train": {"deps": ["data/clean"], "outs": ["models"]},
    "evaluate": {
        "deps": ["models", "reports/baseline"],
        "outs": ["reports/gates/evaluate.json"],
        "metrics": [{"reports/metrics.json": {"cache": False}}],
    },
    "register": {"deps": ["reports/gates/evaluate.json"]},
}
MET = {
    "type": "expect_column_values_to_be_unique",
    "says": "ids are unique",
    "kwargs": {"column": "id"},
    "success": True,
    "observed": None,
    "unexpected_count": 0,
    "unexpected_percent": 0.0,
    "sample": [],
    "error": "",
}


class Project:
    """A project in a git repository. Its base is the branch ``main``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True
        )
        return done.stdout.decode()

    def write(self, path: str, content: object) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")

    def metrics(self, baseline: float = 0.82, **changes: float | None) -> None:
        parts = {"test": FIGURES | changes, "baseline": {"accuracy": baseline}}
        self.write("reports/metrics.json", parts)

    def params(self, dataset: str = "vader", model: str = "lstm") -> None:
        self.write("params.yaml", yaml.safe_dump({"dataset": dataset, "model": model}))

    def gate(self, stage: str, *failed: dict[str, Any]) -> None:
        """Write the gate file that a stage leaves after it passes or fails."""
        for folder in ("gates", "failed"):
            (self.root / f"reports/{folder}/{stage}.json").unlink(missing_ok=True)
        expectations = [MET, *(MET | {"success": False} | item for item in failed)]
        content = {"success": not failed, "rows": 12345, "expectations": expectations}
        self.write(f"reports/{'failed' if failed else 'gates'}/{stage}.json", content)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose work tree equals its base, with figures; every gate passed."""
    # The project is in a subfolder, because it need not be the root of the repository.
    made = Project(tmp_path / "outer" / "project")
    made.root.mkdir(parents=True)
    made.git("init", "-q", "-b", "main", "..")
    made.write("dvc.yaml", yaml.safe_dump({"stages": STAGES}, sort_keys=False))
    made.write(".gitignore", "/reports/gates\n/reports/failed\n")
    made.metrics()
    made.params()
    made.commit()
    for stage in STAGES:
        made.gate(stage)
    monkeypatch.chdir(made.root)
    return made


def headline(base: str = "main") -> str:
    return render_comment(base).splitlines()[1].replace("**", "")


def row(report: str, name: str) -> list[str]:
    cells = [line.strip("| ").split(" | ") for line in report.splitlines() if line[:2] == "| "]
    return next(line[1:] for line in cells if line[0] == name)


def test_the_comment_says_whether_the_network_differs_from_the_baseline(project: Project) -> None:
    """Only the new figures count: an older version may have written no difference."""
    assert "McNemar" not in render_comment("main")
    figures = {"accuracy": -0.02, "accuracy_low": -0.05, "accuracy_high": 0.01, "p_value": 0.2}
    content = {"test": FIGURES, "baseline": {"accuracy": 0.82}}
    project.write("reports/metrics.json", content | {"difference": figures})
    assert "p = 0.2: not a difference that 1,000 texts can show." in render_comment("main")
    for damaged in ({"accuracy": 0.1}, figures | {"p_value": None}, None, 3):
        project.write("reports/metrics.json", content | {"difference": damaged})
        assert "McNemar" not in render_comment("main")


def test_behavioural_tests_are_a_row_if_they_are_known(project: Project) -> None:
    assert "Behavioural" not in render_comment("main")
    content = {"test": FIGURES, "baseline": {"accuracy": 0.82}}
    project.write("reports/metrics.json", content | {"behaviour": {"passed": 0.75}})
    name = "Behavioural tests passed"
    assert row(render_comment("main"), name) == ["–", "75.0 %", "–"]
    project.commit()
    project.write("reports/metrics.json", content | {"behaviour": {"passed": 0.8}})
    assert row(render_comment("main"), name) == ["75.0 %", "80.0 %", "+5.0 points, better"]


def test_headline_of_a_difference_that_may_be_chance(project: Project) -> None:
    project.metrics(accuracy=0.81, accuracy_low=0.785, accuracy_high=0.835, baseline=0.83)
    assert headline() == (
        "Test accuracy 80.0 % → 81.0 % (+1.0 points, better): the old figure is within the new "
        "95 % interval 78.5 % – 83.5 %, so the change may be chance. "
        "Linear baseline 82.0 % → 83.0 %."
    )


@pytest.mark.parametrize(
    ("accuracy", "says"),
    [(0.9, "(+10.0 points, better)"), (0.7, "(−10.0 points, worse)")],
)
def test_headline_of_a_difference_outside_the_interval(
    project: Project, accuracy: float, says: str
) -> None:
    project.metrics(accuracy=accuracy, accuracy_low=accuracy - 0.02, accuracy_high=accuracy + 0.02)
    assert f"{says}: the old figure is outside the new 95 % interval" in headline()


def test_the_interval_of_the_new_figure_counts(project: Project) -> None:
    # 0.78 lies in the old interval, but 0.8 does not lie in the new one.
    project.metrics(accuracy=0.78, accuracy_low=0.77, accuracy_high=0.79)
    assert "is outside" in headline()


def test_headline_of_equal_figures(project: Project) -> None:
    assert "(no difference): 95 % interval 77.5 % – 82.5 %." in headline()


def test_headline_says_that_the_test_split_has_changed(project: Project) -> None:
    assert "test split has changed" not in headline()
    project.metrics(rows=1200)
    assert "The test split has changed, from 1,000 to 1,200 texts." in headline()


def test_table_knows_which_figures_are_better_lower(project: Project) -> None:
    project.metrics(log_loss=0.45, expected_calibration_error=0.06, auroc=0.88, f1=0.8123)
    report = render_comment("main")
    assert row(report, "Log loss") == ["0.500", "0.450", "−0.050, better"]
    assert row(report, "Calibration error") == ["4.0 %", "6.0 %", "+2.0 points, worse"]
    assert row(report, "AUROC") == ["0.900", "0.880", "−0.020, worse"]
    assert row(report, "F1") == ["80.0 %", "81.2 %", "+1.2 points, better"]
    assert row(report, "Recall") == ["79.0 %", "79.0 %", "no difference"]


def test_a_change_that_rounds_to_zero_is_no_difference(project: Project) -> None:
    project.metrics(log_loss=0.50001, recall=0.7901)
    report = render_comment("main")
    assert row(report, "Log loss")[2] == row(report, "Recall")[2] == "no difference"


def test_a_missing_figure_is_a_dash(project: Project) -> None:
    project.metrics(auroc=None)
    assert row(render_comment("main"), "AUROC") == ["0.900", "–", "–"]


def test_figures_of_another_model_are_compared(project: Project) -> None:
    assert "\nData set vader, model lstm\n" in render_comment("main")
    project.params(model="bilstm")
    report = render_comment("main")
    assert "\nData set vader, model lstm → **bilstm**\n" in report
    assert "Test accuracy 80.0 % → 80.0 %" in report


def test_figures_of_another_data_set_are_not_compared(project: Project) -> None:
    project.params(dataset="imdb")
    project.metrics(accuracy=0.9)
    report = render_comment("main")
    assert headline() == (
        "The data sets differ, so the figures cannot be compared. Test accuracy is 90.0 % "
        "(95 % interval 77.5 % – 82.5 %) on imdb; it was 80.0 % on vader. Linear baseline 82.0 %."
    )
    assert "\nData set vader → **imdb**, model lstm\n" in report
    assert row(report, "Accuracy") == ["80.0 %", "90.0 %", "–"]
    assert not re.search("better|worse|points", report)


THREE = {"bad <b>": {"rows": 9}, "so so": {"rows": 9}, "good": {"rows": 9}}


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ({"bad": {}, "good": {}}, THREE, ("bad &lt;b&gt;, so so, good", "bad, good")),
        (None, THREE, ("bad &lt;b&gt;, so so, good", "two classes")),
    ],
    ids=["two classes", "an older version"],
)
def test_figures_of_other_classes_are_not_compared(
    project: Project, before: object, after: object, shown: tuple[str, str]
) -> None:
    def metrics(accuracy: float, classes: object) -> None:
        parts = {"test": FIGURES | {"accuracy": accuracy}, "baseline": {"accuracy": 0.82}}
        named = {} if classes is None else {"classes": classes}
        project.write("reports/metrics.json", parts | named)

    metrics(0.8, before)
    project.commit()
    metrics(0.9, after)
    report = render_comment("main")
    assert headline() == (
        "The classes differ, so the figures cannot be compared. Test accuracy is 90.0 % "
        f"(95 % interval 77.5 % – 82.5 %) with {shown[0]}; it was 80.0 % with {shown[1]}. "
        "Linear baseline 82.0 %."
    )
    assert row(report, "Accuracy") == ["80.0 %", "90.0 %", "–"]
    assert not re.search("better|worse|points", report)


def test_two_classes_are_compared_with_those_of_an_older_version(project: Project) -> None:
    parts = {"test": FIGURES, "baseline": {"accuracy": 0.82}}
    project.write("reports/metrics.json", parts | {"classes": {"negative": {}, "positive": {}}})
    assert "Test accuracy 80.0 % → 80.0 %" in headline()


def test_gates_are_in_the_order_of_the_pipeline(project: Project) -> None:
    lines = render_comment("main").splitlines()
    table = lines[lines.index("| Stage | Gate | Expectations met | Rows |") + 2 :]
    assert table == [f"| {stage} | passed | 1 of 1 | 12,345 |" for stage in STAGES]


def test_after_a_failed_gate_the_committed_figures_are_not_new(project: Project) -> None:
    project.gate("train", {"says": "training losses are finite"})
    report = render_comment("main")
    assert headline() == (
        "No new figures: the pipeline did not get past stage train (gate failed). "
        "Test accuracy was 80.0 % before."
    )
    assert row(report, "Accuracy") == ["80.0 %", "–", "–"]
    assert row(report, "baseline") == ["passed", "1 of 1", "12,345"]
    assert row(report, "train") == ["**failed**", "1 of 2", "12,345"]
    # The verdicts of an earlier run still exist.
    assert row(report, "evaluate") == row(report, "register") == ["**not run**", "–", "–"]


def test_a_gate_that_passes_after_a_failure_is_passed(project: Project) -> None:
    project.gate("clean", {"says": "texts are not empty"})
    failed = (project.root / "reports/failed/clean.json").read_text()
    project.gate("clean")
    # DVC restores outputs from its cache without running the stage, so this file stays.
    project.write("reports/failed/clean.json", failed)
    report = render_comment("main")
    assert row(report, "clean")[0] == "passed"
    assert "<details" not in report


def test_figures_are_new_if_only_register_failed(project: Project) -> None:
    project.gate("register", {"says": "answers are the same"})
    report = render_comment("main")
    assert "Test accuracy 80.0 % → 80.0 %" in report
    assert row(report, "register")[0] == "**failed**"


def test_headline_if_no_stage_has_run(project: Project) -> None:
    for stage in STAGES:
        (project.root / f"reports/gates/{stage}.json").unlink()
    assert "No new figures: the pipeline did not get past stage clean (gate not run)." in headline()


class Text(HTMLParser):
    """The text that a browser shows, and the names of the elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.shown, self.tags = "", []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.shown += data


def test_failed_expectations_show_counts_and_rows(project: Project) -> None:
    project.gate(
        "clean",
        {
            "says": "texts are not empty",
            "kwargs": {"column": "text", "min_value": 1},
            "unexpected_count": 1200,
            "unexpected_percent": 9.72,
            "sample": [{"id": "a7", "text": ""}, {"id": "b8", "text": " "}],
        },
        {"says": "ids are whole", "error": "no such\ncolumn"},
    )
    page = Text(render_comment("main").partition("<details")[2])
    assert "clean: 2 of 3 expectations not met, no output was written" in page.shown
    assert "texts are not empty1,200 rows (9.72 %); allowed: min_value 1" in page.shown
    assert "id: 'a7', text: ''\nid: 'b8', text: ' '\n" in page.shown
    assert "✗ ids are wholeno such column" in page.shown
    assert "ids are unique" not in page.shown


def test_texts_from_data_are_escaped(project: Project) -> None:
    bad = "@octocat fixes #12 | <img src=x> </pre></details> `a` **b** [c](d) ![e](f)\n\n# g"
    project.gate(
        "clean",
        {"says": f"says {bad}", "error": f"error {bad}", "sample": [{f"key {bad}": f"row {bad}"}]},
    )
    project.params(dataset=f"set {bad}", model="a|b")
    report = render_comment("main")
    details = report.partition("<details")[2]
    assert "@octocat" not in report
    assert "@\u200boctocat" in report
    assert "fixes #12" not in report
    assert "\n\n" not in details  # an empty line would end the HTML block
    assert not re.search(r"[`*|\[\]]", details)
    assert Text("<details" + details).tags == ["details", "summary", "p", "br", "code", "pre"]
    shown = Text(details).shown.replace("\u200b", "")
    flat = " ".join(bad.split())
    assert f"says {flat}" in shown
    assert f"error {flat}" in shown
    chosen = next(line for line in report.splitlines() if line.startswith("Data set"))
    assert not re.search(r"[`|<\[]", chosen)


def test_a_comment_that_is_too_long_leaves_out_sample_rows(project: Project) -> None:
    sample = [{"id": str(number), "text": "<" * 80} for number in range(5)]
    failed = [{"says": f"expectation {number}", "sample": sample} for number in range(60)]
    project.gate("clean", *failed[:3])
    assert "<pre>" in render_comment("main")
    project.gate("clean", *failed)
    report = render_comment("main")
    assert len(report) < 65_536
    assert "<pre>" not in report
    assert "expectation 59" in report
    assert "Sample rows are left out" in report


def test_headline_without_metrics_in_the_work_tree(project: Project) -> None:
    (project.root / "reports/metrics.json").unlink()
    assert headline() == (
        "No new figures: there is no reports/metrics.json in the work tree. "
        "Test accuracy was 80.0 % before."
    )


def test_headline_without_metrics_in_the_base(project: Project) -> None:
    project.git("rm", "-q", "--cached", "reports/metrics.json")
    project.git("commit", "-q", "-m", "without")
    report = render_comment("main")
    assert headline() == (
        "Test accuracy 80.0 % (95 % interval 77.5 % – 82.5 %), without an earlier figure: "
        "there is no reports/metrics.json in <code>main</code>. Linear baseline 82.0 %."
    )
    assert row(report, "Accuracy") == ["–", "80.0 %", "–"]


def test_name_of_the_base_is_escaped(project: Project) -> None:
    project.git("rm", "-q", "--cached", "reports/metrics.json")
    project.git("commit", "-q", "-m", "without")
    project.git("branch", "a|<b>@octocat")
    assert "in <code>a&#124;&lt;b&gt;@\u200boctocat</code>." in headline("a|<b>@octocat")


def test_headline_without_any_figures(project: Project) -> None:
    project.git("rm", "-q", "reports/metrics.json")
    project.git("commit", "-q", "-m", "without")
    report = render_comment("main")
    assert headline() == "No new figures: there is no reports/metrics.json in the work tree."
    assert "Test figure" not in report


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is not valid JSON."),
        ("[1]", "is not valid JSON."),
        ('{"test": 1}', "has no test accuracy."),
        ('{"test": {"f1": 0.5}}', "has no test accuracy."),
        ('{"test": {"accuracy": NaN}}', "has no test accuracy."),
        ('{"test": {"accuracy": "high"}}', "has no test accuracy."),
    ],
)
def test_damaged_metrics_are_named(project: Project, content: str, says: str) -> None:
    project.write("reports/metrics.json", content)
    assert f"No new figures: reports/metrics.json in the work tree {says}" in headline()
    assert row(render_comment("main"), "F1") == ["80.0 %", "–", "–"]
    project.commit()
    project.metrics()
    assert (
        f"without an earlier figure: reports/metrics.json in <code>main</code> {says}" in headline()
    )


def test_a_damaged_gate_file_is_unreadable(project: Project) -> None:
    project.write("reports/gates/clean.json", "{")
    assert row(render_comment("main"), "clean") == ["**unreadable**", "–", "–"]
    assert "did not get past stage clean (gate unreadable)" in headline()


def test_the_data_set_is_unknown_if_the_params_are_damaged(project: Project) -> None:
    project.write("params.yaml", "{")
    project.commit()
    project.params()
    assert "\nData set unknown → **vader**" in render_comment("main")


@pytest.mark.parametrize(
    "base", ["nope", "", "--all", "--since=1", "origin/main", "HEAD:params.yaml"]
)
def test_a_base_that_is_no_revision_is_an_error(project: Project, base: str) -> None:
    with pytest.raises(DataError, match=r"make ci-report BASE=origin/main$") as caught:
        render_comment(base)
    assert f"the base {base!r} is not a git revision" in str(caught.value)


def test_a_missing_repository_is_an_error(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"'main' is not a git revision: .*not a git repository"):
        render_comment("main")


def test_missing_git_is_an_error(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataError, match="git, which is not installed"):
        render_comment("main")


@pytest.mark.parametrize("base", ["HEAD~1", "v1", "feature/a", "commit"])
def test_base_can_be_any_revision(project: Project, base: str) -> None:
    project.git("tag", "v1")
    project.git("branch", "feature/a")
    commit = project.git("rev-parse", "HEAD").strip()
    project.metrics(accuracy=0.81)
    project.commit()
    assert "80.0 % → 81.0 %" in headline(commit if base == "commit" else base)
    assert "81.0 % → 81.0 %" in headline("HEAD")


def test_the_comment_is_reproducible_and_names_no_folder(project: Project) -> None:
    project.gate("clean", {"says": "texts are not empty"})
    report = render_comment("main")
    assert report == render_comment("main")
    assert report.splitlines()[0] == MARKER == "<!-- sentigate -->"
    assert str(project.root.parent) not in report
    assert not report.endswith("\n")  # print adds it
