"""Are beat and the workers there? Told apart by name: who is silent, since when, and what that stops."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from celery import current_app
from django.utils import timezone

from moderation.models.candidates import GenerationRequest
from monitoring import heartbeats
from monitoring.parts import Part, in_words

LOG_HINT = "See the logs under var/log."
# What stops while no worker takes from a queue.
WORK = {
    "default": "no review is opened and no answer becomes a decision",
    "external": "nothing goes to Label Studio and no answer comes back",
    "webhooks": "no other system is told of what happens",
    "gpu": "nothing is drafted, checked or scored",
}


def check(*, broker_is_up: bool) -> list[Part]:
    """Whether beat sends, and whether what it sends comes through each queue; if not, which of the two is missing."""
    ages = heartbeats.ages()
    beat = ages.pop(heartbeats.BEAT)
    if not broker_is_up:
        last = min((age for age in ages.values() if age is not None), default=None)
        since = f" Work last got through {in_words(last)} ago." if last is not None else ""
        words = f"Cannot be reached while the broker is down.{since}"
        names = ("beat", *(f"worker_{queue}" for queue in ages))
        return [Part(name, "down", words, "Bring the broker back first.") for name in names]
    is_beat_silent = heartbeats.is_stale(beat)
    consumed = _consumed() if is_beat_silent or any(heartbeats.is_stale(age) for age in ages.values()) else set()
    workers = [
        _check_worker(queue, age, consumed=consumed, is_beat_silent=is_beat_silent) for queue, age in ages.items()
    ]
    return [_check_beat(beat), *workers]


def _check_beat(age: dt.timedelta | None) -> Part:
    if not heartbeats.is_stale(age):
        return Part("beat", "ok", "The scheduler (celery beat) wakes the workers.")
    return Part(
        "beat",
        "down",
        f"The scheduler (celery beat) {_silent(age)}: what a person starts still runs, but nothing starts by itself.",
        f"Start the stack (`make run`), or `celery -A ecomsite beat`. {LOG_HINT}",
    )


def _check_worker(queue: str, age: dt.timedelta | None, *, consumed: Collection[str], is_beat_silent: bool) -> Part:
    name, work = f"worker_{queue}", WORK[queue]
    if not heartbeats.is_stale(age):
        return Part(name, "ok", f"Queue “{queue}”: work gets through.")
    if queue == "gpu" and _is_drafting():
        # The model's worker does one thing at a time: its heartbeat waits until the batch is written.
        return Part(name, "busy", "The model is writing a batch; on a processor that takes minutes.")
    if queue in consumed and is_beat_silent:
        return Part(name, "ok", f"Queue “{queue}”: a worker answers; without beat nobody asks it for anything.")
    if queue in consumed:
        return Part(
            name,
            "down",
            f"Queue “{queue}”: a worker answers, but {_since(age)}, so {work}.",
            f"It may be stuck or far behind: look at its log, and start it again if it stays so. {LOG_HINT}",
        )
    return Part(
        name,
        "down",
        f"Queue “{queue}”: no worker answers, and {_since(age)}, so {work}.",
        f"Start the stack (`make run`), or a Celery worker for the queue “{queue}”. {LOG_HINT}",
    )


def _silent(age: dt.timedelta | None) -> str:
    return "was never heard of" if age is None else f"has been silent for {in_words(age)}"


def _since(age: dt.timedelta | None) -> str:
    return "no work has ever got through" if age is None else f"work last got through {in_words(age)} ago"


def _consumed() -> set[str]:
    """The queues that some worker says it takes from.

    Only asked when a heartbeat is missing; a busy solo worker is mute.
    """
    try:
        answers = current_app.control.inspect(timeout=0.7).active_queues() or {}
    except Exception:  # kombu raises whatever its transport raises
        return set()
    return {queue["name"] for queues in answers.values() for queue in queues}


def _is_drafting() -> bool:
    return GenerationRequest.objects.filter(
        status=GenerationRequest.Status.GENERATING, lease_expires_at__gt=timezone.now()
    ).exists()
