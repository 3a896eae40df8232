#!/bin/sh
# Belief: Series.isin of texts costs about the same whether they are Arrow's (dtype str, the default
# of pandas 3) or Python objects.
# Version: pandas 3.1.1 with pyarrow 25.0.1 and numpy 2.4.6, Python 3.11.
# Behaviour: for dtype str, isin turns each value that is looked for into a pyarrow scalar in a loop
# of Python, and back, before pyarrow looks for them. It takes many times as long as for object,
# also where the series itself is empty, and pyarrow.compute.is_in finds the same in a fraction.
# Output: the seconds of the three, and of an empty series.
# Exits 1 when isin of dtype str takes less than three times as long as that of object.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pandas==3.1.1 pyarrow==25.0.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import time

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

texts = pd.Series([f"user {number}" for number in range(300_000)], dtype="str")
arrow, wanted = texts.iloc[:150_000], texts.iloc[100_000:]
objects, wanted_objects = arrow.astype(object), wanted.astype(object)


def seconds(function):
    start = time.perf_counter()
    found = int(function().sum())
    return time.perf_counter() - start, found


cases = {
    "isin, object": lambda: objects.isin(wanted_objects),
    "isin, str": lambda: arrow.isin(wanted),
    "isin, str, empty series": lambda: arrow.iloc[:0].isin(wanted),
    "pyarrow is_in": lambda: pd.Series(
        pc.is_in(pa.array(arrow), value_set=pa.array(wanted)).to_numpy(zero_copy_only=False)
    ),
}
taken = {}
for name, function in cases.items():
    taken[name], found = seconds(function)
    print(f"{name}: {taken[name]:.2f} s, {found:,} found")
sys.exit(0 if taken["isin, str"] > 3 * taken["isin, object"] else 1)
PYTHON
