"""What the pages of the console share: the frame around them, and how an expected error is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from audit.models import LedgerCheck
from core.actors import user_keys
from core.exceptions import EcomsiteError


def page(request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """Render `template` inside the console's frame (navigation, messages, signed-in person)."""
    return render(request, template, {**admin.site.each_context(request), **context}, status=status)


def with_names(checks: Iterable[LedgerCheck]) -> list[tuple[LedgerCheck, str]]:
    """Checks of the ledger with who made them: names live in the accounts, never in the record."""
    rows = list(checks)
    ids = user_keys(row.by for row in rows)
    names = {f"user:{user.pk}": user.get_full_name() or user.username for user in User.objects.filter(pk__in=ids)}
    return [(row, names.get(row.by, row.by.removeprefix("system:"))) for row in rows]


def act(request: HttpRequest, action: Callable[[], object], *, done: str, back: str) -> HttpResponseRedirect:
    """Call `action`, say `done` or why not and what to do, and go `back`. `PermissionDenied` stays a 403."""
    try:
        action()
    except EcomsiteError as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, done)
    return HttpResponseRedirect(back)
