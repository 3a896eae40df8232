"""Batches: each row once, little padding, the same order for the same seed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sentigate.model.network.batches import Batch, Batches, EncodedSplit, load_split


def split(lengths: list[int], width: int | None = None) -> EncodedSplit:
    """Return a split in which row n repeats the id n + 1 over its length."""
    counts = np.array(lengths, dtype=np.int32)
    columns = np.arange(width or int(counts.max(initial=1)))
    ids = np.where(columns < counts[:, None], np.arange(1, len(lengths) + 1)[:, None], 0)
    labels = (np.arange(len(lengths)) % 3).astype(np.int8)
    return EncodedSplit(ids.astype(np.uint16), counts, labels)


LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=60)


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 20), st.sampled_from([None, 0, 7]), st.integers(0, 9))
def test_every_row_is_in_one_batch_unchanged(
    lengths: list[int], batch_size: int, seed: int | None, more: int
) -> None:
    data = split(lengths, max(lengths) + more)
    batches = Batches(data, batch_size, seed)
    made = list(batches)
    assert len(made) == len(batches)
    assert sorted(torch.cat([batch.rows for batch in made]).tolist()) == list(range(len(lengths)))
    sizes = sorted((len(batch.rows) for batch in made), reverse=True)
    assert all(size == batch_size for size in sizes[:-1])
    for batch in made:
        check_batch(batch, data)


def check_batch(batch: Batch, data: EncodedSplit) -> None:
    assert [tensor.dtype for tensor in (*batch.inputs, batch.labels, batch.rows)] == [
        torch.int64,
    ] * 4
    rows = batch.rows.numpy()
    width = batch.inputs.ids.shape[1]
    longest = int(batch.inputs.lengths.max())
    assert longest <= width <= data.ids.shape[1]
    assert width - longest <= longest / 32
    assert (batch.inputs.ids.numpy() == data.ids[rows, :width]).all()
    assert (batch.inputs.lengths.numpy() == data.lengths[rows]).all()
    assert (batch.labels.numpy() == data.labels[rows]).all()


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 20))
def test_without_a_seed_rows_are_sorted_by_length(lengths: list[int], batch_size: int) -> None:
    batches = Batches(split(lengths), batch_size)
    first, second = (torch.cat([batch.rows for batch in batches]).tolist() for _ in range(2))
    assert first == second == sorted(range(len(lengths)), key=lambda row: lengths[row])


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 20), st.integers(0, 9))
def test_full_width_keeps_all_padding_and_shuffles_freely(
    lengths: list[int], batch_size: int, more: int
) -> None:
    data = split(lengths, max(lengths) + more)
    for seed in (None, 7):
        made = list(Batches(data, batch_size, seed, full_width=True))
        rows = torch.cat([batch.rows for batch in made]).tolist()
        assert sorted(rows) == list(range(len(lengths)))
        assert all((batch.inputs.ids.numpy() == data.ids[batch.rows]).all() for batch in made)
    order = np.random.default_rng((7, 0)).permutation(len(lengths)).tolist()
    cuts = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    assert sorted(batch.rows.tolist() for batch in made) == sorted(cuts)


def rows_of(batches: Batches) -> list[list[int]]:
    return [batch.rows.tolist() for batch in batches]


REAL_LIKE = np.clip(np.random.default_rng(0).lognormal(2.6, 0.7, 3000), 1, 64).astype(int).tolist()


def test_each_epoch_is_shuffled_anew_and_a_seed_repeats_it() -> None:
    data = split(REAL_LIKE)
    batches, again, other = (Batches(data, 64, seed) for seed in (42, 42, 43))
    epochs = [rows_of(batches) for _ in range(3)]
    assert epochs == [rows_of(again) for _ in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    assert epochs[0] != rows_of(other)
    assert {frozenset(rows) for rows in epochs[0]} != {frozenset(rows) for rows in epochs[1]}
    assert batches.epoch == 3


def test_shuffled_batches_are_not_sorted_by_length() -> None:
    longest = [int(batch.inputs.lengths.max()) for batch in Batches(split(REAL_LIKE), 64, 42)]
    assert longest != sorted(longest)


@pytest.mark.parametrize("seed", [None, 42])
@pytest.mark.parametrize("longest", [64, 400])
def test_less_than_three_per_cent_of_the_arithmetic_is_padding(
    seed: int | None, longest: int
) -> None:
    """If every batch were as wide as the longest text, it would be 75 %."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(np.log(longest / 5), 0.7, 8000), 1, longest).astype(int)
    made = list(Batches(split(lengths.tolist()), 64, seed))
    cells = sum(batch.inputs.ids.numel() for batch in made)
    assert 1 - lengths.sum() / cells < 0.03
    assert 1 - lengths.sum() / (longest * len(lengths)) > 0.7


def test_long_texts_share_few_widths() -> None:
    lengths = np.random.default_rng(0).integers(200, 400, 20_000).tolist()
    widths = {batch.inputs.ids.shape[1] for batch in Batches(split(lengths, 400), 64, 42)}
    assert len(widths) < 35


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 20), st.sampled_from([None, 7]), st.integers(1, 4))
def test_process_shares_divide_each_batch(
    lengths: list[int], batch_size: int, seed: int | None, processes: int
) -> None:
    data = split(lengths * processes)
    size = max(batch_size, processes)
    shares = [
        list(Batches(data, size, seed, process_share=(r, processes))) for r in range(processes)
    ]
    assert len({len(batches) for batches in shares}) == 1
    rows = [
        torch.cat([share.rows for share in batch]).tolist() for batch in zip(*shares, strict=True)
    ]
    assert sorted(row for batch in rows for row in batch) == list(range(len(data.lengths)))
    assert all(len(share.rows) for batches in shares for share in batches)
    for batch in rows[:-1] if seed is None else ():
        assert len(batch) == size
    for batch in zip(*shares, strict=True):
        counts = [len(share.rows) for share in batch]
        assert max(counts) - min(counts) <= 1


def test_no_rows_make_no_batch() -> None:
    empty = EncodedSplit(np.zeros((0, 8), np.uint16), np.zeros(0, np.int32), np.zeros(0, np.int8))
    for seed in (None, 1):
        assert len(Batches(empty, 4, seed)) == 0
        assert list(Batches(empty, 4, seed)) == []


def test_a_split_is_memory_mapped_from_files(tmp_path: Path) -> None:
    data = split([3, 1, 9])
    for name in ("ids", "lengths", "labels"):
        np.save(tmp_path / f"{name}.npy", getattr(data, name), allow_pickle=False)
    loaded = load_split(tmp_path)
    assert all(isinstance(values, np.memmap) for values in loaded[:3])
    assert rows_of(Batches(loaded, 2)) == rows_of(Batches(data, 2)) == [[1, 0], [2]]


def test_a_pickled_array_is_refused(tmp_path: Path) -> None:
    for name in ("ids", "lengths", "labels"):
        np.save(tmp_path / f"{name}.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"[Pp]ython objects|allow_pickle"):
        load_split(tmp_path)
