"""Is Label Studio as we set it? Interface and webhook of each project and the accounts are compared, each minute.

Whoever gets around the door may change what people see and say without a trace in their answers. What differs is noted
and put right; who answered meanwhile is asked about by a second person (`labeling.selectors.doubts`).
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.locks import try_advisory_lock
from core.refs import ref
from labeling import accounts, administration, client, projects
from labeling.models import Drift, LabelingProject, LabelingTask
from labeling.presentation import as_sent
from labeling.question import is_known, known

log = logging.getLogger(__name__)
ACTOR = SystemActor("labeling.drift")
What = Drift.What


def look() -> int:
    """Compare Label Studio with what we set, put right what differs, and return how many things did.

    Returns 0 at once when another process is looking. Raises `TransientError` when Label Studio cannot be asked.
    """
    with try_advisory_lock("labeling.drift") as is_alone:
        if not is_alone:
            return 0
        is_first_look = not LabelingProject.objects.exclude(looked_at=None).exists()
        rows = LabelingProject.objects.exclude(ls_project_id=None)
        # Of others nothing says what they should be.
        there = known(rows.values_list("question", flat=True))
        found = sum(_look_at(row) for row in rows.filter(question__in=there))
        _mend_tasks()
        return found + _look_at_accounts(is_first_look=is_first_look)


def note(
    what: str,
    words: str,
    *,
    project: LabelingProject | None = None,
    subject: str = "",
    since: dt.datetime | None = None,
) -> Line | None:
    """Note that something is not as we set it, once for as long as it lasts; returns the line for the ledger, if it is
    new.

    Call inside a transaction.
    """
    drift, is_new = Drift.objects.get_or_create(
        what=what,
        project=project,
        subject=subject,
        mended_at=None,
        defaults={"words": words[:500], "since": since, "found_at": timezone.now()},
    )
    if not is_new:
        return None
    log.warning("Label Studio: %s", words)
    return Line("labeling.drift.found", ref(drift), {"what": str(what), "subject": subject, "words": words[:500]})


def _record(what: str, words: str, **about: Any) -> None:
    with transaction.atomic():
        line = note(what, words, **about)
        ledger.append_many([line] if line else [], actor=ACTOR)


def _mended(what: str, **about: Any) -> None:
    with transaction.atomic():
        open_ = Drift.objects.select_for_update(no_key=True).filter(what=what, mended_at=None, **about)
        lines = [Line("labeling.drift.mended", ref(drift), {"what": str(what)}) for drift in open_]
        open_.update(mended_at=timezone.now())
        ledger.append_many(lines, actor=ACTOR)


# --- Projects ----------------------------------------------------------------------------------------------------


def _look_at(row: LabelingProject) -> int:
    """Look at one project. One that is gone is made anew by the reconcile; one that we cannot put right stays noted."""
    try:
        return _compare(projects.ensure_project(row.question))  # what our own new version changes is no drift
    except client.Unauthorized:
        raise
    except client.Gone:
        log.warning("the project %s is gone in Label Studio", row)
    except PermanentError as exc:
        log.error("the project %s cannot be put right: %s", row, exc)
    return 1


def _compare(row: LabelingProject) -> int:
    began, project_id = timezone.now(), row.ls_project_id or 0
    found = 0
    if differing := projects.differing(row):
        words = f"Project “{row.title}” was changed in Label Studio: {', '.join(differing)}."
        _record(What.INTERFACE, words, project=row, since=row.looked_at)
        found += 1
        administration.update_project(project_id, projects.fields_of(row.question))
    _mended(What.INTERFACE, project=row)
    if words := projects.wrong_webhooks(row):
        _record(What.WEBHOOK, f"Project “{row.title}”: {words}", project=row, since=row.looked_at)
        found += 1
        projects.renew_webhook(row)
    _mended(What.WEBHOOK, project=row)
    # What was changed is as it should be only from now on.
    LabelingProject.objects.filter(pk=row.pk, ls_project_id=project_id).update(
        looked_at=timezone.now() if found else began
    )
    return found


def _mend_tasks() -> None:
    """Have tasks show again what we sent; that they did not is noticed with their answers (`labeling.ingest`)."""
    for drift in Drift.objects.filter(what=What.TASK, mended_at=None):
        task = LabelingTask.objects.filter(ls_task_id=int(drift.subject)).first()
        if task and not is_known(task.project.question):
            continue  # nothing says how it should be shown; it is seen to when its question is back
        if task:
            try:
                client.set_task_data(task.ls_task_id or 0, as_sent(task)["data"])
            except client.Gone:
                log.warning("task %s is gone in Label Studio", task.ls_task_id)
        _mended(What.TASK, pk=drift.pk)


# --- Accounts ----------------------------------------------------------------------------------------------------


def _look_at_accounts(*, is_first_look: bool) -> int:
    """Note accounts that we did not make; those that stood there at the first look are none of ours to judge.

    Their answers count in no case. From the embedded Label Studio, where nobody but us makes accounts, they are taken
    out.
    """
    known = set(Drift.objects.filter(what=What.MEMBER).values_list("subject", flat=True))
    strangers = [user for user in accounts.strangers() if str(user.id) not in known]
    if is_first_look:
        now, words = timezone.now(), "It was there before our first look."
        Drift.objects.bulk_create(
            Drift(what=What.MEMBER, subject=str(user.id), words=words, found_at=now, is_known=True)
            for user in strangers
        )
        return 0
    for user in strangers:
        taken = " with the address of one of our people" if accounts.has_address_of_ours(user) else ""
        _record(What.MEMBER, f"Account {user.id}{taken} was not made by us.", subject=str(user.id))
        if accounts.are_ours_alone():
            _remove(user.id)
    return len(strangers)


def _remove(ls_user_id: int) -> None:
    try:
        administration.remove_member(ls_user_id)
    except PermanentError as exc:
        log.warning("account %s could not be taken out of Label Studio: %s", ls_user_id, exc)
    else:
        _mended(What.MEMBER, subject=str(ls_user_id))
