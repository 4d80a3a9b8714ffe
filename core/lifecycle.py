"""State tables and the compare-and-set that every state change goes through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models

from core.exceptions import IllegalMove

StateTable = Mapping[str, Sequence[str]]


def compare_and_set(obj: models.Model, *, moves: StateTable, from_: str, to: str, **updates: Any) -> bool:
    """Move `obj.status` from `from_` to `to`, and set `updates`, if and only if the row still says `from_`.

    One UPDATE … WHERE status = from_, so of two callers exactly one wins. Returns whether this caller did; on a win
    the instance is brought up to date too. Raises `IllegalMove` when `moves` has no such move.

    As in healthchecks `sendalerts.handle_going_down`.
    """
    if to not in moves.get(from_, ()):
        raise IllegalMove(f"{type(obj).__name__} cannot move from {from_} to {to}")
    manager = type(obj)._default_manager
    changed = manager.filter(pk=obj.pk, status=from_).update(status=to, **updates)
    if changed != 1:
        return False
    for name, value in {"status": to, **updates}.items():
        setattr(obj, name, value)
    return True
