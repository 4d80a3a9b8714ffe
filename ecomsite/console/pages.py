"""What the pages of the console share: the frame around them, and how an expected error is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST

from audit.models import LedgerCheck
from core.actors import AuthenticatedHttpRequest, user_keys
from core.exceptions import EcomsiteError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def page(request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """Render `template` inside the console's frame (navigation, messages, signed-in person)."""
    return render(request, template, {**admin.site.each_context(request), **context}, status=status)


def with_names(checks: Iterable[LedgerCheck]) -> list[tuple[LedgerCheck, str]]:
    """Checks of the ledger with who made them: names live in the accounts, never in the record."""
    rows = list(checks)
    ids = user_keys(row.by for row in rows)
    names = {f"user:{user.pk}": user.get_full_name() or user.username for user in User.objects.filter(pk__in=ids)}
    return [(row, names.get(row.by, row.by.removeprefix("system:"))) for row in rows]


@dataclass(frozen=True)
class Act(Generic[Result]):
    """What a button of the console does: the one function to call, what to say once it has, and where to go.

    What is said may hang on what the function returned, and so may where one is led `on`, where that is not `back`.
    """

    do: Callable[[], Result]
    done: str | Callable[[Result], str]
    back: str
    on: Callable[[Result], str] | None = None


def act(request: HttpRequest, asked: Act[Result]) -> HttpResponseRedirect:
    """Do what is `asked`; say that it is done, or why not and what to do. `PermissionDenied` stays a 403."""
    try:
        found = asked.do()
    except EcomsiteError as exc:
        messages.error(request, str(exc))
        return HttpResponseRedirect(asked.back)
    messages.success(request, asked.done if isinstance(asked.done, str) else asked.done(found))
    return HttpResponseRedirect(asked.on(found) if asked.on else asked.back)


def action(
    view: Callable[Concatenate[AuthenticatedHttpRequest, Parameters], Act[Any]],
) -> Callable[Concatenate[AuthenticatedHttpRequest, Parameters], HttpResponse]:
    """Make a view of what parses a form into an `Act`: it takes POST alone, and tells as `act` does what came of it."""

    @require_POST
    @wraps(view)
    def wrapper(
        request: AuthenticatedHttpRequest, /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponse:
        return act(request, view(request, *args, **kwargs))

    return wrapper
