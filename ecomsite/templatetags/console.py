"""Filters that the console's templates need."""

from __future__ import annotations

import datetime as dt

from django import template

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
