"""pad: turn texts into matrices of token ids, cut and padded to one length."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tokenizers import Tokenizer

from pipeline.stage import Output, StageRun, run
from sentigate.padding import write_padded
from sentigate.splitting import SPLITS


def pad(stage: StageRun) -> Output:
    """Write ids.npy, lengths.npy and labels.npy to data/padded/{train,validation,test}/."""
    splits = pd.read_parquet("data/split/texts.parquet", columns=["id", "label", "text", "split"])
    tokenizer = Tokenizer.from_file("data/vocab/tokenizer.json")
    checks = []
    for name in SPLITS:
        part = splits.loc[splits["split"] == name]
        labels = stage.path(f"data/padded/{name}/labels.npy")
        np.save(labels, part["label"].to_numpy(dtype=np.int8), allow_pickle=False)
        rows = write_padded(tokenizer, part["text"], stage.params.max_length, labels.parent)
        checks.append(rows.assign(id=part["id"].array, split=name))
    return Output(
        pd.concat(checks, ignore_index=True),
        {
            "rows": len(splits),
            "max_id": tokenizer.get_vocab_size() - 1,
            "max_length": stage.params.max_length,
            "max_unknown_share": stage.params.gates.max_unknown_share,
        },
    )


if __name__ == "__main__":
    run("pad", pad)
