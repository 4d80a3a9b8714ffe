"""What training does when a person is erased."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.dispatch import receiver

from audit.sealing import ERASED
from audit.signals import person_erased
from training.models import Approval, TrainingRun


@receiver(person_erased, dispatch_uid="training.forget_words")
def forget_words(sender: Any, user: User, **kwargs: Any) -> str:
    """Empty the reasons that they gave for runs and approvals, in the transaction that erases them."""
    n = Approval.objects.filter(approver=user).update(reason=ERASED)
    n += TrainingRun.objects.filter(requested_by=user).exclude(reason="").update(reason=ERASED)
    return f"{n} of their reasons were emptied on training runs and approvals." if n else ""
