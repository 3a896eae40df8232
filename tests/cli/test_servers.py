"""The servers and a long prediction as real processes: their answers, and how signals end them."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.commands import environment_of, run_in
from support.project import ROOT, copy_settings
from support.registry import THREE, add_champion, write_files
from support.servers import free_port, wait_for

from sentigate.registry.versions import model_name
from sentigate.serving.request_texts import MAX_BYTES

SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGKILL]
PING = {"serve": "ping", "ui": "health"}


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, mlflow_database: Callable[[Path], str]
) -> Path:
    """Return a project with a promoted model of three classes, whose network is untrained."""
    folder = tmp_path_factory.mktemp("project")
    copy_settings(folder)
    shutil.copyfile(ROOT / "Makefile", folder / "Makefile")
    programs = folder / ".venv/bin"
    programs.mkdir(parents=True)
    (programs / "sentigate").write_text(
        f'#!/bin/sh\nexec {sys.executable} -m sentigate.cli.main "$@"\n'
    )
    (programs / "sentigate").chmod(0o755)
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml", ".venv/installed"):
        (folder / name).touch()
    files, scratch = folder / "files", folder / "scratch"
    scratch.mkdir()
    write_files(files, THREE, ["a fine film , warm ."])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # Absolute, because MLflow keeps one connection for each URI, even in another folder.
        patch.setenv("MLFLOW_TRACKING_URI", mlflow_database(folder / "mlflow.db"))
        add_champion(files, model_name("vader"), scratch)
    return folder


def start(folder: Path, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment_of(ROOT) | {"PYTHONUNBUFFERED": "1"},
        text=True,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def sentigate(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return start(folder, sys.executable, "-m", "sentigate.cli.main", *arguments)


def sentigate_answers(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return run_in(folder, sys.executable, "-m", "sentigate.cli.main", *arguments)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def half_a_request(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(
        b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: 99\r\n\r\n{"
    )
    return client


def check_ended(process: subprocess.Popen[str], port: int) -> None:
    """Check that the process and its children end within seconds, and that the port is free."""
    members = [each for each in psutil.process_iter() if in_session(each, process.pid)]
    _, alive = psutil.wait_procs(members, timeout=10)
    output = process.communicate(timeout=10)[0]
    assert alive == []
    assert is_free(port)
    assert "Traceback" not in output
    assert "Warning" not in output


def check_end(process: subprocess.Popen[str], port: int, number: signal.Signals) -> None:
    """Check that a signal ends the server, even during a request, and that it is one process.

    SIGKILL, which no process can answer, then leaves nothing behind either.
    """
    assert psutil.Process(process.pid).children(recursive=True) == []
    with half_a_request(port):
        process.send_signal(number)
        check_ended(process, port)


def in_session(process: psutil.Process, leader: int) -> bool:
    try:
        return os.getsid(process.pid) == leader
    except OSError:
        return False


@contextmanager
def default_action(number: signal.Signals) -> Iterator[None]:
    """Start processes with the default action in this block, even if pytest runs under nohup."""
    if signal.getsignal(number) is not signal.SIG_IGN:
        yield
        return
    signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_IGN)


@pytest.mark.parametrize(("command", "group"), [("serve", False), ("ui", True)])
def test_a_signal_to_make_ends_the_server(project: Path, command: str, group: bool) -> None:
    port = free_port()
    process = start(project, "make", command, f"PORT={port}")
    wait_for(f"http://127.0.0.1:{port}/{PING[command]}", process)
    assert len(psutil.Process(process.pid).children(recursive=True)) == 1
    if group:  # a terminal signals the whole group on Ctrl-C
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.terminate()
    check_ended(process, port)


@pytest.mark.parametrize("command", PING)
def test_a_port_in_use_is_reported_in_one_line(project: Path, command: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = sentigate_answers(project, command, f"--port={port}")
    assert done.returncode == 1
    assert done.stdout + done.stderr == (
        f"sentigate: port {port} on 127.0.0.1 cannot be used: Address already in use; "
        "choose another with --port (with make: PORT=)\n"
    )


def test_the_ui_shows_this_project_only_to_localhost_and_ends_with_its_terminal(
    project: Path,
) -> None:
    port = free_port()
    with default_action(signal.SIGHUP):
        process = sentigate(project, "ui", f"--port={port}")
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process)
        ours = f"http://127.0.0.1:{port}/ajax-api/2.0/mlflow/experiments/get-by-name"
        with urllib.request.urlopen(f"{ours}?experiment_name=sentigate", timeout=30) as answer:
            assert json.load(answer)["experiment"]["name"] == "sentigate"
        listening = psutil.Process(process.pid).net_connections()
        assert {each.laddr.ip for each in listening if each.status == "LISTEN"} == {"127.0.0.1"}
        elsewhere = urllib.request.Request(ours, headers={"Host": "example.org"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(elsewhere, timeout=30)
    finally:
        check_end(process, port, signal.SIGHUP)


# Answers of the scoring server


@pytest.fixture(scope="module")
def address(project: Path) -> Iterator[tuple[str, int]]:
    port = free_port()
    process = sentigate(project, "serve", f"--port={port}")
    wait_for(f"http://127.0.0.1:{port}/ping", process)
    yield "127.0.0.1", port
    assert process.poll() is None, "the server still runs after these requests"
    check_end(process, port, signal.SIGTERM)


def ask(
    address: tuple[str, int],
    body: bytes | Iterator[bytes] = b"",
    kind: str | None = "application/json",
    method: str = "POST",
    path: str = "/invocations",
) -> tuple[int, str]:
    connection = http.client.HTTPConnection(*address, timeout=60)
    connection.request(method, path, body, {} if kind is None else {"Content-Type": kind})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_valid_requests_are_answered(address: tuple[str, int]) -> None:
    assert ask(address, method="GET", path="/ping") == (200, "\n")
    assert ask(address, method="GET", path="/health") == (200, "\n")
    version = json.loads(ask(address, method="GET", path="/version")[1])
    assert (version["model"], version["version"]) == (model_name("vader"), "1")
    assert ask(address, b'{"inputs": []}') == (200, '{"predictions": []}')
    body = json.dumps({"inputs": ["A fine film.", "fine " * 30, "", "\U0001f600"]}).encode()
    for kind in ("application/json", "Application/JSON; charset=utf-8"):
        status, text = ask(address, body, kind)
        assert status == 200
        first, cut, *others = json.loads(text)["predictions"]
        probabilities = {f"probability_{name}": name for name in THREE.names}
        assert list(first) == ["label", "confidence", *probabilities, "note"]
        assert sum(first[name] for name in probabilities) == pytest.approx(1, abs=1e-6)
        assert first["label"] == probabilities[max(probabilities, key=first.get)]
        assert first["confidence"] == max(first[name] for name in probabilities)
        assert first["note"] == ""
        assert cut["note"] == "cut: 24 of 30 tokens read"
        assert all(other["note"].startswith("nothing to go by") for other in others)


def check_error(found: int, text: str, status: int, said: str) -> None:
    assert found == status, text
    error: dict[str, Any] = json.loads(text)
    assert set(error) == {"error_code", "message"}
    assert error["error_code"]
    assert said in error["message"]
    assert len(error["message"].splitlines()) == 1
    assert len(error["message"]) < 400
    assert "Traceback" not in text


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 10 * MAX_BYTES])
def test_a_body_that_is_too_large_is_refused(address: tuple[str, int], size: int) -> None:
    memory = psutil.Process(listener(address[1])).memory_info
    before = memory().rss
    check_error(*ask(address, b"x" * size), 413, "allowed: 16,777,216")
    chunks = (b"x" * (1 << 20) for _ in range(size >> 20 | 1))
    check_error(*ask(address, chunks), 413, "allowed: 16,777,216")
    check_error(*ask(address, b"x" * MAX_BYTES, None), 415, "send application/json")
    assert memory().rss - before < 4 * MAX_BYTES


def listener(port: int) -> int:
    (found,) = {
        each.pid
        for each in psutil.net_connections()
        if each.laddr and each.laddr.port == port and each.status == "LISTEN"
    }
    assert found
    return int(found)


def test_a_client_that_disconnects_leaves_the_server_running(address: tuple[str, int]) -> None:
    half_a_request(address[1]).close()
    assert ask(address, b'{"inputs": ["a"]}')[0] == 200


def test_a_signal_ends_the_children_of_a_command(tmp_path: Path) -> None:
    (tmp_path / "outer.py").write_text(
        "import subprocess, sys\n"
        "inner = 'import time; print(1, flush=True); time.sleep(60)'\n"
        "subprocess.run([sys.executable, '-c', inner])\n"
    )
    code = (
        "import sys\n"
        "from sentigate.cli import main as cli\n"
        "from sentigate.cli.subprocesses import run_module\n"
        "cli.app = lambda: run_module('outer')\n"
        "cli.main()\n"
    )
    process = start(tmp_path, sys.executable, "-c", code)
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    started = psutil.Process(process.pid).children(recursive=True)
    assert len(started) == 2
    process.terminate()
    assert psutil.wait_procs(started, timeout=10)[1] == []
    assert process.wait(10) == 128 + signal.SIGTERM
    assert "Traceback" not in process.communicate()[0]


# Texts and files, predicted with the promoted model


def test_the_answer_for_a_cut_text_has_a_note(project: Path) -> None:
    output = sentigate_answers(project, "predict", "fine", "fine " * 30).stdout
    whole, cut = (line.split("\t")[2:] for line in output.splitlines())
    assert whole == ["fine"]
    assert cut == [("fine " * 30).strip(), "cut: 24 of 30 tokens read"]


def test_make_predicts_the_given_column_and_counts_notes(project: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(f"label,body\nmine,fine\nmine,{'fine ' * 30}\nmine,\n")
    given = ("predict", f"FILE={table}", f"OUT={tmp_path}/a.csv")
    errors = run_in(project, "make", *given).stderr
    line = next(line for line in errors.splitlines() if line.startswith("sentigate: "))
    assert line == (
        f"sentigate: {table} has no column 'text', which the model was trained on; it has 'label', "
        "'body'; name the column of texts with --column (with make: COLUMN=)"
    )
    done = run_in(project, "make", *given, "COLUMN=body")
    lines = (done.stdout + done.stderr).splitlines()
    assert f"  {table} has 'label' already: the answers are in 'predicted_label'" in lines
    assert f"3 rows, 1 cut, 1 with nothing to go by\t{tmp_path}/a.csv" in lines
    assert (tmp_path / "a.csv").read_text().startswith("label,body,predicted_label,confidence,")


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupted_prediction_leaves_no_files(
    project: Path, tmp_path: Path, number: signal.Signals
) -> None:
    tweets = tmp_path / "tweets.csv"
    tweets.write_text("text\n" + "a fine film, warm\n" * 1_000_000)
    command = ("predict", f"--file={tweets}", f"--out={tmp_path}/answers.csv")
    process = sentigate(project, *command)
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("judging"))
    time.sleep(0.5)
    process.send_signal(number)
    output = process.communicate(timeout=30)[0]
    assert process.returncode not in (0, None)
    assert "Traceback" not in output
    assert [path.name for path in tmp_path.iterdir()] == ["tweets.csv"]
