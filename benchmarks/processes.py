"""Training with two processes (DDP over gloo) against one: time per epoch, validation accuracy.

`python benchmarks/processes.py`. Each process takes its share of every batch, so both learn alike.
"""

from __future__ import annotations

from whole_trainings import compare

SETTINGS = {"2 processes": ("auto", "2"), "1 process": ("auto", "1")}

if __name__ == "__main__":
    compare(__file__, SETTINGS)
