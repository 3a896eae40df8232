"""bfloat16 autocast against single precision: time per epoch and validation accuracy.

`python benchmarks/precision.py`. Whole trainings of the default model; the test split has no part.
"""

from __future__ import annotations

from whole_trainings import compare

SETTINGS = {"bf16-mixed": ("bf16-mixed", "1"), "32-true": ("32-true", "1")}

if __name__ == "__main__":
    compare(__file__, SETTINGS)
