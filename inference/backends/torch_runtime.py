"""Where torch runs and in which precision: shared by the back ends that use it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch
from django.conf import settings
from transformers.utils import logging as transformers_logging

from core.exceptions import PermanentError

T = TypeVar("T")
# Held while batches run one to a core: the number of threads is one setting for the whole process.
_cores = threading.Lock()

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@functools.cache
def prepare() -> None:
    """Set the number of threads of this process, and keep transformers from drawing bars into the logs."""
    threads = settings.INFERENCE.threads
    if threads > 0:
        torch.set_num_threads(threads)
    transformers_logging.disable_progress_bar()


def has_fast_bfloat16() -> bool:
    """Return whether this CPU multiplies bfloat16 in hardware (AVX512-BF16 or AMX);
    without it bf16 is slower than fp32.
    """
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
    return int(options.get("batch_size") or settings.INFERENCE.batch_size)


@torch.inference_mode()
def rows_alike(model: torch.nn.Module, device: torch.device, *, most: int) -> int:
    """Return of how many rows a batch must be a multiple, so that the products of one row are the same to the bit in
    any such batch of up to `most` rows, at any place in it: a power of two, or `most` where none holds.

    Measured on one layer of each shape, because it depends on the kernels that the library picks for this processor:
    in float32 products of 1, 2 or 3 rows are often summed in another order than those of 4. Off the CPU kernels are
    picked by more than can be tried in a moment: `most`, so that all batches are of one size.
    """
    if device.type != "cpu":
        return most
    layers = {tuple(m.weight.shape): m for m in model.modules() if isinstance(m, torch.nn.Linear)}
    step = 4
    while step < most:
        if all(_is_alike(layer, step, most) for layer in layers.values()):
            return step
        step *= 2
    return most


def _is_alike(layer: torch.nn.Linear, step: int, most: int) -> bool:
    most = -(-most // step) * step
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(most, layer.in_features, generator=generator).to(layer.weight.dtype)
    whole = layer(rows)
    some = sorted({step, most // 2 // step * step} - {0})
    parts = [(start, start + n) for n in some for start in range(0, most - n + 1, n)]
    return all(torch.equal(layer(rows[start:end]), whole[start:end]) for start, end in parts)


def is_out_of_memory(exc: BaseException) -> bool:
    """Return whether `exc` says that there was no memory, on a GPU or here."""
    if isinstance(exc, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    return isinstance(exc, RuntimeError) and "can't allocate memory" in str(exc)


def free_memory(device: torch.device) -> None:
    """Give back what the allocator of a GPU holds unused; the CPU's keeps nothing."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def batches_by_length(lengths: list[int], *, size: int) -> list[list[int]]:
    """Return the indices in batches of at most `size`, longest first, so that a batch pads little and memory peaks
    early.
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    return [order[start : start + size] for start in range(0, len(order), size)]


def each_on_a_core(run: Callable[[list[int]], T], batches: list[list[int]], *, device: torch.device) -> list[T]:
    """Return `run(batch)` for each batch, in order; on the CPU several at a time, each on one core.

    The matrices of a small encoder are too small to share: two batches on a core each took 0.78 of the time of one
    after the other on both (docs/benchmarks/scoring-speed.md). `run` enters `torch.inference_mode` itself: it counts
    per thread.
    """
    with _cores:
        n_threads = torch.get_num_threads()
        if device.type != "cpu" or n_threads == 1 or len(batches) == 1:
            return [run(batch) for batch in batches]
        torch.set_num_threads(1)
        try:
            with ThreadPoolExecutor(n_threads) as pool:
                return list(pool.map(run, batches))
        finally:
            torch.set_num_threads(n_threads)
