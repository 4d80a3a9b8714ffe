"""Separation of duties: who had a part in something, and that whoever judges it is somebody else.

Asked in the function that acts, under the lock on the item, so it holds for console, API, Label Studio and commands
alike. Behind it stand constraints and triggers of the tables.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db.models import Q

from accounts import hands
from accounts.people import address_of
from audit.models import LedgerEntry
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.refs import ref_to
from moderation.models.appeals import Appeal
from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision, ReviewItem


def is_same_person(one: User, other: User) -> bool:
    """Whether two accounts are one person's, as far as we can know: the same row, or the same e-mail address.

    Case and a `+tag` make no other address. Two accounts with two addresses we cannot tell apart from two people.
    """
    address = address_of(one.email)
    return one.pk == other.pk or (bool(address) and address == address_of(other.email))


def why_no_second(actor: User, others: Iterable[User]) -> str:
    """Return in words why `actor` is not the second person beside all of `others`; empty where they are.

    The one rule that everything asks which takes two people. Besides being one person, being in one person's hands
    bars: for a day after an administrator set a password or changed an address (`accounts.hands`).
    """
    others = list(others)
    if not others:
        return ""
    if any(is_same_person(actor, other) for other in others):
        return "you had a part in it."
    held = hands.held_with(actor)
    if any(other.pk in held for other in others):
        return (
            "within the last day an administrator set a password, or changed an address, of yours or of somebody who "
            "had a part in it. For a day that counts as one person."
        )
    return ""


def involved_in(item: ReviewItem) -> list[User]:
    """Return who had a part in what `item` asks: answered or was asked, escalated it, proposed,
    or overruled a block.
    """
    lead = item.leading
    people = Q(pk__in=ReviewItem.objects.filter(Q(pk=lead.pk) | Q(lead=lead)).values("assignee"))
    people |= Q(pk__in=[pk for pk in (lead.escalated_by_id, lead.proposed_by_id) if pk])
    if lead.proposal:
        people |= Q(pk__in=lead.proposal.annotations.values("annotator"))
    if lead.candidate_id:
        people |= Q(pk__in=_overruled_by(lead.candidate_id))
    return [*User.objects.filter(people), *party_to_appeal(lead)]


def party_to_appeal(item: ReviewItem) -> list[User]:
    """Return who appealed, and whose decision was overturned,
    where `item` is about a text that came back by an appeal.
    """
    appeal = Appeal.objects.filter(candidate=item.leading.candidate_id or uuid.UUID(int=0)).first()
    return [appeal.appellant, *involved_in_decision(appeal.decision)] if appeal else []


def texts_back_by_appeal_of(user: User) -> list[uuid.UUID]:
    """Return the drafts in review that are there by an appeal `user` had a part in: nobody offers them these."""
    part = Q(decision__reviewer=user) | Q(decision__checker=user) | Q(appellant=user)
    found = Appeal.objects.filter(part, candidate__status=Candidate.Status.IN_REVIEW)
    return [pk for pk in found.values_list("candidate", flat=True) if pk]


def involved_in_decision(decision: Decision) -> list[User]:
    """Return who made a decision, who checked it, and who answered what it rests on."""
    people = Q(pk__in=[pk for pk in (decision.reviewer_id, decision.checker_id) if pk])
    if decision.consensus:
        people |= Q(pk__in=decision.consensus.annotations.values("annotator"))
    return list(User.objects.filter(people))


def _overruled_by(candidate: uuid.UUID) -> list[int]:
    """Who overruled the block of a draft stands in the ledger, where nobody can change it."""
    lines = LedgerEntry.objects.filter(subject=ref_to(Candidate, candidate), action="moderation.candidate.overruled")
    refs = [actor.partition(":") for actor in lines.values_list("actor", flat=True)]
    return [int(key) for kind, _, key in refs if kind == "user" and key.isdecimal()]


def require_another_person(actor: User | SystemActor, involved: Iterable[User], *, act: str) -> None:
    """Raise `PermanentError` unless `actor` is a person and none of `involved`; `act` says what they wanted to do."""
    if isinstance(actor, SystemActor):
        raise PermanentError(f"No part of the system can {act}: a person has to.")
    if words := why_no_second(actor, involved):
        raise PermanentError(
            f"You cannot {act}: {words}", hint="Somebody who did not answer, escalate or overrule it has to."
        )
