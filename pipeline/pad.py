"""pad: turn texts into matrices of token ids, cut and padded to one length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.stage import Output, StageRun, run
from sentigate.data.stage_files import SPLITS, read_table
from sentigate.data.vocabulary import read_tokenizer
from sentigate.model.text.encoding import write_padded, written_checks
from sentigate.progress import doing


def pad(stage: StageRun) -> Output:
    """Write ids.npy, lengths.npy, labels.npy and rows.parquet to data/padded/{split}/."""
    columns = ["id", "label", "text", "split"]
    splits = read_table(Path("data/split/texts.parquet"), columns)
    tokenizer = read_tokenizer(Path("data/vocab/tokenizer.json"))
    by_id = splits.set_index("id")
    checks = []
    for name in SPLITS:
        doing(f"encoding {name}")
        part = splits.loc[splits["split"] == name]
        rows = stage.write_table(part[["id"]], f"data/padded/{name}/rows.parquet")
        folder = stage.path(f"data/padded/{name}/ids.npy").parent
        write_padded(tokenizer, part["text"], stage.params.max_length, folder)
        labels = part["label"].to_numpy(dtype=np.int8)
        np.save(folder / "labels.npy", labels, allow_pickle=False)
        labels = np.load(folder / "labels.npy", allow_pickle=False)
        checks.append(written_checks(folder).assign(id=rows["id"], split=name, label=labels))
    written = pd.concat(checks, ignore_index=True)
    dealt = by_id.reindex(written["id"])[["label", "split"]].add_prefix("dealt_")
    return Output(
        written.assign(**dealt.reset_index(drop=True)),
        {
            "rows": len(splits),
            "max_id": tokenizer.get_vocab_size() - 1,
            "max_length": stage.params.max_length,
            "max_unknown_share": stage.params.gates.max_unknown_share,
        },
    )


if __name__ == "__main__":
    run("pad", pad)
