"""Geometry of the dashboard's charts: numbers in, rectangles out; a template draws them as SVG."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
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


def slot_bars(left: Sequence[int], *, width: float = 96, height: float = 22) -> list[Bar]:
    """Return one bar for each slot of the last hour, for the small chart beside a stage."""
    scale, slot = height / (max(left, default=0) or 1), width / max(len(left), 1)
    minutes = 60 // max(len(left), 1)
    return [
        Bar(
            round(i * slot + 1, 1),
            round(height - max(n * scale, 1), 1),
            round(slot - 2, 1),
            round(max(n * scale, 1), 1),
            "left" if n else "none",
            f"{(len(left) - i) * minutes} to {(len(left) - i - 1) * minutes} minutes ago: {n}",
        )
        for i, n in enumerate(left)
    ]


def clock_bars(clock: Sequence[dt.timedelta], *, top: dt.timedelta, width: float = 220) -> list[Bar]:
    """Return the bars of a clock's percentiles, widest first so that the narrower lie on top of it."""
    scale = width / (top.total_seconds() or 1)
    names = ("p50", "p90", "p99")
    bars = [
        Bar(0, 0, round(max(length.total_seconds() * scale, 1), 1), 12, name, f"{name}: {length}")
        for name, length in zip(names, clock, strict=True)
    ]
    return bars[::-1]


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


@dataclass(frozen=True)
class Point:
    """A figure with its interval, in the chart's own units (y grows downwards), and its words."""

    x: float
    y: float
    top: float
    bottom: float
    name: str
    title: str


def points(
    figures: Sequence[tuple[str, float | None, float | None, float | None]],
    *,
    low: float = 0,
    high: float = 1,
    width: float = 640,
    height: float = 140,
) -> list[Point]:
    """Return a point for each (name, value, low, high), the scale from `low` to `high`;
    those without a value are left out.
    """
    slot = width / max(len(figures), 1)

    def place(value: float) -> float:
        return round(height * (1 - (min(max(value, low), high) - low) / (high - low)), 1)

    return [
        Point(
            round(slot * (i + 0.5), 1),
            place(value),
            place(most),
            place(least),
            name,
            f"{name}: {value:.2f} ({least:.2f} to {most:.2f})",
        )
        for i, (name, value, least, most) in enumerate(figures)
        if value is not None and least is not None and most is not None
    ]


def whisker(value: float, low: float, high: float, *, width: float = 300) -> tuple[float, float, float]:
    """Return where a bar of a share ends, and where its interval begins and ends."""
    return round(value * width, 1), round(low * width, 1), round(high * width, 1)


def shaded(rows: Iterable[tuple[str, Sequence[int]]]) -> list[tuple[str, int, list[tuple[int, int, bool]]]]:
    """Return a table of counts, row i and column i about the same thing, as (name, total, cells of count, per cent,
    on the diagonal).
    """
    found = []
    for i, (name, counts) in enumerate(rows):
        total = sum(counts)
        found.append((name, total, [(n, round(100 * n / total) if total else 0, i == j) for j, n in enumerate(counts)]))
    return found


def curves(
    lines: Mapping[str, Sequence[tuple[float, float]]], *, width: float = 640, height: float = 160
) -> dict[str, object] | None:
    """Return lines (name → points of x and y) as polylines on one scale, and the ends of that;
    None without two points.
    """
    every = [point for line in lines.values() for point in line]
    if len(every) < 2:
        return None
    right, top = max(x for x, _ in every) or 1, max(y for _, y in every) or 1

    def places(line: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{width * x / right:.1f},{height * (1 - y / top):.1f}" for x, y in line)

    drawn = [(name, places(line), line[-1][1]) for name, line in lines.items() if line]
    return {"lines": drawn, "right": right, "top": top}
