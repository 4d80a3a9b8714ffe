"""The people of the desk, what they do in Label Studio, and what beat does between."""

from __future__ import annotations

import datetime as dt
from typing import Any


def rules(**changes: Any) -> None:
    """Set the rules that queues have which nobody gave any."""
    from django.conf import settings

    settings.MODERATION["QUEUE"] |= changes


def push() -> None:
    """Put every open task into Label Studio, as `labeling.sync.push_tasks` leaves it."""
    from django.db.models import Max
    from django.utils import timezone

    from labeling.models import LabelingProject, LabelingTask

    for number, project in enumerate(LabelingProject.objects.filter(ls_project_id=None), start=1):
        taken = LabelingProject.objects.aggregate(last=Max("ls_project_id"))["last"] or number
        LabelingProject.objects.filter(pk=project.pk).update(
            ls_project_id=taken + 1,
            config_hash="c" * 64,
            webhook_hash="e" * 64,
            reconciled_at=timezone.now(),
            reconciled_until=timezone.now(),
            n_foreign=0,
        )
    for task in LabelingTask.objects.filter(status="open"):
        last = LabelingTask.objects.aggregate(last=Max("ls_task_id"))["last"] or 5000
        LabelingTask.objects.filter(pk=task.pk).update(
            status="pushed", ls_task_id=last + 1, pushed_at=timezone.now(), sent_at=timezone.now()
        )


def sign() -> None:
    """Sign what is new in the ledger, as beat has it done."""
    from audit import checks

    result = checks.check_new()
    assert result is None or result.is_intact, result


class People:
    """The people of the desk. All of them are made up."""

    def __init__(self) -> None:
        from tests.people import people as make

        def person(role: str, first: str, last: str) -> Any:
            made = make(role, email=f"{first}.{last}@example.com".lower())
            made.first_name, made.last_name = first, last
            made.save()
            return made

        self.admin = person("Administrator", "Ada", "Quill")
        self.seniors = [
            person("Senior reviewer", *name) for name in (("Sol", "Marsh"), ("Sue", "Fenn"), ("Sid", "Holt"))
        ]
        self.reviewers = [
            person("Reviewer", *name)
            for name in (("Rae", "Finch"), ("Rob", "Wren"), ("Ruth", "Lark"), ("Roy", "Swift"), ("Ren", "Crane"))
        ]
        self.leaver = person("Reviewer", "Lou", "Gone")
        self.engineers = [person("ML engineer", *name) for name in (("Meg", "Ohm"), ("Max", "Volt"))]
        self.auditor = person("Auditor", "Aud", "Page")
        self.merchant = person("Merchant", "Mo", "Stall")


class Desk:
    """Answers, as people give them in Label Studio and `labeling` pulls them."""

    def settle(self) -> None:
        from moderation import review

        review.settle_decisions()

    def answers(self, user: Any, kind: str, **said: Any) -> Any:
        """Let `user` press Next for a queue and answer; None when nothing is for them."""
        from moderation import queue
        from tests import factories

        push()
        item = queue.next_item(user, kind=kind)
        if item is None:
            return None
        answer = factories.answer(item, user, **said)
        answer.annotations.update(lead_time=dt.timedelta(seconds=41))
        self.settle()
        item.refresh_from_db()
        return item
