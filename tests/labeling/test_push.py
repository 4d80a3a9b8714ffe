"""Sending work to a real Label Studio: once, whatever breaks on the way."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from audit.models import LedgerEntry
from core.exceptions import PermanentError, TransientError
from labeling import projects, sync
from labeling.links import task_url
from labeling.models import Consensus, LabelingProject, LabelingTask
from labeling.selectors import health
from moderation.queues.rules import set_policy
from questions.sentiment.question import Sentiment
from tests import people
from tests.label_studio_server import Desk
from tests.labeling.conftest import choice

pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]
Open = Callable[..., LabelingTask]


def tasks_there(desk: Desk) -> list[Any]:
    [project] = desk.service.projects.list()
    return list(desk.service.tasks.list(project=project.id, fields="all", page_size=500))


def test_it_sends_a_task_with_its_data_and_what_is_suggested_beside_it(label_studio: Desk, open_task: Open) -> None:
    task = open_task()

    assert sync.push_tasks() == 1

    task.refresh_from_db()
    assert task.status == "pushed"
    [there] = tasks_there(label_studio)
    assert there.id == task.ls_task_id
    assert there.data["ext_id"] == str(task.pk)
    assert there.data["text"] == task.payload["text"]
    assert "Our checks suggest: Unsupported claim" in there.data["draft_html"]
    assert not label_studio.service.tasks.get(str(there.id)).predictions
    assert task_url(task) == f"/console/review/door/{task.pk}/", "through the door, not past it"
    assert LedgerEntry.objects.filter(action="labeling.task.pushed", subject__endswith=str(task.pk)).exists()


def test_an_answer_starts_from_what_is_suggested_where_the_rules_of_the_queue_say_so(
    label_studio: Desk, open_task: Open
) -> None:
    set_policy("copy_verdict", actor=people.administrator(), ticks_suggestions=True)
    blind, shown = open_task(shows_predictions=False), open_task()
    assert sync.push_tasks() == 2
    there = {task.data["ext_id"]: task for task in tasks_there(label_studio)}
    for task, suggested in ((blind, []), (shown, [["unsupported_claim"]])):
        found = label_studio.service.tasks.get(str(there[str(task.pk)].id))
        assert [one.result[0]["value"]["choices"] for one in found.predictions] == suggested
        assert "suggest" not in found.data["draft_html"]


def test_opening_the_same_reference_twice_gives_one_task(open_task: Open) -> None:
    task = open_task()
    again = sync.open_task("copy_verdict", reference=task.reference, payload={}, predictions=[])

    assert again.pk == task.pk
    assert again.payload == task.payload


def die_after_the_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """Push, and die right after Label Studio answered; leases have run out when it returns."""

    class Killed(BaseException):
        pass

    def die(ids: Any) -> None:
        if ids:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(sync, "_keep_ids", die)
        with pytest.raises(Killed):
            sync.push_tasks()
    LabelingTask.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))


def test_a_crash_between_the_import_and_our_commit_makes_no_duplicate(
    label_studio: Desk, open_task: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        open_task()
    die_after_the_import(monkeypatch)
    lost = {task.id for task in tasks_there(label_studio)}
    assert len(lost) == 3

    assert sync.push_tasks() == 3

    there = {task.data["ext_id"]: task.id for task in tasks_there(label_studio)}
    assert there == {str(task.pk): task.ls_task_id for task in LabelingTask.objects.all()}
    assert not lost & set(there.values()), "an id counts that an import of ours was given, and no other"


def test_a_copy_made_meanwhile_does_not_become_our_task(
    label_studio: Desk, open_task: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = open_task()
    die_after_the_import(monkeypatch)
    [original] = tasks_there(label_studio)
    project = LabelingProject.objects.get().ls_project_id or 0
    [idle, answered] = label_studio.reviewer.projects.import_tasks(
        project, request=[{"data": original.data}, {"data": original.data}], return_task_ids=True
    ).task_ids
    label_studio.reviewer.annotations.create(answered, result=[choice("verdict", "accept")])

    assert sync.push_tasks() == 1

    task.refresh_from_db()
    assert task.ls_task_id not in (original.id, idle, answered)
    assert {there.id for there in tasks_there(label_studio)} == {task.ls_task_id, answered}
    sync.reconcile()
    assert [kept.standing for kept in task.annotations.all()] == ["clone"]
    assert not Consensus.objects.exists()


def test_a_project_that_somebody_else_calls_ours_is_none_of_ours(label_studio: Desk) -> None:
    marker = label_studio.service.projects.get(projects.ensure_project("copy_verdict").ls_project_id or 0).description
    label_studio.service.projects.delete(LabelingProject.objects.get().ls_project_id or 0)
    theirs = label_studio.reviewer.projects.create(title="Copy review", description=marker).id
    LabelingProject.objects.update(ls_project_id=None, config_hash="", webhook_hash="")

    assert projects.ensure_project("copy_verdict").ls_project_id != theirs


def test_two_senders_at_once_make_no_duplicate(label_studio: Desk, open_task: Open) -> None:
    for _ in range(20):
        open_task()
    barrier, sent, errors = threading.Barrier(2), [], []

    def send() -> None:
        try:
            barrier.wait()
            sent.append(sync.push_tasks())
        except Exception as exc:
            errors.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not errors
    assert sum(sent) == 20
    assert len(tasks_there(label_studio)) == 20
    assert len(list(label_studio.service.projects.list())) == 1


def test_two_processes_that_make_the_project_at_once_make_one(label_studio: Desk) -> None:
    barrier, made, errors = threading.Barrier(2), [], []

    def make() -> None:
        try:
            barrier.wait()
            made.append(projects.ensure_project("copy_verdict").ls_project_id)
        except Exception as exc:
            errors.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not errors
    assert len(set(made)) == 1
    assert len(list(label_studio.service.projects.list())) == 1


def test_a_project_made_before_a_crash_is_found_again(label_studio: Desk) -> None:
    before = projects.ensure_project("copy_verdict").ls_project_id
    LabelingProject.objects.update(ls_project_id=None, config_hash="", webhook_hash="")

    assert projects.ensure_project("copy_verdict").ls_project_id == before
    assert len(list(label_studio.service.webhooks.list(project=str(before)))) == 1


def test_it_sends_300_tasks_in_chunks(label_studio: Desk, open_task: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "IMPORT_CHUNK", 120)
    for _ in range(300):
        open_task()

    assert sync.push_tasks() == 300

    assert LabelingTask.objects.filter(status="pushed").values("ls_task_id").distinct().count() == 300
    assert {task.data["ext_id"] for task in tasks_there(label_studio)} == {
        str(pk) for pk in LabelingTask.objects.values_list("pk", flat=True)
    }


def test_a_task_that_does_not_fit_holds_up_no_other(label_studio: Desk, open_task: Open) -> None:
    wrong = {
        "result": [{"from_name": "reasons", "to_name": "draft", "type": "choices", "value": {"choices": ["nonsense"]}}]
    }
    bad_prediction, bad_data, good = open_task(predictions=[wrong]), open_task(payload={"text": "no more"}), open_task()

    sync.push_tasks()

    good.refresh_from_db()
    bad_prediction.refresh_from_db()
    bad_data.refresh_from_db()
    assert good.status == "pushed"
    assert (bad_prediction.status, bad_data.status) == ("open", "open")
    assert "does not fit" in bad_prediction.last_error
    assert "lacks" in bad_data.last_error
    assert health().n_failing == 2
    assert sync.push_tasks() == 0  # not tried again at once


def test_a_task_that_label_studio_refuses_is_singled_out(label_studio: Desk, open_task: Open) -> None:
    tasks = [open_task() for _ in range(7)]
    # Our own check knows which data a task needs, Label Studio also of which type.
    culprit = tasks[3]
    LabelingTask.objects.filter(pk=culprit.pk).update(payload={**culprit.payload, "facts_html": 7})

    sync.push_tasks()

    culprit.refresh_from_db()
    assert (culprit.status, culprit.ls_task_id) == ("open", None)
    assert "refused" in culprit.last_error
    assert LabelingTask.objects.filter(status="pushed").count() == 6
    assert len(tasks_there(label_studio)) == 6


def test_label_studio_down_is_transient_and_the_work_stays(label_studio: Desk, open_task: Open, settings: Any) -> None:
    task = open_task()
    reachable = settings.LABELING
    settings.LABELING = replace(reachable, url="http://127.0.0.1:9")
    with pytest.raises(TransientError, match="cannot be reached") as raised:
        sync.push_tasks()
    assert "manage.py status" in raised.value.hint
    task.refresh_from_db()
    assert task.status == "open"

    settings.LABELING = reachable
    assert sync.push_tasks() == 1


def test_it_goes_down_after_the_project_was_made(label_studio: Desk, open_task: Open, settings: Any) -> None:
    projects.ensure_project("copy_verdict")
    task = open_task()
    reachable = settings.LABELING
    settings.LABELING = replace(reachable, url="http://127.0.0.1:9")
    with pytest.raises(TransientError):
        sync.push_tasks()
    task.refresh_from_db()
    assert (task.status, task.lease_token) == ("open", None)
    assert "cannot be reached" in task.last_error
    settings.LABELING = reachable

    assert sync.push_tasks() == 1
    task.refresh_from_db()
    assert task.last_error == ""


def test_a_wrong_token_says_what_to_do(label_studio: Desk, open_task: Open, settings: Any) -> None:
    open_task()
    settings.LABELING = replace(settings.LABELING, token="9" * 40)

    with pytest.raises(PermanentError, match="does not accept our token") as raised:
        sync.push_tasks()
    assert "LABEL_STUDIO_TOKEN" in raised.value.hint


def test_a_withdrawn_task_is_removed_there(label_studio: Desk, open_task: Open) -> None:
    task, other = open_task(), open_task()
    sync.push_tasks()
    task.refresh_from_db()

    assert sync.withdraw_task(task)
    sync.push_tasks()

    other.refresh_from_db()
    assert [there.id for there in tasks_there(label_studio)] == [other.ls_task_id]
    assert not sync.withdraw_task(task)


class Changed(Sentiment):
    """A page that was changed since the project was made."""

    name = "copy_verdict"


changed = Changed()


def test_a_changed_interface_reaches_the_project(label_studio: Desk, settings: Any) -> None:
    project = projects.ensure_project("copy_verdict")
    settings.QUESTIONS = {"copy_verdict": f"{__name__}.changed"}
    projects.ensure_project("copy_verdict")

    config = label_studio.service.projects.get(project.ls_project_id or 0).label_config
    assert 'value="Positive"' in config
