"""Run a trainer here, or in a process for each GPU, among which transformers' accelerate then shares every batch.

torch's launcher starts the processes (https://docs.pytorch.org/docs/stable/elastic/run.html), each of them
`manage.py run_trainer`. They end with the worker that started them, however it ends: they see their standard input
closed.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from django.conf import settings
from django.utils.module_loading import import_string

from core.exceptions import EcomsiteError, PermanentError
from training.trainers.contracts import Watch

Trainer = Callable[..., dict[str, Any]]
JOB, STEPS, RESULT, FAILURE, LOG = "job.pickle", "steps.jsonl", "result.json", "failure.json", "log"
POLL_S, PARTING_S = 0.2, 30
# Of what the launcher says at the end: one that was killed, by the kernel for its memory perhaps, left no word of its
# own.
_ENDED_BY = re.compile(r"Signal \d+ \(\w+\) received by PID \d+|\w+Error: .{1,200}")


def n_processes(batch_size: int) -> int:
    """Return among how many processes a batch is shared: one for each GPU,
    as long as all get the same number of examples.
    """
    wanted = settings.TRAINING.processes or torch.cuda.device_count() or 1
    return max(n for n in range(1, wanted + 1) if batch_size % n == 0)


def share_of(batch_size: int) -> int:
    """Return how many examples of a batch are this process's."""
    return batch_size // int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Return whether this process is the one that reports and writes; it is where there is no other."""
    return os.environ.get("RANK", "0") == "0"


def run(trainer: Trainer, *rows: Any, recipe: Any, watch: Watch, **arguments: Any) -> dict[str, Any]:
    """Return what `trainer(*rows, recipe=…, watch=…, **arguments)` does, run in as many processes as the recipe's batch
    allows.

    What `watch` raises ends them all. Raises what the trainer raised, as a `PermanentError` where it was one, else as a
    `RuntimeError` with its words.
    """
    n = n_processes(recipe.batch_size)
    if (
        n == 1 and torch.cuda.device_count() < 2
    ):  # with more than one in sight transformers would use them all its own way
        return trainer(*rows, recipe=recipe, watch=watch, **arguments)
    with tempfile.TemporaryDirectory(prefix="ecomsite-trainer-") as name:
        folder = Path(name)
        job = (f"{trainer.__module__}.{trainer.__name__}", rows, {**arguments, "recipe": recipe})
        (folder / JOB).write_bytes(pickle.dumps(job))
        with (folder / LOG).open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  (our own interpreter and command)
                [
                    sys.executable,
                    "-m",
                    "torch.distributed.run",
                    "--standalone",
                    f"--nproc-per-node={n}",
                    "manage.py",
                    "run_trainer",
                    name,
                ],
                cwd=settings.BASE_DIR,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                _listen(process, folder / STEPS, watch)
            finally:
                _part_with(process)
        return _result(folder, process.returncode)


def _environment() -> dict[str, str]:
    # They are all on this machine: they meet on its loopback, whatever else it is connected to.
    return {**({"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}), **os.environ}


def _listen(process: subprocess.Popen[bytes], steps: Path, watch: Watch) -> None:
    """Tell `watch` of each step, until the processes have ended."""
    heard = 0
    ended = False
    while not ended:
        ended = process.poll() is not None
        if steps.exists():
            with steps.open("rb") as stream:
                stream.seek(heard)
                for line in stream:
                    if not line.endswith(b"\n"):  # it is being written
                        break
                    heard += len(line)
                    watch(*json.loads(line))
        if not ended:
            time.sleep(POLL_S)


def _part_with(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None  # noqa: S101
    process.stdin.close()
    try:
        process.wait(PARTING_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _result(folder: Path, status: int) -> dict[str, Any]:
    if status == 0:
        found: dict[str, Any] = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        return found
    if (folder / FAILURE).exists():
        failure = json.loads((folder / FAILURE).read_text(encoding="utf-8"))
        if failure["is_permanent"]:
            raise PermanentError(failure["words"], hint=failure["hint"])
        raise RuntimeError(failure["words"])
    words = _ENDED_BY.findall((folder / LOG).read_text(encoding="utf-8", errors="replace"))
    raise RuntimeError(f"the trainer's processes ended with status {status}: {words[-1] if words else 'no message'}")


def work(folder: Path) -> None:
    """Do this process's part of the job in `folder`.

    The first one leaves steps and result there; who fails leaves why.
    """
    threading.Thread(target=_end_with_worker, daemon=True).start()
    # Written by `run`, in a folder of its own.
    path, rows, arguments = pickle.loads((folder / JOB).read_bytes())  # noqa: S301
    try:
        with (folder / STEPS).open("a", encoding="utf-8", buffering=1) as steps:

            def watch(done: int, of: int, figures: Mapping[str, float]) -> None:
                if is_first():
                    steps.write(json.dumps([done, of, dict(figures)]) + "\n")

            found = import_string(path)(*rows, watch=watch, **arguments)
    except Exception as exc:
        _leave(
            folder / FAILURE,
            {
                "is_permanent": isinstance(exc, PermanentError),
                "words": exc.message if isinstance(exc, EcomsiteError) else f"{type(exc).__name__}: {exc}",
                "hint": getattr(exc, "hint", ""),
            },
        )
        raise
    if is_first():
        _leave(folder / RESULT, found)


def _leave(path: Path, values: dict[str, Any]) -> None:
    """Write `values`, unless another did: the first failure is the cause of the others."""
    with suppress(FileExistsError), path.open("x", encoding="utf-8") as stream:
        json.dump(values, stream)


def _end_with_worker() -> None:
    os.read(sys.stdin.fileno(), 1)  # nothing is ever written to it
    os._exit(1)
