"""A run of training: planned once, told about, cancelled, resumed; and when one starts by itself."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from audit.models import LedgerEntry
from core.actors import SystemActor
from core.exceptions import LeaseLost, PermanentError, StaleState
from labeling.models import Label
from tests import people
from tests.training.shop import label_reviews
from tests.training.test_drift import judged, serves_since
from training import recipes, runs, snapshots, triggers
from training.models import TrainingRun

ME = SystemActor("tests")


@pytest.mark.django_db(transaction=True)
def test_two_triggers_at_once_start_one_run() -> None:
    found: list[tuple[TrainingRun, bool]] = []

    def trigger() -> None:
        try:
            found.append(runs.plan("sentiment", reason="at once", actor=ME))
        finally:
            connection.close()

    threads = [threading.Thread(target=trigger) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert TrainingRun.objects.count() == 1
    assert [is_new for _, is_new in found].count(True) == 1
    assert {run.pk for run, _ in found} == {TrainingRun.objects.get().pk}


@pytest.mark.django_db
def test_who_may_train_and_a_recipe_that_cannot_be_followed() -> None:
    for person in (people.reviewer(), people.senior(), people.auditor()):
        with pytest.raises(PermissionDenied):
            runs.plan("sentiment", reason="x", actor=person)
    with pytest.raises(PermanentError, match=r"learning_rate: .*Known: method, base"):
        runs.plan("sentiment", reason="x", actor=people.ml_engineer(), recipe={"learning_rate": 7})
    with pytest.raises(PermanentError, match="nothing is trained for the task 'poetry'"):
        runs.plan("poetry", reason="x", actor=people.ml_engineer())
    assert not TrainingRun.objects.exists()
    other, _ = runs.plan("validity", reason="x", actor=people.ml_engineer())
    with pytest.raises(PermanentError, match="was for validity, not for sentiment"):
        runs.plan("sentiment", reason="again", actor=people.ml_engineer(), like=other)
    with pytest.raises(PermanentError, match="ended before its examples were frozen"):
        runs.plan("validity", reason="again", actor=people.ml_engineer(), like=other)
    assert TrainingRun.objects.count() == 1


@pytest.mark.django_db
def test_a_run_that_takes_too_long_is_stopped_and_says_what_to_do(settings: Any) -> None:
    runs.plan("sentiment", reason="x", actor=ME)
    run = runs.claim()
    assert run is not None
    runs.report_progress(run, "Training", 1, 10)
    run.claimed_at = timezone.now() - dt.timedelta(minutes=settings.TRAINING.longest_run_minutes, seconds=1)
    with pytest.raises(PermanentError, match="took longer than"):
        runs.report_progress(run, "Training", 2, 10)


@pytest.mark.django_db
def test_progress_renews_the_lease_and_another_worker_ends_it() -> None:
    runs.plan("sentiment", reason="x", actor=ME)
    run = runs.claim()
    assert run is not None
    assert runs.claim() is None, "it is held"
    runs.report_progress(run, "Training", 3, 10)
    runs.keep_figures(run, "other", 3, {"loss": 0.7})
    runs.keep_figures(run, "other", 6, {"loss": 0.6})
    runs.keep_figures(run, "other", 3, {"loss": 0.65})  # resumed from the checkpoint at step 0
    stored = TrainingRun.objects.get()
    assert (stored.stage, stored.n_done, stored.n_total) == ("Training", 3, 10)
    assert stored.history == [["other", 3, "loss", 0.65]]
    TrainingRun.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    other = runs.claim()
    assert other is not None, "its worker died: another takes it over"
    with pytest.raises(LeaseLost):
        runs.report_progress(run, "Training", 4, 10)
    with pytest.raises(LeaseLost):
        runs.end(run, "succeeded", actor=ME)
    runs.end(other, "succeeded", actor=ME)
    assert TrainingRun.objects.get().status == "succeeded"


@pytest.mark.django_db
def test_a_run_that_waits_is_cancelled_at_once_and_one_that_works_after_its_step() -> None:
    engineer = people.ml_engineer()
    waiting, _ = runs.plan("sentiment", reason="x", actor=ME)
    runs.cancel(waiting, actor=engineer)
    assert TrainingRun.objects.get().status == "cancelled"
    with pytest.raises(StaleState, match="has ended: cancelled"):
        runs.cancel(waiting, actor=engineer)
    runs.plan("sentiment", reason="y", actor=ME)
    working = runs.claim()
    assert working is not None
    runs.cancel(working, actor=engineer)
    with pytest.raises(runs.Cancelled):
        runs.report_progress(working, "Training", 1, 2)
    assert LedgerEntry.objects.filter(action="training.run.cancelled").count() == 2
    with pytest.raises(PermissionDenied):
        runs.cancel(working, actor=people.reviewer())


@pytest.mark.django_db
def test_a_run_that_kills_its_worker_each_time_does_not_block_its_task_for_ever(settings: Any) -> None:
    runs.plan("sentiment", reason="x", actor=ME)
    for _ in range(settings.LEASES.max_losses + 1):
        assert runs.claim() is not None
        TrainingRun.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert runs.claim() is None
    assert TrainingRun.objects.get().status == "failed"
    assert "its worker died or stalled" in TrainingRun.objects.get().last_error
    assert LedgerEntry.objects.get(action="training.run.ended").payload["status"] == "failed"
    _, is_new = runs.plan("sentiment", reason="again", actor=ME)
    assert is_new


@pytest.mark.django_db
def test_a_run_that_gets_on_each_time_is_not_given_up_however_often_its_worker_is_stopped(settings: Any) -> None:
    runs.plan("sentiment", reason="x", actor=ME)
    most = settings.LEASES.max_attempts
    for number in range(2 * most):
        run = runs.claim()
        assert run is not None
        runs.keep_figures(run, "other", 10 * number + 10, {"eval_loss": 0.5})
        TrainingRun.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    for _ in range(settings.LEASES.max_losses):  # and now it comes to the same step each time
        run = runs.claim()
        assert run is not None
        runs.keep_figures(run, "other", 20 * most, {"eval_loss": 0.5})
        runs.keep_figures(run, "other", 20 * most + 3, {"loss": 0.4})
        TrainingRun.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert runs.claim() is None
    assert TrainingRun.objects.get().status == "failed"


@pytest.mark.django_db
def test_a_run_starts_by_itself_when_there_are_enough_labels_and_not_too_often(settings: Any) -> None:
    settings.TRAINING = replace(settings.TRAINING, min_labels=40, new_labels=20, every_days=7)
    label_reviews(39)
    assert triggers.why_due("sentiment") is None
    assert triggers.in_words("sentiment") == "The first run starts at 40 labels; there are 39."
    label_reviews(1, seed=2)
    assert triggers.plan_due() == 1
    assert TrainingRun.objects.get().reason == "the first run: 40 labels"
    assert triggers.plan_due() == 0, "it is under way"
    now = timezone.now()
    TrainingRun.objects.update(status="succeeded", started_at=now, finished_at=now)
    label_reviews(30, seed=3)
    assert triggers.why_due("sentiment") is None, "the last one was just now"
    TrainingRun.objects.update(created_at=now - dt.timedelta(hours=7))
    trigger, reason = triggers.why_due("sentiment") or ("", "")
    assert (trigger, "labels are new" in reason) == ("new_labels", True)
    settings.TRAINING = replace(settings.TRAINING, budget_minutes=30)
    TrainingRun.objects.update(started_at=now - dt.timedelta(minutes=31), finished_at=now)
    assert triggers.why_due("sentiment") is None, "the day's budget is spent"
    TrainingRun.objects.update(started_at=now - dt.timedelta(hours=30), finished_at=now - dt.timedelta(hours=23))
    assert triggers.minutes_spent(now - dt.timedelta(days=1)) == pytest.approx(60, abs=0.1), (
        "of a run from the day before"
    )
    TrainingRun.objects.update(started_at=now - dt.timedelta(minutes=5), finished_at=None)
    assert triggers.minutes_spent(now - dt.timedelta(days=1)) == pytest.approx(5, abs=0.2), "of one that still works"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "is_repeat"), [("failed", False), ("cancelled", False), ("failed", True), ("succeeded", True)]
)
def test_labels_stay_new_until_a_run_has_learnt_from_them(settings: Any, status: str, is_repeat: bool) -> None:
    settings.TRAINING = replace(settings.TRAINING, min_labels=40, new_labels=20)
    label_reviews(40)
    first, _ = runs.plan("sentiment", reason="first", actor=ME)
    snapshot, now = snapshots.freeze("sentiment", actor=ME), timezone.now()
    ago = now - dt.timedelta(hours=20)
    TrainingRun.objects.update(status="succeeded", created_at=ago, started_at=now, finished_at=now, snapshot=snapshot)
    label_reviews(30, seed=2)
    first.refresh_from_db()
    second, _ = runs.plan("sentiment", reason="second", actor=ME, like=first if is_repeat else None)
    assert "A run is under way." in triggers.in_words("sentiment")
    later = {"started_at": timezone.now(), "finished_at": timezone.now(), "status": status}
    TrainingRun.objects.filter(pk=second.pk).update(**later)
    assert triggers.why_due("sentiment") is None, "one that fails is not started each minute"
    waits = triggers.in_words("sentiment")
    assert waits.startswith("30 of 20 labels")
    assert waits.endswith(", 6 hours after the last one.")
    TrainingRun.objects.filter(pk=second.pk).update(created_at=now - dt.timedelta(hours=7))
    assert triggers.why_due("sentiment") == ("new_labels", "30 labels are new")
    settings.TRAINING = replace(settings.TRAINING, budget_minutes=0)
    assert triggers.why_due("sentiment") is None
    assert triggers.in_words("sentiment").endswith("while the day's 0 minutes of training are spent.")


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_after_a_run_that_taught_nobody_something_has_to_be_new(settings: Any, status: str) -> None:
    settings.TRAINING = replace(settings.TRAINING, min_labels=40, new_labels=20, every_days=7)
    label_reviews(40)
    runs.plan("sentiment", reason="first", actor=ME)
    now = timezone.now()
    TrainingRun.objects.update(status=status, created_at=now, started_at=now, finished_at=now)
    Label.objects.update(labelled_at=now - dt.timedelta(days=8))
    TrainingRun.objects.update(created_at=now - dt.timedelta(hours=7))
    assert triggers.why_due("sentiment") is None
    assert triggers.in_words("sentiment").endswith(
        f"The last run {status}, and no labels are new since: it would come to the same."
    )
    label_reviews(1, seed=2)
    assert triggers.why_due("sentiment") is not None
    Label.objects.update(labelled_at=now - dt.timedelta(days=9))
    assert triggers.why_due("sentiment") is None
    TrainingRun.objects.update(created_at=now - dt.timedelta(days=8))
    assert triggers.why_due("sentiment") is not None, "what it failed of may be mended by now"


@pytest.mark.django_db
def test_labels_that_a_file_dates_to_come_are_not_new_for_ever(settings: Any) -> None:
    settings.TRAINING = replace(settings.TRAINING, min_labels=40, new_labels=20)
    label_reviews(60)
    Label.objects.update(labelled_at=timezone.now() + dt.timedelta(days=3650))
    runs.plan("sentiment", reason="first", actor=ME)
    ago = timezone.now() - dt.timedelta(hours=7)
    TrainingRun.objects.update(status="succeeded", created_at=ago, started_at=ago, finished_at=ago)
    assert triggers.why_due("sentiment") is None
    label_reviews(20, seed=2)
    assert triggers.why_due("sentiment") == ("new_labels", "20 labels are new")


@pytest.mark.django_db
def test_a_long_time_and_less_agreement_start_one_too(settings: Any) -> None:
    settings.TRAINING = replace(settings.TRAINING, min_labels=40, new_labels=10_000, every_days=7)
    label_reviews(45)
    runs.plan("sentiment", reason="first", actor=ME)
    long_ago = timezone.now() - dt.timedelta(days=8)
    TrainingRun.objects.update(status="succeeded", created_at=long_ago, started_at=long_ago, finished_at=long_ago)
    assert (triggers.why_due("sentiment") or ("",))[0] == "schedule"
    version = serves_since(16)
    judged(version, days=range(16, 5, -1), right=20)
    judged(version, days=range(5, 0, -1), right=10)
    trigger, reason = triggers.why_due("sentiment") or ("", "")
    assert (trigger, reason) == (
        "drift",
        "people agree with the champion on 50 of the latest 100 drawn by lot, 220 of 220 before",
    )
    now = timezone.now()
    TrainingRun.objects.update(trigger="drift", created_at=now - dt.timedelta(hours=7), started_at=now)
    label_reviews(5, seed=2)
    assert triggers.why_due("sentiment") is None, "on nearly the same labels it would come to the same"


def test_the_default_is_what_was_measured() -> None:
    asked = recipes.Recipe()
    assert recipes.resolve_defaults(asked, n_train=200, is_chinese=False).method == "lora"
    assert recipes.resolve_defaults(asked, n_train=5000, is_chinese=False).method == "full"
    assert recipes.resolve_defaults(asked, n_train=5000, is_chinese=True).method == "characters"
    own = recipes.resolve_defaults(
        recipes.Recipe(method="full", epochs=2, learning_rate=3e-5), n_train=100, is_chinese=False
    )
    assert (own.method, own.epochs, own.learning_rate) == ("full", 2, 3e-5)
