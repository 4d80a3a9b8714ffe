"""Filters that the console's templates need."""

from __future__ import annotations

import datetime as dt
import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def duration(value: dt.timedelta) -> str:
    """Return a length of time in its largest unit: `40 s`, `12 min`, `3 h`, `5 days`."""
    seconds = max(0, int(value.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 2 * 86400:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} days"


@register.filter
def unlocalised(value: float) -> str:
    """Return a number as SVG reads it, with a point, whatever the language of the page."""
    return f"{value:g}"


@register.filter
def percent(value: float | None) -> str:
    """Return a share of one as a percentage; a dash for none."""
    return "–" if value is None else f"{value:.0%}"


@register.filter
def part_title(name: str) -> str:
    """Return the name of a part as people read it: `worker_gpu` is `worker gpu`."""
    return name.replace("_", " ")


@register.filter
def code(text: str) -> SafeString:
    """Return `text` with what stands between backticks set as code, the rest escaped."""
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))  # noqa: S308  (escaped on this line)
