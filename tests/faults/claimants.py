"""Claimants that work through a queue while they are killed and paused at random; run as a program by its test.

    python -m tests.faults.claimants --claimants 16 --seed 7

Each item is one row in the table `effect`, which would show a second one. Prints what happened as JSON.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import signal
import time
from dataclasses import dataclass, field
from typing import Any

import django
import psycopg

from ecomsite.stack.processes import die_with_parent

LEASE = dt.timedelta(seconds=2)
BATCH = 8
WORK_S = 0.004  # what an item takes, at most: long enough to be hit in the middle
PAUSED_AT_ONCE = 4
HELD = "SELECT id FROM moderation_generationrequest WHERE alias = %s AND lease_expires_at > now() AND status = 'queued'"


@dataclass
class Hit:
    """A fault that hit somebody who held leases."""

    kind: str
    at: float
    items: list[Any]


@dataclass
class Account:
    """What was done to the claimants."""

    kills: int = 0
    pauses: int = 0
    hits: list[Hit] = field(default_factory=list)


def work(seed: int) -> None:
    """Claim, work, and write each effect under the fence, until nothing is left."""
    from django.db import transaction

    from core import leases
    from core.exceptions import LeaseLost
    from moderation.models.candidates import GenerationRequest

    django.db.connections.close_all()
    rng = random.Random(seed)
    queue = leases.claimable(GenerationRequest.objects.filter(status="queued").order_by("created_at", "pk"))
    while True:
        # The alias says to whoever hits us what we hold.
        rows = leases.claim(queue, n=rng.randint(1, BATCH), duration=LEASE, alias=str(os.getpid()))
        if not rows:
            time.sleep(0.05)
        with leases.heartbeat(rows, duration=LEASE):
            for row in rows:
                time.sleep(rng.uniform(0, WORK_S))
                try:
                    with transaction.atomic():
                        leases.hold(row)
                        _write("INSERT INTO effect (item) VALUES (%s)", row.pk)
                        leases.release([row], n_attempts=0, status="completed")
                except LeaseLost:
                    _write("INSERT INTO refused (item) VALUES (%s)", row.pk)


def _write(statement: str, item: object) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, [item])


class Chaos:
    """Keeps `n` claimants running and hits them at random until all items are done."""

    def __init__(self, view: psycopg.Connection, *, n: int, rng: random.Random) -> None:
        self.view, self.n, self.rng = view, n, rng
        self.account = Account()
        self.running: dict[int, float | None] = {}  # pid → when a paused one goes on

    def run(self, *, deadline: float) -> None:
        try:
            while self._left():
                if time.monotonic() > deadline:
                    raise SystemExit(f"{self._left()} items are left")
                self._fill()
                time.sleep(self.rng.uniform(0.02, 0.3))
                self._hit()
        finally:
            for pid in self.running:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def _left(self) -> int:
        (left,) = self.view.execute(
            "SELECT count(*) FROM moderation_generationrequest WHERE status = 'queued'"
        ).fetchone()
        return int(left)

    def _fill(self) -> None:
        while len(self.running) < self.n:
            seed, die = self.rng.randrange(2**31), die_with_parent()
            pid = os.fork()
            if pid == 0:
                die()
                try:
                    work(seed)
                finally:
                    os._exit(1)  # not our parent's exit handlers, nor its connection
            self.running[pid] = None

    def _hit(self) -> None:
        now = time.monotonic()
        for pid, until in self.running.items():
            if until is not None and until < now:
                os.kill(pid, signal.SIGCONT)
                self.running[pid] = None
        awake = [pid for pid, until in self.running.items() if until is None]
        victim = self.rng.choice(awake)
        if len(self.running) - len(awake) < PAUSED_AT_ONCE and self.rng.random() < 0.5:
            self.account.pauses += 1
            os.kill(victim, signal.SIGSTOP)
            self._note("pause", victim)
            self.running[victim] = now + LEASE.total_seconds() + self.rng.uniform(0.5, 3)
        else:
            self.account.kills += 1
            # Frozen first, so that what it holds is what it held when it died.
            os.kill(victim, signal.SIGSTOP)
            self._note("kill", victim)
            os.kill(victim, signal.SIGKILL)
            os.waitpid(victim, 0)
            del self.running[victim]

    def _note(self, kind: str, pid: int) -> None:
        if items := [item for (item,) in self.view.execute(HELD, [str(pid)])]:
            self.account.hits.append(Hit(kind, time.time(), items))


def judge(view: psycopg.Connection, account: Account) -> dict[str, Any]:
    """Compare the effects with the items and the hits."""
    effects = dict(view.execute("SELECT item, extract(epoch FROM min(at))::float FROM effect GROUP BY item").fetchall())

    def count(statement: str) -> int:
        return int(view.execute(statement).fetchone()[0])

    return {
        "items": count("SELECT count(*) FROM moderation_generationrequest"),
        "lost": count("SELECT count(*) FROM moderation_generationrequest WHERE id NOT IN (SELECT item FROM effect)"),
        "done_twice": count("SELECT count(*) FROM (SELECT 1 FROM effect GROUP BY item HAVING count(*) > 1) AS twice"),
        "unexpected": count(
            "SELECT count(*) FROM effect WHERE item NOT IN (SELECT id FROM moderation_generationrequest)"
        ),
        "quarantined": count("SELECT count(*) FROM moderation_generationrequest WHERE quarantined_at IS NOT NULL"),
        "writes_refused": count("SELECT count(*) FROM refused"),
        "kills": account.kills,
        "kills_of_a_holder": sum(hit.kind == "kill" for hit in account.hits),
        "pauses": account.pauses,
        "pauses_of_a_holder": sum(hit.kind == "pause" for hit in account.hits),
        "items_hit": sum(len(hit.items) for hit in account.hits),
        "lease_s": LEASE.total_seconds(),
        "longest_stranded_s": round(
            max((effects[i] - hit.at for hit in account.hits for i in hit.items), default=0), 1
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claimants", type=int, default=16)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=60, help="give up after so long")
    options = parser.parse_args()
    django.setup()
    started = time.monotonic()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as view:
        chaos = Chaos(view, n=options.claimants, rng=random.Random(options.seed))
        chaos.run(deadline=started + options.seconds)
        result = judge(view, chaos.account)
    print(json.dumps({**result, "seconds": round(time.monotonic() - started, 1), "seed": options.seed}))  # noqa: T201


if __name__ == "__main__":
    main()
