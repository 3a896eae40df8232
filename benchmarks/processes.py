"""Compare training with two processes (DDP over gloo) and one: epoch time, validation accuracy.

`python benchmarks/processes.py`. Each process takes a share of every batch, so both settings
learn from the same batches.
"""

from __future__ import annotations

from whole_trainings import compare

SETTINGS = {"2 processes": ("auto", "2"), "1 process": ("auto", "1")}

if __name__ == "__main__":
    compare(__file__, SETTINGS)
