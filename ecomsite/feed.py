"""All live copy in one stream, each text with its AI mark: JSON lines, or the XML that Google Merchant Center reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final
from xml.sax.saxutils import escape

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from catalog.models import CONTROL, Channel, Locale, PublishedCopy
from catalog.slots import EVERYBODY, Slot, require_known
from core.exceptions import PermanentError
from core.hashing import canonical_json
from ecomsite.api import error
from moderation.live import marking

CHUNK: Final = 500
# What XML 1.0 has no way to write.
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@require_safe
def live_copy(request: HttpRequest) -> HttpResponseBase:
    """GET /api/v1/feed?channel=&locale=&audience=&variant=&format= — every live text with its mark, by sku.

    One text for each product: what is for everybody in the variant `control`, unless others are named. Streams; open to
    all.
    """
    channel = request.GET.get("channel", Channel.DESCRIPTION.value)
    locale, kind = request.GET.get("locale", Locale.EN.value), request.GET.get("format", "jsonl")
    place = {
        "channel": channel,
        "locale": locale,
        "audience": request.GET.get("audience", EVERYBODY),
        "variant": request.GET.get("variant", CONTROL),
    }
    try:
        require_known(**place)
    except PermanentError as exc:
        return error(400, exc.message, hint=exc.hint)
    if kind not in FORMATS:
        return error(400, f"Unknown format: {kind[:40]}.", hint=f"Choose from {', '.join(FORMATS)}.")
    copies = PublishedCopy.objects.filter(**place, retired_at=None)
    copies.exists()  # a database that is away has to be met before the answer begins
    media, write = FORMATS[kind]
    response = StreamingHttpResponse(
        write(copies.select_related("product").order_by("product__sku")), content_type=media
    )
    response["Cache-Control"] = "public, no-cache"
    response["AI-Disclosure"] = "mode=ai-originated"
    return response


def as_lines(copies: QuerySet[PublishedCopy]) -> Iterator[str]:
    """Yield one JSON object a line: sku, text, the text with its manifest (or null), when, and the mark."""
    for copy in copies.iterator(chunk_size=CHUNK):
        yield (
            canonical_json(
                {
                    **Slot.of(copy).as_event(),
                    "variant": copy.variant,
                    "text": copy.text,
                    "marked_text": marking.with_manifest(copy),
                    "published_at": copy.published_at.isoformat(),
                    "ai_mark": marking.for_api(copy),
                }
            )
            + "\n"
        )


def as_merchant(copies: QuerySet[PublishedCopy]) -> Iterator[str]:
    """Yield a supplemental feed: id and structured_description with digital_source_type, as Merchant Center asks.

    https://support.google.com/merchants/answer/14782581 (AI-generated titles and descriptions).
    """
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>\n'
    )
    yield "<title>Live copy</title><link></link><description>Texts with their AI mark</description>\n"
    for copy in copies.iterator(chunk_size=CHUNK):
        yield (
            f"<item><g:id>{_xml(copy.product.sku)}</g:id><g:structured_description>"
            f"<g:digital_source_type>{marking.MERCHANT}</g:digital_source_type>"
            f"<g:content>{_xml(copy.text)}</g:content></g:structured_description></item>\n"
        )
    yield "</channel></rss>\n"


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("", text))


Writer = Callable[[QuerySet[PublishedCopy]], Iterator[str]]
FORMATS: Final[dict[str, tuple[str, Writer]]] = {
    "jsonl": ("application/x-ndjson", as_lines),
    "merchant": ("application/xml; charset=utf-8", as_merchant),
}
