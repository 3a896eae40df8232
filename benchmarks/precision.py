"""bfloat16 autocast against single precision: time per epoch and validation accuracy.

`python benchmarks/precision.py`. Whole trainings of the default model; the test split has no part.
"""

from __future__ import annotations

from measuring import write_results
from padded_data import padded_data
from whole_trainings import accuracy_note, epoch_ratio, train_each

SETTINGS = {"bf16-mixed": ("bf16-mixed", "1"), "32-true": ("32-true", "1")}


def main() -> None:
    """Train both ways on each data set and write precision.json and precision.md."""
    ratios, notes, details = [], [], {}
    with padded_data() as make:
        for dataset in ("vader", "twitter"):
            trainings = train_each(make(dataset, "bilstm"), SETTINGS)
            label = f"bilstm on {dataset}, bf16-mixed against 32-true"
            ratios.append(epoch_ratio(label, trainings, *SETTINGS))
            notes.append(accuracy_note(dataset, trainings, *SETTINGS))
            details[dataset] = trainings
    write_results(__file__, ratios, details, notes)


if __name__ == "__main__":
    main()
