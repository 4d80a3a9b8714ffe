"""Who may reach a labelling task at this moment: who holds it, or may take it where nothing is reserved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from labeling.models import LabelingTask
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out
from moderation.queues.rules import policy_for

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def lease_on(user: User, task: LabelingTask) -> str | None:
    """Return the lease under which `user` may see and answer `task` now; "" where it needs none, None where they may
    not.

    A queue without reservations hands the same item to everybody who may take from it: there it only has to wait.
    """
    item = ReviewItem.objects.filter(labeling_task=task).first()
    if item is None or not user.is_active or not user.has_perm("moderation.review_item"):
        return None
    if item.status == ReviewItem.Status.ESCALATED and not user.has_perm("moderation.review_escalated_item"):
        return None
    is_running = item.lease_expires_at is not None and item.lease_expires_at > timezone.now()
    if item.status in handing_out.HELD and item.assignee_id == user.pk and is_running:
        return str(item.lease_token or "")
    if not policy_for(item.question).enable_reservations and item.status == ReviewItem.Status.WAITING:
        return "" if handing_out.waiting_for(user, question=item.question).filter(pk=item.pk).exists() else None
    return None
