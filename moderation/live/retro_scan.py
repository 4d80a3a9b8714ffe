"""A policy tried on everything live: dry run, then recall with reasons, then undo; in batches, resumable after a kill.

A scan is a row with a lease. Scanning goes through live copy by key and keeps its place with each batch; recall and
undo take one text per transaction, so whatever kills the worker, a text is either done with its ledger lines or not
begun.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from audit import ledger
from catalog.models import PublishedCopy
from core import jobs, leases
from core.actors import require_permission
from core.exceptions import EcomsiteError, PermanentError, StaleState
from core.hints import hint_on_commit
from core.reasons import require_reason
from core.refs import pk_of, ref
from moderation import policy_versions
from moderation.drafting import screening
from moderation.lifecycle import advance
from moderation.live import publication
from moderation.live.trials import GRAVITY, find_changed, find_new
from moderation.models.candidates import Candidate, Finding
from moderation.models.policies import PolicyVersion
from moderation.models.retro_scans import RetroHit, RetroScan

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = logging.getLogger(__name__)
BATCH = 100
# A worker gives way to other work of its queue after so many seconds; the next turn goes on.
TURN_S = 10
Status = RetroScan.Status
WORKING = (Status.SCANNING, Status.RECALLING, Status.UNDOING)
Progress = Callable[[RetroScan], None]


def start(
    version: PolicyVersion,
    *,
    actor: User,
    reason: str,
    severity: str = RetroScan.Severity.BLOCK,
    against: PolicyVersion | None = None,
) -> RetroScan:
    """Begin a dry run of `version` on everything live. Needs moderation.run_retroscan and a reason.

    With `severity` block only what would have been blocked counts, with warn warnings too; of both only what the person
    who let the text out had not seen. With `against` it is a comparison: counted is what the two versions find
    differently, whoever judged it before, and nothing can be taken down by it.
    """
    require_permission(actor, "moderation.run_retroscan")
    reason = require_reason(reason, act="A retro-scan", hint="Say why this policy is tried.", longest=200)
    now = timezone.now()
    with transaction.atomic():
        scan = RetroScan.objects.create(
            version=version,
            actor=actor,
            reason=reason,
            severity=severity,
            against=against,
            until=now,
            n_total=PublishedCopy.objects.filter(retired_at=None, published_at__lte=now).count(),
        )
        payload = {
            "policy": version.content_hash,
            "number": version.number,
            "severity": severity,
            "texts": scan.n_total,
            "reason": ledger.typed(scan.reason, by=actor),
        }
        if against is not None:
            payload["against"] = against.number
        ledger.append("moderation.retroscan.started", subject=ref(scan), actor=actor, payload=payload)
        hint_on_commit("moderation.run_retro_scans")
    return scan


def recall(scan: RetroScan, *, actor: User, reason: str) -> None:
    """Take down what the dry run found, in the name of `actor`. Needs catalog.retire_copy and a reason.

    Raises `PermanentError` without a reason or for a comparison, `StaleState` unless the scan is at the end of its dry
    run.
    """
    require_permission(actor, "catalog.retire_copy")
    if scan.against_id is not None:
        raise PermanentError(
            "A comparison of two policies takes nothing down.", hint="Try the policy itself on live copy."
        )
    _begin(scan, actor=actor, reason=reason, from_=Status.SCANNED, to=Status.RECALLING)


def undo(scan: RetroScan, *, actor: User, reason: str) -> None:
    """Put back what `scan` took down, each as a decision of `actor`. Needs catalog.publish_copy and a reason.

    Where something newer is live, the text stays down. Raises as `recall` does.
    """
    require_permission(actor, "catalog.publish_copy")
    _begin(scan, actor=actor, reason=reason, from_=Status.RECALLED, to=Status.UNDOING)


def _begin(scan: RetroScan, *, actor: User, reason: str, from_: str, to: str) -> None:
    reason = require_reason(reason, act="This", longest=200)
    with transaction.atomic():
        line = advance(
            scan,
            from_=from_,
            to=to,
            actor=actor,
            reason=reason,
            finished_at=None,
            payload={
                "reason": ledger.typed(reason, by=actor),
                "texts": scan.hits.exclude(status="gone").count(),
            },
        )
        ledger.append_many([line], actor=actor)
        hint_on_commit("moderation.run_retro_scans")


def run_next(scan: RetroScan | None = None, *, on_progress: Progress | None = None, turn_s: float = TURN_S) -> bool:
    """Claim one scan that has work (or `scan`) and go on with it for `turn_s` seconds. Returns whether there was one.

    A scan that fails rests and is tried again, and goes into quarantine in the end.
    """
    waiting = RetroScan.objects.filter(status__in=WORKING)
    if scan is not None:
        waiting = waiting.filter(pk=scan.pk)
    lease = settings.LEASES.work
    claimed = leases.claim(leases.claimable(waiting).order_by("created_at", "pk"), n=1, duration=lease)
    if not claimed:
        return False
    held = RetroScan.objects.select_related("version", "against", "actor").get(pk=claimed[0].pk)

    def work(scan: RetroScan) -> None:
        _work(scan, until=time.monotonic() + turn_s, on_progress=on_progress or (lambda scan: None))
        leases.release([scan], n_attempts=0)

    jobs.work_on(held, work, duration=lease)
    return True


def _work(scan: RetroScan, *, until: float, on_progress: Progress) -> None:
    steps = {Status.SCANNING: _scan_batch, Status.RECALLING: _recall_batch, Status.UNDOING: _undo_batch}
    step = steps[Status(scan.status)]
    while step(scan):
        on_progress(scan)
        if time.monotonic() > until:
            return
    on_progress(scan)


def _scan_batch(scan: RetroScan) -> bool:
    """Look at the next texts by key, keep what is found and the place, in one transaction. Returns whether to go on."""
    live = PublishedCopy.objects.filter(retired_at=None, published_at__lte=scan.until).order_by("pk")
    if scan.checkpoint:
        live = live.filter(pk__gt=scan.checkpoint)
    texts = list(live[:BATCH])
    if not texts:
        found = scan.hits.count()
        _finish(scan, from_=Status.SCANNING, to=Status.SCANNED, payload={"texts": scan.n_seen, "failing": found})
        return False
    checks = policy_versions.checks_of(scan.version)
    before = policy_versions.checks_of(scan.against) if scan.against else None
    keys = {text.pk: uuid.UUID(pk_of(text.candidate_ref, Candidate)) for text in texts}
    candidates = Candidate.objects.select_related("product").in_bulk(list(keys.values()))
    seen: dict[Any, list[Finding]] = {}
    for finding in Finding.objects.filter(candidate__in=candidates):
        seen.setdefault(finding.candidate_id, []).append(finding)
    hits, counts = [], Counter(scan.counts)
    for text in texts:
        candidate = candidates[keys[text.pk]]
        draft = screening.draft_of(candidate, text=text.text)
        if before is None:
            new = find_new(draft, checks, seen.get(candidate.pk, ()), severity=scan.severity)
        else:
            new = find_changed(draft, checks, before)
        if new:
            gravest = max((finding["severity"] for finding in new), key=GRAVITY.__getitem__)
            hits.append(RetroHit(scan=scan, published_copy=text, severity=gravest, findings=new))
            counts.update({finding["code"] for finding in new})
    with transaction.atomic():
        _hold(scan)
        RetroHit.objects.bulk_create(hits, ignore_conflicts=True)
        scan.checkpoint, scan.n_seen, scan.counts = texts[-1].pk, scan.n_seen + len(texts), dict(counts)
        scan.save(update_fields=("checkpoint", "n_seen", "counts"))
    return True


def _recall_batch(scan: RetroScan) -> bool:
    def take_down(hit: RetroHit) -> tuple[str, str]:
        codes = ", ".join(hit.codes)[:80]
        reason = f"policy {scan.version.number} ({codes}): {scan.reason}"
        try:
            with transaction.atomic():
                publication.retire(hit.published_copy, actor=scan.actor, reason=reason, reason_codes=("legal_risk",))
        except StaleState as exc:
            return RetroHit.Status.GONE, str(exc)
        return RetroHit.Status.RECALLED, ""

    return _each(scan, RetroHit.Status.FOUND, take_down, to=Status.RECALLED)


def _undo_batch(scan: RetroScan) -> bool:
    def put_back(hit: RetroHit) -> tuple[str, str]:
        try:
            with transaction.atomic():
                publication.put_back(hit.published_copy, actor=scan.actor, reason=scan.reason, by=ref(scan))
        except EcomsiteError as exc:
            return RetroHit.Status.LEFT, str(exc)
        return RetroHit.Status.RESTORED, ""

    return _each(scan, RetroHit.Status.RECALLED, put_back, to=Status.UNDONE)


def _each(scan: RetroScan, which: str, act: Callable[[RetroHit], tuple[str, str]], *, to: str) -> bool:
    """Do `act` to the next hits that are `which`, a transaction each; end the stage where none is left."""
    hits = list(scan.hits.filter(status=which).select_related("published_copy__product")[:BATCH])
    for hit in hits:
        with transaction.atomic():
            _hold(scan)
            status, note = act(hit)
            if not RetroHit.objects.filter(pk=hit.pk, status=which).update(status=status, note=note[:200]):
                raise StaleState(f"the text {hit.published_copy_id} was done by somebody else")
    if hits:
        return True
    _finish(scan, from_=scan.status, to=to, payload=tally(scan))
    return False


def _hold(scan: RetroScan) -> None:
    """Make sure the lease is ours, and pull its end up; inside the transaction that writes.

    The heartbeat passes over a row that is locked, and this one is locked nearly all the time: the lease would run out.
    Whoever gets here has got somewhere, so attempts and losses begin anew.
    """
    leases.hold(scan)
    until = Now() + settings.LEASES.work
    RetroScan.objects.filter(pk=scan.pk).update(lease_expires_at=until, n_attempts=0, n_losses=0)


def tally(scan: RetroScan) -> Mapping[str, int]:
    """Return how many texts of `scan` are in which state."""
    return dict(Counter(scan.hits.values_list("status", flat=True)))


def _finish(scan: RetroScan, *, from_: str, to: str, payload: Mapping[str, Any]) -> None:
    with transaction.atomic():
        _hold(scan)
        line = advance(scan, from_=from_, to=to, finished_at=Now(), payload=dict(payload))
        ledger.append_many([line], actor=scan.actor)
    scan.refresh_from_db(fields=("finished_at",))
