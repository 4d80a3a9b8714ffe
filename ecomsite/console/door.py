"""From the console into Label Studio: a way through the door, for who holds the task, once."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from core.actors import AuthenticatedHttpRequest, require_permission
from core.exceptions import EcomsiteError, PermanentError
from ecomsite.security import policy
from labeling.models import LabelingTask
from labeling.passes import way_in


@require_GET
@never_cache
@xframe_options_sameorigin
def door(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """Send who holds a task through the door to it; says why not to anybody else. Also in a frame of the console."""
    require_permission(request.user, "moderation.review_item")
    task = get_object_or_404(LabelingTask, pk=pk)
    try:
        _require_our_name(request)
        address = way_in(task, user=request.user, session_key=request.session.session_key or "")
    except EcomsiteError as exc:
        response = render(request, "console/door_closed.html", {"title": "Not here", "error": exc}, status=409)
        response.headers["Content-Security-Policy"] = policy(frame_ancestors="'self'")
        return response
    return HttpResponseRedirect(address, headers={"Referrer-Policy": "no-referrer"})


def _require_our_name(request: AuthenticatedHttpRequest) -> None:
    """A browser keeps a frame of another site without cookies: the console by another name is one to the door."""
    is_framed = request.headers.get("Sec-Fetch-Dest") == "iframe"
    if is_framed and request.get_host() != urlsplit(settings.SITE_URL).netloc:
        raise PermanentError("This is not the address of the desk.", hint=f"Open it at {settings.SITE_URL}.")
