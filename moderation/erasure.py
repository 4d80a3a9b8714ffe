"""Empties what an erased person typed into rows of the desk; the ledger knows which rows those are."""

from __future__ import annotations

from django.contrib.auth.models import User

from audit.models import LedgerEntry
from audit.sealing import ERASED
from catalog.models import PublishedCopy
from core.actors import actor_ref
from core.refs import keys_of
from moderation.live import publication
from moderation.models.appeals import Appeal
from moderation.models.retro_scans import RetroScan
from moderation.models.reviews import Decision, ReviewItem
from moderation.models.rule_proposals import RuleProposal


def forget_words(user: User) -> str:
    """Replace the reasons that `user` gave, on items, decisions, appeals, recalls and published copy.

    Returns in words how many.
    """
    said = LedgerEntry.objects.filter(actor=actor_ref(user))
    sent_back = list(said.filter(action="moderation.item.sent_back").values_list("subject", flat=True))
    retired = list(said.filter(action="moderation.copy.retired").values_list("subject", flat=True))
    n = ReviewItem.objects.filter(escalated_by=user).exclude(escalated_reason="").update(escalated_reason=ERASED)
    items = ReviewItem.objects.filter(pk__in=keys_of(sent_back, ReviewItem)).exclude(returned_reason="")
    n += items.update(returned_reason=ERASED)
    for rows, field in (
        (Decision.objects.filter(reviewer=user), "rationale"),
        (Decision.objects.filter(checker=user), "check_note"),
        (Appeal.objects.filter(appellant=user), "reason"),
        (Appeal.objects.filter(judge=user), "answer"),
        (RetroScan.objects.filter(actor=user), "reason"),
        (RuleProposal.objects.filter(answered_by=user), "reason"),
    ):
        n += rows.exclude(**{field: ""}).update(**{field: ERASED})
    n += publication.forget_reasons(keys_of(retired, PublishedCopy), instead=ERASED)
    return f"{n} of their reasons were emptied on items, decisions, appeals and published copy." if n else ""
