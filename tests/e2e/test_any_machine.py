"""`make train` on a restricted machine, with all of these limits that this machine can set.

One core; a path with a space and a letter that is not ASCII; no HOME; no network; all folders
except the clone read-only; a user without a home. This is the only whole training without the fork
server, so its processes are the same as a user's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.params import tiny_values, write_values
from support.project import commit_all, copy_project

NOBODY = 65534
OTHER_USER = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
NAMESPACES = (
    ("unshare", "--mount", "--net"),
    ("unshare", "--map-root-user", "--mount", "--net"),  # if users may do so
)
# Only the clone and the devices, including shared memory, stay writable.
READ_ONLY = """
set -eu
mount --bind "$PWD" "$PWD"
mount -o remount,ro,bind /
for folder in /tmp /var/tmp /run; do
    if mountpoint -q "$folder"; then mount -o remount,ro,bind "$folder"; fi
done
cd "$PWD"
exec "$@"
"""


def works(*command: str) -> bool:
    try:
        return subprocess.run([*command, "true"], capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("a spacé") / "sentigaté")
    write_values(tiny_values(), folder)
    (folder / ".venv").symlink_to(sys.prefix)
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        os.utime(folder / name, (0, 0))  # older than the installed environment
    commit_all(folder)
    return folder


@pytest.fixture(scope="module")
def limits(clone: Path) -> list[str]:
    """Return the start of a command line that sets all limits that this machine allows."""
    isolation: list[str] = []
    for namespaces in NAMESPACES:
        isolation = [*namespaces, "sh", "-c", READ_ONLY, "sh"]
        if works(*isolation):
            break
    else:
        isolation = []
    if shutil.which("taskset"):
        isolation += ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0)))]
    if works(*isolation, *OTHER_USER):
        isolation += OTHER_USER
    return isolation


@pytest.fixture(scope="module")
def environment(clone: Path) -> dict[str, str]:
    """Return an environment without HOME, and with closed proxies in case a network exists."""
    closed = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(clone / "src"), **closed}


def run(
    clone: Path, limits: list[str], environment: dict[str, str], *command: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*limits, *command], cwd=clone, env=environment, capture_output=True, text=True, timeout=600
    )


def test_the_limits_hold(clone: Path, limits: list[str], environment: dict[str, str]) -> None:
    """Otherwise the tests below would test less."""
    code = (
        "import os, socket, json\n"
        "def can(action):\n"
        "    try: action()\n"
        "    except OSError: return False\n"
        "    return True\n"
        "print(json.dumps({'cores': len(os.sched_getaffinity(0)), 'user': os.getuid(),\n"
        "    'home': os.environ.get('HOME'), 'here': can(lambda: open('probe', 'w').close()),\n"
        "    'outside': [f for f in ('/tmp', '/var/tmp', os.path.expanduser('~'), '..')\n"
        "                if can(lambda: open(f + '/probe-of-sentigate', 'w').close())],\n"
        "    'network': can(lambda: socket.create_connection(('192.0.2.1', 80), 2))}))\n"
    )
    done = run(clone, limits, environment, sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    (clone / "probe").unlink()
    assert found["home"] is None
    assert found["here"]
    assert not found["network"]
    if "taskset" in limits:
        assert found["cores"] == 1
    if "--user" in limits:
        assert found["user"] == NOBODY
    if "--mount" in limits:
        assert found["outside"] == []
    if missing := {"--mount", "--user", "taskset"} - set(limits):
        pytest.skip(f"the training goes without {' and '.join(sorted(missing))}: not allowed here")


def test_make_train_ends_with_a_registered_model(
    clone: Path, limits: list[str], environment: dict[str, str]
) -> None:
    done = run(clone, limits, environment, "make", "train")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "sentigate-small version 1: champion (the first version)" in " ".join(
        done.stdout.split()
    )
    check_quiet(done)
    done = run(clone, limits, environment, "make", "predict", "TEXT=what a lovely day")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\twhat a lovely day\n")
    check_quiet(done)


def check_quiet(done: subprocess.CompletedProcess[str]) -> None:
    """Check that the output has no errors and warnings about the limits."""
    printed = done.stdout + done.stderr
    for word in ("Traceback", "Warning", "Errno", "ermission", "failed", "temporary", "ERROR"):
        assert word not in printed
