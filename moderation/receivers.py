"""What the desk does when labelling or the ledger announces something: wake the sweep, or forget a person."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.dispatch import receiver

from audit.signals import person_erased
from core.hints import hint
from labeling.signals import consensus_reached
from moderation import erasure


@receiver(consensus_reached, dispatch_uid="moderation.settle_on_consensus")
def settle_on_consensus(sender: Any, **kwargs: Any) -> None:
    """Have decisions settled now rather than at the next beat."""
    hint("moderation.settle_decisions")


@receiver(person_erased, dispatch_uid="moderation.forget_words")
def forget_words(sender: Any, user: User, **kwargs: Any) -> str:
    """Empty the reasons of an erased person, in the transaction that erases them."""
    return erasure.forget_words(user)
