"""What administrators do with endpoints: add, change, rotate the secret, switch off and on, send a test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core import leases
from core.actors import SystemActor, actor_ref, require_permission
from core.exceptions import PermanentError, StaleState
from core.hints import hint_on_commit
from core.refs import ref
from outbox import events
from outbox.addresses import check_url
from outbox.lifecycle import advance
from outbox.models import Endpoint, Event, Secret
from outbox.signing import new_secret

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# How long the old secret signs beside the new one, so that a receiver can change over without losing anything.
OVERLAP = dt.timedelta(hours=24)


def add_endpoint(
    url: str, *, event_types: Sequence[str], actor: User | SystemActor, description: str = ""
) -> tuple[Endpoint, str]:
    """Add an endpoint and return it with its signing secret, which is shown this once and never again.

    Raises `PermanentError` for an address that webhooks may not go to and for unknown event types.
    """
    require_permission(actor, "outbox.manage_endpoint")
    values = _checked(url, event_types, description)
    with transaction.atomic():
        endpoint = Endpoint.objects.create(**values, created_by=None if isinstance(actor, SystemActor) else actor)
        secret = new_secret(endpoint)
        ledger.append_many([_line(endpoint, "added")], actor=actor)
    return endpoint, secret


def change_endpoint(
    endpoint: Endpoint, *, url: str, event_types: Sequence[str], description: str, actor: User | SystemActor
) -> None:
    """Change where the endpoint is and what it is told of, from now on. Raises as `add_endpoint` does."""
    require_permission(actor, "outbox.manage_endpoint")
    values = _checked(url, event_types, description)
    with transaction.atomic():
        Endpoint.objects.filter(pk=endpoint.pk).update(**values)
        endpoint.refresh_from_db(fields=list(values))
        ledger.append_many([_line(endpoint, "changed")], actor=actor)


def rotate_secret(endpoint: Endpoint, *, actor: User | SystemActor, at_once: bool = False) -> str:
    """Make a new secret and return it, this once. The old one signs too for `OVERLAP`; `at_once` when it has leaked."""
    require_permission(actor, "outbox.manage_endpoint")
    with transaction.atomic():
        now = timezone.now()
        until = now if at_once else now + OVERLAP
        current = Secret.objects.filter(endpoint=endpoint, expires_at=None)
        if not current.update(expires_at=until):
            raise StaleState("Somebody else has just rotated the secret.")
        if at_once:
            Secret.objects.filter(endpoint=endpoint, expires_at__gt=now).update(expires_at=now)
        secret = new_secret(endpoint)
        # What waited because the old secret could not sign need not wait longer.
        resting = Endpoint.objects.filter(pk=endpoint.pk, lease_token=None)
        resting.update(lease_expires_at=None, n_attempts=0, failing_since=None)
        ledger.append_many([_line(endpoint, "secret_rotated", at_once=at_once)], actor=actor)
        hint_on_commit("outbox.deliver")
    return secret


def disable_endpoint(endpoint: Endpoint, *, actor: User | SystemActor, reason: str) -> None:
    """Stop sending to the endpoint. What is on its way to it waits; what happens from now on it is not told of."""
    require_permission(actor, "outbox.manage_endpoint")
    if not reason.strip():
        raise PermanentError("Disabling an endpoint needs a reason.", hint="Say why, for whoever wonders later.")
    with transaction.atomic():
        line = advance(
            endpoint,
            from_=Endpoint.Status.ACTIVE,
            to=Endpoint.Status.DISABLED,
            disabled_reason=reason.strip()[:200],
            payload={"reason": ledger.typed(reason.strip()[:200], by=actor)},
        )
        ledger.append_many([line], actor=actor)


def enable_endpoint(endpoint: Endpoint, *, actor: User | SystemActor) -> None:
    """Send to the endpoint again, first of all what waits for it."""
    require_permission(actor, "outbox.manage_endpoint")
    with transaction.atomic():
        line = advance(
            endpoint,
            from_=Endpoint.Status.DISABLED,
            to=Endpoint.Status.ACTIVE,
            event="enabled",
            disabled_reason="",
            n_attempts=0,
            failing_since=None,
            last_error="",
            **leases.NO_LEASE,
        )
        ledger.append_many([line], actor=actor)
        hint_on_commit("outbox.deliver")


def send_test(endpoint: Endpoint, *, actor: User | SystemActor) -> Event:
    """Send the endpoint an event of the type `endpoint.test`, whatever it subscribed to."""
    require_permission(actor, "outbox.manage_endpoint")
    with transaction.atomic():
        active = Endpoint.objects.filter(pk=endpoint.pk, status=Endpoint.Status.ACTIVE)
        event = events.deliver_to(active, events.TEST, {"endpoint": ref(endpoint), "asked_by": actor_ref(actor)})
        if event is None:
            raise PermanentError("The endpoint is disabled.", hint="Enable it first.")
        ledger.append_many([_line(endpoint, "tested", event=event.pk)], actor=actor)
    return event


def _checked(url: str, event_types: Sequence[str], description: str) -> dict[str, Any]:
    known = settings.OUTBOX.event_types
    if not event_types or (unknown := sorted(set(event_types) - set(known))):
        raise PermanentError(
            f"Unknown event type: {', '.join(unknown) if event_types else 'none given'}.",
            hint=f"Choose from {', '.join(known)}.",
        )
    return {"url": check_url(url), "event_types": sorted(set(event_types)), "description": description.strip()[:200]}


def _line(endpoint: Endpoint, act: str, **payload: Any) -> Line:
    """The host alone: paths and queries may hold a token of the receiver's."""
    what = {"host": endpoint.host, "event_types": endpoint.event_types} if act in ("added", "changed") else {}
    return Line(f"outbox.endpoint.{act}", ref(endpoint), {**what, **payload})
