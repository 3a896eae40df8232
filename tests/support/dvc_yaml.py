"""What the stages of dvc.yaml list."""

from __future__ import annotations

from typing import Any

import yaml

from .project import ROOT

DVC: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))
ENTRY = "datasets/${dataset}.yaml"


def listed_params(stage: str) -> list[str]:
    """Return the dotted keys of settings that a stage lists.

    Those of a data set's file begin with ``datasets.``. Keys of libraries.json are left out.
    """
    keys = []
    for listed in DVC["stages"][stage]["params"]:
        if isinstance(listed, str):
            keys.append(listed)
        else:
            keys += [f"datasets.${{dataset}}.{key}" for key in listed.get(ENTRY, ())]
    return keys
