"""Servers of one's own in place of the embedded ones: the whole desk on this machine's PostgreSQL, Redis and RabbitMQ."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
from kombu import Connection
from psycopg import sql

from ecomsite.env import BASE_DIR
from ecomsite.stack.label_studio import LabelStudio
from ecomsite.stack.ports import free_port
from tests.model_store import PreparedModels, link_into, prepared_models
from tests.workers import wait_for

POSTGRES = os.environ.get("ECOMSITE_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
BROKERS = {
    "Redis": os.environ.get("ECOMSITE_TEST_REDIS_URL", "redis://127.0.0.1:6379/9"),
    "RabbitMQ": os.environ.get("ECOMSITE_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//"),
}
QUEUES = ("default", "external", "webhooks", "gpu", "training")
__all__ = ["prepared_models"]
pytestmark = [pytest.mark.label_studio, pytest.mark.model, pytest.mark.timeout(600), pytest.mark.long]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """An empty database on the machine's own PostgreSQL."""
    name = f"ecomsite_test_{os.getpid()}"
    try:
        with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.OperationalError as exc:
        pytest.skip(f"no PostgreSQL of this machine's own (ECOMSITE_TEST_POSTGRES_URL): {exc}")
    yield f"{POSTGRES.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory, prepared_models: PreparedModels) -> Path:
    """One folder for all runs of the module, with the models that another desk of these tests prepared."""
    folder = tmp_path_factory.mktemp("external")
    link_into(folder / "artifacts", prepared_models)
    return folder


@pytest.fixture(params=["RabbitMQ", "Redis"])
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a broker of the machine's own; what the desk left in it is removed."""
    url = BROKERS[request.param]
    try:
        with Connection(url, connect_timeout=3) as connection:
            connection.ensure_connection(max_retries=1, timeout=3)
    except Exception as exc:
        pytest.skip(f"no {request.param} on this machine: {exc}")
    yield url
    with Connection(url) as connection:
        for name in QUEUES:
            connection.default_channel.queue_delete(name)


def test_the_desk_runs_on_servers_of_ones_own(
    database: str, broker: str, label_studio_server: LabelStudio, var: Path
) -> None:
    port = free_port()
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("LABEL_STUDIO", "DJANGO"))},
        "ECOMSITE_VAR": str(var),
        "ECOMSITE_PORT": str(port),
        "DATABASE_URL": database,
        "CELERY_BROKER_URL": broker,
        "LABEL_STUDIO_URL": label_studio_server.url,
        "LABEL_STUDIO_TOKEN": label_studio_server.token,
    }
    manage = [sys.executable, str(BASE_DIR / "manage.py")]
    up = subprocess.run(
        [*manage, "up", "--detach", "--no-demo"], env=env, capture_output=True, text=True, timeout=400, check=False
    )
    try:
        assert up.returncode == 0, up.stdout + up.stderr
        state = json.loads((var / "stack.json").read_text())
        parts = {part["name"] for part in state["parts"]}
        assert parts.isdisjoint({"postgres", "broker", "label-studio"}), "nothing embedded was started"

        def ready() -> bool:
            try:
                with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
                    return answer.status == 200 and json.load(answer)["status"] == "ready"
            except OSError:  # not ready is an error to it
                return False

        wait_for(ready, seconds=180, what="every queue to let work through")
    finally:
        down = subprocess.run([*manage, "down"], env=env, capture_output=True, text=True, timeout=120, check=False)
    assert down.returncode == 0, down.stdout + down.stderr
