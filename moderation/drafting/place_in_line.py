"""How long an order still waits for its turn: the drafts before it, by the pace of those written last."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q, QuerySet

from moderation.models.candidates import Candidate, GenerationRequest

# The pace is that of so many drafts; a longer line than `MOST_COUNTED` requests is told as "more than".
RECENT, MOST_COUNTED = 50, 5000
Status = GenerationRequest.Status


@dataclass(frozen=True)
class PlaceInLine:
    """`n_drafts` are written before its first; `seconds` until then, None while no draft tells the pace."""

    n_drafts: int
    seconds: float | None
    is_more: bool = False

    @property
    def in_words(self) -> str:
        """The time until its turn, for people: rounded up to whole minutes."""
        if not self.n_drafts:
            return "which is now"
        more = "more than " if self.is_more else ""
        drafts = f"{more}{self.n_drafts} draft{'' if self.n_drafts == 1 else 's'} from now"
        if self.seconds is None:
            return drafts
        minutes = int(self.seconds // 60) + 1
        return f"in {more or 'about '}{minutes} minute{'' if minutes == 1 else 's'} ({drafts})"


def place_of(order: GenerationRequest) -> PlaceInLine | None:
    """Return where a queued order stands; None for one that is being written, or was."""
    if order.status != Status.QUEUED:
        return None
    earlier = Q(created_at__lt=order.created_at) | Q(created_at=order.created_at, pk__lt=order.pk)
    line = GenerationRequest.objects.filter(status=Status.QUEUED, quarantined_at=None)
    if order.is_awaited:
        queued, is_more = _drafts_of(line.filter(earlier, is_awaited=True))
    else:
        ahead, _ = _drafts_of(line.filter(is_awaited=True))
        older, is_more = _drafts_of(line.filter(earlier, is_awaited=False))
        queued = ahead + older
    # What is begun is finished first, of a backlog no more than the batch in hand.
    begun = GenerationRequest.objects.filter(status=Status.GENERATING)
    awaited, _ = _drafts_of(begun.filter(is_awaited=True))
    others, _ = _drafts_of(begun.filter(is_awaited=False))
    if order.is_awaited:
        others = min(others, settings.INFERENCE.batch_size)
    pace = _seconds_per_draft()
    n = queued + awaited + others
    return PlaceInLine(n, None if pace is None else n * pace, is_more)


def _drafts_of(requests: QuerySet[GenerationRequest]) -> tuple[int, bool]:
    """Return the drafts ordered by `requests`, and whether there are more than were counted."""
    counts = list(requests.order_by("created_at", "pk").values_list("n_candidates", flat=True)[: MOST_COUNTED + 1])
    return sum(counts[:MOST_COUNTED]), len(counts) > MOST_COUNTED


def _seconds_per_draft() -> float | None:
    """Return the mean time of the drafts written last: each one's share of its batch."""
    for status in (Candidate.Status.GENERATED, Candidate.Status.IN_REVIEW):  # each by index, newest first
        recent = Candidate.objects.filter(status=status).order_by("-created_at")
        seconds = [one for one in recent.values_list("generation_seconds", flat=True)[:RECENT] if one]
        if seconds:
            return sum(seconds) / len(seconds)
    return None
