"""Sending what stands in the outbox: a turn serves one endpoint, in order, until nothing is due or one try fails.

The lease is on the endpoint, so a receiver that is slow or away holds one turn, and others serve the rest meanwhile.
At least once: what was sent before its worker died is sent again, under the same `webhook-id`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import random
import time
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest, Now
from django.utils import timezone

from audit import ledger
from core import leases
from core.actors import SystemActor
from core.exceptions import PermanentError, StaleState
from core.hints import hint
from outbox.lifecycle import advance
from outbox.models import Delivery, Endpoint, Event
from outbox.sending import Answer, post
from outbox.signing import keys_of, signature

log = logging.getLogger(__name__)
ACTOR = SystemActor("outbox.delivery")
Status = Delivery.Status
# A worker that is told to stop ends its turn within this and one timeout.
TURN_S = 10.0
# However long a receiver has been away: once it is back, this is how long it takes us to notice.
LONGEST_REST = dt.timedelta(minutes=1)
# After so many failed turns in a row a success means that the receiver was away, not that one delivery was refused.
AWAY_AFTER = 3
KEEP_DELIVERED = dt.timedelta(days=30)
# An endpoint that took nothing for so long is disabled.
DISABLE_AFTER = dt.timedelta(days=5)


def deliver() -> int:
    """Serve one endpoint for which something is due, and return how many deliveries were tried (0: nobody waits)."""
    claimed = leases.claim(_due(), n=1, duration=settings.LEASES.work, unlimited=True)
    if not claimed:
        return 0
    (endpoint,) = claimed
    if _due().exists():
        hint("outbox.deliver")  # for who serves the next endpoint while we wait for this one
    with leases.heartbeat(claimed, duration=settings.LEASES.work):
        try:
            keys = keys_of(endpoint)
        except PermanentError as exc:
            # No fault of the deliveries, so it costs them no attempt.
            since = endpoint.failing_since or Now()
            leases.release(claimed, error=str(exc), pause=LONGEST_REST, failing_since=since, served_at=Now())
            return 0
        return _serve(endpoint, keys)


def _due() -> QuerySet[Endpoint]:
    """Endpoints that are to be served, the one that has waited longest first: a backlog does not come before others."""
    waiting = Delivery.objects.filter(endpoint=OuterRef("pk"), status=Status.PENDING, due_at__lte=Now())
    active = Endpoint.objects.filter(Exists(waiting), status=Endpoint.Status.ACTIVE)
    return leases.claimable(active).order_by(F("served_at").asc(nulls_first=True), "pk")


def _serve(endpoint: Endpoint, keys: list[bytes]) -> int:
    """Send what is due for `endpoint`, and return how many were tried. One failure ends the turn: it may be away."""
    until, tried = time.monotonic() + TURN_S, 0
    while time.monotonic() < until and (delivery := _start_next(endpoint)):
        answer = _send(endpoint, delivery, keys)
        tried += 1
        _note(delivery, answer)
        if not answer.is_success:
            _rest(endpoint, answer)
            return tried
        if endpoint.n_attempts > AWAY_AFTER:
            # It is back: what was put off while it was away is due now.
            Delivery.objects.filter(endpoint=endpoint, status=Status.PENDING, due_at__gt=Now()).update(due_at=Now())
        endpoint.n_attempts = 1  # if the next one fails, that is the first in a row
    leases.release([endpoint], n_attempts=0, failing_since=None, served_at=Now())
    return tried


def _send(endpoint: Endpoint, delivery: Delivery, keys: list[bytes]) -> Answer:
    timestamp, body = int(time.time()), delivery.event.body()
    headers = {
        "webhook-id": delivery.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(keys, id=delivery.event_id, timestamp=timestamp, body=body),
    }
    return post(endpoint.url, body=body, headers=headers, timeout_s=settings.OUTBOX.timeout_s)


def _start_next(endpoint: Endpoint) -> Delivery | None:
    """Count an attempt at the next delivery that is due, and return it; None when there is none or the lease was lost.

    Counted and put off before it is sent: one that kills its worker has its tries like others, and then it is dead.
    """
    ours = Endpoint.objects.filter(
        pk=endpoint.pk, status=Endpoint.Status.ACTIVE, lease_token=endpoint.lease_token, lease_expires_at__gt=Now()
    )
    due = Delivery.objects.filter(endpoint__in=ours, status=Status.PENDING, due_at__lte=Now())
    in_order = due.select_related("event").order_by("due_at", "pk")
    while (delivery := in_order.first()) and _is_spent(delivery):
        _note(delivery, Answer(error="its worker died or stalled at the last try"))
    if delivery is None:
        return None
    n = delivery.n_attempts + 1
    started = due.filter(pk=delivery.pk, n_attempts=delivery.n_attempts)
    if not started.update(n_attempts=n, tried_at=Now(), due_at=Now() + _pause_after(n)):
        return None
    delivery.n_attempts = n
    return delivery


def _is_spent(delivery: Delivery) -> bool:
    """Whether `delivery` has had its last try."""
    return delivery.n_attempts > len(settings.OUTBOX.retry_pauses)


def _pause_after(n_attempts: int) -> dt.timedelta:
    """Return the pause after the `n_attempts`-th try, up to a tenth longer,
    so that what failed at once returns spread.
    """
    pauses = settings.OUTBOX.retry_pauses
    pause = pauses[min(n_attempts, len(pauses)) - 1]
    return pause * random.uniform(1, 1.1)  # noqa: S311


def _note(delivery: Delivery, answer: Answer) -> None:
    """Write down what came of an attempt. Its number is its token: a turn that was overtaken writes nothing."""
    outcome: dict[str, Any] = {
        "response_status": answer.status,
        "response_excerpt": answer.excerpt,
        "last_error": answer.error[:500],
    }
    with transaction.atomic():
        ours = Delivery.objects.select_for_update(no_key=True).filter(
            pk=delivery.pk, status=Status.PENDING, n_attempts=delivery.n_attempts
        )
        if not ours.exists():
            log.warning("delivery %s: its turn was overtaken; what came of it is not noted", delivery.pk)
        elif answer.is_success:
            advance(delivery, from_=Status.PENDING, to=Status.DELIVERED, finished_at=timezone.now(), **outcome)
        elif _is_spent(delivery):
            line = advance(
                delivery,
                from_=Status.PENDING,
                to=Status.DEAD,
                finished_at=timezone.now(),
                **outcome,
                payload={"event": delivery.event_id, "type": delivery.event.type, "attempts": delivery.n_attempts},
            )
            ledger.append_many([line], actor=ACTOR)
        else:
            # Since it was started it is due after its pause; a receiver may ask for a longer one.
            ours.update(due_at=Greatest(F("due_at"), Now() + answer.retry_after), **outcome)


def _rest(endpoint: Endpoint, answer: Answer) -> None:
    """Leave an endpoint alone after a failure, longer each time; disable one that wants no more or is gone for days."""
    log.warning("webhooks to %s: %s", endpoint.host, answer.error)
    since = endpoint.failing_since if endpoint.n_attempts > 1 else None
    pause = max(answer.retry_after, min(leases.backoff(endpoint.n_attempts), LONGEST_REST))
    leases.release(
        [endpoint],
        error=answer.error,
        pause=pause,
        n_attempts=endpoint.n_attempts,
        failing_since=since or Now(),
        served_at=Now(),
    )
    if answer.is_gone:
        _disable(endpoint, reason="it answered 410 Gone")
    elif since and timezone.now() - since > DISABLE_AFTER:
        _disable(endpoint, reason=f"it has taken nothing since {since:%F %H:%M} UTC")


def _disable(endpoint: Endpoint, *, reason: str) -> None:
    with contextlib.suppress(StaleState), transaction.atomic():
        line = advance(
            endpoint,
            from_=Endpoint.Status.ACTIVE,
            to=Endpoint.Status.DISABLED,
            disabled_reason=reason,
            payload={"reason": reason},
        )
        ledger.append_many([line], actor=ACTOR)


def forget_delivered(*, limit: int = 5000) -> int:
    """Delete up to `limit` events that everybody has had for `KEEP_DELIVERED`, and return how many.

    Dead letters are kept.
    """
    old = Event.objects.filter(created_at__lt=timezone.now() - KEEP_DELIVERED)
    not_delivered = Delivery.objects.filter(~Q(status=Status.DELIVERED), event=OuterRef("pk"))
    done = list(old.filter(~Exists(not_delivered)).order_by("created_at").values_list("pk", flat=True)[:limit])
    _, deleted = Event.objects.filter(pk__in=done).delete()
    return deleted.get(Event._meta.label, 0)
