"""What a model suggested of an item and which words moved it, for who may see that without being led by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.refs import ref
from inference import resolver
from inference.models import Role
from moderation import explaining
from moderation.judging import agreement, attention
from moderation.judging.said import chat_says, claims_in, said_of
from moderation.models.candidates import Candidate
from moderation.models.predictions import Prediction
from moderation.models.reviews import ReviewItem
from moderation.policy.claim_kinds import KINDS, in_words
from moderation.queues.blindness import is_blind_to


@dataclass(frozen=True)
class Suggested:
    """What a model said, and why as far as that is known."""

    said: Prediction
    why: explaining.Explanation | None


def shown_of(lead: ReviewItem, *, reader: Any) -> Suggested | None:
    """Return what a model suggested of `lead` to `reader`, a user; None where it made no suggestion.

    And None to who may still be the one to judge it: seniors decide without the model's word (seats.BLIND), and who
    looks a second time at what is decided does so too.
    """
    if not may_see(lead, reader=reader):
        return None
    found = explaining.behind(lead)
    return Suggested(*found) if found else None


def may_see(lead: ReviewItem | None, *, reader: Any) -> bool:
    """Whether `reader`, a user, may know what models said: not who may still be the one to judge it.

    None: it is not before people yet, and whoever judges may be the one.
    """
    if not reader.has_perm("moderation.review_item"):
        return True
    return lead is not None and lead.status == ReviewItem.Status.DECIDED and not is_blind_to(reader, lead)


@dataclass(frozen=True)
class Hint:
    """What judges say of a draft. `claims`: how sure the first is of each, 0 to 1; `second`: what a chat model sees, in
    words, None where it said nothing; `agreement`: how far that one agrees with people; `alone`: what no rule found.
    """

    by: str
    claims: Sequence[tuple[str, float]]
    second: str | None
    agreement: str
    alone: str


def hint_on(draft: Candidate, lead: ReviewItem | None, *, reader: Any) -> Hint | None:
    """Return what judges of claims say of `draft`; None where they say nothing, or `reader` may not be led by it."""
    if not may_see(lead, reader=reader):
        return None
    said, second = said_of([draft]).get(ref(draft)), chat_says([draft]).get(ref(draft))
    if said is None and second is None:
        return None
    surely = claims_in(said) if said else set()
    claims = [(KINDS[kind], odds) for kind, odds in said.probabilities.items() if kind in surely] if said else []
    judge = resolver.find(Role.JUDGE) if second is not None else None
    return Hint(
        by=str(said.model_version) if said else "",
        claims=sorted(claims, key=lambda claim: -claim[1]),
        second=None if second is None else in_words(second) or "no claim",
        agreement=agreement.of_chat(judge).in_words if judge else "",
        alone=in_words(attention.pointed_at([draft]).get(ref(draft), ())),
    )
