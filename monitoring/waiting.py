"""Why something waits: the parts that are missing, busy or paused, out of those that it needs."""

from __future__ import annotations

from collections.abc import Collection

from moderation.models.candidates import GenerationRequest
from moderation.models.reviews import COPY_VERDICT
from monitoring import health
from monitoring.flow import Stage
from monitoring.parts import Part

DRAFTING = {"broker", "beat", "worker_gpu"}
REVIEWING = {"worker_default", "worker_external", "label_studio", "labelling"}
SENDING = {"broker", "beat", "worker_external", "label_studio"}
PEOPLE = {"label_studio", "worker_default", "worker_external"}
# What each stage needs; one that is the queue of a question, PEOPLE.
STAGES = {
    "requested": DRAFTING | {health.queue_part(COPY_VERDICT)},
    "drafts": DRAFTING,
    "unscored": DRAFTING,
    "sending": SENDING,
    "webhooks": SENDING,
}


def why_order_waits(order: GenerationRequest) -> tuple[Part, ...]:
    """Return what keeps an order from being written; nothing once it is, or while it is simply not its turn yet."""
    if order.status not in (GenerationRequest.Status.QUEUED, GenerationRequest.Status.GENERATING):
        return ()
    return _missing(STAGES["requested"])


def why_stage_waits(stage: Stage) -> tuple[Part, ...]:
    """Return what keeps a stage from moving: missing or paused. A part that is merely busy moves it."""
    found = _missing(STAGES.get(stage.key, PEOPLE))
    return tuple(part for part in found if not part.is_ok or part.name.startswith(health.queue_part("")))


def why_nothing_comes(question: str) -> tuple[Part, ...]:
    """Return what keeps work of that kind from reaching the people who wait for it, and their answers from counting."""
    return _missing(DRAFTING | REVIEWING | {health.queue_part(question)})


def _missing(names: Collection[str]) -> tuple[Part, ...]:
    return tuple(part for part in health.recent_report().troubles if part.name in names)
