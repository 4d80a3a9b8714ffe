"""Several people on one item: what each answer does, what they agree on together, and what happens when they do not."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit import ledger
from core import leases
from core.actors import actor_ref, require_permission
from core.exceptions import PermanentError, StaleState
from core.refs import ref
from labeling import consensus as consensuses
from labeling import labels
from labeling.models import Consensus, Vote
from labeling.question import question
from moderation.decisions import reasons, second_reviews
from moderation.decisions.deciding import Second, decide, keep_vote, record_decision, require_may_answer, wants_senior
from moderation.lifecycle import advance, line_for
from moderation.models.reviews import COPY_VERDICT, Decision, ReviewItem
from moderation.queues import seats
from moderation.queues.rules import MOST_REVIEWERS, policy_for
from moderation.queues.seats import PANELS, Purpose, Status, dispatch
from moderation.queues.separation_of_duties import require_another_person


def answer(item: ReviewItem, *, consensus: Consensus, actor: User) -> bool:
    """Act on what `actor` answered to `item`, whoever else is asked the same. Returns whether a decision came of it.

    Raises as `deciding.record_decision`; `PermanentError` also for a person's second answer in one panel, and for an
    answer that a version of the question has taken away meanwhile.
    """
    with transaction.atomic():
        # The leading item orders everything that happens to its panel.
        lead, *others = seats.lock_panel(item.leading)
        item = next(now for now in (lead, *others) if now.pk == item.pk)
        if item.status in (Status.DECIDED, Status.WITHDRAWN) or Status.CONFIRMING in (item.status, lead.status):
            raise StaleState("It is decided already, not asked any more, or waits for a second person.")
        question(item.question).require_answer(consensus.answer)
        if item.purpose == Purpose.LABEL and not any(seat.purpose == Purpose.LABEL for seat in others):
            return record_decision(item, consensus=consensus, actor=actor) is not None
        require_may_answer(item, actor)
        if item.status == Status.ANSWERED and item.assignee_id != actor.pk:
            raise PermanentError("This seat is another person's, who has answered.")
        if _answers_twice(item, lead, actor):
            return False
        seated = {seat.assignee_id for seat in (lead, *others) if seat.pk != item.pk and seat.assignee_id}
        require_another_person(
            actor, User.objects.filter(pk__in=seated - {actor.pk}), act="answer it beside the others"
        )
        if item.purpose == Purpose.LABEL:
            return _take_seat(item, lead, consensus, actor)
        if item.purpose == Purpose.ADJUDICATION:
            return _adjudicate(item, lead, consensus, actor)
        # A known answer is not worth a senior's time: who asks for one there has not answered.
        if item.purpose != Purpose.GOLD and wants_senior(item, consensus, actor):
            return False
        return second_reviews.answer(item, lead, consensus=consensus, actor=actor)


def _answers_twice(item: ReviewItem, lead: ReviewItem, actor: User) -> bool:
    """Each seat is another person's. One who answers a second gets that answer refused, and the seat is asked anew."""
    others = ReviewItem.objects.filter(Q(pk=lead.pk) | Q(lead=lead), assignee=actor).exclude(pk=item.pk)
    held = others.filter(status=Status.DISPATCHED).first()
    if held and not others.exclude(pk=held.pk).exists():
        # They hold another seat, and answered this one: it is theirs, and that one is free again.
        freed = {"assignee": None, "claimed_at": None, "released_at": timezone.now(), **leases.NO_LEASE}
        line = advance(held, from_=Status.DISPATCHED, to=Status.WAITING, event="released", **freed)
        ledger.append_many([line], actor=PANELS)
        return False
    if not others.exists():
        return False
    if item.status in (Status.WAITING, Status.DISPATCHED, Status.ESCALATED):
        if item.labeling_task:
            seats.give_task(item, like=item.labeling_task)
        if item.status == Status.DISPATCHED:
            line = advance(
                item,
                from_=Status.DISPATCHED,
                to=Status.WAITING,
                event="released",
                assignee=None,
                claimed_at=None,
                **leases.NO_LEASE,
            )
            ledger.append_many([line], actor=PANELS)
        ledger.append_many([line_for(item, "answered_twice", by=actor_ref(actor))], actor=PANELS)
    return True


def _is_incomplete(item: ReviewItem, consensus: Consensus, actor: User) -> bool:
    is_copy = item.question == COPY_VERDICT
    return is_copy and reasons.read_complete(item, consensus=consensus, actor=actor) is None


def _take_seat(item: ReviewItem, lead: ReviewItem, consensus: Consensus, actor: User) -> bool:
    """Keep one answer of a panel; the last of them settles it."""
    if not consensus.answer.get("escalate") and _is_incomplete(item, consensus, actor):
        return False
    label = keep_vote(item, consensus, actor=actor, purpose=Purpose.LABEL)
    if not label and not consensus.answer.get("escalate"):
        raise PermanentError("The answer holds no label.")
    if not label:  # they said something before, and are not sure any more
        labels.forget_vote(item.question, ref(item.subject), rater=labels.rater_of(actor))
    if item.status != Status.ANSWERED:
        lines = [dispatch(item, actor=actor)] if item.status == Status.WAITING else []
        lines.append(
            advance(
                item,
                from_=item.status,
                to=Status.ANSWERED,
                assignee=actor,
                decided_at=timezone.now(),
                payload={"by": actor_ref(actor), "label": label},
                **leases.NO_LEASE,
            )
        )
        ledger.append_many(lines, actor=actor)
    return conclude(lead)


def conclude(lead: ReviewItem) -> bool:
    """Decide a panel whose people have all answered; one that is of no one mind goes to a senior.

    Call inside a transaction that holds the lock on `lead`. Returns whether it is decided.
    """
    panel = list(seats.panel_of(lead).select_related("labeling_task"))
    if lead.labeling_task is None or any(item.status != Status.ANSWERED for item in panel):
        return False
    method = policy_for(lead.question).consensus_method
    agreed = consensuses.agree(lead.question, ref(lead.subject), method=method)
    answers = [(item.assignee, answer) for item in panel if item.assignee and (answer := _answer_to(item))]
    reason = _why_not(lead, agreed, [answer.answer for _, answer in answers])
    if not reason and len(answers) < len(panel):
        reason = "An answer was deleted in Label Studio"
    if not reason and not _all_count(lead, [person for person, _ in answers]):
        reason = "An answer was taken back: the question has others by now"
    # Votes count that an import brought, and people leave: who let it out is one of the panel who still may.
    label_of = question(lead.question).label_of
    alike = [(person, answer) for person, answer in answers if label_of(answer.answer) == agreed.label]
    able = [(person, answer) for person, answer in alike if person.has_perm("moderation.review_item")]
    if not able and not reason:
        reason = f"Nobody of the panel who may still review said {agreed.label}"
    if reason:
        seats.ask_adjudicator(lead, reason=f"{reason} ({agreed.in_words()}).")
        return False
    author, said = able[0]
    given = [annotation for _, answer in answers for annotation in answer.annotations.select_related("annotator")]
    final = consensuses.record(lead.labeling_task, method=method, answer=said.answer, annotations=given)
    lead, n_votes = next(item for item in panel if item.pk == lead.pk), sum(agreed.votes.values())
    return _close(lead, panel, final, actor=author, quality=agreed.quality, n_votes=n_votes)


def _all_count(lead: ReviewItem, people: Sequence[User]) -> bool:
    """Whether each of `people`, who have answered, has a vote still: a version that splits an answer takes its votes
    back, and leaves a panel alone that somebody has in hand.
    """
    raters = [labels.rater_of(person) for person in people]
    return Vote.objects.filter(question=lead.question, subject=lead.about, rater__in=raters).count() == len(people)


def _answer_to(item: ReviewItem) -> Consensus | None:
    """Return what the person whose seat it is answered last; what others did to the task there is not it."""
    answers = Consensus.objects.filter(task=item.labeling_task_id, annotations__annotator=item.assignee_id)
    return answers.order_by("pk").last()


def _why_not(lead: ReviewItem, agreed: consensuses.Agreed, answers: list[dict[str, object]]) -> str:
    """Return why people's answers decide nothing yet; empty when they do."""
    interface = question(lead.question)
    if any(given.get("escalate") for given in answers):
        return "Somebody asked for a senior"
    if not agreed.label:
        return "The answers are tied"
    if agreed.quality < policy_for(lead.question).min_quality:
        return f"The answers differ: the consensus is sure to {agreed.quality:.0%} only"
    alike = [given for given in answers if interface.label_of(given) == agreed.label]
    conflict = interface.conflict(alike)
    return f"All say {agreed.label}, but {conflict}" if conflict else ""


def confirm(lead: ReviewItem, *, second: Second) -> Decision:
    """Decide what `lead`, which the caller has locked with its panel, waits for; and return the decision.

    `moderation.decisions.confirmations` has asked whether `second` may.
    """
    final, maker = lead.proposal, lead.proposed_by
    if final is None or maker is None:
        raise StaleState("Nothing waits for a second person here.")
    panel = list(seats.panel_of(lead))
    if len(panel) == 1 and final.method == consensuses.SINGLE:
        purpose = Purpose.ADJUDICATION if lead.escalated_at else Purpose.LABEL
        keep_vote(lead, final, actor=maker, purpose=purpose)
    agreed = consensuses.agree(lead.question, ref(lead.subject), method=policy_for(lead.question).consensus_method)
    by_panel = final.method not in (consensuses.SINGLE, consensuses.ADJUDICATED)
    _close(
        lead,
        panel,
        final,
        actor=maker,
        quality=agreed.quality if by_panel else None,
        n_votes=max(sum(agreed.votes.values()), 1),
        second=second,
    )
    return lead.decisions.get(consensus=final)


def _close(
    lead: ReviewItem,
    panel: list[ReviewItem],
    final: Consensus,
    *,
    actor: User,
    quality: float | None,
    n_votes: int,
    second: Second | None = None,
) -> bool:
    decision = decide(lead, consensus=final, actor=actor, quality=quality, n_votes=n_votes, second=second)
    if decision is None:
        return False
    lines = [
        advance(seat, from_=Status.ANSWERED, to=Status.DECIDED, payload={"with": ref(lead)})
        for seat in panel
        if seat.pk != lead.pk and seat.status == Status.ANSWERED
    ]
    ReviewItem.objects.filter(pk=lead.pk).update(last_consensus=final)
    # What measures people or judges the label goes on: a re-review begins only now.
    ended = seats.withdraw(lead, purposes=(Purpose.LABEL, Purpose.ADJUDICATION))
    ledger.append_many(lines + ended, actor=PANELS)
    return True


def _adjudicate(item: ReviewItem, lead: ReviewItem, consensus: Consensus, actor: User) -> bool:
    """A senior's word ends the matter."""
    if lead.status == Status.DECIDED or lead.labeling_task is None:
        raise StaleState("It is decided already.")
    if _is_incomplete(item, consensus, actor):
        return False
    keep_vote(item, consensus, actor=actor, purpose=Purpose.ADJUDICATION)
    final = consensuses.record(
        lead.labeling_task,
        method=consensuses.ADJUDICATED,
        answer=consensus.answer,
        annotations=list(consensus.annotations.all()),
    )
    line = advance(
        item,
        from_=Status.ESCALATED,
        to=Status.DECIDED,
        assignee=actor,
        decided_at=timezone.now(),
        payload={"by": actor_ref(actor)},
        **leases.NO_LEASE,
    )
    ledger.append_many([line], actor=actor)
    panel = list(seats.panel_of(lead))
    lead = next((seat for seat in panel if seat.pk == lead.pk), lead)
    return _close(lead, panel, final, actor=actor, quality=None, n_votes=len(panel) + 1)


def ask_more(item: ReviewItem, *, n: int, actor: User) -> int:
    """Have `n` people in all answer an item that is not decided yet; never fewer than are asked already.

    Needs moderation.review_escalated_item. Returns how many are asked now. Raises `PermanentError` for more people
    than a panel may have, `StaleState` when it is not open any more.
    """
    require_permission(actor, "moderation.review_escalated_item")
    if n > MOST_REVIEWERS:
        raise PermanentError(f"At most {MOST_REVIEWERS} people answer an item.")
    with transaction.atomic():
        lead = ReviewItem.objects.select_for_update(no_key=True).get(pk=item.leading.pk)
        open_ = (Status.WAITING, Status.DISPATCHED, Status.ANSWERED)
        if lead.purpose != Purpose.LABEL or lead.status not in open_:
            raise StaleState("It is decided already, or with a senior.")
        asked = seats.panel_of(lead).count()
        added = [seats.add_seat(lead) for _ in range(n - asked)]
        if added:
            ledger.append_many([line_for(lead, "asked_more", n=asked + len(added))], actor=actor)
    return asked + len(added)
