#!/bin/sh
# Belief: a missing probability (NaN) makes cleanlab refuse the table, or leaves out that row alone.
# Version: cleanlab 2.9.0 with numpy 2.4.6 and scikit-learn 1.9.1, Python 3.11.
# Behaviour: find_label_issues accepts it. The threshold of a class is the mean probability of the
# texts that have the class, so one NaN makes the threshold of its class NaN, and comparisons with
# it are false: the errors in which that class takes part are no longer found. With a NaN in each
# class, none is found. There is neither an error nor a warning.
# Output: the number of wrong labels found with no, one, and one NaN in each of three classes.
# Exits 1 when a NaN is refused, or no longer hides errors.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet cleanlab==2.9.0 numpy==2.4.6 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from cleanlab.filter import find_label_issues

random = np.random.default_rng(0)
true = np.arange(600) % 3
probabilities = np.full((600, 3), 0.05)
probabilities[np.arange(600), true] = 0.9
labels = true.copy()
wrong = random.choice(600, 60, replace=False)
labels[wrong] = (labels[wrong] + 1) % 3


def found(missing):
    given = probabilities.copy()
    for label in range(missing):
        row = np.flatnonzero((labels == label) & (true == label))[0]
        given[row] = np.nan
    try:
        return int(find_label_issues(labels, given, filter_by="confident_learning", n_jobs=1).sum())
    except Exception as error:
        print(f"refused: {error}")
        return -1


counts = [found(missing) for missing in (0, 1, 3)]
print("wrong labels found with 0, 1 and 3 missing probabilities:", *counts)
sys.exit(0 if counts[0] > counts[1] > counts[2] == 0 else 1)
PYTHON
