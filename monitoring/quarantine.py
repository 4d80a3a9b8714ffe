"""What failed too often, of every kind, in one place; and the way out of there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models import Count

from audit import ledger
from core import leases
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError, StaleState
from core.hints import hint_on_commit
from core.leases import Leased
from core.refs import ref
from labeling.models import LabelCheck, LabelingTask, WebhookEvent
from moderation.drafting.requests import retry_request
from moderation.models.candidates import GenerationRequest
from moderation.models.predictions import Scoring
from moderation.models.retro_scans import RetroScan

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    Actor = User | SystemActor

AT_ONCE = 500


def let_out(row: Leased, *, actor: Actor) -> None:
    """Let `row` back into its queue with fresh attempts, with a ledger line; inside a transaction."""
    if not leases.readmit(row):
        raise StaleState("It is not in quarantine any more.")
    ledger.append(
        "monitoring.quarantine.readmitted", subject=ref(row), actor=actor, payload={"attempts": row.n_attempts}
    )


def _let_out_request(row: Any, *, actor: Actor) -> None:
    """A failed order is queued again; one that was written, but could not be checked, is checked again."""
    out = retry_request if row.status == GenerationRequest.Status.FAILED else let_out
    out(row, actor=actor)


@dataclass(frozen=True)
class Kind:
    """A kind of row that can be in quarantine: what people call it, and who is woken when it comes out."""

    model: type[Leased]
    title: str
    drainers: tuple[str, ...]
    let_out: Callable[..., None] = let_out

    @property
    def key(self) -> str:
        """How commands and addresses name it, e.g. `labelingtask`."""
        return str(self.model._meta.model_name)

    @property
    def rows(self) -> models.QuerySet[Any]:
        """What is in quarantine, longest first."""
        held = self.model._default_manager.filter(quarantined_at__isnull=False)
        return held.order_by("quarantined_at", "pk")


# One line for each table whose rows a drainer leases; a test holds it complete.
KINDS = (
    Kind(
        GenerationRequest,
        "Orders for copy",
        ("moderation.drain_generation", "moderation.screen_candidates"),
        _let_out_request,
    ),
    Kind(Scoring, "What models are to answer", ("moderation.score",)),
    Kind(LabelingTask, "Labelling tasks", ("labeling.push_tasks",)),
    Kind(WebhookEvent, "Webhooks of Label Studio", ("labeling.process_webhooks",)),
    Kind(RetroScan, "Policies tried on live copy", ("moderation.run_retro_scans",)),
    Kind(LabelCheck, "Searches for wrong labels", ("training.check_labels",)),
)
# Leased, but never in quarantine, with the reason.
EXCUSED = {
    "training.TrainingRun": "one that failed too often has failed: it says why on its page, and the next one may start",
    "moderation.LabelJob": "as a training run: one that failed too often has failed, and who asked for it asks again",
    "moderation.ReviewItem": "people lease it, and their attempts cost nothing",
    "outbox.Endpoint": (
        "a receiver is never given up, only its deliveries are: as dead letters, or with it when disabled"
    ),
}


def kind_called(key: str) -> Kind:
    """Return the kind with that key. Raises `PermanentError` when there is none."""
    for kind in KINDS:
        if kind.key == key:
            return kind
    raise PermanentError(
        f"There is no {key} to quarantine.", hint=f"There are {', '.join(kind.key for kind in KINDS)}."
    )


def counts() -> list[tuple[Kind, int]]:
    """Return how many rows of each kind are in quarantine."""
    return [(kind, kind.rows.order_by().aggregate(n=Count("pk"))["n"]) for kind in KINDS]


def readmit(row: Leased, *, actor: Actor) -> None:
    """Let `row` out of quarantine with fresh attempts, and wake who works on it. Needs monitoring.readmit.

    A failed order needs moderation.request_copy too. Raises `StaleState` when it is not in there any more.
    """
    require_permission(actor, "monitoring.readmit")
    kind = next(kind for kind in KINDS if kind.model is type(row))
    with transaction.atomic():
        kind.let_out(row, actor=actor)
        for drainer in kind.drainers:
            hint_on_commit(drainer)
    _forget_count()


def readmit_all(kind: Kind, *, actor: Actor, limit: int = AT_ONCE) -> int:
    """Let out up to `limit` rows of a kind, longest there first, each on its own. Returns how many.

    Needs monitoring.readmit.
    """
    require_permission(actor, "monitoring.readmit")
    n = 0
    for row in kind.rows[:limit]:
        try:
            readmit(row, actor=actor)
            n += 1
        except StaleState:
            continue  # somebody else let it out this very moment
    return n


_counted: tuple[float, int] | None = None
_lock = threading.Lock()


def recent_count(*, max_age_s: float = 10) -> int:
    """Return how many rows are in quarantine, at most `max_age_s` ago: every page shows it beside its link."""
    global _counted
    with _lock:
        if _counted is None or time.monotonic() - _counted[0] > max_age_s:
            _counted = (time.monotonic(), sum(n for _, n in counts()))
        return _counted[1]


def _forget_count() -> None:
    global _counted
    _counted = None
