#!/bin/sh
# Belief: safetensors.numpy.save gives the same bytes for the same tensors and metadata.
# Version: safetensors 0.8.0, with numpy 2.4.6, Python 3.11.
# Behaviour: with two or more keys of metadata, their order in the header changes from call to
# call, within one process; with one key the bytes are the same. Tensors have a fixed order.
# Output: "1 keys: 1 contents", "2 keys: 2 contents", "3 keys: 6 contents".
# Exits 1 when several keys give one content.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet safetensors==0.8.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from safetensors.numpy import save

counts = []
for keys in (["a"], ["a", "b"], ["a", "b", "c"]):
    about = {key: "1" for key in keys}
    contents = {save({"x": np.zeros(2), "y": np.ones(2)}, metadata=about) for _ in range(200)}
    counts.append(len(contents))
    print(f"{len(keys)} keys: {len(contents)} contents")
sys.exit(0 if counts[0] == 1 and min(counts[1:]) > 1 else 1)
PYTHON
