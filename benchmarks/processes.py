"""Training with two processes (DDP over gloo) against one: time per epoch, validation accuracy.

`python benchmarks/processes.py`. Each process takes its share of every batch, so both learn alike.
"""

from __future__ import annotations

from measuring import write_results
from padded_data import padded_data
from whole_trainings import accuracy_note, epoch_ratio, train_each

SETTINGS = {"2 processes": ("auto", "2"), "1 process": ("auto", "1")}


def main() -> None:
    """Train both ways on each data set and write processes.json and processes.md."""
    ratios, notes, details = [], [], {}
    with padded_data() as make:
        for dataset in ("vader", "twitter"):
            trainings = train_each(make(dataset, "bilstm"), SETTINGS)
            label = f"bilstm on {dataset}, 2 processes against 1"
            ratios.append(epoch_ratio(label, trainings, *SETTINGS))
            notes.append(accuracy_note(dataset, trainings, *SETTINGS))
            details[dataset] = trainings
    write_results(__file__, ratios, details, notes)


if __name__ == "__main__":
    main()
