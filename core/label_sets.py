"""A label made of several answers: `a+b` in the order of the choices, `none` where none of them holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable

JOINED = "+"
NONE = "none"


def join(values: Collection[str], order: Iterable[str]) -> str:
    """Return the label that says exactly `values`, each once, in the order of `order`."""
    return JOINED.join(value for value in order if value in values) or NONE


def split(label: str) -> list[str]:
    """Return the answers that `label` is made of: none for `none` and for no label at all."""
    return [] if label in ("", NONE) else label.split(JOINED)
