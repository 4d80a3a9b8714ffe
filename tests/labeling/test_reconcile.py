"""The sweep against a real Label Studio that does what makes sweeps lose things."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from core.exceptions import TransientError
from labeling import client, ingest, sync
from labeling.models import Annotation, Consensus, LabelingProject, LabelingTask
from labeling.signals import consensus_reached
from tests.label_studio_server import Desk
from tests.labeling.conftest import choice
from tests.stamped import change, give

pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]
ACCEPT = [choice("verdict", "accept")]


@pytest.fixture
def tasks(label_studio: Desk, staff: Any, open_task: Callable[..., LabelingTask]) -> list[LabelingTask]:
    """Six copy reviews that stand in Label Studio."""
    for _ in range(6):
        open_task()
    sync.push_tasks()
    return list(LabelingTask.objects.order_by("ls_task_id"))


def run_sql(desk: Desk, statement: str, *values: Any) -> None:
    """Do to Label Studio's own tables what its restored backup or its clock would have done."""
    with psycopg.connect(desk.database_url) as connection:
        connection.execute(statement, values)


def test_more_changes_of_one_moment_than_fit_a_page_are_all_seen(
    label_studio: Desk, tasks: list[LabelingTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    for task in tasks:
        give(label_studio, task, ACCEPT)
    sync.reconcile()
    project_id = tasks[0].project.ls_project_id
    monkeypatch.setattr(client, "PAGE_SIZE", 3)
    # The data manager's bulk action gives all its tasks one time. Two full pages: a third would be a 404.
    label_studio.service.actions.create(
        id="delete_tasks_annotations", project=project_id, selected_items={"all": True, "excluded": []}
    )

    assert sync.reconcile() == 6
    assert not Annotation.objects.exists()
    assert LabelingProject.objects.get().ls_project_id == project_id


def test_tasks_that_change_while_it_reads_are_seen_as_they_are_in_the_end(
    label_studio: Desk, tasks: list[LabelingTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAGE_SIZE", 2)
    pages = client.tasks_updated_after(tasks[0].project.ls_project_id or 0, None)
    seen = {task.id: task for task in next(pages)}
    for task in (tasks[0], tasks[2], tasks[5]):  # one read already, one that is next, the last
        give(label_studio, task, ACCEPT)
    for page in pages:
        seen |= {task.id: task for task in page}

    assert [len(seen[task.ls_task_id or 0].annotations) for task in tasks] == [1, 0, 1, 0, 0, 1]


def test_an_interrupted_sweep_goes_on_where_it_was(
    label_studio: Desk, tasks: list[LabelingTask], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.reconcile()
    for task in tasks:
        give(label_studio, task, ACCEPT)
    monkeypatch.setattr(client, "PAGE_SIZE", 2)
    reachable = settings.LABELING

    def lose_label_studio(**kwargs: Any) -> None:
        settings.LABELING = replace(reachable, url="http://127.0.0.1:9")

    consensus_reached.connect(lose_label_studio)
    try:
        with pytest.raises(TransientError):
            sync.reconcile()
    finally:
        consensus_reached.disconnect(lose_label_studio)
    settings.LABELING = reachable
    done = LabelingTask.objects.filter(status="settled")
    assert done.count() == 2
    newest = max(done.values_list("ls_updated_at", flat=True))
    assert LabelingProject.objects.get().reconciled_until == newest

    assert sync.reconcile() == 4
    assert Consensus.objects.count() == 6


def test_a_time_to_come_hides_no_later_change(label_studio: Desk, tasks: list[LabelingTask]) -> None:
    tomorrow = timezone.now() + dt.timedelta(days=1)
    run_sql(label_studio, "UPDATE task SET updated_at = %s WHERE id = %s", tomorrow, tasks[0].ls_task_id)
    sync.reconcile()
    give(label_studio, tasks[1], ACCEPT)

    assert sync.reconcile() == 1
    # The clock of Label Studio was put right; the webhook's pull believes what it is told now.
    give(label_studio, tasks[0], ACCEPT)
    ingest.pull_tasks([tasks[0].ls_task_id or 0])
    tasks[0].refresh_from_db()
    assert tasks[0].status == "settled"
    assert tasks[0].ls_updated_at < tomorrow


def test_a_deleted_task_is_noticed_though_somebody_added_another(label_studio: Desk, tasks: list[LabelingTask]) -> None:
    project_id = tasks[0].project.ls_project_id or 0
    sync.reconcile()
    label_studio.service.tasks.delete(str(tasks[0].ls_task_id))
    label_studio.service.projects.import_tasks(project_id, request=[{"data": {**tasks[0].payload, "ext_id": "None"}}])
    assert client.count_tasks(project_id) == 6

    assert sync.reconcile() == 1
    # And once more, with a stranger that has been there for long.
    label_studio.service.tasks.delete(str(tasks[1].ls_task_id))
    assert sync.reconcile() == 1
    assert set(LabelingTask.objects.filter(status="open")) == {tasks[0], tasks[1]}
    assert LabelingProject.objects.get().n_foreign == 1


def test_an_odd_annotation_holds_up_no_other(label_studio: Desk, tasks: list[LabelingTask]) -> None:
    give(label_studio, tasks[0], ACCEPT, lead_time=1e300)
    odd = give(label_studio, tasks[1], ACCEPT)
    run_sql(label_studio, "UPDATE task_completion SET result = %s WHERE id = %s", '{"no": ["list"]}', odd.id)
    give(label_studio, tasks[2], ACCEPT)

    assert sync.reconcile() == 3
    assert dict(Consensus.objects.values_list("task_id", "method")) == {tasks[0].pk: "single", tasks[2].pk: "single"}
    assert Annotation.objects.get(task=tasks[1]).standing == "unstamped"


def test_a_label_studio_restored_from_an_older_backup_is_followed(
    label_studio: Desk, tasks: list[LabelingTask], announced: list[Any]
) -> None:
    """The backup was made after the first answer and before its change, before the second, and before two tasks."""
    early, late, *kept, reused, lost = tasks
    answer = give(label_studio, early, ACCEPT)
    backup = label_studio.service.tasks.get(str(early.ls_task_id)).updated_at
    sync.reconcile()
    then = label_studio.service.annotations.get(answer.id).updated_at
    change(label_studio, answer.id, early, [choice("verdict", "reject")])
    second = give(label_studio, late, ACCEPT)
    sync.reconcile()
    assert len(announced) == 3

    project_id = tasks[0].project.ls_project_id or 0
    label_studio.service.annotations.delete(second.id)
    for task in (reused, lost):
        label_studio.service.tasks.delete(str(task.ls_task_id))
    run_sql(
        label_studio,
        "UPDATE task_completion SET result = %s, updated_at = %s WHERE id = %s",
        psycopg.types.json.Jsonb(answer.result),
        then,
        answer.id,
    )
    for task in (early, late):
        run_sql(label_studio, "UPDATE task SET updated_at = %s WHERE id = %s", backup, task.ls_task_id)
    run_sql(label_studio, "SELECT setval('task_id_seq', %s, false)", reused.ls_task_id)
    run_sql(label_studio, "SELECT setval('task_completion_id_seq', %s, false)", second.id)
    # Both ids are given away again: to a task of somebody else, and to an answer to another task of ours.
    [foreign] = label_studio.service.projects.import_tasks(
        project_id, request=[{"data": reused.payload}], return_task_ids=True
    ).task_ids
    again = give(label_studio, kept[0], ACCEPT)
    assert (foreign, again.id) == (reused.ls_task_id, second.id)
    label_studio.reviewer.annotations.create(foreign, result=[choice("verdict", "reject")])

    sync.reconcile()

    open_again = LabelingTask.objects.filter(status="open")
    assert set(open_again) == {reused, lost}  # the answer to the foreign task is nobody's here
    assert Annotation.objects.get(ls_annotation_id=second.id).task == kept[0]
    # What was agreed on stays, and points at nothing else.
    assert Consensus.objects.get(task=late).annotations.count() == 0
    assert sync.push_tasks() == 2
    ingest.pull_tasks([early.ls_task_id or 0, late.ls_task_id or 0])
    back = Annotation.objects.get(task=early)
    assert (back.result, back.standing) == (answer.result, "replayed"), "who gave it has changed it since"
    assert not Annotation.objects.filter(task=late).exists()
    assert [reference for _, reference in announced].count(early.reference) == 2  # nothing is announced a second time
