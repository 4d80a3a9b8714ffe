"""The completeness proof: what it finds in a real Label Studio, what it mends, and what it says."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import LedgerEntry
from core.exceptions import TransientError
from labeling import client, completeness, ingest, sync
from labeling.models import Annotation, CompletenessProof, Consensus, LabelingTask, WebhookEvent
from questions.copy_verdict.question import CopyVerdict
from tests.label_studio_server import Desk
from tests.labeling.conftest import choice
from tests.labeling.test_reconcile import ACCEPT, run_sql
from tests.stamped import give

pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tasks(label_studio: Desk, staff: Any, open_task: Callable[..., LabelingTask]) -> list[LabelingTask]:
    """Five copy reviews in Label Studio, the first two answered, and everything pulled."""
    for _ in range(5):
        open_task()
    sync.push_tasks()
    found = list(LabelingTask.objects.order_by("ls_task_id"))
    for task in found[:2]:
        give(label_studio, task, ACCEPT)
    sync.reconcile()
    return found


def prove() -> CompletenessProof:
    """The proof of the one project there is."""
    [proof] = completeness.prove_all()
    return proof


def test_all_is_accounted_for_page_by_page(tasks: list[LabelingTask], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE_SIZE", 2)
    monkeypatch.setattr(completeness, "AT_ONCE", 1)
    proof = prove()

    assert (proof.holds, proof.n_tasks, proof.n_accounted, proof.n_repaired) == (True, 5, 5, 0)
    assert proof.words == "5 of 5 accounted for."
    line = LedgerEntry.objects.get(action="labeling.proof.finished")
    assert (line.payload["n_tasks"], line.payload["n_accounted"]) == (5, 5)


def test_missing_and_stale_tasks_are_found_and_mended(label_studio: Desk, tasks: list[LabelingTask]) -> None:
    answered, settled_and_gone, stale, gone, _ = tasks
    for task in (settled_and_gone, gone):
        label_studio.service.tasks.delete(str(task.ls_task_id))
    give(label_studio, stale, ACCEPT)
    # Long ago, and our sweep has passed: a change that was committed late, or came with a backup.
    long_ago = timezone.now() - dt.timedelta(days=2)
    run_sql(label_studio, "UPDATE task SET updated_at = %s WHERE id = %s", long_ago, stale.ls_task_id)
    Annotation.objects.filter(task=answered).delete()
    run_sql(label_studio, "UPDATE task SET updated_at = %s WHERE id = %s", long_ago, answered.ls_task_id)

    proof = prove()

    assert (proof.n_tasks, proof.n_accounted, proof.n_missing, proof.n_stale, proof.n_repaired) == (5, 5, 2, 2, 4)
    assert "Missing there, and sent again unless answered: 2." in proof.words
    assert set(LabelingTask.objects.filter(status="open")) == {gone}
    assert Annotation.objects.filter(task__in=[stale, answered]).count() == 2
    assert Consensus.objects.count() == 3  # an answer that is pulled anew is not announced anew
    settled_and_gone.refresh_from_db()
    assert (settled_and_gone.status, settled_and_gone.ls_task_id) == ("settled", None)
    assert prove().words == "3 of 3 accounted for."


def test_what_changed_just_now_is_pulled_and_not_called_stale(label_studio: Desk, tasks: list[LabelingTask]) -> None:
    give(label_studio, tasks[3], ACCEPT)
    proof = prove()

    assert (proof.holds, proof.n_stale, proof.n_repaired) == (True, 0, 0)
    assert LabelingTask.objects.filter(status="settled").count() == 3


def test_second_copies_go_unless_somebody_answered_them(label_studio: Desk, tasks: list[LabelingTask]) -> None:
    project_id = tasks[0].project.ls_project_id or 0
    copies = [{"data": {**task.payload, "ext_id": str(task.pk)}} for task in (tasks[0], tasks[3])]
    foreign = [{"data": {**tasks[0].payload, "ext_id": "nobody's"}}, {"data": tasks[0].payload}]
    idle, answered, *_ = label_studio.service.projects.import_tasks(
        project_id, request=copies + foreign, return_task_ids=True
    ).task_ids
    label_studio.reviewer.annotations.create(answered, result=[choice("verdict", "reject")])
    said = io.StringIO()
    with pytest.raises(CommandError, match="Not everything") as raised:
        call_command("prove_completeness", stdout=said)

    assert raised.value.returncode == 1
    proof = CompletenessProof.objects.get()
    assert (proof.n_tasks, proof.n_accounted, proof.n_duplicates, proof.n_foreign, proof.n_repaired) == (5, 4, 2, 2, 1)
    assert f"tasks {tasks[3].ls_task_id} and {answered} there are the same" in said.getvalue()
    assert client.missing_tasks(project_id, [idle, answered, *(task.ls_task_id or 0 for task in tasks)]) == {idle}
    # What the runbook says to do about it.
    label_studio.service.tasks.delete(str(answered))
    call_command("prove_completeness", stdout=said)
    assert "5 of 5 accounted for. Not ours there: 2." in said.getvalue()


def test_a_task_that_a_restore_brought_back_is_known_again(label_studio: Desk, tasks: list[LabelingTask]) -> None:
    settled, withdrawn = tasks[0], tasks[4]
    sync.withdraw_task(withdrawn)
    there = {task.pk: task.ls_task_id for task in (settled, withdrawn)}
    LabelingTask.objects.filter(pk__in=there).update(ls_task_id=None, ls_updated_at=None)

    assert prove().n_repaired == 2
    assert dict(LabelingTask.objects.filter(pk__in=there).values_list("pk", "ls_task_id")) == there
    sync.push_tasks()
    assert client.missing_tasks(settled.project.ls_project_id or 0, there.values()) == {there[withdrawn.pk]}


def test_a_webhook_that_was_deleted_there_is_set_again(label_studio: Desk, tasks: list[LabelingTask]) -> None:
    project = str(tasks[0].project.ls_project_id)
    [hook] = label_studio.service.webhooks.list(project=project)
    label_studio.service.webhooks.delete(hook.id)
    prove()
    [again] = label_studio.service.webhooks.list(project=project)

    assert (again.url, again.headers) == (hook.url, hook.headers)


def test_it_is_due_once_a_day_and_until_it_holds(tasks: list[LabelingTask]) -> None:
    assert completeness.prove_if_due() == 1
    assert completeness.prove_if_due() == 0
    CompletenessProof.objects.update(finished_at=timezone.now() - dt.timedelta(hours=25))
    assert completeness.prove_if_due() == 1
    CompletenessProof.objects.update(n_accounted=4)
    assert completeness.prove_if_due() == 1


def test_it_says_that_label_studio_is_away_and_is_due_again(tasks: list[LabelingTask], settings: Any) -> None:
    reachable = settings.LABELING
    settings.LABELING = replace(reachable, url="http://127.0.0.1:9")
    with pytest.raises(TransientError):
        completeness.prove_if_due()
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("prove_completeness")
    settings.LABELING = reachable

    assert completeness.prove_if_due() == 1
    assert CompletenessProof.objects.get().holds


class Fragile(CopyVerdict):
    """An interface with a fault of ours: it falls over a rejection."""

    def parse(self, result: Any, payload: Any) -> dict[str, Any]:
        answer = super().parse(result, payload)
        if answer["verdict"] == "reject":
            raise RuntimeError("a fault of ours")
        return answer


def test_a_task_that_cannot_be_taken_over_holds_up_no_other_and_is_named(
    label_studio: Desk, tasks: list[LabelingTask], settings: Any
) -> None:
    settings.QUESTIONS = {"copy_verdict": f"{__name__}.Fragile"}
    for task, verdict in ((tasks[2], "reject"), (tasks[3], "accept")):
        give(label_studio, task, [choice("verdict", verdict)])
        WebhookEvent.objects.create(action="ANNOTATION_CREATED", ls_task_ids=[task.ls_task_id], body_hash="")

    assert ingest.process_events() == 1  # both were in one batch
    bad, good = WebhookEvent.objects.order_by("pk")
    assert (good.status, bad.status, bad.n_attempts) == ("processed", "received", 1)
    assert "a fault of ours" in bad.last_error
    assert sync.reconcile() == 0
    proof = prove()
    assert (proof.n_tasks, proof.n_accounted) == (5, 4)
    assert f"task {tasks[2].ls_task_id} there: its answers cannot be taken over: RuntimeError" in proof.words
