"""Erases messages of a customer: with what models said of them, what people held of them, and where they were shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q, QuerySet

from audit import ledger
from catalog.cleaning import clean_line
from catalog.message_writes import pseudonym_of
from catalog.models import CustomerMessage
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from core.reasons import require_reason
from core.refs import ref
from labeling import erasure, labels
from labeling.models import Label, LabelingTask, OutOfSample, TextVector, Vote
from moderation.models.reviews import ReviewItem
from moderation.queues import seats

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True)
class Erased:
    """How many messages are erased, and how many tasks had shown one."""

    n_messages: int
    n_tasks: int


def erase_messages(*, author: str = "", external_id: str = "", actor: User | SystemActor, reason: str) -> Erased:
    """Erase every message of `author`, as the shop calls them, or the one called `external_id`.

    Needs audit.erase_person and a reason. Cannot be undone: the row goes with predictions, labels and votes; people are
    asked about it no more; tasks show nothing, Label Studio's first. Raises `PermanentError` where there is none, and
    `TransientError` when Label Studio cannot be reached: the message at hand is whole then, those before it are gone.
    """
    require_permission(actor, "audit.erase_person")
    reason = require_reason(reason, act="Erasing messages")
    if bool(author) == bool(external_id):
        raise PermanentError("Say whose messages, or which one.")
    # A name of which nothing is left when it is cleaned is nobody's, not that of all whose author is unknown.
    named = {"author": pseudonym_of(author)} if author else {"external_id": clean_line(external_id)}
    messages = list(CustomerMessage.objects.filter(**named).order_by("pk")) if all(named.values()) else []
    if not messages:
        raise PermanentError("There is no such message.", hint="Authors are told as the imported file told them.")
    n_tasks = 0
    for message in messages:
        erasure.blank_there(_tasks_about(message))
        with transaction.atomic():
            n_tasks += _erase(message, actor=actor, reason=reason)
    return Erased(len(messages), n_tasks)


def _tasks_about(message: CustomerMessage) -> QuerySet[LabelingTask]:
    """Return every task that showed `message`: also those before the one that an item has now."""
    leads = ReviewItem.objects.filter(about=ref(message))
    shown = Q(pk__in=())
    for item in ReviewItem.objects.filter(Q(pk__in=leads) | Q(lead__in=leads)):
        shown |= Q(reference=ref(item)) | Q(reference__startswith=f"{ref(item)}#")
    return LabelingTask.objects.filter(shown)


def _erase(message: CustomerMessage, *, actor: User | SystemActor, reason: str) -> int:
    about = ref(message)
    lines = [line for lead in ReviewItem.objects.filter(about=about) for line in seats.withdraw(lead)]
    n_tasks = erasure.blank_here(_tasks_about(message))
    for model in (Label, Vote):
        for name in set(model._default_manager.filter(subject=about).values_list("question", flat=True)):
            labels.forget_label(name, about)
            labels.forget_votes(name, about)
    for held in (OutOfSample, TextVector):
        held._default_manager.filter(subject=about).delete()
    message.delete()  # a trigger takes what models said along
    ledger.append_many(lines, actor=actor)
    payload = {"tasks": n_tasks, "reason": ledger.typed(reason, by=actor)}
    ledger.append("moderation.message.erased", subject=about, actor=actor, payload=payload)
    return n_tasks
