"""Questions about webhooks that others ask."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from outbox.models import Delivery, Endpoint

# One failure is weather; so many in a row are worth a person's look.
WORTH_A_LOOK = 3


@dataclass(frozen=True)
class OutboxHealth:
    """How webhooks are doing. `failing` names the hosts of active endpoints that do not take what is sent to them."""

    n_pending: int
    n_dead: int
    oldest_pending_at: dt.datetime | None
    failing: tuple[str, ...]


def health() -> OutboxHealth:
    """Return today's numbers, in three queries that look at no delivery that arrived."""
    active = Endpoint.objects.filter(status=Endpoint.Status.ACTIVE)
    pending = Delivery.objects.filter(status=Delivery.Status.PENDING, endpoint__in=active)
    return OutboxHealth(
        **pending.aggregate(n_pending=Count("pk"), oldest_pending_at=Min("created_at")),
        n_dead=Delivery.objects.filter(status=Delivery.Status.DEAD).count(),
        failing=tuple(endpoint.host for endpoint in active.filter(n_attempts__gte=WORTH_A_LOOK)),
    )


def with_counts(endpoints: QuerySet[Endpoint]) -> QuerySet[Endpoint, Any]:
    """Return `endpoints` with `pending` and `dead`: how many deliveries are on their way and how many were given up."""
    return endpoints.annotate(pending=_count(Delivery.Status.PENDING), dead=_count(Delivery.Status.DEAD))


def _count(status: str) -> Coalesce:
    of_it = Delivery.objects.filter(endpoint=OuterRef("pk"), status=status).order_by().values("endpoint")
    return Coalesce(Subquery(of_it.annotate(n=Count("pk")).values("n")), 0)
