"""What the desk does when labelling announces something: wake the sweep, nothing else."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from core.hints import hint
from labeling.signals import consensus_reached


@receiver(consensus_reached, dispatch_uid="moderation.settle_on_consensus")
def settle_on_consensus(sender: Any, **kwargs: Any) -> None:
    """Have decisions settled now rather than at the next beat."""
    hint("moderation.settle_decisions")
