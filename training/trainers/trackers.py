"""Who hears of a run's losses besides the console: TensorBoard, and by setting Weights & Biases and MLflow.

transformers begins their runs and never ends them in a process that goes on, so the next training of the same worker
would be written into the last one's, or fail over parameters that differ: https://mlflow.org/docs/latest/ml/tracking/.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

# Name → what is installed for it.
PACKAGES: Mapping[str, str] = {"tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow-skinny"}


def problems(names: Sequence[str]) -> list[str]:
    """Return in words what keeps the trackers `names` from being reported to: unknown, or not installed."""
    unknown = [f"there is no tracker {name!r}; known: {', '.join(PACKAGES)}" for name in names if name not in PACKAGES]
    missing = [name for name in names if name in PACKAGES and find_spec(name) is None]
    return unknown + [f"{name} is not installed: pip install {PACKAGES[name]}" for name in missing]


@contextmanager
def runs_of_their_own(names: Sequence[str]) -> Iterator[None]:
    """End the runs that the trackers `names` began inside: as done, or as failed where an exception passes through."""
    try:
        yield
    except BaseException:
        _end(names, failed=True)
        raise
    _end(names, failed=False)


def _end(names: Sequence[str], *, failed: bool) -> None:
    if "wandb" in names and (wandb := sys.modules.get("wandb")):
        wandb.finish(exit_code=int(failed))
    if "mlflow" in names and (mlflow := sys.modules.get("mlflow")):
        mlflow.end_run(status="FAILED" if failed else "FINISHED")
