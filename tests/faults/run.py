"""One run: work flows, faults hit, the account is drawn up. `python -m tests.faults.run --help`."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults import brokers
from tests.faults.desk import TOKEN, Desk

if TYPE_CHECKING:
    from tests.faults.account import Account
    from tests.faults.in_flight import InFlight

MIN_RATIO = 0.95


@dataclass
class Row:
    """One fault in the table."""

    name: str
    found: InFlight
    recovered_s: float
    # Drafts a second: the mean of all windows before, and the window that begins 30 s after the fault.
    before: float = 0.0
    after: float = 0.0

    @property
    def ratio(self) -> float:
        return self.after / self.before if self.before else 0.0


class Run:
    """The desk, the work in it, and what happened to them."""

    def __init__(self, options: argparse.Namespace, desk: Desk) -> None:
        self.options, self.desk, self.rng = options, desk, random.Random(options.seed)
        self.rows: list[Row] = []
        self.ordered = self.reviews = 0
        self.overdue = self.looked_at = 0.0

    def feed(self) -> None:
        """Keep orders and reviews waiting, and note how long an expired lease lies about. Called while one waits."""
        from django.db import InterfaceError, OperationalError, connection

        from tests.faults import work

        if time.monotonic() < self.looked_at + 1:
            return
        self.looked_at = time.monotonic()
        try:
            requests, reviews = work.waiting.__wrapped__()  # type: ignore[attr-defined]
            self.overdue = max(self.overdue, work.longest_overdue.__wrapped__())  # type: ignore[attr-defined]
        except (OperationalError, InterfaceError):
            connection.close()
            return
        if requests < self.options.pending:
            self.order(self.options.pending)
        if not reviews:
            self.review(50)

    def order(self, n: int, *, poisoned: int = 0) -> None:
        from tests.faults import work

        work.order_copy(n, poisoned=poisoned)
        self.ordered += n + poisoned

    def review(self, n: int, *, poisoned: int = 0) -> None:
        from tests.faults import work

        work.receive_reviews(n, poisoned=poisoned)
        self.reviews += n + poisoned

    def rate(self) -> float:
        """Return drafts a second that reached the desk of a person, over a window from now on."""
        from django.utils import timezone

        from tests.faults import work

        start = timezone.now()
        self.desk.rest(self.options.window)
        end = timezone.now()
        return work.opened_between(start, end) / (end - start).total_seconds()

    def go(self) -> None:
        """Let the faults hit one after the other, then let everything come to its end."""
        from tests.faults import work

        desk, options = self.desk, self.options
        self.order(self.options.pending, poisoned=3)
        self.review(200, poisoned=3)
        desk.watch = self.feed
        work.meanwhile[:] = [desk.supervisor.look]
        desk.rest(options.settle)
        rates = [self.rate()] if options.window else [0.0]
        for fault in self.draw():
            name = (fault.__doc__ or "").strip()
            say(f"  {name} …")
            found = fault(desk, self.rng)
            ended = time.monotonic()
            desk.wait(
                lambda found=found: desk.at_work() and work.are_done(found.requests, found.reviews),
                seconds=180,
                every=0.2,
                what=f"the desk to recover from: {name}",
            )
            seconds = time.monotonic() - found.at
            row = Row(name, found, seconds, before=sum(rates) / len(rates))
            if options.window:
                desk.rest(max(0.0, ended + 30 - time.monotonic()))
                row.after = self.rate()
                rates.append(row.after)
            self.rows.append(row)
            say(f"    {found.words}; in flight done after {seconds:.1f} s; {row.before:.1f} → {row.after:.1f}/s")
        if (missing := options.items - self.ordered - self.reviews) > 0:
            self.review(missing)
        desk.watch = lambda: None
        pushed = desk.label_studio is not None
        desk.wait(
            lambda: work.everything_is_done(pushed=pushed),
            seconds=options.finish,
            every=0.5,
            what="all work to come to its end",
        )

    def draw(self) -> list[Any]:
        """Each kind once, then by lot, in an order of the seed's."""
        from tests.faults import process_faults, server_faults

        known = [
            kind
            for kind in (*process_faults.FAULTS, *server_faults.FAULTS)
            if kind.__name__ in self.options.only or not self.options.only
        ]
        known = [kind for kind in known if kind.__name__ not in self.options.without]
        if server_faults.disk_full in known and not server_faults.can_fill_a_disk(self.desk.root / "small"):
            say("*** SKIPPED: disk full. It takes root to mount a small file system. ***")
            known.remove(server_faults.disk_full)
        if self.desk.label_studio is None and server_faults.label_studio_down in known:
            known.remove(server_faults.label_studio_down)
        n = self.options.faults or len(known)
        drawn = [*known, *self.rng.choices(known, k=max(0, n - len(known)))][:n]
        self.rng.shuffle(drawn)
        return drawn

    def remote(self) -> Counter[str] | None:
        """Return how often each of our tasks stands in Label Studio."""
        if self.desk.label_studio is None:
            return None
        from label_studio_sdk import LabelStudio as Sdk

        sdk = Sdk(base_url=self.desk.label_studio.url, api_key=TOKEN, timeout=120)
        return Counter(
            task.data["ext_id"]
            for project in sdk.projects.list(page_size=100)
            for task in sdk.tasks.list(project=project.id, fields="all", include="id,data", page_size=500)
        )

    def error(self, row: Row) -> float:
        """Return by how much a ratio may be off because a window counts whole batches: one for each model worker."""
        return len(self.desk.gpu) * self.options.batch / (self.options.window * row.before)

    def report(self, account: Account) -> bool:
        """Print the table and return whether every promise was kept."""
        say(f"\n{'fault':34} {'in flight when hit':44} {'recovered':>9} {'before':>7} {'after':>7} {'ratio':>6}")
        for row in self.rows:
            rates = (
                f"{row.before:7.1f} {row.after:7.1f} {row.ratio:6.2f}" if row.before else f"{'–':>7} {'–':>7} {'–':>6}"
            )
            say(f"{row.name:34} {row.found.words:44} {row.recovered_s:7.1f} s {rates}")
        slow = [row for row in self.rows if row.before and row.ratio < MIN_RATIO - self.error(row)]
        for title, sentences in (
            ("lost", account.lost),
            ("duplicate effects", account.duplicates),
            ("unexpected", account.unexpected),
        ):
            for sentence in sentences[:10]:
                say(f"! {title}: {sentence}")
        say(
            f"\n{account.items} items, {account.effects} effects, {len(self.rows)} faults: lost {len(account.lost)}, "
            f"duplicate effects {len(account.duplicates)}, unexpected {len(account.unexpected)}\n"
            f"an expired lease lay about for {self.overdue:.1f} s at most; slower than {MIN_RATIO} of before: {len(slow)}"
        )
        return account.is_clean and not slow and self.overdue < self.options.slack


def say(line: str) -> None:
    """Print at once: who waits for minutes wants to see how it goes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run and say how it went: 0 all is well, 1 not, 3 there is no such broker here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="valkey", choices=("valkey", "redis", "rabbitmq"))
    parser.add_argument("--items", type=int, default=1500)
    parser.add_argument("--faults", type=int, default=0, help="0: each kind once")
    parser.add_argument("--only", nargs="*", default=[], help="names of the faults to draw from")
    parser.add_argument("--without", nargs="*", default=[], help="names of faults to leave out")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--model-seconds", type=float, default=0.3, help="what the writer takes for a batch")
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--pending", type=int, default=30, help="orders that wait at any time, at least")
    parser.add_argument("--lease", type=int, default=3)
    parser.add_argument("--pace", type=int, default=5, help="beat asks so many times as often as in production")
    parser.add_argument("--window", type=float, default=0, help="seconds to measure throughput; 0: not at all")
    parser.add_argument("--settle", type=float, default=0, help="seconds before the first measurement")
    parser.add_argument("--finish", type=float, default=120, help="seconds that the rest of the work may take")
    parser.add_argument("--slack", type=float, default=30, help="seconds that an expired lease may lie about")
    parser.add_argument("--label-studio", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder for servers and logs, left behind")
    options = parser.parse_args()
    # Asked to end, it stops what it started: RabbitMQ's own process is no child of ours and gets no signal when we die.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    root = options.keep or Path(tempfile.mkdtemp(prefix="ecomsite-faults-"))
    root.mkdir(parents=True, exist_ok=True)
    broker = brokers.find(options.broker, root / "broker")
    if broker is None:
        say(f"there is no {options.broker} here")
        return 3
    desk = Desk(
        root,
        broker,
        settings={
            "WORK_LEASE_S": str(options.lease),
            "GENERATION_BATCH": str(options.batch),
            "FAULTS_BEAT_PACE": str(options.pace),
        },
    )
    say(f"{dt.datetime.now(dt.UTC):%F %T} {options.broker}, seed {options.seed}, {options}")
    try:
        os.environ.update(desk.start_stores(label_studio=options.label_studio))
        desk.manage("migrate", "--no-input", "--verbosity", "0")
        import django

        django.setup()
        from tests.faults import account, work

        work.employ_models(seconds=options.model_seconds)
        desk.start_processes()
        run = Run(options, desk)
        try:
            run.go()
        finally:
            good = run.report(account.draw_up(remote=run.remote()))
        return 0 if good else 1
    finally:
        desk.stop()
        if not options.keep:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
