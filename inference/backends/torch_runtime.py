"""Where torch runs and in which precision: shared by the back ends that use it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import torch
from django.conf import settings
from transformers.utils import logging as transformers_logging

from core.exceptions import PermanentError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@functools.cache
def prepare() -> None:
    """Set the number of threads of this process, and keep transformers from drawing bars into the logs."""
    threads = int(str(settings.INFERENCE["THREADS"]))
    if threads > 0:
        torch.set_num_threads(threads)
    transformers_logging.disable_progress_bar()


def has_fast_bfloat16() -> bool:
    """Return whether this CPU multiplies bfloat16 in hardware (AVX512-BF16 or AMX); without it bf16 is slower than fp32."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def pick(options: Mapping[str, Any]) -> tuple[torch.device, torch.dtype]:
    """Return the device and dtype to run on. `options` may name either (`device`, `dtype`).

    Default: the first GPU in bfloat16 where there is one, else the CPU, in bfloat16 where it is fast, else float32.
    """
    prepare()
    device = torch.device(options.get("device") or ("cuda" if torch.cuda.is_available() else "cpu"))
    name = options.get("dtype")
    if name is None:
        fast = torch.cuda.is_bf16_supported() if device.type == "cuda" else has_fast_bfloat16()
        return device, torch.bfloat16 if fast else torch.float32
    if name not in DTYPES:
        raise PermanentError(f"{name!r} is no dtype of a back end", hint=f"Known: {', '.join(DTYPES)}.")
    return device, DTYPES[name]


def describe(device: torch.device, dtype: torch.dtype) -> str:
    """Return what is recorded as the device of a result, e.g. `cpu bfloat16` or `cuda NVIDIA H200 bfloat16`."""
    name = f" {torch.cuda.get_device_name(device)}" if device.type == "cuda" else ""
    return f"{device.type}{name} {str(dtype).removeprefix('torch.')}"


def batch_size(options: Mapping[str, Any]) -> int:
    """Return the batch size: `options['batch_size']`, else the setting INFERENCE_BATCH_SIZE."""
    return int(options.get("batch_size") or str(settings.INFERENCE["BATCH_SIZE"]))


def batches_by_length(lengths: list[int], *, size: int) -> list[list[int]]:
    """Return the indices in batches of at most `size`, longest first, so that a batch pads little and memory peaks early."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    return [order[start : start + size] for start in range(0, len(order), size)]
