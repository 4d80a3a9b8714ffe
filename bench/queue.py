"""Claims per second by `core.leases.claim` against raw SQL, alone, in batches, and under an old snapshot.

Eight processes claim and commit on one embedded PostgreSQL (fsync and synchronous_commit on). The reference is pgbench
with the statement that a queue in SQL would use. Each round runs all arms, so that a busy machine is as unfair to each.
The table is GenerationRequest, our widest; a second database has a million finished rows in it as well.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import argparse  # noqa: E402
import datetime as dt  # noqa: E402
import json  # noqa: E402
import multiprocessing  # noqa: E402
import os  # noqa: E402
import re  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402

import django  # noqa: E402
import psycopg  # noqa: E402

from ecomsite.stack.ports import free_port  # noqa: E402
from ecomsite.stack.postgres import Postgres, find_binaries  # noqa: E402

CLIENTS, ROUNDS, SECONDS, FINISHED = 8, 5, 5.0, 1_000_000
RAW_MUST, BATCH, BATCH_MUST, PRESSURE_MUST = 0.4, 32, 8.0, 0.7
MINUTE = dt.timedelta(minutes=1)
TABLE = "moderation_generationrequest"
# What a queue in SQL does; it sends the row back, as ours does, and nobody reads it.
RAW = f"""
WITH claimed AS (
    SELECT id FROM {TABLE}
    WHERE status = 'queued' AND quarantined_at IS NULL AND (lease_expires_at IS NULL OR lease_expires_at < now())
    ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE {TABLE} AS r
SET status = 'generating', lease_token = gen_random_uuid(), lease_expires_at = now() + interval '1 minute',
    n_attempts = n_attempts + 1
FROM claimed WHERE r.id = claimed.id RETURNING r.*;
""".replace("\n", " ")
ROWS = """
INSERT INTO moderation_generationrequest (id, product_id, channel, locale, facts_hash, prompt_version, alias, round,
    n_candidates, params, status, created_at, finished_at, n_attempts, last_error)
SELECT gen_random_uuid(), p.id, 'description', 'en', md5('{status}' || n) || md5('x' || n), '2026-01', 'champion', 1,
    3, '{{"temperature": 0.7}}', '{status}', now() - interval '1 day' + n * interval '1 ms', {finished_at}, {n_attempts}, ''
FROM catalog_product AS p, generate_series(1, {n}) AS n WHERE p.sku = 'BENCH'
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each arm runs in each round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecomsite-bench-") as name:
        root = Path(name)
        root.chmod(0o755)
        server = Postgres(root / "postgres", free_port(), settings={"shared_buffers": "512MB"})
        server.start()
        try:
            run(server, rounds=options.rounds, seconds=options.seconds)
        finally:
            server.stop()


def run(server: Postgres, *, rounds: int, seconds: float) -> None:
    clean, full = _databases(server)
    arms: dict[str, Callable[[], float]] = {
        "raw SQL": lambda: raw(clean, seconds),
        "ours": lambda: ours(clean, seconds, n=1),
        f"ours, {BATCH} at once": lambda: ours(clean, seconds, n=BATCH),
        "ours, under pressure": lambda: ours(full, seconds, n=1, pressed=True),
        "raw SQL, under pressure": lambda: raw(full, seconds, pressed=True),
    }
    rates: dict[str, list[float]] = {arm: [] for arm in arms}
    for _ in range(rounds):
        for arm, measure in arms.items():
            rates[arm].append(measure())
    with psycopg.connect(clean) as connection:
        names = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
        shown = {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in names}
    print(
        f"{CLIENTS} clients, {rounds} rounds of {seconds:g} s, {os.cpu_count()} cores, "
        f"Python {sys.version.split()[0]}, PostgreSQL {shown}"
    )
    print("rows claimed and committed in a second: median (quartiles)")
    for arm, values in rates.items():
        low, _, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
        print(f"  {arm:24s} {statistics.median(values):9.0f}  ({low:.0f} to {high:.0f})")
    plain, batched, pressed = rates["ours"], rates[f"ours, {BATCH} at once"], rates["ours, under pressure"]
    bars = [
        _bar("queue: ours / raw SQL", plain, rates["raw SQL"], RAW_MUST),
        _bar(f"queue: {BATCH} at once / one at a time", batched, plain, BATCH_MUST),
        _bar("queue: a million finished rows and an old snapshot / clean", pressed, plain, PRESSURE_MUST),
    ]
    for bar in bars:
        print(json.dumps(bar))
    print(json.dumps({**bars[0], "name": "queue", "pass": all(bar["pass"] for bar in bars)}))


def _bar(name: str, ours: list[float], reference: list[float], must: float) -> dict[str, object]:
    ratio = statistics.median(a / b for a, b in zip(ours, reference, strict=True))
    return {
        "name": name,
        "ours": round(statistics.median(ours)),
        "reference": round(statistics.median(reference)),
        "ratio": round(ratio, 2),
        "must": must,
        "pass": ratio >= must,
    }


# --- The arms ----------------------------------------------------------------------------------------------------


def raw(url: str, seconds: float, *, pressed: bool = False) -> float:
    """Return claims a second by pgbench."""
    with (
        _queue_of(url, n=int(seconds * 8_000), pressed=pressed),
        tempfile.NamedTemporaryFile("w", suffix=".sql") as script,
    ):
        script.write(RAW)
        script.flush()
        command = [
            find_binaries() / "pgbench",
            "-n",
            "-c",
            str(CLIENTS),
            "-j",
            "2",
            "-T",
            str(round(seconds)),
            "-f",
            script.name,
            url,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        _assert_not_empty(url)
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.M)
    assert found, done.stdout
    return float(found[1])


def ours(url: str, seconds: float, *, n: int, pressed: bool = False) -> float:
    """Return rows a second by `CLIENTS` processes that call `core.leases.claim` for `n` rows."""
    context = multiprocessing.get_context("fork")
    with _queue_of(url, n=int(seconds * (4_000 if n == 1 else 25_000)), pressed=pressed):
        ready, counts = context.Barrier(CLIENTS), context.Queue()
        workers = [context.Process(target=_claim, args=(url, seconds, n, ready, counts)) for _ in range(CLIENTS)]
        for worker in workers:
            worker.start()
        total = sum(counts.get(timeout=seconds + 120) for _ in workers)
        for worker in workers:
            worker.join()
        _assert_not_empty(url)
    return total


def _claim(url: str, seconds: float, n: int, ready: object, counts: object) -> None:
    os.environ["DATABASE_URL"] = url
    django.setup()
    from core import leases
    from moderation.models.candidates import GenerationRequest

    queued = leases.claimable(GenerationRequest.objects.filter(status="queued").order_by("created_at", "pk"))
    claimed = leases.claim(queued, n=n, duration=MINUTE, status="generating")
    assert len(claimed) == n
    ready.wait(120)
    started, taken = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        taken += len(leases.claim(queued, n=n, duration=MINUTE, status="generating"))
    counts.put(taken / (time.perf_counter() - started))


# --- The scene ---------------------------------------------------------------------------------------------------


def _databases(server: Postgres) -> tuple[str, str]:
    """Make a database with a queue alone, and one with `FINISHED` finished rows beside it; return their addresses."""
    server.create_database("clean")
    clean, full = server.url("clean"), server.url("full_table")
    os.environ |= {"DATABASE_URL": clean, "DJANGO_SETTINGS_MODULE": "ecomsite.settings", "SECRET_KEY": "x" * 60}
    subprocess.run([sys.executable, ROOT / "manage.py", "migrate", "-v", "0"], check=True)
    with psycopg.connect(clean) as connection:
        connection.execute(
            "INSERT INTO catalog_product (sku, title, localized_titles, locale, brand, category, description, currency, "
            "image_url, facts_hash, source, created_at, updated_at) "
            "VALUES ('BENCH', 'Mug', '{}', 'en', '', '', '', '', '', '', '', now(), now())"
        )
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE full_table TEMPLATE clean")
    with psycopg.connect(full, autocommit=True) as connection:
        connection.execute(ROWS.format(status="completed", n=FINISHED, finished_at="now()", n_attempts=0))
        connection.execute("VACUUM ANALYZE")
    return clean, full


@contextmanager
def _queue_of(url: str, *, n: int, pressed: bool) -> Iterator[None]:
    """Fill the queue with `n` rows; with `pressed`, a session holds a snapshot from before the first claim."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DELETE FROM {TABLE} WHERE status <> 'completed'")
        connection.execute(ROWS.format(status="queued", n=n, finished_at="NULL", n_attempts=0))
        connection.execute(f"VACUUM ANALYZE {TABLE}")
        connection.execute("CHECKPOINT")
    with psycopg.connect(url, options="-c idle_in_transaction_session_timeout=0") as idle:
        if pressed:
            idle.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            idle.execute(f"SELECT 1 FROM {TABLE} LIMIT 1")
        yield
        idle.rollback()


def _assert_not_empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        (left,) = connection.execute(f"SELECT count(*) FROM {TABLE} WHERE status = 'queued'").fetchone()
    assert left, "the queue ran dry: the rate is not that of claiming"


if __name__ == "__main__":
    main()
