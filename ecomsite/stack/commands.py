"""The commands of our own workers and of beat, and of the web server."""

from __future__ import annotations

import sys
from pathlib import Path

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


def beat_command(schedule: Path, *, app: str = "ecomsite") -> list[str | Path]:
    """Return the command of beat, which keeps in `schedule` when it last asked for what."""
    celery = Path(sys.executable).with_name("celery")
    return [celery, "-A", app, "beat", "--schedule", schedule, "--pidfile=", "--loglevel", "INFO"]
