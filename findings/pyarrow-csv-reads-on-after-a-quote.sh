#!/bin/sh
# Belief: pyarrow.csv refuses a value that goes on after its closing quote, or keeps its quotes.
# Version: pyarrow 25.0.1, Python 3.11.
# Behaviour: it joins what is in the quotes and what follows them, without an error. The quotes are
# lost, and the text is none that the file has. csv.reader(strict=True) refuses the row.
# Output: "arrow: 'fine film', csv: ',' expected after '\"'".
# Exits 1 when Arrow refuses the row or keeps the quotes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pyarrow==25.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import csv
import io
import sys

import pyarrow as pa
from pyarrow import csv as arrow

data = 'text,stars\n"fine" film,5\n'
try:
    (found,) = arrow.read_csv(pa.BufferReader(data.encode())).column("text").to_pylist()
except pa.ArrowInvalid as error:
    found = f"refused: {error}"
try:
    strict = list(csv.reader(io.StringIO(data), strict=True))
except csv.Error as error:
    strict = error
print(f"arrow: {found!r}, csv: {strict}")
sys.exit(0 if found == "fine film" else 1)
PYTHON
