"""A recall that is killed with SIGKILL in the middle, by a real process: finished by another, then undone."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from audit.models import LedgerEntry
from audit.verification import verify
from catalog.models import Product, PublishedCopy
from core.refs import ref
from moderation import policy_versions
from moderation.live import retro_scan
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.retro_scans import RetroScan
from moderation.models.reviews import Decision, ReviewItem
from tests import factories
from tests.moderation.test_policies import changed
from tests.people import people
from tests.warm import WarmProcess
from tests.workers import environment, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def shelf(n: int) -> None:
    """`n` live texts with the decisions that let them out; all say the word."""
    version, now = factories.model_version(), timezone.now()
    products = Product.objects.bulk_create(
        Product(sku=f"K-{i:05}", title=f"Mug {i}", facts_hash=f"{i:064}", source="tests") for i in range(n)
    )
    requests = GenerationRequest.objects.bulk_create(
        GenerationRequest(
            product=product,
            channel="description",
            locale="en",
            facts_hash=product.facts_hash,
            prompt_version="tests-1",
            status="completed",
        )
        for product in products
    )
    drafts = Candidate.objects.bulk_create(
        Candidate(
            request=request,
            ordinal=0,
            product=request.product,
            channel="description",
            locale="en",
            text=f"A snazzy mug, number {i}.",
            status="published",
            model_version=version,
            facts_hash=request.facts_hash,
            screened_at=now,
        )
        for i, request in enumerate(requests)
    )
    items = ReviewItem.objects.bulk_create(
        ReviewItem(**ReviewItem.pointing_at("copy_verdict", draft), status="decided", decided_at=now)
        for draft in drafts
    )
    Decision.objects.bulk_create(
        Decision(item=item, outcome="approve", result=item.candidate, decided_by="human_single") for item in items
    )
    PublishedCopy.objects.bulk_create(
        PublishedCopy(
            product=draft.product,
            channel="description",
            locale="en",
            text=draft.text,
            candidate_ref=ref(draft),
            published_at=now,
        )
        for draft in drafts
    )


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[object]:
    """Start a process that works scans until nothing is left, as a Celery worker does turn by turn."""
    code = (
        "import django, time; django.setup()\n"
        "from moderation.live import retro_scan\n"
        "from moderation.models.retro_scans import RetroScan\n"
        "while RetroScan.objects.filter(status__in=retro_scan.WORKING).exists():\n"
        "    retro_scan.run_next() or time.sleep(0.2)\n"
    )
    started: list[WarmProcess] = []

    def start() -> WarmProcess:
        started.append(
            WarmProcess(["-c", code], env={**environment(), "WORK_LEASE_S": "3"}, log=tmp_path / "worker.log")
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def kill_in_the_middle(process: WarmProcess, scan: RetroScan, status: str, n: int) -> int:
    """Kill `process` once `n` hits of `scan` are `status`; returns how many were when it was dead."""
    wait_for(lambda: scan.hits.filter(status=status).count() >= n, seconds=120, what=f"{n} texts {status}")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(_is_quiet, what="PostgreSQL to end what the dead one had begun")
    return scan.hits.filter(status=status).count()


def _is_quiet() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return bool(cursor.fetchone() == (0,))


def finish(process: WarmProcess, scan: RetroScan, status: str) -> None:
    wait_for(lambda: RetroScan.objects.get(pk=scan.pk).status == status, seconds=300, what=status)
    process.wait(timeout=30)
    scan.refresh_from_db()


def story(n: int, worker: object) -> None:
    """Scan, recall with a kill, finish, undo with a kill, finish; nothing twice, nothing forgotten."""
    shelf(n)
    kim: User = people("Administrator")
    sam: User = people("Senior reviewer")
    stricter, _ = policy_versions.store_version(changed(), actor=kim)
    scan = retro_scan.start(stricter, actor=kim, reason="try")
    while retro_scan.run_next(scan):
        pass
    scan.refresh_from_db()
    assert (scan.status, scan.n_seen, scan.hits.count()) == ("scanned", n, n)
    place = random.Random(n).randint(n // 4, n // 2)

    retro_scan.recall(scan, actor=kim, reason="Legal said so.")
    at_death = kill_in_the_middle(worker(), scan, "recalled", place)  # type: ignore[operator]
    assert place <= at_death < n, "it was killed too late to show anything"
    # A text is down with its line in the ledger, or it is up without: nothing in between.
    down = PublishedCopy.objects.filter(retired_at__isnull=False)
    assert down.count() == at_death == LedgerEntry.objects.filter(action="moderation.copy.retired").count()
    finish(worker(), scan, "recalled")  # type: ignore[operator]
    assert PublishedCopy.objects.filter(retired_at=None).count() == 0
    assert LedgerEntry.objects.filter(action="moderation.copy.retired").count() == n
    assert LedgerEntry.objects.filter(action="moderation.retroscan.recalled").count() == 1

    retro_scan.undo(scan, actor=sam, reason="Legal was wrong.")
    at_death = kill_in_the_middle(worker(), scan, "restored", place)  # type: ignore[operator]
    assert PublishedCopy.objects.filter(retired_at=None).count() == at_death < n
    finish(worker(), scan, "undone")  # type: ignore[operator]
    live = PublishedCopy.objects.filter(retired_at=None)
    assert live.count() == n == live.values("candidate_ref").distinct().count()
    assert LedgerEntry.objects.filter(action="moderation.copy.restored").count() == n
    assert Decision.objects.filter(reviewer=sam, superseded_by=None).count() == n
    assert Candidate.objects.filter(status="published").count() == n
    assert verify().is_intact


def test_a_recall_that_is_killed_is_finished_and_undone(worker: object) -> None:
    story(120, worker)


@pytest.mark.faults
@pytest.mark.timeout(1200)
def test_a_recall_of_a_thousand_that_is_killed_is_finished_and_undone(worker: object) -> None:
    story(1000, worker)
