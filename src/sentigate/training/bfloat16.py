"""Whether this machine multiplies bfloat16 faster than float32."""

from __future__ import annotations

from typing import Literal

import torch


def multiplies_bfloat16(accelerator: Literal["cpu", "gpu"]) -> bool:
    """Return whether a CPU does so by AMX or AVX-512, or a GPU without emulation."""
    if accelerator == "gpu":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    has = torch.cpu.get_capabilities()
    return bool(has.get("amx_bf16", False) or has.get("avx512_bf16", False))
