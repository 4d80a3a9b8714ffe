"""What accounts does when a person is erased."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.dispatch import receiver

from accounts.models import Factor, Identity
from accounts.sessions import end_sessions
from audit.signals import person_erased


@receiver(person_erased, dispatch_uid="accounts.forget_sign_in")
def forget_sign_in(sender: Any, user: User, **kwargs: Any) -> str:
    """Delete second factors, identities and sessions, in the transaction that erases the person."""
    n, _ = Factor.objects.filter(user=user).delete()
    n += Identity.objects.filter(user=user).delete()[0] + end_sessions(user)
    return "Their second factors, single sign-on and sessions were deleted." if n else ""
