"""What the shop reads: the copy that is live. One look at an index, and what was rendered for that very copy before."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.utils.http import parse_etags
from django.views.decorators.http import require_safe

from catalog.models import CONTROL, Channel, PublishedCopy
from catalog.selectors import find_live_copy
from catalog.slots import EVERYBODY, require_known
from core.exceptions import PermanentError
from ecomsite.errors import expected, in_words
from moderation.live import marking

PREFIX: Final = "/api/v1/copy/"
# Answers kept by each process, of about 4 KB.
KEPT: Final = 4096


class Rendered(NamedTuple):
    """An answer as it goes out."""

    locale: str
    body: bytes
    etag: str


@require_safe
def copy(request: HttpRequest, sku: str) -> HttpResponse:
    """GET /api/v1/copy/{sku}?channel=&locale=&audience=&variant=&marked= — the live copy, where it came from, its AI
    mark.

    Without `channel` the description; without `locale` the language of the product's own title; without `audience` what
    is for everybody; without `variant` the one called `control`. With `marked=1` also
    the text with its C2PA manifest inside, where the channel keeps one.
    """
    query: Mapping[str, Any] = request.GET if request.META.get("QUERY_STRING") else {}
    channel, locale = query.get("channel", Channel.DESCRIPTION.value), query.get("locale")
    audience, variant = query.get("audience", EVERYBODY), query.get("variant", CONTROL)
    try:
        require_known(
            channel=channel, **({} if locale is None else {"locale": locale}), audience=audience, variant=variant
        )
    except PermanentError as exc:
        return _error(400, exc.message, hint=exc.hint)
    found = find_live_copy(sku, channel=channel, locale=locale, audience=audience, variant=variant)
    if found is None:
        return _missing("There is no such product.", reason="unknown_sku")
    if found.copy_id is not None:
        try:
            rendered = render(found.copy_id, sku, is_marked=query.get("marked") == "1")
        except PublishedCopy.DoesNotExist:
            pass  # gone between the look and this
        else:
            return _answer(request, rendered)
    words = f"No {channel} is live for this product in {found.locale}"
    words += f", for {audience}" * bool(audience) + f", as {variant}" * (variant != CONTROL) + "."
    return _missing(words, reason="no_live_copy")


@lru_cache(maxsize=KEPT)
def render(copy_id: uuid.UUID, sku: str, *, is_marked: bool) -> Rendered:
    """Return the answer with this copy in it. While it is live a copy never changes, so it is rendered once."""
    live = PublishedCopy.objects.select_related("product").get(pk=copy_id)
    body = JsonResponse(
        {
            "sku": sku,
            "channel": live.channel,
            "locale": live.locale,
            "audience": live.audience,
            "variant": live.variant,
            "text": live.text,
            "published_at": live.published_at,
            "provenance": live.provenance,
            "ai_mark": marking.for_api(live),
            **({"marked_text": marking.with_manifest(live)} if is_marked else {}),
        }
    ).content
    return Rendered(live.locale, body, _etag(body))


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _answer(request: HttpRequest, rendered: Rendered) -> HttpResponse:
    asked = request.META.get("HTTP_IF_NONE_MATCH", "")
    response: HttpResponse
    if asked and _matches(rendered.etag, asked):
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(rendered.body, content_type="application/json")
        response["Content-Length"] = str(len(rendered.body))
        response["Content-Language"] = rendered.locale
        # The words of the IETF draft “AI Content Disclosure Header”: made by a model, let out by a person.
        response["AI-Disclosure"] = "mode=ai-originated"
    return _for_shops(response, rendered.etag)


def _matches(etag: str, asked: str) -> bool:
    if asked == etag:
        return True
    return any(one == "*" or one.removeprefix("W/") == etag for one in parse_etags(asked))


def _missing(message: str, *, reason: str) -> HttpResponse:
    response = _error(404, message, reason=reason)
    return _for_shops(response, _etag(response.content))


def _error(status: int, message: str, **more: str) -> HttpResponse:
    return JsonResponse({"error": message, **more}, status=status)


def _for_shops(response: HttpResponse, etag: str) -> HttpResponse:
    """Any cache may keep the answer but asks each time: retired copy must be gone at once. Any page may read it."""
    response["X-Content-Type-Options"] = "nosniff"
    response["ETag"] = etag
    response["Cache-Control"] = "public, no-cache"
    response["Access-Control-Allow-Origin"] = "*"
    return response


class PastTheDesk:
    """Middleware, the first: what the shop reads needs no session, no form's token and no page's headers,
    and goes past them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a read of the shop; hand everything else on."""
        if not request.path_info.startswith(PREFIX) or (settings.SECURE_SSL_REDIRECT and not request.is_secure()):
            return self.get_response(request)
        request.get_host()  # refuses a host that is not ours, as everywhere
        sku: Any = request.path_info[len(PREFIX) :]
        try:
            return in_words(request.path_info, copy(request, sku)) if sku else self.get_response(request)
        except DatabaseError as exc:
            if told := expected(request.path_info, exc):
                return told
            raise
