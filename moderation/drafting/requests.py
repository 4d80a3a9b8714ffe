"""What becomes of an order beside being written: given back, taken from a dead worker, cancelled, tried again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from audit import ledger
from core import leases
from core.actors import SystemActor, require_permission
from core.exceptions import LeaseLost
from core.hints import hint_on_commit
from moderation import announcements
from moderation.lifecycle import advance, line_for
from moderation.models.candidates import Candidate, GenerationRequest

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = logging.getLogger(__name__)
AWAY = "the database was away while it was drafted"
GENERATOR = SystemActor("moderation.generation")
Status = GenerationRequest.Status


def give_back(
    request: GenerationRequest, *, error: str, permanent: bool = False, counts: bool = True, rests: bool = True
) -> None:
    """Queue a request again after a failure, or fail it when that is for good or its attempts are used up.

    `counts=False`: the failure was not the request's own, so it keeps its attempts however long that lasts. Without
    `rests` it is due again at once.
    """
    spent = permanent or (counts and leases.is_spent(request))
    to = Status.FAILED if spent else Status.QUEUED
    rest: dict[str, Any] = {}
    if rests and not spent:
        rest["lease_expires_at"] = Now() + leases.backoff(request.n_attempts)
    if not counts:
        rest["n_attempts"] = request.n_attempts - 1
    try:
        with transaction.atomic():
            leases.hold(request)
            line = advance(
                request,
                from_=Status.GENERATING,
                to=to,
                event="failed" if spent else "given_back",
                payload={"attempt": request.n_attempts},
                last_error=error[: leases.LONGEST_ERROR],
                finished_at=timezone.now() if spent else None,
                quarantined_at=timezone.now() if spent else None,
                **leases.NO_LEASE | rest,
            )
            if spent:
                announcements.request_failed(request)
            ledger.append_many([line], actor=GENERATOR)
    except LeaseLost:
        log.warning("request %s: the lease was lost before it could be given back", request.pk)


def cancel_request(request: GenerationRequest, *, actor: User | SystemActor) -> None:
    """Cancel a request that nobody works on; drafts it has from a batch that was cut short go with it.

    Raises `StaleState` when it is no longer queued.
    """
    require_permission(actor, "moderation.request_copy")
    with transaction.atomic():
        line = advance(request, from_=Status.QUEUED, to=Status.CANCELLED, finished_at=timezone.now())
        drafts = request.candidates.filter(status=Candidate.Status.GENERATED)
        gone = [advance(d, from_=d.status, to=Candidate.Status.SUPERSEDED, payload={"by": "cancelled"}) for d in drafts]
        ledger.append_many([*gone, line], actor=actor)


def retry_request(request: GenerationRequest, *, actor: User | SystemActor) -> None:
    """Queue a failed request again with fresh attempts. Raises `StaleState` when it is not failed."""
    require_permission(actor, "moderation.request_copy")
    with transaction.atomic():
        line = advance(
            request,
            from_=Status.FAILED,
            to=Status.QUEUED,
            event="retried",
            n_attempts=0,
            finished_at=None,
            quarantined_at=None,
        )
        ledger.append_many([line], actor=actor)
        hint_on_commit("moderation.drain_generation")


def reap_requests() -> int:
    """Return requests whose generator died (lease expired) to the queue, without costing them an attempt.

    Returns how many.

    One that too many generators in a row died with has failed.
    """
    reaped = 0
    for request in leases.expired(GenerationRequest.objects.filter(status=Status.GENERATING)):
        lost = leases.is_lost(request)
        n_losses = request.n_losses + lost
        spent = n_losses >= settings.LEASES.max_losses
        why = f"the worker that was drafting it died or stalled, {n_losses} times in a row" if lost else AWAY
        with transaction.atomic():
            # Still expired, still that token: a generator that renewed or finished meanwhile keeps its work.
            stalled = GenerationRequest.objects.filter(
                pk=request.pk, status=Status.GENERATING, lease_token=request.lease_token
            )
            changed = leases.expired(stalled).update(
                status=Status.FAILED if spent else Status.QUEUED,
                finished_at=Now() if spent else None,
                quarantined_at=Now() if spent else None,
                last_error=why,
                n_attempts=max(0, request.n_attempts - lost),
                **{**leases.NO_LEASE, "n_losses": 0 if spent else n_losses},
            )
            if changed:
                event = "failed" if spent else "lease_expired"
                if spent:
                    announcements.request_failed(request)
                line = line_for(request, event, attempt=request.n_attempts, losses=n_losses)
                ledger.append_many([line], actor=GENERATOR)
                reaped += 1
    return reaped
