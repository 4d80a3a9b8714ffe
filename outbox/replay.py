"""Dead letters, sent again: one, or all of an endpoint in a range of time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models.functions import Now

from audit import ledger
from audit.ledger import Line
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from core.hints import hint_on_commit
from core.refs import ref
from outbox.lifecycle import advance
from outbox.models import Delivery, Endpoint

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# The whole schedule over again, starting now.
AFRESH: dict[str, Any] = {"n_attempts": 0, "finished_at": None}


def replay_delivery(delivery: Delivery, *, actor: User | SystemActor) -> None:
    """Send one dead letter again.

    Raises `StaleState` when it is none, `PermanentError` when its endpoint is disabled.
    """
    require_permission(actor, "outbox.replay_delivery")
    _refuse_if_disabled(delivery.endpoint)
    with transaction.atomic():
        line = advance(
            delivery,
            from_=Delivery.Status.DEAD,
            to=Delivery.Status.PENDING,
            event="replayed",
            due_at=Now(),
            **AFRESH,
            payload={"event": delivery.event_id},
        )
        ledger.append_many([line], actor=actor)
        hint_on_commit("outbox.deliver")


def replay_endpoint(
    endpoint: Endpoint, *, actor: User | SystemActor, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> int:
    """Send the dead letters of `endpoint` again whose events happened in [since, until), and return how many there
    were.

    Raises `PermanentError` when the endpoint is disabled.
    """
    require_permission(actor, "outbox.replay_delivery")
    _refuse_if_disabled(endpoint)
    dead = Delivery.objects.filter(endpoint=endpoint, status=Delivery.Status.DEAD)
    dead = dead.filter(event__created_at__gte=since) if since else dead
    dead = dead.filter(event__created_at__lt=until) if until else dead
    with transaction.atomic():
        n = dead.update(status=Delivery.Status.PENDING, due_at=Now(), **AFRESH)
        if n:
            times = {name: at.isoformat() for name, at in (("since", since), ("until", until)) if at}
            line = Line("outbox.endpoint.replayed", ref(endpoint), {"n_deliveries": n, **times})
            ledger.append_many([line], actor=actor)
            hint_on_commit("outbox.deliver")
    return n


def _refuse_if_disabled(endpoint: Endpoint) -> None:
    if endpoint.status != Endpoint.Status.ACTIVE:
        raise PermanentError("The endpoint is disabled.", hint="Enable it first; then replay.")
