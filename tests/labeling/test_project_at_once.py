"""A project that is made in Label Studio while others open tasks for it."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, transaction

from audit import ledger
from audit.ledger import CHAIN_LOCK, Line
from core.actors import SystemActor
from labeling import projects
from labeling.models import LabelingTask
from tests.at_once import at_once
from tests.label_studio_server import Desk

pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]
WAITING = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
AND (classid::bigint << 32 | objid::bigint) = %s AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def wait_for_somebody_at_the_ledger() -> None:
    with connection.cursor() as cursor:
        for _ in range(600):
            cursor.execute(WAITING, [CHAIN_LOCK])
            if cursor.fetchone()[0]:
                return
            time.sleep(0.05)
    raise AssertionError("nobody came to the ledger")


def test_who_opens_a_task_meanwhile_and_who_makes_the_project_wait_for_each_other_in_no_circle(
    label_studio: Desk,
) -> None:
    row, has_the_ledger = projects.project_row("copy_verdict"), threading.Event()

    def open_a_task() -> object:
        with transaction.atomic():
            LabelingTask.objects.create(project=row, reference="tests.thing:1", payload={"text": "a"})
            ledger.append_many([Line("tests.thing.opened", "tests.thing:1")], actor=SystemActor("tests"))
            has_the_ledger.set()
            wait_for_somebody_at_the_ledger()
        return None  # the task's foreign key was looked at, and nobody stood in the way

    def make_the_project() -> object:
        assert has_the_ledger.wait(30)
        return projects.ensure_project("copy_verdict").ls_project_id

    nothing, made = at_once(open_a_task, make_the_project)

    row.refresh_from_db()
    assert nothing is None
    assert made == row.ls_project_id is not None
    assert LabelingTask.objects.get().project_id == row.pk
