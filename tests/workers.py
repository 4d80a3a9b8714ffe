"""Real Celery workers as processes of their own, on the database of the test and the session's real broker."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.db import connection

from audit import secrets
from tests import warm
from tests.warm import WarmProcess


def wait_for(condition: Callable[[], object], *, seconds: float = 90, what: str = "") -> object:
    """Poll `condition` until it is true and return its value; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds:g} s in vain{' for ' + what if what else ''}")


def environment() -> dict[str, str]:
    """Return the environment of a process that works on the test's own database."""
    url = urlsplit(os.environ["DATABASE_URL"])
    name = str(connection.settings_dict["NAME"])
    return {
        **os.environ,
        "DATABASE_URL": urlunsplit(url._replace(path=f"/{name}")),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONPATH": str(Path(__file__).parent.parent),
        **_ledger_keys(),
    }


def _ledger_keys() -> dict[str, str]:
    """Have other processes seal and sign as this one does: each test has keys of its own (`ledger_of_its_own`)."""
    own = settings.LEDGER
    sealing = secrets.secret(
        given=own.sealing_key, path=own.sealing_key_file, make=lambda: os.urandom(32).hex(), name="sealing"
    )
    signing = secrets.secret(given=own.key, path=own.key_file, make=_new_key, name="signing")
    return {
        "LEDGER_SEALING_KEY": sealing,
        "LEDGER_KEY": signing,
        "LEDGER_ANCHOR_FILE": str(own.anchor_file),
        "LEDGER_MARK_FILE": str(own.mark_file),
    }


def _new_key() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().strip()


@pytest.fixture
def start_worker(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., WarmProcess]]:
    """Return a function that starts a worker for some queues and waits until it consumes. All are stopped at the end."""
    started: list[WarmProcess] = []

    def start(
        queues: str,
        *,
        beat: bool = False,
        pool: Sequence[str] = ("--pool", "solo"),
        app: str = "ecomsite",
        **env: str,
    ) -> WarmProcess:
        log = tmp_path / f"worker-{len(started)}.log"
        name = f"{len(started)}-{os.getpid()}@tests"
        command = ["worker", *pool, "-Q", queues, "-n", name, "--without-gossip", "--without-mingle"]
        if beat:
            command = ["beat", "-s", str(tmp_path / "schedule")]
        arguments = ["-m", "celery", "-A", app, *command, "-l", "INFO"]
        process = WarmProcess(arguments, env=environment() | env, log=log)
        started.append(process)
        ready = b"beat: Starting" if beat else b" ready."

        def is_ready() -> bool:
            assert process.poll() is None, log.read_text()
            return ready in log.read_bytes()

        wait_for(is_ready, seconds=180, what=f"the worker of {queues}")
        return process

    yield start
    warm.stop(started)
