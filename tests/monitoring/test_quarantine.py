"""Everything that failed too often, in one place, and the way out of there."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import LedgerEntry
from core.actors import SystemActor
from core.exceptions import StaleState
from core.leases import Leased
from core.refs import ref
from labeling.models import LabelCheck, LabelingTask, WebhookEvent
from moderation.models.candidates import GenerationRequest
from moderation.models.predictions import Scoring
from moderation.models.retro_scans import RetroScan
from monitoring import quarantine
from tests import factories as make
from tests import people
from tests.architecture.test_registrations import registered

pytestmark = pytest.mark.django_db


def set_aside(model: type[Leased]) -> Any:
    fields = {"quarantined_at": timezone.now(), "n_attempts": 5, "last_error": "it broke"}
    if model is GenerationRequest:
        return make.generation_request(status="failed", finished_at=timezone.now(), **fields)
    if model is LabelingTask:
        return make.labeling_task(f"tests:{LabelingTask.objects.count()}", status="open", **fields)
    if model is WebhookEvent:
        return WebhookEvent.objects.create(action="ANNOTATION_CREATED", body_hash="0", **fields)
    if model is LabelCheck:
        return LabelCheck.objects.create(question="sentiment", reason="tests", **fields)
    if model is RetroScan:
        return make.retro_scan(**fields)
    return Scoring.objects.create(question="sentiment", subject="tests:1", **fields)


def test_every_table_that_is_leased_is_there_or_excused() -> None:
    leased = {model._meta.label for model in apps.get_models() if issubclass(model, Leased)}
    listed = {kind.model._meta.label for kind in quarantine.KINDS}
    assert listed | set(quarantine.EXCUSED) == leased
    assert not listed & set(quarantine.EXCUSED)


def test_every_drainer_that_is_woken_is_registered() -> None:
    assert {drainer for kind in quarantine.KINDS for drainer in kind.drainers} <= registered()


@pytest.mark.parametrize("kind", quarantine.KINDS, ids=lambda kind: kind.key)
def test_a_row_is_let_out_once_with_fresh_attempts_and_a_line(kind: quarantine.Kind) -> None:
    row, engineer = set_aside(kind.model), people.ml_engineer()
    assert [each.pk for each in kind.rows] == [row.pk]
    quarantine.readmit(row, actor=engineer)
    row.refresh_from_db()
    assert (row.quarantined_at, row.n_attempts) == (None, 0)
    line = LedgerEntry.objects.get(subject=ref(row))
    assert line.actor == f"user:{engineer.pk}"
    with pytest.raises(StaleState):
        quarantine.readmit(set_out := kind.model._default_manager.get(pk=row.pk), actor=engineer)
    assert LedgerEntry.objects.filter(subject=ref(set_out)).count() == 1


def test_a_failed_order_is_queued_again_and_an_unscreenable_one_is_screened_again() -> None:
    failed = set_aside(GenerationRequest)
    written = make.generation_request(status="completed", quarantined_at=timezone.now(), n_attempts=5)
    for row in (failed, written):
        quarantine.readmit(row, actor=people.administrator())
        row.refresh_from_db()
    assert (failed.status, written.status) == ("queued", "completed")
    assert written.quarantined_at is None


def test_only_administrators_and_ml_engineers_let_anything_out() -> None:
    row = set_aside(WebhookEvent)
    kind = quarantine.kind_called("webhookevent")
    for person in (people.reviewer(), people.senior(), people.auditor(), people.outsider()):
        with pytest.raises(PermissionDenied):
            quarantine.readmit(row, actor=person)
        with pytest.raises(PermissionDenied):
            quarantine.readmit_all(kind, actor=person)
    assert kind.rows.count() == 1


def test_all_of_a_kind_are_let_out_and_no_other() -> None:
    for model in (WebhookEvent, WebhookEvent, LabelingTask):
        set_aside(model)
    assert quarantine.readmit_all(quarantine.kind_called("webhookevent"), actor=people.ml_engineer()) == 2
    assert {kind.key: n for kind, n in quarantine.counts()} == {
        "generationrequest": 0,
        "scoring": 0,
        "labelingtask": 1,
        "webhookevent": 0,
        "labelcheck": 0,
        "retroscan": 0,
    }


def test_the_command_shows_and_lets_out() -> None:
    row, said = set_aside(LabelingTask), io.StringIO()
    call_command("quarantine", stdout=said)
    assert str(row.pk) in said.getvalue()
    assert "'it broke'" in said.getvalue()
    with pytest.raises(CommandError, match="no labelingtask"):
        call_command("quarantine", readmit="labelingtask", id="nonsense")
    with pytest.raises(CommandError, match="lacks the permission"):
        call_command("quarantine", readmit="labelingtask", by=people.auditor().username)
    call_command("quarantine", readmit="labelingtask", id=str(row.pk), by=people.ml_engineer().username, stdout=said)
    assert "1 of “Labelling tasks” let out" in said.getvalue()
    set_aside(LabelingTask)
    call_command("quarantine", readmit="labelingtask", stdout=said)
    assert not LabelingTask.objects.filter(quarantined_at__isnull=False).exists()


def test_the_count_beside_the_link_is_kept_for_a_moment_and_forgotten_when_something_is_let_out() -> None:
    quarantine._forget_count()
    row = set_aside(WebhookEvent)
    assert quarantine.recent_count() == 1
    set_aside(WebhookEvent)
    assert quarantine.recent_count() == 1
    quarantine.readmit(row, actor=SystemActor("tests"))
    assert quarantine.recent_count() == 1
    assert sum(n for _, n in quarantine.counts()) == 1
