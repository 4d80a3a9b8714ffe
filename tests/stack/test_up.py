"""The whole desk with one command: up, status, a second up, a kill, up again with everything kept, down."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from ecomsite.env import BASE_DIR, read_env_file
from ecomsite.stack import roles
from ecomsite.stack.ports import free_port
from tests.model_store import PreparedModels, link_into, prepared_models

__all__ = ["prepared_models"]
pytestmark = [pytest.mark.label_studio, pytest.mark.model, pytest.mark.timeout(900)]

# What the session's own servers told this process must not reach the desk under test.
OURS = ("DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY", "DJANGO_", "LABEL_STUDIO", "ECOMSITE")
# The broker gets none: its usual one is taken.
PORTS = ("ECOMSITE_PORT", "LABEL_STUDIO_PORT", "ECOMSITE_POSTGRES_PORT")

Manage = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def usual_broker_port_taken() -> Iterator[None]:
    """Somebody else listens where the broker usually does: we do, unless another does already."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            sock.bind(("127.0.0.1", 16379))
            sock.listen()
        yield


@pytest.fixture
def manage(folder: Path) -> Iterator[Manage]:
    """Return a function that runs a `manage.py` command on a desk of its own; the desk is stopped at the end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environment |= {name: str(free_port()) for name in PORTS}
    environment["ECOMSITE_VAR"] = str(folder)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    yield run
    run("down")


def state(folder: Path) -> dict[str, Any]:
    """What the supervisor says about itself."""
    return dict(json.loads((folder / "stack.json").read_text()))


def env_of(folder: Path) -> dict[str, str]:
    """What the desk wrote down for every command."""
    return read_env_file(folder / "stack.env")


def parts(folder: Path) -> dict[str, int]:
    """Name → pid of what runs."""
    return {part["name"]: part["pid"] for part in state(folder)["parts"]}


@pytest.mark.slow("it starts the whole desk twice, and makes Label Studio's tables")
@pytest.mark.usefixtures("usual_broker_port_taken")
def test_the_desk_starts_with_one_command_and_keeps_everything_when_it_is_killed(
    manage: Manage,
    folder: Path,
    running_in: Callable[[Path], dict[int, str]],
    wait_until: Callable[..., None],
    prepared_models: PreparedModels,
) -> None:
    link_into(folder / "artifacts", prepared_models)
    up = manage("up", "--detach", "--no-demo")
    assert up.returncode == 0, up.stdout + up.stderr
    assert "ecomsite is up" in up.stdout
    assert "reviewer@example.com" in up.stdout
    assert "Port 16379 (for broker) is already in use" in up.stdout
    assert "Port 16379 (for broker) is already in use" in manage("status").stdout
    told = urlsplit(read_env_file(folder / "stack.env")["CELERY_BROKER_URL"]).port
    assert [told] == [part["port"] for part in state(folder)["parts"] if part["name"] == "broker"]
    assert told != 16379
    wait_until(lambda: manage("status").returncode == 0, seconds=180)
    started = parts(folder)
    assert set(started) == {
        "postgres",
        "broker",
        "label-studio",
        "web",
        "worker-default",
        "worker-external",
        "worker-webhooks",
        "worker-gpu",
        "worker-training",
        "beat",
    }
    for name in (
        "stack.env",
        "owner.env",
        "logins.txt",
        "postgres/password",
        "postgres/password-ecomsite_owner",
        "broker/password",
        "broker/valkey.conf",
    ):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name

    users = {"ecomsite": roles.DESK, "labelstudio": roles.LABEL_STUDIO}
    with psycopg.connect(env_of(folder)["DATABASE_URL"]) as connection:
        seen = "SELECT DISTINCT datname, usename FROM pg_stat_activity WHERE backend_type = 'client backend'"
        at_work = dict(connection.execute(seen).fetchall())
        assert at_work["ecomsite"] == roles.DESK
        assert at_work.items() <= users.items(), "all parts have the least rights"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("ALTER TABLE audit_ledgerentry DISABLE TRIGGER ALL")

    second = manage("up")
    assert second.returncode != 0
    assert "Already running (pid" in second.stderr
    assert "/console/" in second.stderr

    os.kill(started["worker-training"], signal.SIGKILL)
    wait_until(lambda: parts(folder)["worker-training"] not in (None, started["worker-training"]))

    kept = read_env_file(folder / "stack.env"), (folder / "logins.txt").read_bytes()
    with psycopg.connect(kept[0]["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("UPDATE auth_user SET first_name = 'Kept' WHERE username = 'reviewer@example.com'")
    os.kill(state(folder)["pid"], signal.SIGKILL)
    wait_until(lambda: not running_in(folder), seconds=60)
    down = manage("status")
    assert down.returncode != 0
    assert "Not running" in down.stderr

    began = time.monotonic()
    again = manage("up", "--detach", "--no-demo")
    assert again.returncode == 0, again.stdout + again.stderr
    # 30 s on two cores of one's own; these may be shared.
    assert time.monotonic() - began < 240
    assert kept == (read_env_file(folder / "stack.env"), (folder / "logins.txt").read_bytes())
    with psycopg.connect(kept[0]["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT first_name FROM auth_user WHERE username LIKE 'reviewer@%'").fetchone() == (
            "Kept",
        )

    assert manage("down").returncode == 0
    wait_until(lambda: not running_in(folder))
