"""Pictures of what was measured, as SVG: no library, no fonts of its own, readable on a dark page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

from labeling.quality.intervals import wilson

SIDE, GAP, TOP = 190, 46, 34
COLOURS = ("#c2410c", "#1d4ed8")
FEWEST_IN_BIN = 5


def reliability(
    path: Path, panels: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]], *, n_bins: int = 5
) -> None:
    """Write a picture with one panel for each set: of what is stated (x), how much is right (y).

    `panels`: set → series → (stated, right), each (n,). Every dot is one of `n_bins` parts with as many items each, its line
    the 95 % interval (Wilson); on the diagonal what is stated is right.
    """
    width, height = len(panels) * (SIDE + GAP) + GAP, SIDE + TOP + 62
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, (name, series) in enumerate(panels.items()):
        parts += _panel(GAP + number * (SIDE + GAP), name, series, n_bins)
    names = list(dict.fromkeys(name for series in panels.values() for name in series))
    for place, name in enumerate(names):
        x, y = GAP + place * 260, height - 10
        parts.append(
            f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{COLOURS[place]}"/><text x="{x + 10}" y="{y}">{escape(name)}</text>'
        )
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")


def _panel(left: int, name: str, series: Mapping[str, tuple[np.ndarray, np.ndarray]], n_bins: int) -> Sequence[str]:
    bottom = TOP + SIDE

    def at(x: float, y: float) -> tuple[float, float]:
        return round(left + SIDE * x, 1), round(bottom - SIDE * y, 1)

    parts = [
        f'<text x="{left}" y="{TOP - 12}" font-weight="bold">{escape(name)}</text>',
        f'<rect x="{left}" y="{TOP}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#999"/>',
        f'<line x1="{left}" y1="{bottom}" x2="{left + SIDE}" y2="{TOP}" stroke="#999" stroke-dasharray="4 3"/>',
        f'<text x="{left + SIDE / 2}" y="{bottom + 28}" text-anchor="middle" fill="#444">stated</text>',
    ]
    for tick in (0, 0.5, 1):
        x, y = at(tick, tick)
        parts.append(f'<text x="{x}" y="{bottom + 14}" text-anchor="middle" fill="#444">{tick:g}</text>')
        parts.append(f'<text x="{left - 5}" y="{y + 4}" text-anchor="end" fill="#444">{tick:g}</text>')
    for colour, (stated, right) in zip(COLOURS, series.values(), strict=False):
        for bin_ in np.array_split(np.argsort(stated, kind="stable"), n_bins):
            if len(bin_) < FEWEST_IN_BIN:
                continue
            low, high = wilson(right[bin_].sum(), len(bin_))
            (x, y), (_, y_low), (_, y_high) = (
                at(stated[bin_].mean(), value) for value in (right[bin_].mean(), low, high)
            )
            parts.append(f'<line x1="{x}" y1="{y_low}" x2="{x}" y2="{y_high}" stroke="{colour}" stroke-opacity=".5"/>')
            parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"><title>{len(bin_)} items</title></circle>')
    return parts
