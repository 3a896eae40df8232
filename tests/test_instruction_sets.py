"""The numeric tests, repeated with the kernels and numbers of threads of other processors."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support.project import ROOT

# They limit torch's kernels, oneDNN's and MKL's; MKL uses its variable only on Intel processors.
VARIABLES = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS")
SETS = {
    "avx2": ("avx2", "AVX2", "AVX2"),
    "avx512": ("avx512", "AVX512_CORE", "AVX512"),
}
IN_FORCE = {
    "avx2": ("AVX2", "Intel AVX2"),
    "avx512": ("AVX512", "Intel AVX-512 with AVX512BW, AVX512VL, and AVX512DQ extensions"),
}
NEEDED = {"avx2": "avx2", "avx512": "avx512_vl"}
THREADS = (1, 4)

# Set in Python, because torch takes at most the number of cores from OMP_NUM_THREADS; fit reads the
# variable itself. The pool of parallel_directions.py keeps its thread's first number.
ROUNDS = """
import os, sys
import pytest
from sentigate.training.parallel_directions import _POOL
import torch

failed = 0
for threads in map(int, sys.argv[1].split(",")):
    os.environ["OMP_NUM_THREADS"] = str(threads)
    for set_threads in (torch.set_num_threads, lambda n: _POOL.submit(torch.set_num_threads, n)):
        set_threads(threads)
    other = _POOL.submit(torch.get_num_threads).result()
    print("in force:", torch.backends.cpu.get_cpu_capability(), torch.get_num_threads(), other)
    with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
        torch.nn.LSTM(1, 1)(torch.zeros(1, 1, 1))
    failed |= pytest.main([f"--basetemp={sys.argv[2]}/{threads}", *sys.argv[3:]])
sys.exit(failed)
"""


@pytest.mark.parametrize("name", SETS)
def test_the_numeric_tests_pass_with_fewer_instructions(name: str, tmp_path: Path) -> None:
    if not torch.cpu.get_capabilities().get(NEEDED[name]):
        pytest.skip(f"this processor has no {name}")
    environment = {key: v for key, v in os.environ.items() if not key.startswith("PYTEST_")}
    environment |= dict(zip(VARIABLES, SETS[name], strict=True))
    marked = [
        str(path) for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if "pytest.mark.numeric" in path.read_text("utf-8") and path != Path(__file__)
    ]  # fmt: skip
    options = (
        "-m",
        "numeric",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
        "-q",
        "--tb=short",
        "--hypothesis-profile=fast",
    )
    done = subprocess.run(
        [sys.executable, "-c", ROUNDS, ",".join(map(str, THREADS)), tmp_path, *options, *marked],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    kernels, isa = IN_FORCE[name]
    found = re.findall(r"^in force: (\w+) (\d+) (\d+)$", done.stdout, re.MULTILINE)
    assert found == [(kernels, str(threads), str(threads)) for threads in THREADS]
    assert f"cpu,isa:{isa}\n" in done.stdout
    passed = [int(number) for number in re.findall(r"(\d+) passed", done.stdout)]
    assert len(passed) == len(THREADS)
    assert min(passed) > 50
