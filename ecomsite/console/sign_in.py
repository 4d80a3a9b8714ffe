"""The pages on which one signs in: password, second factor, passkey, single sign-on. The work is in `accounts`."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from unfold.forms import AuthenticationForm

from accounts import factors, passkeys, sign_in, single_sign_on, tickets
from accounts.backends import lock_on
from accounts.models import Factor
from accounts.throttle import Locked
from core.exceptions import EcomsiteError
from ecomsite.console.pages import page

PASSKEY, SSO = "passkey", "sso"


class FirstStep(LoginView):
    """Name and password; then the desk, or the second step."""

    template_name = "admin/login.html"
    authentication_form = AuthenticationForm

    def get_default_redirect_url(self) -> str:
        """To the desk, if to nowhere else."""
        return reverse("admin:index")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the frame of the console, and the other ways in."""
        return {
            **super().get_context_data(**kwargs),
            **admin.site.each_context(self.request),
            "title": "Sign in",
            "app_path": self.request.get_full_path(),
            "username": self.request.user.get_username(),
            "has_passkeys": passkeys.can_be_used(self.request),
            "next_page": self.get_redirect_url(),
            "single_sign_on": single_sign_on.name() if single_sign_on.is_on() else "",
        }

    def form_valid(self, form: Any) -> HttpResponse:
        """The password was right."""
        is_in = sign_in.enter(self.request, form.get_user(), next_page=self.get_redirect_url())
        return HttpResponseRedirect(self.get_success_url()) if is_in else redirect("console:second_step")

    def form_invalid(self, form: Any) -> HttpResponse:
        """It was wrong, or nobody looks at it for now."""
        lock = lock_on(self.request)
        return locked(self.request, lock) if lock else super().form_invalid(form)


def first_step(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """The console's login page (`admin:login`).

    Who is signed in goes on to the desk, unless they want to sign in `again`.
    """
    if request.method == "GET" and admin.site.has_permission(request) and "again" not in request.GET:
        return redirect("admin:index")
    request.current_app = admin.site.name
    answer: HttpResponse = FirstStep.as_view()(request)  # type: ignore[assignment]
    return answer


def locked(request: HttpRequest, lock: Locked) -> HttpResponse:
    """Say how long, and who helps. A page that costs next to nothing: whoever knocks without end gets it each time."""
    answer = render(request, "console/locked.html", {"lock": lock}, status=429)
    answer["Retry-After"] = str(lock.seconds)
    return answer


@never_cache
@require_http_methods(["GET", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """After the password: a code of the app, a recovery code, or a passkey."""
    person = sign_in.pending(request)
    if person is None:
        messages.info(request, "That took too long. Begin again.")
        return redirect("admin:login")
    wrong = False
    if request.method == "POST":
        to = sign_in.next_after(request)
        try:
            if sign_in.enter_code(request, person, request.POST.get("code", "")[:40]):
                return HttpResponseRedirect(to or reverse("admin:index"))
        except Locked as lock:
            _count(request, person)
            return locked(request, lock)
        except EcomsiteError as exc:
            messages.error(request, str(exc))
        else:
            wrong = True
            _count(request, person)
    kinds = set(factors.of(person).values_list("kind", flat=True))
    context = {
        "title": "One more step",
        "wrong": wrong,
        "has_app": Factor.Kind.TOTP in kinds,
        "has_passkey": Factor.Kind.PASSKEY in kinds,
        "can_use_passkey": passkeys.can_be_used(request),
    }
    return page(request, "console/second_step.html", context, status=422 if wrong else 200)


def _count(request: HttpRequest, person: User | None = None) -> None:
    """Have the refusal counted beside wrong passwords."""
    name = {"username": person.get_username()} if person else {}
    user_login_failed.send(sender=__name__, credentials=name, request=request)


@never_cache
@require_safe
def passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser has to sign, for who owes a second factor, or for whoever it is."""
    options, state = passkeys.begin_using(request, sign_in.pending(request))
    answer = JsonResponse(options)
    tickets.give(answer, PASSKEY, state)
    return answer


@never_cache
@require_POST
def use_passkey(request: HttpRequest) -> HttpResponse:
    """Sign in by a passkey: alone, or after the password."""
    person, to = sign_in.pending(request), sign_in.next_after(request)
    to = to or sign_in.safe_next(request, request.POST.get("next", ""))
    try:
        ticket = tickets.read(request, PASSKEY)
        factor = passkeys.use(request, state=ticket.data, answer=request.POST.get("credential", ""), person=person)
        ticket.use()
        sign_in.require_account(factor.user)
    except EcomsiteError as exc:
        messages.error(request, str(exc))
        _count(request, person)
        return redirect("console:second_step" if person else "admin:login")
    sign_in.enter(request, factor.user, is_enough=True)
    answer = HttpResponseRedirect(to or reverse("admin:index"))
    tickets.drop(answer, PASSKEY)
    return answer


@never_cache
@require_safe
def to_provider(request: HttpRequest) -> HttpResponse:
    """Off to the provider of single sign-on."""
    if not single_sign_on.is_on():
        return redirect("admin:login")
    try:
        address, kept = single_sign_on.begin(next_page=sign_in.safe_next(request, request.GET.get("next", "")))
    except EcomsiteError as exc:
        messages.error(request, str(exc))
        return redirect("admin:login")
    answer = HttpResponseRedirect(address)
    tickets.give(answer, SSO, kept)
    return answer


@never_cache
@require_safe
def from_provider(request: HttpRequest) -> HttpResponse:
    """Back from the provider."""
    try:
        ticket = tickets.read(request, SSO)
        person = single_sign_on.finish(ticket.data, request.GET.dict())
        ticket.use()
    except EcomsiteError as exc:
        messages.error(request, str(exc))
        _count(request)
        answer = redirect("admin:login")
    else:
        to = ticket.data["next"]
        is_in = sign_in.enter(request, person, is_enough=single_sign_on.is_enough(), next_page=to)
        answer = HttpResponseRedirect(to or reverse("admin:index")) if is_in else redirect("console:second_step")
    tickets.drop(answer, SSO)
    return answer
