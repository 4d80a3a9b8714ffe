"""The people of the tests: one saved user for each role, as `ecomsite.roles` defines it."""

from __future__ import annotations

import functools
import itertools

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User

from ecomsite.roles import ROLES, sync_roles

PASSWORD = "correct-horse-battery-staple"
_numbers = itertools.count(1)


@functools.cache
def _encoded(password: str) -> str:
    return make_password(password)  # slow by design, so once a session


def people(role: str | None, *, email: str = "", password: str = PASSWORD) -> User:
    """Make a staff user who holds `role` (a key of `ecomsite.roles.ROLES`; None: signed in, but without any role)."""
    slug = (role or "nobody").lower().replace(" ", "-")
    email = email or f"{slug}-{next(_numbers)}@example.com"
    user = User.objects.create(username=email, email=email, password=_encoded(password), is_staff=True)
    if role is not None:
        if role not in ROLES:
            raise KeyError(f"no such role: {role!r}; there are {', '.join(ROLES)}")
        if not Group.objects.filter(name=role).exists():
            sync_roles()
        user.groups.add(Group.objects.get(name=role))
    return user


def reviewer() -> User:
    """A person who works the queue."""
    return people("Reviewer")


def senior() -> User:
    """A person who also decides escalated items and overrules blocks."""
    return people("Senior reviewer")


def auditor() -> User:
    """A person who reads everything and changes nothing."""
    return people("Auditor")


def ml_engineer() -> User:
    """A person who registers and promotes models."""
    return people("ML engineer")


def administrator() -> User:
    """A person who keeps products, facts and accounts."""
    return people("Administrator")


def outsider() -> User:
    """A signed-in person without any role."""
    return people(None)
