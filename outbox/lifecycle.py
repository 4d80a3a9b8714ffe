"""The legal moves of endpoints and deliveries, and the one function that makes them."""

from __future__ import annotations

from typing import Any

from django.db import models

from audit.ledger import Line
from core.exceptions import StaleState
from core.lifecycle import StateTable, compare_and_set
from core.refs import ref
from outbox.models import Delivery, Endpoint

MOVES: dict[type[models.Model], StateTable] = {
    Endpoint: {"active": ("disabled",), "disabled": ("active",)},
    Delivery: {
        "pending": ("delivered", "dead"),
        # A person has the dead letter sent again.
        "dead": ("pending",),
    },
}


def advance(
    obj: Endpoint | Delivery,
    *,
    from_: str,
    to: str,
    event: str = "",
    payload: dict[str, Any] | None = None,
    **updates: Any,
) -> Line:
    """Move `obj` by compare-and-set and return the ledger line for it; the caller appends it last, where one is due.

    Raises `StaleState` when somebody else moved it first, `IllegalMove` when the table has no such move.
    """
    name = type(obj).__name__.lower()
    if not compare_and_set(obj, moves=MOVES[type(obj)], from_=from_, to=to, **updates):
        raise StaleState(f"the {name} is no longer {from_}; somebody else moved it first")
    return Line(f"outbox.{name}.{event or to}", ref(obj), {"from": from_, **(payload or {})})
