"""Answers come back from a real Label Studio: by webhook, by reconcile, once, and in the right order."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from audit.models import LedgerEntry
from labeling import accounts, client, ingest, sync
from labeling.models import Annotation, Consensus, LabelingProject, LabelingTask, WebhookEvent
from tests.label_studio_server import REVIEWER, Desk
from tests.labeling.conftest import DRAFT, choice, typed
from tests.people import people
from tests.stamped import change, give

pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]
Open = Callable[..., LabelingTask]


@pytest.fixture
def task(label_studio: Desk, staff: Any, open_task: Open) -> LabelingTask:
    """A copy review that stands in Label Studio."""
    opened = open_task()
    sync.push_tasks()
    opened.refresh_from_db()
    return opened


def events() -> list[WebhookEvent]:
    """The inbox, once what Label Studio just sent has arrived."""
    deadline = time.monotonic() + 30
    while not WebhookEvent.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return list(WebhookEvent.objects.all())


def test_an_answer_arrives_by_webhook_and_settles_the_task(
    webhooks: str, label_studio: Desk, staff: Any, open_task: Open, announced: list[Any]
) -> None:
    task = open_task()
    sync.push_tasks()
    task.refresh_from_db()
    said = [
        choice("verdict", "fix"),
        typed("fixed_text", "A sea green stoneware mug."),
        choice("reasons", "unsupported_claim", "tone"),
        choice("dismissed", "42"),
        typed("comment", "Made it true."),
    ]
    give(label_studio, task, said, lead_time=12.5)

    [event] = events()
    assert (event.action, event.status, event.ls_task_ids) == ("ANNOTATION_CREATED", "received", [task.ls_task_id])
    assert ingest.process_events() == 1

    event.refresh_from_db()
    task.refresh_from_db()
    assert (event.status, task.status) == ("processed", "settled")
    consensus = Consensus.objects.get()
    assert consensus.answer == {
        "verdict": "fix",
        "fixed_text": "A sea green stoneware mug.",
        "reason_codes": ["unsupported_claim", "tone"],
        "dismissed_findings": ["42"],
        "confirmed_findings": ["41"],
        "escalate": False,
        "comment": "Made it true.",
    }
    [annotation] = consensus.annotations.all()
    assert annotation.annotator == staff["reviewer"]
    assert annotation.lead_time == dt.timedelta(seconds=12.5)
    assert announced == [(consensus.pk, task.reference)]
    assert LedgerEntry.objects.filter(action="labeling.task.settled").count() == 1


def test_a_lost_webhook_is_found_by_the_next_reconcile(
    label_studio: Desk, task: LabelingTask, announced: list[Any]
) -> None:
    sync.reconcile()
    give(label_studio, task, [choice("verdict", "accept")])
    assert not WebhookEvent.objects.exists()

    assert sync.reconcile() == 1

    task.refresh_from_db()
    assert task.status == "settled"
    assert Consensus.objects.get().answer["verdict"] == "accept"
    assert sync.reconcile() == 0  # nothing new
    assert len(announced) == 1


def test_a_changed_answer_makes_a_second_consensus(
    label_studio: Desk, task: LabelingTask, announced: list[Any]
) -> None:
    made = give(label_studio, task, [choice("verdict", "accept")])
    sync.reconcile()
    change(label_studio, made.id, task, [choice("verdict", "reject"), choice("reasons", "tone")])
    sync.reconcile()

    verdicts = [consensus.answer["verdict"] for consensus in Consensus.objects.order_by("pk")]
    assert verdicts == ["accept", "reject"]
    assert len(announced) == 2
    assert Annotation.objects.get().result[0]["value"]["choices"] == ["reject"]


def test_who_changes_another_s_annotation_does_not_become_its_author(
    label_studio: Desk, task: LabelingTask, staff: Any
) -> None:
    made = give(label_studio, task, [choice("verdict", "accept")])
    label_studio.senior.annotations.update(made.id, result=[choice("verdict", "reject")])
    sync.reconcile()

    edited = Annotation.objects.get()
    assert (edited.annotator, edited.standing) == (staff["reviewer"], "edited")
    assert not Consensus.objects.exists()


def test_a_deleted_annotation_goes(label_studio: Desk, task: LabelingTask) -> None:
    made = give(label_studio, task, [choice("verdict", "accept")])
    sync.reconcile()
    label_studio.reviewer.annotations.delete(made.id)
    sync.reconcile()

    assert not Annotation.objects.exists()
    assert Consensus.objects.count() == 1  # what was agreed on stays on record


def test_the_deletion_of_an_annotation_is_followed_from_its_webhook(
    webhooks: str, label_studio: Desk, staff: Any, open_task: Open
) -> None:
    task = open_task()
    sync.push_tasks()
    task.refresh_from_db()
    made = give(label_studio, task, [choice("verdict", "accept")])
    events()
    ingest.process_events()
    label_studio.reviewer.annotations.delete(made.id)
    deadline = time.monotonic() + 30
    while WebhookEvent.objects.count() < 2 and time.monotonic() < deadline:
        time.sleep(0.05)

    assert ingest.process_events() == 1
    assert not Annotation.objects.exists()


def test_a_skipped_task_is_not_settled(label_studio: Desk, task: LabelingTask) -> None:
    give(label_studio, task, [], was_cancelled=True)
    sync.reconcile()

    task.refresh_from_db()
    assert task.status == "pushed"
    assert Annotation.objects.get().was_cancelled
    assert not Consensus.objects.exists()


def test_the_wish_for_a_senior_is_read(label_studio: Desk, task: LabelingTask) -> None:
    give(label_studio, task, [choice("escalate", "escalate"), typed("comment", "Is this a health claim?")])
    sync.reconcile()

    answer = Consensus.objects.get().answer
    assert answer["escalate"] is True
    assert answer["comment"] == "Is this a health claim?"


def test_an_answer_that_cannot_be_read_is_recorded_as_such(
    label_studio: Desk, task: LabelingTask, announced: list[Any]
) -> None:
    give(label_studio, task, [choice("verdict", "shrug")])
    sync.reconcile()

    consensus = Consensus.objects.get()
    assert consensus.method == "invalid"
    assert "shrug" in consensus.answer["invalid"]
    assert len(announced) == 1
    task.refresh_from_db()
    assert "shrug" in task.last_error


def test_an_older_state_never_overwrites_a_newer_one(label_studio: Desk, task: LabelingTask) -> None:
    made = give(label_studio, task, [choice("verdict", "accept")])
    old = client.get_tasks(task.project.ls_project_id or 0, [task.ls_task_id or 0])[task.ls_task_id or 0]
    change(label_studio, made.id, task, [choice("verdict", "reject")])
    ingest.pull_tasks([task.ls_task_id or 0])

    assert ingest.apply([old]).changed == 0
    assert Annotation.objects.get().result[0]["value"]["choices"] == ["reject"]


def test_a_task_deleted_there_is_sent_again(label_studio: Desk, task: LabelingTask) -> None:
    before = task.ls_task_id
    label_studio.service.tasks.delete(str(before))

    assert sync.reconcile() == 1
    task.refresh_from_db()
    assert (task.status, task.ls_task_id) == ("open", None)
    sync.push_tasks()
    task.refresh_from_db()
    assert task.status == "pushed"
    assert task.ls_task_id != before


def test_a_project_deleted_there_is_made_again_with_its_open_work(label_studio: Desk, task: LabelingTask) -> None:
    label_studio.service.projects.delete(task.project.ls_project_id)

    assert sync.reconcile() == 1
    assert sync.push_tasks() == 1

    task.refresh_from_db()
    assert task.status == "pushed"
    assert label_studio.service.tasks.get(str(task.ls_task_id)).data["text"] == DRAFT


def test_a_reconcile_reads_every_page(
    label_studio: Desk, staff: Any, open_task: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAGE_SIZE", 3)
    tasks = [open_task() for _ in range(8)]
    sync.push_tasks()
    for task in tasks:
        task.refresh_from_db()
        give(label_studio, task, [choice("verdict", "accept")])

    assert sync.reconcile() == 8
    assert LabelingTask.objects.filter(status="settled").count() == 8
    project = LabelingProject.objects.get()
    assert project.reconciled_until == max(LabelingTask.objects.values_list("ls_updated_at", flat=True))


def test_events_stay_while_label_studio_is_away(
    webhooks: str, label_studio: Desk, staff: Any, open_task: Open, settings: Any
) -> None:
    task = open_task()
    sync.push_tasks()
    task.refresh_from_db()
    give(label_studio, task, [choice("verdict", "accept")])
    events()
    reachable = settings.LABELING
    settings.LABELING = replace(reachable, url="http://127.0.0.1:9")
    with pytest.raises(client.TransientError):
        ingest.process_events()
    assert WebhookEvent.objects.filter(status="received", lease_token=None).count() == 1
    settings.LABELING = reachable

    assert ingest.process_events() == 1
    assert Consensus.objects.count() == 1


def test_an_account_that_takes_another_s_e_mail_stays_who_it_was(label_studio: Desk, staff: Any) -> None:
    assert accounts.sync_accounts() == 2
    before = dict(staff["reviewer"].annotator.__class__.objects.values_list("ls_user_id", "user_id"))
    staff["senior"].email, staff["reviewer"].email = staff["reviewer"].email, staff["senior"].email
    staff["senior"].save()
    staff["reviewer"].save()

    assert accounts.sync_accounts() == 0
    assert dict(staff["reviewer"].annotator.__class__.objects.values_list("ls_user_id", "user_id")) == before


def test_an_answer_of_an_unknown_account_counts_once_it_is_somebody_s(label_studio: Desk, open_task: Open) -> None:
    task = open_task()
    sync.push_tasks()
    task.refresh_from_db()
    user = people("Reviewer", email=REVIEWER.email)
    user.is_active = False
    user.save()
    give(label_studio, task, [choice("verdict", "accept")])
    sync.reconcile()
    assert Annotation.objects.get().standing == "unbound"
    assert not Consensus.objects.exists()

    user.is_active = True
    user.save()
    sync.reconcile()

    known = Annotation.objects.get()
    assert (known.annotator, known.standing) == (user, "counts")
    assert Consensus.objects.get().answer["verdict"] == "accept"
