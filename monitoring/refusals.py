"""Who was refused what, counted by the hour: failed sign-ins, pages or calls that asked for more rights, and the door.

Counts, not lines of the ledger: whoever may knock as often as they like must not be able to fill it.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_login_failed
from django.db import Error as DBError
from django.db import connection
from django.db.models import Count, Max, Q, Sum
from django.dispatch import receiver
from django.utils import timezone

from labeling.signals import refused_at_the_door
from monitoring.models import Refusal

log = logging.getLogger(__name__)
Kind = Refusal.Kind


def record(kind: str, *, account: str, what: str, n: int = 1) -> None:
    """Count `n` refusals. A database that is away costs the count, not the answer."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    table = connection.ops.quote_name(Refusal._meta.db_table)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (kind, account, what, hour, n) VALUES (%s, %s, %s, %s, %s) "  # noqa: S608
                f"ON CONFLICT (hour, kind, account, what) DO UPDATE SET n = {table}.n + excluded.n",
                [kind, account[:40], what[:120], hour, n],
            )
    except DBError as exc:
        log.warning("a refusal was not counted: %s", type(exc).__name__)


@receiver(user_login_failed, dispatch_uid="monitoring.refusals")
def _sign_in_failed(credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
    """Name the account by its number: what was typed may be a password."""
    name = str(credentials.get("username") or "")
    is_name = bool(name) and "\0" not in name
    pk = get_user_model().objects.filter(username=name).values_list("pk", flat=True).first() if is_name else None
    route = getattr(getattr(request, "resolver_match", None), "view_name", "") or "sign-in"
    record(Kind.SIGN_IN, account=f"user:{pk}" if pk else "", what=route)


@receiver(refused_at_the_door, dispatch_uid="monitoring.refusals.door")
def _refused_at_the_door(reason: str, user_id: int | None, n: int, **kwargs: Any) -> None:
    record(Kind.DOOR, account=f"user:{user_id}" if user_id else "", what=reason, n=n)


def at_the_door(*, since: dt.datetime) -> Sequence[Mapping[str, Any]]:
    """Return for each reason how often (`times`) somebody was refused at the door, how many people, and when last."""
    found = Refusal.objects.filter(kind=Kind.DOOR, hour__gte=since).order_by().values("what")
    people = Count("account", distinct=True, filter=~Q(account=""))
    return [*found.annotate(times=Sum("n"), people=people, last=Max("hour")).order_by("-times", "what")]
