#!/bin/sh
# Belief: building a layer on the device "meta" costs next to nothing, because nothing is computed.
# It is the usual way to build a network whose weights are loaded next.
# Version: torch 2.13.0 for CPUs, Python 3.11.
# Behaviour: nn.Linear, nn.LSTM and nn.Conv1d cost nothing there. nn.Embedding draws its weights from a
# normal distribution, whose version for "meta" imports torch._dynamo, torch's compiler: about 800
# modules and, on our machine, two seconds, in every process that loads a model. With a given
# weight (_weight=, as from_pretrained passes it) nothing is drawn, and nothing is imported.
# Output: "after LSTM: False; after Embedding with a weight: False; after Embedding: True".
# Exits 1 when torch.nn.Embedding no longer imports the compiler, or the other layers do.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import torch
from torch import nn


def has_compiler() -> bool:
    return "torch._dynamo" in sys.modules


with torch.device("meta"):
    nn.LSTM(4, 3)
    after_lstm = has_compiler()
    nn.Embedding(10, 4, _weight=torch.empty(10, 4))
    after_weight = has_compiler()
    nn.Embedding(10, 4)
    after_embedding = has_compiler()
print(
    f"after LSTM: {after_lstm}; after Embedding with a weight: {after_weight}; "
    f"after Embedding: {after_embedding}"
)
sys.exit(0 if (after_lstm, after_weight, after_embedding) == (False, False, True) else 1)
PYTHON
