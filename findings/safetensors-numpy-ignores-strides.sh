#!/bin/sh
# Belief: safetensors.numpy.save stores the values of an array, whatever the layout of its memory;
# version 0.4 did, because it called tobytes().
# Version: safetensors 0.8.0 with numpy 2.4.4, Python 3.11.
# Behaviour: it stores the bytes of the array's memory from its first element on, with the shape of
# the array. A transposed array, a Fortran-ordered one and one with every second column come back with
# the right shape and other values. No error and no warning. The safe call is
# save({name: numpy.ascontiguousarray(array)}).
# Output: "transposed: [[0, 3], [1, 4], [2, 5]] came back as [[0, 1], [2, 3], [4, 5]]", and two more.
# Exits 1 when such an array comes back unchanged or is refused.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet safetensors==0.8.0 numpy==2.4.4
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from safetensors.numpy import load, save

whole = np.arange(6, dtype=np.int64).reshape(2, 3)
changed = []
for name, array in {
    "transposed": whole.T,
    "Fortran order": np.asfortranarray(whole),
    "every second column": whole[:, ::2],
}.items():
    try:
        back = load(save({"array": array}))["array"]
    except Exception as error:
        print(f"{name}: refused, {type(error).__name__}: {error}")
        sys.exit(1)
    print(f"{name}: {array.tolist()} came back as {back.tolist()}")
    changed.append(back.shape == array.shape and not np.array_equal(back, array))
sys.exit(0 if all(changed) else 1)
PYTHON
