"""Sixteen claimants, killed and paused past their lease at random: each item is done once, and none is left lying."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests import factories
from tests.workers import environment

pytestmark = pytest.mark.django_db(transaction=True)
GRACE_S = 30  # an item may lie that long beyond the lease of who was hit


@pytest.fixture
def effects() -> Iterator[None]:
    """Tables without a constraint, so that a second effect would show."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE effect (item uuid, at timestamptz DEFAULT clock_timestamp())")
        cursor.execute("CREATE TABLE refused (item uuid)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE effect, refused")


def queue(n: int) -> None:
    """Queue `n` requests."""
    row = factories.generation_request()
    columns = [field.column for field in type(row)._meta.concrete_fields]
    values = [{"id": "gen_random_uuid()", "facts_hash": "md5(n::text)"}.get(column, column) for column in columns]
    table = type(row)._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table}, generate_series(2, %s) n",
            [n],
        )
        cursor.execute(f"ANALYZE {table}")


def run(*, seed: int, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.faults.claimants", "--seed", str(seed), "--seconds", str(seconds)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=seconds + 30)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print("\n" + "\n".join(f"  {name:20s} {value}" for name, value in found.items()))  # noqa: T201
    return found


def check(found: dict[str, Any], *, items: int) -> None:
    assert found["items"] == items
    assert (found["lost"], found["done_twice"], found["unexpected"], found["quarantined"]) == (0, 0, 0, 0)
    assert found["longest_stranded_s"] <= found["lease_s"] + GRACE_S
    assert found["kills_of_a_holder"], "no kill hit anybody who held a lease: nothing was shown"
    assert found["pauses_of_a_holder"], "no pause hit anybody who held a lease: nothing was shown"
    assert found["writes_refused"], "nobody who lost a lease tried to write: the fence was not tried"


def test_killed_and_paused_claimants_do_each_item_once(effects) -> None:
    queue(3_000)
    check(run(seed=7, seconds=90), items=3_000)


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_killed_and_paused_claimants_do_each_of_100_000_items_once(effects) -> None:
    queue(100_000)
    check(run(seed=11, seconds=1500), items=100_000)
