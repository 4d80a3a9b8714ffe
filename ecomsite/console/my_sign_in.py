"""“My sign-in”: one's own password, second factors, recovery codes and sessions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from unfold.forms import AdminOwnPasswordChangeForm

from accounts import factors, passkeys, recovery, sessions, sign_in, single_sign_on, tickets, totp
from accounts.backends import lock_on
from core.exceptions import EcomsiteError, PermanentError
from ecomsite.console.pages import Act, act, action, page

APP, NEW_PASSKEY = "app", "new_passkey"
ISSUER = "ecomsite"
View = Callable[..., HttpResponse]


def me(request: HttpRequest) -> User:
    """Who is signed in; every page here is behind the console's own gate."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def fresh(view: View) -> View:
    """Ask who signed in long ago to do so again: an open desk must not be enough to change who gets in."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if sign_in.is_fresh(request):
            return view(request, *args, **kwargs)
        messages.info(request, "Sign in again for this: you did so more than a quarter of an hour ago.")
        to = {"next": reverse("console:my_sign_in"), "again": "1"}
        return redirect(f"{reverse('admin:login')}?{urlencode(to)}")

    return wrapper


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show how one signs in."""
    person = me(request)
    mine = list(factors.of(person))
    context = {
        "title": "My sign-in",
        "factors": mine,
        "n_codes": recovery.n_left(person),
        "has_app": any(factor.kind == factor.Kind.TOTP for factor in mine),
        "is_required": factors.are_required(person),
        "is_weak": sign_in.owes_second_factor(request),
        "can_use_passkeys": passkeys.can_be_used(request),
        "n_sessions": sessions.others(request, person).count(),
        "single_sign_on": single_sign_on.name() if single_sign_on.is_bound(person) else "",
    }
    return page(request, "console/my_sign_in.html", context)


@fresh
@require_http_methods(["GET", "POST"])
def add_app(request: HttpRequest) -> HttpResponse:
    """Set up an authenticator app: a QR code, and a code that shows that the app has read it."""
    person, error = me(request), ""
    if request.method == "POST":
        try:
            ticket = _ticket(request, APP)
            code = request.POST.get("code", "")[:20]
            codes = factors.add_app(person, key=ticket.data["key"], code=code, ticket=ticket)
        except EcomsiteError as exc:
            error = str(exc)
        else:
            return _added(request, codes, APP)
    try:
        key = str(_ticket(request, APP).data["key"]) if error else totp.new_key()
    except PermanentError:
        key = totp.new_key()
    address = totp.address_of(key, person=person, issuer=ISSUER)
    context = {
        "title": "Set up an authenticator app",
        "error": error,
        "qr": totp.qr_code(address),
        "otpauth": address,
        "key": " ".join(key[at : at + 4] for at in range(0, len(key), 4)),
    }
    answer = page(request, "console/add_app.html", context, status=422 if error else 200)
    tickets.give(answer, APP, {"person": person.pk, "key": key})
    return answer


def _ticket(request: HttpRequest, kind: str) -> tickets.Ticket:
    """The ticket of `kind`, if it is this person's: somebody else may have begun in this browser."""
    ticket = tickets.read(request, kind)
    if ticket.data.get("person") != me(request).pk:
        raise PermanentError("Somebody else began this in this browser.", hint="Begin again.")
    return ticket


def _added(request: HttpRequest, codes: list[str], kind: str) -> HttpResponse:
    sign_in.has_second_factor_now(request)
    messages.success(request, "From now on signing in asks for it.")
    answer = _shown(request, codes) if codes else redirect("console:my_sign_in")
    tickets.drop(answer, kind)
    return answer


def _shown(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return page(request, "console/recovery_codes.html", {"title": "Recovery codes", "codes": codes})


@fresh
@require_safe
def new_passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser has to make."""
    options, state = passkeys.begin_adding(request, me(request))
    answer = JsonResponse(options)
    tickets.give(answer, NEW_PASSKEY, {"person": me(request).pk, **state})
    return answer


@fresh
@require_POST
def add_passkey(request: HttpRequest) -> HttpResponse:
    """Keep the passkey that the browser made."""
    given = request.POST.get("credential", ""), request.POST.get("name", "")
    try:
        ticket = _ticket(request, NEW_PASSKEY)
        codes = passkeys.add(request, me(request), ticket=ticket, answer=given[0], name=given[1])
    except EcomsiteError as exc:
        messages.error(request, str(exc))
        return redirect("console:my_sign_in")
    return _added(request, codes, NEW_PASSKEY)


@fresh
@require_POST
def remove_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a second factor."""
    back = reverse("console:my_sign_in")
    return act(request, Act(lambda: factors.remove(me(request), pk), done="It is removed.", back=back))


@fresh
@require_POST
def new_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes, and show them once."""
    try:
        return _shown(request, factors.new_recovery_codes(me(request)))
    except EcomsiteError as exc:
        messages.error(request, str(exc))
        return redirect("console:my_sign_in")


@action
def end_sessions(request: HttpRequest) -> Act[int]:
    """Sign out everywhere else."""
    return Act(
        lambda: sessions.others(request, me(request)).delete()[0],
        done=lambda n: f"Signed out elsewhere: {n}." if n else "You were signed in nowhere else.",
        back=reverse("console:my_sign_in"),
    )


class OwnPasswordForm(AdminOwnPasswordChangeForm):  # type: ignore[misc]
    """The old password is behind the throttle too: whoever finds a desk open must not be able to guess it there."""

    def __init__(self, user: User, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        """Return the old password if it is theirs."""
        old: str = self.cleaned_data["old_password"]
        if authenticate(self.request, username=self.user.get_username(), password=old) is None:
            lock = lock_on(self.request)
            raise ValidationError(str(lock) if lock else self.error_messages["password_incorrect"])
        return old


def change_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """The console's page for one's own password (`admin:password_change`)."""
    request.current_app = admin.site.name
    view = PasswordChangeView.as_view(
        form_class=partial(OwnPasswordForm, request=request),
        success_url=reverse("admin:password_change_done"),
        extra_context=admin.site.each_context(request) | (extra_context or {}),
    )
    answer: HttpResponse = view(request)  # type: ignore[assignment]
    return answer
