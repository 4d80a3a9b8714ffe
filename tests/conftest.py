"""The real servers of the test session. PostgreSQL and the broker start before Django reads its settings."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

import django
import pytest
from django.db import connection

from ecomsite.stack.broker import Broker
from ecomsite.stack.postgres import Postgres

pytest_plugins = ["tests.workers", "tests.label_studio_server"]


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _start_session_servers() -> None:
    """Start an embedded PostgreSQL (unless ECOMSITE_TEST_DATABASE_URL names a server) and an embedded broker."""
    root = Path(tempfile.mkdtemp(prefix="ecomsite-test-"))
    root.chmod(0o755)
    os.environ["ECOMSITE_VAR"] = str(root / "var")
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    if url := os.environ.get("ECOMSITE_TEST_DATABASE_URL"):
        os.environ["DATABASE_URL"] = url
    else:
        server = Postgres(root / "postgres", free_port())
        server.start()
        server.create_database("ecomsite")
        os.environ["DATABASE_URL"] = server.url("ecomsite")
        atexit.register(server.stop)
    broker = Broker(root / "broker", free_port())
    broker.start()
    os.environ["CELERY_BROKER_URL"] = broker.url()
    atexit.register(broker.stop)
    os.environ.setdefault("SECRET_KEY", "only-for-tests-0123456789-0123456789-0123456789-abcdef")
    os.environ.setdefault("LABEL_STUDIO_WEBHOOK_SECRET", "only-for-tests")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")


# Not in pyproject.toml: pytest-django would read the settings before the database they name is there.
_start_session_servers()
os.environ["DJANGO_SETTINGS_MODULE"] = "ecomsite.settings"
django.setup()
# A test is one transaction, and idle for longer than the desk lets any be while a session fixture prepares models.
connection.settings_dict["OPTIONS"].pop("options")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Let transactional tests empty the database between them: the ledger's own trigger would refuse the TRUNCATE."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_ledgerentry DISABLE TRIGGER audit_ledger_no_truncate")
