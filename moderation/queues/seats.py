"""Who else is asked: the seats of a panel, each a review item with a labelling task of its own.

The same question asked in another task is how nobody sees what another person answered, and how one of two people gets
the model's suggestion and the other does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core import leases
from core.actors import SystemActor, actor_ref
from core.exceptions import PermanentError
from core.hints import hint_on_commit
from core.refs import ref
from labeling import sync
from labeling.consensus import INVALID
from labeling.models import Consensus, LabelingTask, Vote
from labeling.question import question
from moderation import markup
from moderation.lifecycle import advance, line_for
from moderation.models.reviews import ReviewItem
from moderation.queues.rules import policy_for

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PANELS = SystemActor("moderation.panels")
Purpose, Status = Vote.Purpose, ReviewItem.Status
OPEN = (Status.WAITING, Status.DISPATCHED, Status.ANSWERED, Status.ESCALATED)
# And what one person answered, which a second one has to confirm; only who leads a panel is ever that.
UNDECIDED = (*OPEN, Status.CONFIRMING)
# What is asked to measure people or to judge a label: the suggestion would be what is measured.
BLIND = (Purpose.SECOND_REVIEW, Purpose.AUDIT, Purpose.ADJUDICATION)
# The strategy of what the lot of a day drew (moderation/queues/daily_lot.py): it measures the model.
DAILY_LOT = "daily_lot"


def falls_into(share: float, percent: float) -> bool:
    """Whether a draw of `share`, 0 to 1, lies within `percent` of all."""
    return share * 100 < percent


def draw(*what: object) -> float:
    """Return a number from 0 to 1 that looks random and is always the same for `what`: a lot anybody can check."""
    digest = hashlib.sha256("/".join(map(str, what)).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def shows_suggestion(item: ReviewItem) -> bool:
    """Whether who gets `item` sees what the model suggests: not in the blind arm,
    nor where people judge people or models.
    """
    if item.purpose in BLIND or item.strategy == DAILY_LOT:
        return False
    if not item.suggestion:
        return True
    return not falls_into(draw("blind", item.pk), policy_for(item.question).blind_percent)


def sees_labels(user: Any) -> bool:
    """Whether `user` may know what others said of what is still open, and which items measure people.

    Seniors, auditors and those who look after models; not who may be asked next.
    """
    return bool(user.has_perm("labeling.view_label"))


def panel_of(lead: ReviewItem) -> QuerySet[ReviewItem]:
    """Return the items whose answers make the panel's label: the leading one and the seats beside it."""
    items = ReviewItem.objects.filter(Q(pk=lead.pk) | Q(lead=lead), purpose=Purpose.LABEL)
    return items.exclude(status=Status.WITHDRAWN).order_by("created_at", "pk")


def add_seat(
    lead: ReviewItem, *, purpose: str = Purpose.LABEL, note: str = "", status: str = Status.WAITING, **fields: Any
) -> ReviewItem:
    """Ask one more person what `lead` asks; `note` is shown above it. Call inside a transaction.

    Raises `PermanentError` when the leading item has no labelling task to copy.
    """
    task = lead.labeling_task
    if task is None:
        raise PermanentError(f"{lead} has no labelling task to ask again with.")
    task = _as_asked_first(lead, task)
    copied = ("question", "locale", "risk", "uncertainty", "value", "suggestion", "strategy")
    same = {name: getattr(lead, name) for name in copied}
    seat = ReviewItem.objects.create(
        lead=lead, purpose=purpose, status=status, **{**same, "urgent_from": lead.urgent_from, **fields}
    )
    give_task(seat, like=task, note=note)
    ledger.append_many([line_for(seat, "opened", about=ref(lead.subject), purpose=purpose)], actor=PANELS)
    return seat


def _as_asked_first(item: ReviewItem, task: LabelingTask) -> LabelingTask:
    """A note about somebody's answer is for whom it was put on their task alone."""
    return LabelingTask.objects.filter(reference=ref(item)).first() or task


def ask_afresh(item: ReviewItem, *, note: str) -> None:
    """Give a senior a task of their own, with `note` and what was answered first on top:
    they change nobody's answer.
    """
    before = item.labeling_task
    if before is None:
        return
    said = answered_in_words(before)
    give_task(item, like=_as_asked_first(item, before), note=f"{note}\n{said}" if said else note)
    sync.withdraw_task(before)  # what nobody answered


def answered_in_words(task: LabelingTask) -> str:
    """Return the last answer to `task` in words, for who decides after; empty when nobody gave one that can be read."""
    given = Consensus.objects.filter(task=task).exclude(method=INVALID).order_by("pk").last()
    if given is None:
        return ""
    answer = given.answer
    parts = (
        question(task.project.question).label_of(answer) or "no verdict",
        ", ".join(map(str, answer.get("reason_codes") or [])),
        f"“{answer['fixed_text']}”" if answer.get("fixed_text") else "",
        f"comment: {answer['comment']}" if answer.get("comment") else "",
    )
    return f"First answer: {'; '.join(filter(None, parts))}"


def give_task(
    item: ReviewItem, *, like: LabelingTask, note: str = "", payload: Mapping[str, Any] | None = None
) -> None:
    """Give `item` a fresh labelling task with what `like` asks; one it had before is not shown to anybody again.

    With a `payload` of its own it asks about other words than `like` did, and suggests nothing.
    """
    reference = ref(item)
    if item.labeling_task:  # numbered from the second on: no table is read to find how many there were
        number = int(item.labeling_task.reference.partition("#")[2] or 1)
        reference = f"{reference}#{number + 1}"
    shown = dict(like.payload if payload is None else payload)
    if note:
        field = question(item.question).top
        shown[field] = markup.note_html(note) + str(shown.get(field, ""))
    item.labeling_task = sync.open_task(
        item.question,
        reference=reference,
        payload=shown,
        predictions=like.predictions if payload is None else (),
        shows_predictions=shows_suggestion(item),
    )
    item.save(update_fields=["labeling_task"])
    hint_on_commit("labeling.push_tasks")


def ask_adjudicator(lead: ReviewItem, *, reason: str) -> ReviewItem | None:
    """Put a panel that is of no one mind before a senior who is not in it; None when one was asked already."""
    seats = ReviewItem.objects.filter(lead=lead, purpose=Purpose.ADJUDICATION, status__in=OPEN)
    if seats.exists():
        return None
    return add_seat(
        lead,
        purpose=Purpose.ADJUDICATION,
        status=Status.ESCALATED,
        note=reason,
        escalated_reason=reason[:500],
        escalated_at=timezone.now(),
    )


def pass_to_senior(item: ReviewItem, *, reason: str, actor: User | SystemActor) -> None:
    """Have a senior decide `item`; of a panel that has answered, an adjudicator. Call inside a transaction."""
    if item.status == Status.ANSWERED:
        ask_adjudicator(item.leading, reason=reason)
        return
    lines = [dispatch(item, actor=actor)] if item.status == Status.WAITING else []
    lines.append(
        advance(
            item,
            from_=Status.DISPATCHED,
            to=Status.ESCALATED,
            payload={"reason": ledger.typed(reason[:500], by=actor)},
            escalated_reason=reason[:500],
            escalated_by=None if isinstance(actor, SystemActor) else actor,
            escalated_at=timezone.now(),
            assignee=None,
            **leases.NO_LEASE,
        )
    )
    ask_afresh(item, note=f"Passed on to a senior: {reason[:500]}")
    ledger.append_many(lines, actor=actor)


def dispatch(item: ReviewItem, *, actor: User | SystemActor) -> Line:
    """An answer to an item nobody had leased (opened in Label Studio directly) takes it on the way."""
    at = item.claimed_at or timezone.now()
    payload = {"to": actor_ref(actor)}
    return advance(item, from_=Status.WAITING, to=Status.DISPATCHED, claimed_at=at, payload=payload)


def lock_panel(lead: ReviewItem) -> list[ReviewItem]:
    """Lock the leading item, and after it every seat; return them as they are now.

    All at once and before anything is written: who takes a seat holds its row while waiting for the ledger.
    """
    items = ReviewItem.objects.filter(Q(pk=lead.pk) | Q(lead=lead)).order_by(F("lead").asc(nulls_first=True), "pk")
    return list(items.select_for_update(no_key=True))


def withdraw(lead: ReviewItem, *, purposes: Collection[str] = Purpose.values) -> list[Line]:
    """End the open work on what `lead` is about, its seats too; returns the lines for the ledger."""
    open_ = [item for item in lock_panel(lead) if item.status in UNDECIDED and item.purpose in purposes]
    return [line for item in open_ for line in end(item)]


def end_gold(lead: ReviewItem) -> list[Line]:
    """Test nobody with `lead` any more, which the caller has locked: what it was held to be may be wrong."""
    if not lead.gold_label:
        return []
    ReviewItem.objects.filter(pk=lead.pk).update(gold_label="")
    ended = withdraw(lead, purposes=(Purpose.GOLD,))
    return [*ended, line_for(lead, "gold_ended", label=lead.gold_label)]


def end(item: ReviewItem) -> list[Line]:
    """Withdraw an item that the caller has locked, with its task. Who holds it is free to be asked again."""
    # An answer that was given stays with who gave it.
    freed: dict[str, Any] = {} if item.status in (Status.ANSWERED, Status.CONFIRMING) else {"assignee": None}
    line = advance(item, from_=item.status, to=Status.WITHDRAWN, **freed, **leases.NO_LEASE)
    if item.labeling_task:
        sync.withdraw_task(item.labeling_task)
    return [line]
