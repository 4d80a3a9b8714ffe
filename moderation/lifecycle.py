"""The state tables of the desk: the only legal moves, and the one function that makes them."""

from __future__ import annotations

from typing import Any

from django.db import models

from audit.ledger import Line
from core.exceptions import StaleState
from core.lifecycle import StateTable, compare_and_set
from core.refs import ref
from moderation.models.appeals import Appeal
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.retro_scans import RetroScan
from moderation.models.reviews import ReviewItem
from moderation.models.rule_proposals import RuleProposal

MOVES: dict[type[models.Model], StateTable] = {
    GenerationRequest: {
        "queued": ("generating", "cancelled"),
        # back to queued: the lease ran out or the model was out of reach, and attempts are left
        "generating": ("completed", "failed", "queued"),
        "failed": ("queued",),
    },
    Candidate: {
        "generated": ("blocked", "in_review", "superseded"),
        "blocked": ("in_review", "superseded"),
        "in_review": ("approved", "rejected", "superseded"),
        "approved": ("published", "superseded"),
        "published": ("retired",),
        # back to in review: who decided corrects it, within minutes (moderation/decisions/corrections.py)
        "rejected": ("in_review",),
        "superseded": ("in_review",),
        # to published: a person puts back what a retro-scan took down
        "retired": ("published", "in_review"),
    },
    ReviewItem: {
        "waiting": ("dispatched", "withdrawn"),
        "dispatched": ("answered", "confirming", "decided", "escalated", "waiting", "withdrawn"),
        # back to dispatched or waiting: a senior sent the answer back, to who gave it or to somebody else
        "answered": ("confirming", "decided", "dispatched", "waiting", "withdrawn"),
        "escalated": ("answered", "confirming", "decided", "withdrawn"),
        # the second person confirms it, or returns it: to who answered, to the seniors, or to a panel's adjudicator
        "confirming": ("answered", "decided", "dispatched", "escalated", "withdrawn"),
        # who decided corrects it; to waiting: what it was about was edited
        "decided": ("dispatched", "escalated", "waiting"),
    },
    Appeal: {
        "open": ("overturned", "upheld"),
    },
    RetroScan: {
        "scanning": ("scanned",),
        "scanned": ("recalling",),
        "recalling": ("recalled",),
        "recalled": ("undoing",),
        "undoing": ("undone",),
    },
    RuleProposal: {
        "open": ("accepted", "declined", "lapsed"),
    },
}

NAMES: dict[type[models.Model], str] = {
    GenerationRequest: "request",
    Candidate: "candidate",
    ReviewItem: "item",
    Appeal: "appeal",
    RetroScan: "retroscan",
    RuleProposal: "ruleproposal",
}


def line_for(obj: models.Model, event: str, **payload: Any) -> Line:
    """Return the ledger line `moderation.<thing>.<event>` about `obj`."""
    return Line(f"moderation.{NAMES[type(obj)]}.{event}", ref(obj), payload)


def advance(
    obj: models.Model, *, from_: str, to: str, event: str = "", payload: dict[str, Any] | None = None, **updates: Any
) -> Line:
    """Move `obj` by compare-and-set and return the ledger line that the caller appends, last, in the same transaction.

    Raises `StaleState` when somebody else moved it first, `IllegalMove` when the table has no such move.
    """
    if not compare_and_set(obj, moves=MOVES[type(obj)], from_=from_, to=to, **updates):
        raise StaleState(f"{NAMES[type(obj)]} {obj.pk} is no longer {from_}; somebody else moved it first")
    return line_for(obj, event or to, **{"from": from_, **(payload or {})})
