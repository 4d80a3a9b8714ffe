"""The embedded PostgreSQL and broker keep what they were given, keep it private, and survive being killed."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from core.exceptions import PermanentError
from ecomsite.stack.broker import Broker
from ecomsite.stack.ports import free_port
from ecomsite.stack.postgres import Postgres


@pytest.fixture
def broker(folder: Path) -> Iterator[Broker]:
    broker = Broker(folder / "broker", free_port())
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def postgres(folder: Path) -> Iterator[Postgres]:
    postgres = Postgres(folder / "postgres", free_port())
    postgres.start()
    yield postgres
    postgres.stop()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_messages_survive_the_broker_being_killed(broker: Broker) -> None:
    with redis.Redis.from_url(broker.url()) as client:
        client.lpush("default", "a hint")
        # Written out every second: what was there before the last second is what must survive.
        client.execute_command("WAITAOF", 1, 0, 5000)
    assert broker.child is not None
    assert broker.child.pid
    os.kill(broker.child.pid, signal.SIGKILL)
    assert broker.child.process is not None
    broker.child.process.wait()
    broker.start()
    with redis.Redis.from_url(broker.url()) as client:
        assert client.lrange("default", 0, -1) == [b"a hint"]


def test_the_broker_answers_nobody_without_the_password(broker: Broker) -> None:
    with redis.Redis(port=broker.port) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_the_broker_password_is_in_private_files_and_not_in_the_arguments(broker: Broker) -> None:
    assert mode(broker.password_file) == mode(broker.config_file) == 0o600
    assert broker.child is not None
    assert broker.password.encode() not in Path(f"/proc/{broker.child.pid}/cmdline").read_bytes()


def test_rows_survive_the_database_being_killed(postgres: Postgres) -> None:
    postgres.create_database("shop", extensions=("vector", "pg_trgm"))
    with psycopg.connect(postgres.url("shop"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT '[1,2]'::vector AS v")
    assert postgres.child is not None
    assert postgres.child.pid
    os.kill(postgres.child.pid, signal.SIGKILL)
    assert postgres.child.process is not None
    postgres.child.process.wait()
    postgres.start()
    postgres.create_database("shop", extensions=("vector", "pg_trgm"))
    with psycopg.connect(postgres.url("shop")) as connection:
        assert connection.execute("SELECT v <-> '[1,3]'::vector FROM kept").fetchone() == (1.0,)


def test_the_database_password_is_private_and_needed(postgres: Postgres) -> None:
    assert mode(postgres.password_file) == 0o600
    assert mode(postgres.data) == 0o700
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://app:wrong@127.0.0.1:{postgres.port}/postgres")


def test_a_pid_file_that_names_a_stranger_does_not_keep_the_database_from_starting(postgres: Postgres) -> None:
    postgres.stop()
    pid_file = postgres.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{postgres.data}\n0\n{postgres.port}\n\n127.0.0.1\n0\nready\n")
    postgres.start()
    with psycopg.connect(postgres.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_interrupted_first_start_leaves_no_half_made_cluster(folder: Path) -> None:
    root = folder / "postgres"
    (root / "data.unfinished" / "base").mkdir(parents=True)
    postgres = Postgres(root, free_port())
    postgres.start()
    postgres.stop()
    assert not (root / "data.unfinished").exists()


def test_a_database_that_cannot_start_says_why(postgres: Postgres, folder: Path) -> None:
    second = Postgres(folder / "second", postgres.port)
    with pytest.raises(PermanentError, match="could not bind"):
        second.start()
    assert second.child is not None
    assert not second.child.running
