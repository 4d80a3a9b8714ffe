"""What every answer goes through: a content security policy, and a count of who was refused what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from accounts import sign_in
from core.actors import actor_ref
from monitoring import refusals

POLICY = "; ".join(
    (
        "default-src 'self'",
        # Alpine, in the admin theme, builds functions from attributes; inline scripts stay forbidden.
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)


def policy(*, frames_door: bool = False, frame_ancestors: str = "'none'") -> str:
    """Return the policy of our pages. One with `frames_door` may hold the door in front of Label Studio in a frame."""
    door = urlsplit(settings.LABELING.door_url)
    frames = f"; frame-src 'self' {door.scheme}://{door.netloc}" if frames_door else ""
    return f"{POLICY}{frames}; frame-ancestors {frame_ancestors}"


class ContentSecurityPolicy:
    """Middleware: set the policy on every response that has none of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the policy."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy())
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response


# What somebody may still do whose role asks for a second factor and who has shown none: set one up, or leave.
WITHOUT_SECOND_FACTOR = {
    "admin:login",
    "admin:logout",
    "admin:jsi18n",
    "console:my_sign_in",
    "console:add_app",
    "console:new_passkey_options",
    "console:add_passkey",
    "console:second_step",
    "console:passkey_options",
    "console:use_passkey",
    "console:to_provider",
    "console:from_provider",
    "api",
    "api_copy",
    "api_feed",
    "healthz",
    "readyz",
}


class RequireSecondFactor:
    """Middleware: nothing but setting one up, for whose role asks for a second factor and who signed in without."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        """Lead to the page where it is set up, or say so to a program."""
        route = request.resolver_match.view_name if request.resolver_match else ""
        is_api = request.path_info.startswith("/api/")
        if route in WITHOUT_SECOND_FACTOR or not request.user.is_authenticated:
            return None
        if is_api and "Authorization" in request.headers:  # who that is, and whether it is enough, ecomsite.api says
            return None
        if not sign_in.owes_second_factor(request):
            return None
        if is_api:
            words = {"error": "Your role asks for a second factor.", "hint": "Set one up in the console: My sign-in."}
            return JsonResponse(words, status=403)
        return redirect("console:my_sign_in")


class CountRefusals:
    """Middleware: count each 403 that a signed-in person got, by the name of the page or call."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and count a refusal."""
        response = self.get_response(request)
        if response.status_code == 403 and request.user.is_authenticated:
            route = request.resolver_match.view_name if request.resolver_match else ""
            refusals.record(
                refusals.Kind.PERMISSION, account=actor_ref(request.user), what=route or request.method or ""
            )
        return response
