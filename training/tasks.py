"""Celery tasks of training (queue `training`). Beat wakes them; what there is to do stands in Postgres."""

from __future__ import annotations

from celery import shared_task

from core.hints import hint
from labeling import raters
from training import drift, label_checks, pipeline, triggers


@shared_task(name="training.check_labels", soft_time_limit=6 * 3600, ignore_result=True)
def check_labels() -> None:
    """Run one search for wrong labels that waits."""
    if label_checks.run_next():
        hint("training.check_labels")


@shared_task(name="training.plan_label_checks", soft_time_limit=300, ignore_result=True)
def plan_label_checks() -> None:
    """Plan a search wherever labels have changed enough."""
    label_checks.plan_due()


@shared_task(name="training.fit_raters", soft_time_limit=1800, ignore_result=True)
def fit_raters() -> None:
    """Learn how each rater errs."""
    raters.fit_all()


@shared_task(name="training.train", soft_time_limit=6 * 3600, ignore_result=True)
def train() -> None:
    """Work one training run that waits."""
    if pipeline.run_next():
        hint("training.train")


@shared_task(name="training.watch_champions", soft_time_limit=300, ignore_result=True)
def watch_champions() -> None:
    """See whether what serves got worse, by what the daily lot says."""
    drift.watch_champions()


@shared_task(name="training.plan_runs", soft_time_limit=300, ignore_result=True)
def plan_runs() -> None:
    """Plan a training run wherever one pays."""
    triggers.plan_due()
