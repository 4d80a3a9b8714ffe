"""The commands of our own workers and of beat, and of the web server."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ecomsite import env

# Queue → arguments of its worker; a worker each, so that nothing waits behind work of another kind. Models are loaded
# once, in a worker that does one thing at a time; training, which takes hours, must not hold up generation.
WORKER_POOLS = {
    "default": ("--pool", "prefork", "--concurrency", "1"),
    # Two: what is sent to Label Studio must not wait for a long sweep of what changed there.
    "external": ("--pool", "prefork", "--concurrency", "2"),
    # It does nothing but wait for receivers: threads are enough, and each waits for one of them.
    "webhooks": ("--pool", "threads", "--concurrency", "8"),
    "gpu": ("--pool", "solo"),
    "training": ("--pool", "solo"),
}

# The web server: one import of the application (--preload), shared by its processes.
WEB_OPTIONS = (
    *("--worker-class", "ecomsite.web.worker.WebWorker", "--workers", "2"),
    *("--preload", "--keep-alive", "5", "--graceful-timeout", "10", "--no-control-socket"),
)


def web_command(host: str, port: int) -> list[str | Path]:
    """Return the command of the web server, which listens on `port` of `host`."""
    return [
        *(Path(sys.executable).with_name("gunicorn"), "ecomsite.asgi", "--bind", f"{host}:{port}"),
        *WEB_OPTIONS,
    ]


def worker_command(queues: str, *, name: str, app: str = "ecomsite") -> list[str | Path]:
    """Return the command of the worker for `queues` (a key of `WORKER_POOLS`)."""
    return [
        *(Path(sys.executable).with_name("celery"), "-A", app, "worker"),
        *("--queues", queues, "--hostname", f"{name}@%h", "--loglevel", "INFO"),
        # Who else is there does not matter: work is claimed in the database.
        *("--without-gossip", "--without-mingle"),
        *WORKER_POOLS[queues],
    ]


def worker_threads(queues: str) -> int:
    """Return how many threads the numerical libraries of a worker may use.

    The worker of the models has all cores, that of training half of them. What the others count is too little to be
    shared between cores.
    """
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if queues == "gpu":
        return env.integer("INFERENCE_THREADS", 0) or n_cores
    return max(1, n_cores // 2) if queues == "training" else 1


def worker_environment(queues: str) -> dict[str, str]:
    """Return what the worker of `queues` has beside the environment of all. What the environment says itself stands."""
    own = {"OMP_NUM_THREADS": str(worker_threads(queues))}
    return {name: value for name, value in own.items() if name not in os.environ}


def beat_command(schedule: Path, *, app: str = "ecomsite") -> list[str | Path]:
    """Return the command of beat, which keeps in `schedule` when it last asked for what."""
    celery = Path(sys.executable).with_name("celery")
    return [celery, "-A", app, "beat", "--schedule", schedule, "--pidfile=", "--loglevel", "INFO"]
