"""Does the shop's page still carry the AI mark? Pages of live copy are read by turns, longest unread first.

`SHOP_PAGE_URL` says where a product is shown. A mark that a theme, a feed or an app strips is no mark to a shopper: EU
AI Act, Art. 50(2), and GB 45438-2025 speak of what is shown.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

import httpx
from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from catalog.models import CONTROL, PublishedCopy
from catalog.slots import EVERYBODY, Slot
from core import http
from core.exceptions import PermanentError
from monitoring import page_marks
from monitoring.models import MarkCheck

TIMEOUT_S: Final = 10.0
MAX_BYTES: Final = 4 * 1024 * 1024
RUNS_A_DAY: Final = 24
CHECKS_A_DAY: Final = 200
Outcome = MarkCheck.Outcome


def page_of(copy: PublishedCopy) -> str:
    """Return the address where shoppers see `copy`. Raises `PermanentError` where nobody said where that is."""
    template: str = settings.AI_MARK.page_url
    if not template:
        raise PermanentError(
            "Nobody said where shoppers see a product.", hint="Set SHOP_PAGE_URL; docs/settings.md says how."
        )
    values = {**Slot.of(copy).as_event(), "variant": copy.variant}
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", quote(value, safe=""))
    return template


def on_pages() -> QuerySet[PublishedCopy]:
    """Return the live copy that stands on the pages that we know:
    an address without {variant} shows `control` alone.
    """
    template: str = settings.AI_MARK.page_url
    live = PublishedCopy.objects.filter(retired_at=None)
    if "{variant}" not in template:
        live = live.filter(variant=CONTROL)
    return live if "{audience}" in template else live.filter(audience=EVERYBODY)


def check(copy: PublishedCopy) -> MarkCheck:
    """Read the page of `copy` and keep what it carries; takes up to `TIMEOUT_S` seconds."""
    url = page_of(copy)
    html, trouble = _fetch(url)
    if trouble:
        outcome, details = Outcome.UNREACHABLE, {"why": trouble}
    else:
        reading = page_marks.read(html, copy)
        outcome = Outcome.CARRIED if reading.carries_mark else Outcome.STRIPPED if reading.text else Outcome.NO_TEXT
        details = dataclasses.asdict(reading)
    values = {"at": timezone.now(), "url": url, "outcome": outcome, "details": details}
    return MarkCheck.objects.update_or_create(copy=copy, defaults=values)[0]


def check_some(n: int | None = None) -> Iterator[MarkCheck]:
    """Check the `n` live texts that were looked at longest ago, one by one (default: an hour's share of the day's)."""
    if not settings.AI_MARK.page_url:
        return
    n = math.ceil(CHECKS_A_DAY / RUNS_A_DAY) if n is None else n
    live = on_pages().select_related("product")
    for copy in list(live.order_by(F("mark_check__at").asc(nulls_first=True), "published_at")[:n]):
        yield check(copy)


def _fetch(url: str) -> tuple[str, str]:
    """Return the page, and in words why there is none."""
    deadline, content = time.monotonic() + TIMEOUT_S, bytearray()
    try:
        with http.client(timeout_s=TIMEOUT_S) as session, session.stream("GET", url) as response:
            if response.is_redirect:
                return "", f"leads to {response.headers.get('location', '')[:200]}: name that in SHOP_PAGE_URL"
            if not response.is_success:
                return "", f"answers {response.status_code}"
            for block in response.iter_bytes():
                content += block
                if len(content) > MAX_BYTES or time.monotonic() > deadline:
                    return "", "is too large or too slow"
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        return "", f"cannot be reached ({type(exc).__name__})"
    return bytes(content).decode(response.encoding or "utf-8", "replace"), ""
