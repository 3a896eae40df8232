"""Predict with the default network in ONNX Runtime: all batches of a folder, then single texts.

`python onnx_lstm.py FOLDER`, with the Python of the peers. The folder holds weights.npz with
torch's names, and batches.npz and single.npz with numbered ids (B, T) int64 and lengths (B,) int32.
The probabilities are written to onnx.npy in the order of the batches.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

THREADS = 2


def gates(weights: np.ndarray) -> np.ndarray:
    """Reorder gates from torch's order, i f g o, to that of ONNX, i o f c."""
    i, f, g, o = np.split(weights, 4)
    return np.concatenate([i, o, f, g])


def graph(weights: dict[str, np.ndarray]) -> bytes:
    """Build the graph: embedding, LSTM in both directions, maximum over time, head."""
    layer = "encoder.layers.0."
    ways = [f"{layer}{way}." for way in ("left_to_right", "right_to_left")]
    both = {
        name: np.stack([gates(weights[f"{way}weight_{part}_l0"]) for way in ways])
        for name, part in (("W", "ih"), ("R", "hh"))
    }
    biases = [
        np.concatenate([gates(weights[f"{way}bias_{part}_l0"]) for part in ("ih", "hh")])
        for way in ways
    ]
    constants = {
        "embedding": weights["encoder.embedding.weight"],
        **both,
        "B": np.stack(biases),
        "head": weights["head.weight"],
        "head_bias": weights["head.bias"],
        "lowest": np.array(-np.inf, np.float32),
        "zero": np.array(0),
        "one": np.array(1),
        "first": np.array([1]),
        "second": np.array([2]),
        "flat": np.array([0, 0, -1]),
    }
    node = helper.make_node
    nodes = [
        node("Transpose", ["ids"], ["by_time"], perm=[1, 0]),
        node("Gather", ["embedding", "by_time"], ["vectors"]),
        node(
            "LSTM",
            ["vectors", "W", "R", "B", "lengths"],
            ["outputs"],
            hidden_size=both["R"].shape[2],
            direction="bidirectional",
        ),
        node("Transpose", ["outputs"], ["by_text"], perm=[2, 0, 1, 3]),
        node("Reshape", ["by_text", "flat"], ["states"]),
        node("Shape", ["ids"], ["shape"]),
        node("Gather", ["shape", "one"], ["steps"]),
        node("Range", ["zero", "steps", "one"], ["positions"]),
        node("Cast", ["lengths"], ["long_lengths"], to=TensorProto.INT64),
        node("Unsqueeze", ["long_lengths", "first"], ["ends"]),
        node("Less", ["positions", "ends"], ["inside"]),
        node("Unsqueeze", ["inside", "second"], ["mask"]),
        node("Where", ["mask", "states", "lowest"], ["masked"]),
        node("ReduceMax", ["masked", "first"], ["pooled"], keepdims=0),
        node("Gemm", ["pooled", "head", "head_bias"], ["logits"], transB=1),
        node("Sigmoid", ["logits"], ["probabilities"]),
    ]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "network",
            [
                helper.make_tensor_value_info("ids", TensorProto.INT64, ["B", "T"]),
                helper.make_tensor_value_info("lengths", TensorProto.INT32, ["B"]),
            ],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["B", 1])],
            [numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    return model.SerializeToString()


def numbered(path: Path) -> list[dict[str, np.ndarray]]:
    """Return the inputs of each call."""
    arrays = np.load(path)
    count = len(arrays.files) // 2
    return [{"ids": arrays[f"ids{n}"], "lengths": arrays[f"lengths{n}"]} for n in range(count)]


def main() -> None:
    """Run a round for each input line."""
    folder = Path(sys.argv[1])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(
        graph(dict(np.load(folder / "weights.npz"))), options, providers=["CPUExecutionProvider"]
    )
    batches, single = numbered(folder / "batches.npz"), numbered(folder / "single.npz")
    rows = sum(len(batch["lengths"]) for batch in batches)
    for _ in sys.stdin:
        start = time.perf_counter()
        answers = [session.run(None, batch)[0][:, 0] for batch in batches]
        rate = rows / (time.perf_counter() - start)
        np.save(folder / "onnx.npy", np.concatenate(answers))
        times = []
        for text in single:
            start = time.perf_counter()
            session.run(None, text)
            times.append(1000 * (time.perf_counter() - start))
        p50, p99 = np.percentile(times, [50, 99])
        print(json.dumps({"rows_per_second": rate, "p50_ms": p50, "p99_ms": p99}), flush=True)


if __name__ == "__main__":
    main()
