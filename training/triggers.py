"""When a new run pays: enough new labels, a long time, or a champion that people agree with less. Never too often."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from core.actors import SystemActor
from inference import resolver
from labeling.models import Label
from moderation.models.reviews import Decision, ReviewItem, Sentiment
from training import runs
from training.curation import ROLE_OF, decisions_on_copy
from training.models import TrainingRun
from training.models.datasets import Task

TRIGGER = SystemActor("training.triggers")
Trigger = TrainingRun.Trigger
# Agreement of the champion with people: over so many of the latest, against so many before them.
LATEST, BEFORE = 100, 200
QUEUE_OF = {Task.SENTIMENT: ReviewItem.Kind.SENTIMENT, Task.VALIDITY: ReviewItem.Kind.COPY}


def plan_due() -> int:
    """Plan a run of each task that is due. Returns how many."""
    planned = 0
    for task in runs.TRAINED:
        if why := why_due(task):
            trigger, reason = why
            _, is_new = runs.plan(task, reason=reason, actor=TRIGGER, trigger=trigger)
            planned += is_new
    return planned


def why_due(task: str) -> tuple[str, str] | None:
    """Return trigger and reason of the run that `task` is due for; None when it is not, or may not be yet."""
    rules = settings.TRAINING
    own = TrainingRun.objects.filter(task=task)
    last = own.order_by("-created_at").first()
    labels, since, word = _learnt_from(task)
    if own.filter(status__in=runs.OPEN).exists() or labels.count() < rules["MIN_LABELS"]:
        return None
    now = timezone.now()
    if last is not None and now - last.created_at < dt.timedelta(hours=rules["MIN_INTERVAL_HOURS"]):
        return None
    if minutes_spent(now - dt.timedelta(days=1)) >= rules["BUDGET_MINUTES"]:
        return None
    if last is None:
        return Trigger.NEW_LABELS, f"the first run: {labels.count()} {word}"
    new = labels.filter(**{since: last.created_at}).count()
    if new >= rules["NEW_LABELS"]:
        return Trigger.NEW_LABELS, f"{new} {word} are new"
    # After a run for the same reason the latest have to be new ones: trained on the same labels, it would come to the same.
    is_news = new >= (LATEST if last.trigger == Trigger.DRIFT else 1)
    if is_news and (drift := drift_of(task)):
        return Trigger.DRIFT, drift
    if new and now - last.created_at >= dt.timedelta(days=rules["EVERY_DAYS"]):
        return Trigger.SCHEDULE, f"the last run was {(now - last.created_at).days} days ago, {new} {word} are new"
    return None


def _learnt_from(task: str) -> tuple[QuerySet[Any], str, str]:
    """Return what a run of `task` learns from, the look-up for what came later than a moment, and its name for people."""
    if task == Task.COPY:
        return decisions_on_copy(Decision.Outcome.APPROVE, Decision.Outcome.EDIT), "created_at__gt", "decisions"
    return Label.objects.filter(kind=QUEUE_OF[Task(task)]), "labelled_at__gt", "labels"


def in_words(task: str) -> str:
    """Return what the next run of `task` waits for, for people."""
    rules, last = settings.TRAINING, TrainingRun.objects.filter(task=task).order_by("-created_at").first()
    labels, since, word = _learnt_from(task)
    if (n := labels.count()) < rules["MIN_LABELS"]:
        return f"The first run starts at {rules['MIN_LABELS']} {word}; there are {n}."
    new = labels.filter(**{since: last.created_at}).count() if last else n
    return (
        f"{new} of {rules['NEW_LABELS']} {word} that start the next run are there. It also starts after "
        f"{rules['EVERY_DAYS']} days, or when people agree with the champion less than before."
    )


def minutes_spent(since: dt.datetime) -> float:
    """Return how many minutes runs have worked since then."""
    now = timezone.now()
    ran = TrainingRun.objects.exclude(started_at=None).exclude(finished_at__lt=since)
    times = [(max(start, since), end or now) for start, end in ran.values_list("started_at", "finished_at") if start]
    return sum((end - start).total_seconds() for start, end in times) / 60


def drift_of(task: str) -> str:
    """Return in words by how much less people agree with the champion than before; empty when it may be chance.

    Counted on what was put before people by lot alone: what is asked about because the model is unsure says nothing
    about all the rest.
    """
    from labeling.quality.intervals import share_difference

    agreed = _agreement(task, LATEST + BEFORE)
    if len(agreed) < LATEST + BEFORE // 2:
        return ""
    latest, before = agreed[:LATEST], agreed[LATEST:]
    fall = share_difference(sum(latest), len(latest), sum(before), len(before))
    if fall.high is None or fall.high >= 0:
        return ""
    if task == Task.COPY:
        return (
            f"people let out {sum(latest)} of the champion's latest {LATEST} drafts as they were, "
            f"{sum(before)} of {len(before)} before"
        )
    return (
        f"people agree with the champion on {sum(latest)} of the latest {LATEST}, {sum(before)} of {len(before)} before"
    )


def _agreement(task: str, n: int) -> Sequence[bool]:
    """Return for the latest `n` items drawn by lot whether people said what the champion says, latest first."""
    champion = resolver.find(ROLE_OF[task])
    if champion is not None and task == Task.COPY:  # people see the best draft of each request: all count
        judged = decisions_on_copy(Decision.Outcome.APPROVE, Decision.Outcome.EDIT, Decision.Outcome.REJECT)
        own = judged.filter(item__candidate__model_version=champion).order_by("-created_at")
        return [outcome == Decision.Outcome.APPROVE for outcome in own.values_list("outcome", flat=True)[:n]]
    if champion is None or task != Task.SENTIMENT:  # no draft is put before people by lot: they see all
        return []
    decided = Decision.objects.filter(
        superseded_by=None, item__kind=QUEUE_OF[Task(task)], item__strategy="random", item__lead=None
    ).order_by("-created_at")
    said = dict(decided.values_list("item__customer_review", "label")[:n])
    scored = dict(
        Sentiment.objects.filter(model_version=champion, review__in=list(said)).values_list("review", "label")
    )
    return [scored[review] == label for review, label in said.items() if review in scored]
