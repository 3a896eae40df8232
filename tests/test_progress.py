"""Progress is printed when a step begins, then at intervals, only on stderr."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from sentigate import progress

LONG = """
import threading, time
from sentigate import progress
progress.EVERY = 0.1
with progress.doing("counting"):
    time.sleep(0.5)
print("counted")
"""


class Screen(io.StringIO):
    """A stderr that lets a test wait for the n-th write."""

    def __init__(self, *, terminal: bool = False) -> None:
        super().__init__()
        self.terminal = terminal
        self.written = threading.Condition()
        self.writes = 0

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        with self.written:
            self.writes += 1
            self.written.notify_all()
            return super().write(text)

    def wait(self, writes: int) -> None:
        with self.written:
            assert self.written.wait_for(lambda: self.writes >= writes, timeout=60)


@pytest.fixture
def make_screen(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Screen]:
    """Return a function that replaces stderr by a screen; pytest resets stderr before each test."""
    monkeypatch.setattr(progress, "EVERY", 0.01)

    def make(*, terminal: bool = False) -> Screen:
        screen = Screen(terminal=terminal)
        monkeypatch.setattr(sys, "stderr", screen)
        return screen

    return make


def test_a_step_is_printed_at_once_and_then_at_intervals(
    make_screen: Callable[..., Screen],
) -> None:
    screen = make_screen()
    with progress.doing("counting"):
        assert screen.getvalue().startswith("  counting ...\n")
        screen.wait(3)
    first, *later = screen.getvalue().splitlines()
    assert first == "  counting ..."
    assert set(later) == {"  counting: 0 s"}


def test_the_thread_ends_with_the_block(make_screen: Callable[..., Screen]) -> None:
    make_screen()
    before = threading.active_count()
    with suppress(ValueError), progress.doing("counting"), progress.doing("writing"):
        raise ValueError
    assert threading.active_count() == before


def test_the_state_is_read_each_time(make_screen: Callable[..., Screen]) -> None:
    screen = make_screen()
    states = iter(["one", "", "", "two"])
    with progress.watching(lambda: next(states, "more")):
        assert screen.getvalue() == ""
        screen.wait(2)
    assert screen.getvalue().splitlines()[:2] == ["  one: 0 s", "  two: 0 s"]


def test_an_inner_block_interrupts_the_outer_one(make_screen: Callable[..., Screen]) -> None:
    screen = make_screen()
    with progress.watching(lambda: "outer"):
        with progress.watching(lambda: "inner"):
            screen.wait(screen.writes + 2)
            assert screen.getvalue().splitlines()[-1] == "  inner: 0 s"
        screen.wait(screen.writes + 2)
    assert screen.getvalue().splitlines()[-1] == "  outer: 0 s"


def test_without_a_terminal_a_bar_is_plain_lines(
    make_screen: Callable[..., Screen],
) -> None:
    screen = make_screen()
    with progress.progress("reading it", 100, "reviews") as advance:
        assert screen.getvalue() == "reading it (100 reviews)\n"
        advance(1_234)
        screen.wait(screen.writes + 2)
    assert screen.getvalue().splitlines()[-1] == "  reading it, 1,234 reviews: 0 s"


def test_a_terminal_shows_seconds_in_place(make_screen: Callable[..., Screen]) -> None:
    terminal = make_screen(terminal=True)
    with progress.doing("counting"):
        terminal.wait(3)
    assert terminal.getvalue().startswith("  counting ...\n  0 s\r  0 s\r")
    assert terminal.getvalue().endswith(progress.CLEARED)


def output(path: Path, *, terminal: bool) -> bytes:
    """Return stdout and stderr of a slow process, in one stream."""
    reader, writer = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", LONG], cwd=path, stdin=writer, stdout=writer, stderr=writer
    )
    os.close(writer)
    parts = []
    while True:
        try:
            part = os.read(reader, 4096)
        except OSError:  # the end of a terminal's output
            part = b""
        if not part:
            break
        parts.append(part)
    os.close(reader)
    assert process.wait() == 0
    return b"".join(parts)


def test_a_pipe_gets_plain_lines(tmp_path: Path) -> None:
    lines = output(tmp_path, terminal=False).decode().splitlines()
    assert lines[0] == "  counting ..."
    assert set(lines[1:-1]) <= {"  counting: 0 s", "  counting: 1 s"}
    assert len(lines) > 2
    assert lines[-1] == "counted"


def test_a_later_line_overwrites_the_seconds_on_a_terminal(tmp_path: Path) -> None:
    printed = output(tmp_path, terminal=True).decode()
    assert printed.startswith("  counting ...\r\n  0 s\r")
    assert printed.endswith("\r" + "counted\r\n")
