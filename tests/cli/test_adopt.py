"""`sentigate adopt`: it asks, or takes what is proposed, and writes all or nothing."""

from __future__ import annotations

import errno
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.project import ROOT
from support.table_shapes import SHAPES, TWO, delimited, english

from sentigate.adoption import write
from sentigate.cli import main as cli
from sentigate.cli.adopt import adopt_table
from sentigate.errors import ParamsError, SourceError
from sentigate.files import sha256_of
from sentigate.settings.params import load_params
from sentigate.settings.yaml_file import read_yaml


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with params.yaml, data sets and some tables the working directory."""
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    (tmp_path / "datasets").mkdir()
    shutil.copyfile(ROOT / "datasets/vader.yaml", tmp_path / "datasets/vader.yaml")
    monkeypatch.chdir(tmp_path)
    for name in ("plain CSV", "scores", "title and body", "two questions"):
        SHAPES[name].make(tmp_path)
    return tmp_path


def files(project: Path) -> set[str]:
    return {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}


def written(project: Path, name: str) -> dict[str, Any]:
    """Return the values of a valid entry."""
    load_params(project / "params.yaml")
    values: dict[str, Any] = read_yaml(project / f"datasets/{name}.yaml")
    return values


def answering(**answers: str) -> tuple[list[str], Callable[[str, str], str]]:
    """Return the questions that will be asked, and a person who answers them."""
    asked: list[str] = []

    def ask(question: str, proposed: str) -> str:
        about = question.splitlines()[-1].split()[0]
        asked.append(f"{about} [{proposed}]")
        return answers.get(about, proposed)

    return asked, ask


def test_the_proposals_are_taken_with_yes(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(project)
    adopt_table("reviews.csv", {}, yes=True, ask=None)
    assert files(project) - before - {"cache"} == {
        "datasets/reviews.yaml",
        "data/own/reviews/reviews.csv",
        "data/own/reviews/corrections.csv",
    }
    copied = project / "data/own/reviews/reviews.csv"
    assert copied.read_bytes() == (project / "reviews.csv").read_bytes()
    out = capsys.readouterr().out
    assert "90 rows" in out
    assert TWO[0][0][:40] in out
    assert "Nothing was unclear." in out
    assert out.endswith("make train DATASET=reviews\n")
    text = (project / "datasets/reviews.yaml").read_text("utf-8")
    assert text.startswith("# reviews.csv, 90 rows, ")
    for line in text.splitlines():
        assert line in out


def test_without_a_terminal_and_without_yes_nothing_is_written(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(project)
    monkeypatch.setattr(sys, "argv", ["sentigate", "adopt", "reviews.csv"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert str(ended.value.code).endswith("nothing was written; add --yes to take what is proposed")
    assert "text_column: text" in capsys.readouterr().out
    assert files(project) == before


def test_each_uncertain_choice_is_asked_with_its_proposal(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, ask = answering()
    adopt_table("scores.csv", {}, yes=False, ask=ask)
    assert asked == ["classes [three]", "Write [yes]"]
    assert written(project, "scores")["source"]["bands"] == [6.0, 8.5]


def test_an_answer_changes_the_proposal(project: Path) -> None:
    asked, ask = answering(classes="two")
    adopt_table("scores.csv", {}, yes=False, ask=ask)
    entry = load_params(project / "params.yaml").datasets["scores"]
    assert entry.classes.names == ("negative", "positive")
    asked, ask = answering(text="body")
    adopt_table("posts.csv", {}, yes=False, ask=ask)
    assert asked[0] == "text [title,body]"
    assert written(project, "posts")["source"]["text_column"] == "body"


def test_a_wrong_answer_is_said_and_changes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, ask = answering(text="nope")
    adopt_table("posts.csv", {}, yes=False, ask=ask)
    assert "no column 'nope'" in capsys.readouterr().out
    assert written(project, "posts")["source"]["text_column"] == ["title", "body"]


def test_no_is_no(project: Path) -> None:
    before = files(project)
    _, ask = answering(Write="no")
    with pytest.raises(SourceError, match="nothing was written"):
        adopt_table("reviews.csv", {}, yes=False, ask=ask)
    assert files(project) == before


def test_choices_can_be_said_ahead(project: Path) -> None:
    asked, ask = answering()
    choices = {"label": "threat", "name": "threats"}
    adopt_table("moderation.csv", choices, yes=False, ask=ask)
    assert asked == ["Write [yes]"]
    entry = load_params(project / "params.yaml").datasets["threats"]
    assert entry.classes.names == ("not threat", "threat")


def test_the_same_table_again_changes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adopt_table("reviews.csv", {}, yes=True, ask=None)
    entry = project / "datasets/reviews.yaml"
    entry.write_text("# mine\n" + entry.read_text("utf-8"), "utf-8")
    before = {name: (project / name).read_bytes() for name in files(project)}
    adopt_table("reviews.csv", {}, yes=True, ask=None)
    assert "nothing was changed" in capsys.readouterr().out
    assert {name: (project / name).read_bytes() for name in files(project)} == before


def test_a_name_of_another_table_is_refused(project: Path) -> None:
    adopt_table("reviews.csv", {}, yes=True, ask=None)
    before = {name: (project / name).read_bytes() for name in files(project)}
    for table in ("posts.csv", "scores.csv"):
        with pytest.raises(ParamsError, match=r"datasets/reviews.yaml .* another table.*--name"):
            adopt_table(table, {"name": "reviews"}, yes=True, ask=None)
    with pytest.raises(ParamsError, match=r"datasets/vader.yaml .* another table"):
        adopt_table("posts.csv", {"name": "vader"}, yes=True, ask=None)
    assert {name: (project / name).read_bytes() for name in files(project)} == before


@pytest.mark.parametrize("name", ["a b", "../x", "a.b", "é"])
def test_a_name_that_dvc_cannot_read_is_refused(project: Path, name: str) -> None:
    before = files(project)
    with pytest.raises(ParamsError, match="letters, digits, - and _"):
        adopt_table("reviews.csv", {"name": name}, yes=True, ask=None)
    assert files(project) == before


def test_after_an_error_nothing_is_left(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    before = files(project)
    monkeypatch.setattr(write, "written_whole", full_disk)
    with pytest.raises(SourceError, match=r"datasets/reviews\.yaml cannot be written: No space"):
        adopt_table("reviews.csv", {}, yes=True, ask=None)
    assert files(project) == before
    assert not any((project / "data/own").iterdir())


def test_a_table_in_its_folder_stays_there(project: Path) -> None:
    folder = project / "data/own/mine"
    delimited("mine.csv", ("text", "sentiment"), TWO)(folder)
    adopt_table("data/own/mine/mine.csv", {}, yes=True, ask=None)
    assert {path.name for path in folder.iterdir()} == {"mine.csv", "corrections.csv"}
    assert written(project, "mine")["source"]["path"] == "data/own/mine/mine.csv"


def test_skewed_classes_are_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = english(rows=270)
    rows = [(text, "no" if n % 15 else "yes") for n, (text, _) in enumerate(texts)]
    delimited("rare.csv", ("text", "urgent"), rows)(project)
    adopt_table("rare.csv", {}, yes=True, ask=None)
    out = capsys.readouterr().out
    assert "93% of the rows are not urgent: the training stops if" in out


def test_a_file_that_does_not_exist_is_said(project: Path) -> None:
    with pytest.raises(SourceError, match=r"nope.csv does not exist"):
        adopt_table("nope.csv", {}, yes=True, ask=None)


def test_a_url_stays_a_url_with_its_hash(project: Path) -> None:
    with web_folder(project) as address:
        adopt_table(f"{address}/reviews.csv", {}, yes=True, ask=None)
    source = written(project, "reviews")["source"]
    assert source["path"] == f"{address}/reviews.csv"
    assert source["sha256"] == sha256_of(project / "reviews.csv")
    assert {path.name for path in (project / "data/own/reviews").iterdir()} == {"corrections.csv"}


@contextmanager
def web_folder(folder: Path) -> Iterator[str]:
    """Serve the files of a folder over HTTP in this block; yield the address."""
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
