#!/bin/sh
# Belief: `dvc exp run -S key=value` changes that key of params.yaml, or says that it cannot.
# Version: dvc 3.67.1 with ruamel.yaml 0.19.1, Python 3.11.
# Behaviour: where an entry is shared by a YAML anchor, DVC writes each place that shares it in turn,
# the aliases with the value they had before. The last one wins: the key keeps its old value, and
# DVC reports no error. A key of an entry that is shared and set by its alias changes every other
# place too.
# Output: "set through the anchor: 1 (asked: 2)", "set through the alias: 2, and the anchor's entry 2".
# Exits 1 when a set key has its new value and no other key changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet dvc==3.67.1 ruamel.yaml==0.19.1
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from pathlib import Path

from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

path = Path(sys.argv[1], "params.yaml")


def after(override: str) -> dict:
    path.write_text("first: &shared {steps: 1}\nsecond: *shared\n", encoding="utf-8")
    apply_overrides(path, [override])
    return YAML(typ="safe").load(path)


anchor, alias = after("first.steps=2"), after("second.steps=2")
print(f"set through the anchor: {anchor['first']['steps']} (asked: 2)")
print(f"set through the alias: {alias['second']['steps']}, and the anchor's entry {alias['first']['steps']}")
surprising = anchor["first"]["steps"] == 1 and alias["first"]["steps"] == 2
sys.exit(0 if surprising else 1)
PYTHON
