"""What takes long to import and reads no setting: loaded once, in the process that warm ones are forked from.

Nothing of ecomsite is imported here: it reads the environment when it is, and each process has one of its own.
"""

from __future__ import annotations

import atexit
import ctypes
import importlib
import io
import os
import runpy
import signal
import sys
import threading
import traceback
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULES = (
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.concurrency.solo",
    "celery.concurrency.thread",
    "celery.worker.consumer",
    "kombu.transport.redis",
    "kombu.transport.pyamqp",
    "redis",
    "django.core.management",
    "django.db.models",
    "django.db.backends.postgresql.base",
    "django.template.backends.django",
    "django.views.generic",
    "django.forms",
    "httpx",
    "pydantic",
    "cryptography.x509",
    "c2patxt",
    "yaml",
    "nh3",
    "rich.console",
    "torch",
    "transformers",
    "transformers.models.bert",
    "peft",
    "sklearn.linear_model",
    "safetensors.torch",
    "datasets",
    *(
        f"label_studio_sdk.{name}.client"
        for name in ("actions", "organizations", "projects", "tasks", "users", "webhooks")
    ),
    "label_studio_sdk.client",
)


def load() -> None:
    """Import them all."""
    for name in MODULES:
        importlib.import_module(name)


def end_with_parent() -> None:
    """Have the kernel kill this process when the one that started it dies (Linux, PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def become(arguments: list[str], env: dict[str, str], log: Path, given: str) -> None:
    """Become `python ARGUMENTS` as far as the code that runs can tell; `given` is its standard input."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number in (1, 2):
        os.dup2(out, number)
    sys.stdin = io.StringIO(given)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(ROOT)
    kind, *rest = arguments
    status = 0
    try:
        if kind == "-c":
            sys.argv = ["-c", *rest[1:]]
            exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
        elif kind == "-m":
            sys.argv = rest
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        else:
            sys.argv = arguments
            runpy.run_path(kind, run_name="__main__")
    except SystemExit as exc:
        status = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    # What the interpreter does at its end; a forked child of multiprocessing skips it.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
