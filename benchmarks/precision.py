"""Compare bfloat16 autocast and single precision: time per epoch and validation accuracy.

`python benchmarks/precision.py`. It runs whole trainings of ``bilstm_from_scratch`` and does
not use the test split.
"""

from __future__ import annotations

from whole_trainings import compare

SETTINGS = {"bf16-mixed": ("bf16-mixed", "1"), "32-true": ("32-true", "1")}

if __name__ == "__main__":
    compare(__file__, SETTINGS)
