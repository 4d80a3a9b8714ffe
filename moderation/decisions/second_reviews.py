"""Answers that measure people and judge labels: blind second reviews, blind re-reviews, and known answers.

A second review is asked for where a label looks wrong, a re-review of a share of everything decided, and a known answer
is mixed in to see how people do. Nobody sees what was said before.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from audit import ledger
from core import leases
from core.actors import SystemActor, actor_ref, require_permission
from core.exceptions import PermanentError
from core.hints import hint_on_commit
from core.refs import ref
from labeling import issues, selectors, sync
from labeling.models import Consensus, Label, LabelIssue
from labeling.question import question
from moderation import priority
from moderation.decisions.deciding import keep_vote, relabel
from moderation.lifecycle import advance, line_for
from moderation.models.queues import QueuePolicy
from moderation.models.reviews import ReviewItem
from moderation.queues import seats
from moderation.queues.rules import factors_about, place_of, policies
from moderation.queues.seats import PANELS, Purpose, Status

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# So many of a question wait at a time: people's ordinary work goes on beside it.
AT_ONCE = 50
# Why a label is in doubt whose answer was given while the interface said something else.
DOUBTED, DOUBTED_FOR = "drift", dt.timedelta(days=1)
# Why somebody is asked whom no model chose.
TIED = "imported votes are tied"
HELD_OR_WAITING = (Status.WAITING, Status.DISPATCHED)


def answer(item: ReviewItem, lead: ReviewItem, *, consensus: Consensus, actor: User) -> bool:
    """Act on an answer that measures or judges; the caller has locked both items.

    Returns whether a label changed by it.
    """
    is_gold = item.purpose == Purpose.GOLD
    expected = lead.gold_label if is_gold else ""
    label = keep_vote(item, consensus, actor=actor, purpose=item.purpose, expected=expected)
    if not label and not (is_gold and consensus.answer.get("escalate")):
        raise PermanentError("The answer holds no label.")
    lines = [seats.dispatch(item, actor=actor)] if item.status == Status.WAITING else []
    lines.append(
        advance(
            item,
            from_=item.status,
            to=Status.DECIDED,
            assignee=actor,
            decided_at=timezone.now(),
            payload={"by": actor_ref(actor), "purpose": item.purpose},
            **leases.NO_LEASE,
        )
    )
    was_wrong = False
    # The ledger last: a search for wrong labels holds its issues while it waits for that.
    if item.purpose == Purpose.AUDIT:
        issues.differs(item.question, ref(item.subject), said=label)
    elif item.purpose == Purpose.SECOND_REVIEW:
        was_wrong = issues.judge(item.question, ref(item.subject), verdict=label)
    ledger.append_many(lines, actor=actor)
    if was_wrong:
        relabel(lead, consensus=consensus, actor=actor)
    return was_wrong


# --- Wrong labels ------------------------------------------------------------------------------------------------


def doubt_labels() -> int:
    """Have a second person judge what was decided by answers that may mean something else than they say.

    Returns how many.

    Somebody had changed the interface in Label Studio meanwhile (`labeling.drift`). Asked again and again for a day,
    because such answers come in late too; what a second person has looked at is not brought up again.
    """
    raised = 0
    for consensus in selectors.consensuses_in_doubt(since=timezone.now() - DOUBTED_FOR):
        question = consensus.task.project.question
        item = ReviewItem.objects.filter(labeling_task=consensus.task).first()
        lead = item.leading if item else None
        if lead is None or lead.status != Status.DECIDED or lead.decisions.filter(checker__isnull=False).exists():
            continue
        held = (
            Label.objects.filter(question=question, subject=ref(lead.subject))
            .exclude(method=Purpose.SECOND_REVIEW)
            .first()
        )
        if held:
            raised += issues.raise_issues(question, [issues.Suspicion(held.subject, held.label, "", 0.0, [DOUBTED])])
    return raised


def open_second_reviews() -> int:
    """Ask a second person about the labels that look most wrong, a few at a time in each queue. Returns how many."""
    opened = 0
    for name, policy in policies().items():
        asked = ReviewItem.objects.filter(question=name, purpose=Purpose.SECOND_REVIEW, status__in=seats.OPEN).count()
        asked += LabelIssue.objects.filter(question=name, given="", status=LabelIssue.Status.IN_REVIEW).count()
        for issue in issues.next_open(name, n=max(AT_ONCE - asked, 0)):
            opened += _open_second_review(issue, policy)
    return opened


def _open_second_review(issue: LabelIssue, policy: QueuePolicy) -> int:
    with transaction.atomic():
        # The leading item first, as whoever settles an answer has it.
        lead = _lead_of(issue.question, issue.subject)
        if not issues.take(issue):
            return 0
        is_tie = not issue.given
        if lead and lead.labeling_task and not is_tie:
            seats.add_seat(lead, purpose=Purpose.SECOND_REVIEW, **_place(lead, policy))
        elif not lead and (subject := question(issue.question).rows([issue.subject]).get(issue.subject)):
            # Votes that are split are no label to judge: who is asked gives the first.
            purpose, why = (Purpose.LABEL, TIED) if is_tie else (Purpose.SECOND_REVIEW, "")
            open_blind(issue.question, subject, purpose=purpose, policy=policy, strategy=why)
        else:
            issues.drop(issue)
            return 0
    return 1


def _place(lead: ReviewItem, policy: QueuePolicy) -> dict[str, Any]:
    """In the queue from now on, and unsure: that is why it is asked again."""
    return place_of(priority.Factors(lead.risk, max(priority.UNCERTAINTY), lead.value), policy)


def _lead_of(question: str, subject: str) -> ReviewItem | None:
    key = leads_of(question, [subject]).get(subject)
    return ReviewItem.objects.select_for_update(no_key=True).filter(pk=key).first() if key else None


def leads_of(question: str, subjects: Sequence[str]) -> dict[str, uuid.UUID]:
    """Return the key of the leading item about each of `subjects` that people were asked `question` about."""
    found = ReviewItem.objects.filter(question=question, lead=None, about__in=subjects)
    return dict(found.values_list("about", "pk"))


def open_blind(
    name: str, subject: Any, *, purpose: str, policy: QueuePolicy, gold_label: str = "", strategy: str = ""
) -> ReviewItem:
    """Open an item about a row that nobody was asked about here: its label or votes came with an import."""
    asked = question(name)
    item = ReviewItem.objects.create(
        **ReviewItem.pointing_at(name, subject),
        purpose=purpose,
        gold_label=gold_label,
        strategy=strategy,
        **place_of(factors_about(asked, subject), policy),
    )
    item.labeling_task = sync.open_task(
        name, reference=ref(item), payload=asked.task_data(subject), shows_predictions=False
    )
    item.save(update_fields=["labeling_task"])
    ledger.append_many([line_for(item, "opened", about=ref(subject), purpose=purpose)], actor=PANELS)
    hint_on_commit("labeling.push_tasks")
    return item


# --- Known answers -----------------------------------------------------------------------------------------------


def set_gold(item: ReviewItem, *, label: str, actor: User | SystemActor) -> None:
    """Make the answer to `item` a known one, which people are tested with; an empty `label` ends that.

    Needs moderation.set_gold. Raises `PermanentError` for a label that the queue does not have, and for an item that
    is not decided.
    """
    require_permission(actor, "moderation.set_gold")
    if label:
        question(item.question).require_label(label)
    with transaction.atomic():
        lead = ReviewItem.objects.select_for_update(no_key=True).get(pk=item.leading.pk)
        if lead.status != Status.DECIDED:
            raise PermanentError("Only what is decided has a known answer.")
        ended = seats.end_gold(lead)
        ReviewItem.objects.filter(pk=lead.pk).update(gold_label=label)
        lines = [line_for(lead, "gold_set", label=label)] if label else []
        ledger.append_many(ended + lines, actor=actor)


def keep_gold_ready() -> int:
    """Have one known answer of each waiting in Label Studio, for whoever is tested next.

    Returns how many were opened.
    """
    opened = 0
    for name, policy in policies().items():
        leads = ReviewItem.objects.filter(question=name).exclude(gold_label="").exclude(labeling_task=None)
        waiting = ReviewItem.objects.filter(lead=OuterRef("pk"), purpose=Purpose.GOLD, status__in=HELD_OR_WAITING)
        lacking = leads.exclude(Exists(waiting))
        for key in list(lacking.values_list("pk", flat=True)[:AT_ONCE]) if policy.gold_percent else ():
            with transaction.atomic():
                # Of two workers who see the same, one opens it; whoever is settling an answer to it goes first.
                if (
                    lead := lacking.select_for_update(of=("self",), no_key=True, skip_locked=True)
                    .filter(pk=key)
                    .first()
                ):
                    seats.add_seat(lead, purpose=Purpose.GOLD, **_place(lead, policy))
                    opened += 1
    return opened
