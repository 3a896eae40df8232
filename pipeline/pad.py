"""pad: turn texts into matrices of token ids, cut and padded to one length."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.stage import GateInput, StageRun, run
from sentigate import artifacts
from sentigate.data.reading_length import Counts, Reading, resolve_reading, unread_characters
from sentigate.data.stage_files import SPLITS, read_table
from sentigate.data.vocabulary import read_tokenizer
from sentigate.errors import counted
from sentigate.model.text.encoding import write_padded, written_checks
from sentigate.progress import doing


def pad(stage: StageRun) -> GateInput:
    """Write each split's padded ids, and a report: how much text the network does not read."""
    wanted, gates = stage.params.chosen_model.max_length, stage.params.gates
    splits = read_table(artifacts.SPLIT_TEXTS, ["id", "label", "text", "split"])
    tokenizer = read_tokenizer(artifacts.VOCAB_TOKENIZER)
    by_id = splits.set_index("id")
    with doing("counting tokens"):
        training = splits.loc[splits["split"] == "train", "text"]
        reading = resolve_reading(wanted, tokenizer, training)
    if wanted == "auto":
        print(f"  max_length auto is {reading.max_length} tokens")
    stage.write_json(reading._asdict(), artifacts.READING)
    checks, figures = [], {}
    for name in SPLITS:
        part = splits.loc[splits["split"] == name]
        rows = stage.write_table(part[["id"]], artifacts.padded_rows(name))
        folder = stage.folder(artifacts.PADDED / name)
        with doing(f"encoding {name}"):
            counts = write_padded(
                tokenizer, part["text"], reading.max_length, folder, last=reading.last
            )
            characters = np.asarray(part["text"].str.len(), dtype=np.int64)
            unread = unread_characters(tokenizer, part["text"], counts, reading)
        figures[name] = _figures(counts > reading.max_length, characters, unread)
        labels = part["label"].to_numpy(dtype=np.int8)
        np.save(folder / "labels.npy", labels, allow_pickle=False)
        labels = np.load(folder / "labels.npy", allow_pickle=False)
        checks.append(
            written_checks(folder).assign(
                id=rows["id"], split=name, label=labels, cut_share=unread / characters
            )
        )
    stage.write_json({**reading._asdict(), "splits": figures}, artifacts.PAD_REPORT)
    print(f"  {_sentence(figures, reading)}")
    written = pd.concat(checks, ignore_index=True)
    dealt = by_id.reindex(written["id"])[["label", "split"]].add_prefix("dealt_")
    return GateInput(
        written.assign(**dealt.reset_index(drop=True)),
        {
            "rows": len(splits),
            "max_id": tokenizer.get_vocab_size() - 1,
            "max_length": reading.max_length,
            "max_unknown_share": gates.max_unknown_share,
            "max_cut_share": gates.max_cut_share,
        },
    )


def _figures(cut: npt.NDArray[np.bool_], characters: Counts, unread: Counts) -> dict[str, int]:
    return {
        "texts": len(cut),
        "cut_texts": int(cut.sum()),
        "characters": int(characters.sum()),
        "unread_characters": int(unread.sum()),
    }


def _sentence(figures: dict[str, dict[str, int]], reading: Reading) -> str:
    texts, cut, characters, unread = (
        sum(part[key] for part in figures.values())
        for key in ("texts", "cut_texts", "characters", "unread_characters")
    )
    if not cut:
        return "the network reads every text whole"
    return (
        f"{cut:,} of {counted(texts, 'text')} are longer: the network does not read their "
        f"{'middle' if reading.last else 'end'}, {unread / characters:.2%} of all characters"
    )


if __name__ == "__main__":
    run("pad", pad)
