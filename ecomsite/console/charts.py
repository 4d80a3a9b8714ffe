"""Geometry of the dashboard's charts: numbers in, rectangles out; a template draws them as SVG."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """A rectangle in the chart's own units, what it stands for, and its words."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


def hour_bars(
    hours: Sequence[tuple[dt.datetime, int, int]], *, width: float = 720, height: float = 120
) -> tuple[list[Bar], int]:
    """Return two bars (drafts, decisions) for each hour, and the number at the top of the scale."""
    top = max((max(drafts, decisions) for _, drafts, decisions in hours), default=0)
    scale, slot = height / (top or 1), width / max(len(hours), 1)
    bars = []
    for i, (start, drafts, decisions) in enumerate(hours):
        for j, (kind, n) in enumerate((("drafts", drafts), ("decisions", decisions))):
            tall = max(n * scale, 2 if n else 0)
            x = round(i * slot + slot * (0.14 + 0.37 * j), 1)
            title = f"{start:%H:%M}: {n} {kind}"
            bars.append(Bar(x, round(height - tall, 1), round(slot * 0.35, 1), round(tall, 1), kind, title))
    return bars, top


@dataclass(frozen=True)
class Share:
    """One part of a whole."""

    kind: str
    count: int
    percent: float
    x: float
    width: float


def shares(counts: Sequence[tuple[str, int]], *, width: float = 100) -> list[Share]:
    """Return the parts of a stacked bar `width` long; empty when there is nothing to show."""
    total = sum(n for _, n in counts)
    if not total:
        return []
    parts, x = [], 0.0
    for kind, n in counts:
        part = n / total
        parts.append(Share(kind, n, round(100 * part, 1), round(x * width, 3), round(part * width, 3)))
        x += part
    return parts
