"""What every answer goes through: a content security policy, and a count of who was refused what."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

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
    door = urlsplit(settings.LABELING["DOOR_URL"])
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
