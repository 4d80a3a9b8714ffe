"""Forgets what sign-in keeps for a while: ended sessions, tries that do not count any more, void tickets."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from accounts import throttle, tickets
from accounts.models import Session, UsedTicket


def forget() -> int:
    """Delete what is over. Returns how many rows."""
    now = timezone.now()
    n, _ = Session.objects.filter(expire_date__lt=now).delete()
    # Longer than a ticket is valid: before, forgetting one would make it good again.
    spent, _ = UsedTicket.objects.filter(used_at__lt=now - 2 * dt.timedelta(seconds=tickets.LIFE_S)).delete()
    return n + spent + throttle.forget()
