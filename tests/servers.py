"""The real servers of a test session, one of each for all of its processes, and a database of its own for each process.

The first process to come here (the one that pytest was started as) starts PostgreSQL and the broker and says so in its
environment, which the processes that pytest-xdist starts inherit.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from filelock import FileLock
from psycopg import sql

# The name of this process among those of pytest-xdist: gw0, gw1, …
PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "main")
# What the first process tells the others; not for people to set.
ROOT, SERVER_URL, BROKER_URL = "ECOMSITE_TEST_ROOT", "ECOMSITE_TEST_SERVER_URL", "ECOMSITE_TEST_BROKER_URL"
# What survives a crash of the machine is not asked of this cluster: the desks of tests/faults have one that syncs.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}


def root() -> Path:
    """Return the folder of the session, made by the first to ask."""
    if ROOT not in os.environ:
        if os.geteuid() == 0 and not _others_may_enter(Path(tempfile.gettempdir()).resolve()):
            # As root PostgreSQL runs as nobody, who enters no TMPDIR below a private home.
            os.environ["TMPDIR"] = tempfile.tempdir = "/tmp"  # noqa: S108
        path = Path(tempfile.mkdtemp(prefix="ecomsite-test-"))
        path.chmod(0o755)
        os.environ[ROOT] = str(path)
        atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(os.environ[ROOT])


def _others_may_enter(path: Path) -> bool:
    # As `can_reach` of ecomsite.stack.within_reach, which cannot be imported before ECOMSITE_VAR is set.
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def start() -> None:
    """Start what the session has not started yet, and set the environment that the settings of this process read."""
    # Tests keep out of the var/ of a desk that runs here, and of each other's.
    os.environ.setdefault("PROOFREAD_DRAFTS", "0")  # its dictionary takes seconds to load; test_proofreading has it
    os.environ["ECOMSITE_VAR"] = str(root() / f"var-{PROCESS}")
    if SERVER_URL not in os.environ:
        _start_postgres()
        _start_broker()
    os.environ["DATABASE_URL"] = url_of(database_of(PROCESS))
    number = int(PROCESS.removeprefix("gw")) + 1 if PROCESS != "main" else 0
    os.environ["CELERY_BROKER_URL"] = f"{os.environ[BROKER_URL]}/{number}"
    # Two processes on two cores with two threads each wait for each other: what learns took three times as long.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("INFERENCE_CALIBRATION", "false")  # which precision is fastest must not depend on the day
    os.environ.setdefault("SECRET_KEY", "only-for-tests-0123456789-0123456789-0123456789-abcdef")
    os.environ.setdefault("LABEL_STUDIO_WEBHOOK_SECRET", "only-for-tests")
    os.environ.setdefault("LABEL_STUDIO_DOOR_KEY", "only-for-tests")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")


# Imported in the functions: ecomsite reads ECOMSITE_VAR when it is imported.
def _start_postgres() -> None:
    """Start an embedded PostgreSQL, unless ECOMSITE_TEST_DATABASE_URL names a database on a server of one's own."""
    from ecomsite.stack.ports import free_port
    from ecomsite.stack.postgres import Postgres

    if url := os.environ.get("ECOMSITE_TEST_DATABASE_URL"):
        os.environ[SERVER_URL] = url
        # The server stays when the session ends: nothing of ours does.
        atexit.register(_drop_ours)
        return
    server = Postgres(root() / "postgres", free_port(), settings=FAST)
    server.start()
    os.environ[SERVER_URL] = server.url()
    atexit.register(server.stop)


def _start_broker() -> None:
    from ecomsite.stack.broker import Broker
    from ecomsite.stack.ports import free_port

    broker = Broker(root() / "broker", free_port())
    broker.start()
    os.environ[BROKER_URL] = broker.url().removesuffix("/0")
    atexit.register(broker.stop)


def database_of(name: str) -> str:
    """Return the name of a database of this session alone: on a server of one's own others may run at the same time."""
    return f"test_{root().name.replace('-', '_')}_{name}"


def url_of(database: str) -> str:
    """Return the URL of `database` on the session's server."""
    return urlunsplit(urlsplit(os.environ[SERVER_URL])._replace(path=f"/{database}"))


def create_database(name: str, *, template: str = "template1") -> None:
    """Create the database `name` anew as a copy of `template`, which nobody may be connected to."""
    drop_database(name)
    _execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))


def drop_database(name: str) -> None:
    """Drop the database `name`, whoever is connected to it."""
    _execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def copy_template(template: str, name: str, *, make: Callable[[str], None]) -> None:
    """Create the database `name` as a copy of one that the first process to come here has `make` fill."""
    source, unfinished = database_of(template), database_of(f"{template}_unfinished")
    with lock(template):
        if not _has_database(source):
            create_database(unfinished)
            make(unfinished)
            _execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(unfinished), sql.Identifier(source))
            )
        create_database(name, template=source)


def _has_database(name: str) -> bool:
    with psycopg.connect(os.environ[SERVER_URL], autocommit=True) as connection:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _drop_ours() -> None:
    with psycopg.connect(os.environ[SERVER_URL], autocommit=True) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [database_of("")])
        for (name,) in found.fetchall():
            drop_database(name)


def lock(name: str) -> FileLock:
    """Return a lock that one process of the session holds at a time."""
    return FileLock(root() / f"{name}.lock")


def _execute(statement: sql.Composed) -> None:
    with psycopg.connect(os.environ[SERVER_URL], autocommit=True) as connection:
        connection.execute(statement)
