"""When a new run pays: enough new labels, a long time, or a champion that people agree with less. Never too often."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db.models import Max, QuerySet
from django.utils import timezone

from core.actors import SystemActor
from inference import resolver
from inference.models import Role
from labeling.models import Label
from labeling.question import question
from moderation.models.reviews import Decision
from questions.copy_verdict.examples import decisions_on_copy
from training import drift, runs
from training.models import TrainingRun
from training.models.datasets import Task
from training.roles import role_of

TRIGGER = SystemActor("training.triggers")
Trigger = TrainingRun.Trigger
# How many drafts of the champion people let out as they were: of so many of the latest, against so many before them.
LATEST, BEFORE = 100, 200
# No run starts by itself sooner after the last one.
HOURS_BETWEEN = 6


def plan_due() -> int:
    """Plan a run of each task that is due. Returns how many."""
    planned = 0
    for task in runs.trained():
        if why := why_due(task):
            trigger, reason = why
            _, is_new = runs.plan(task, reason=reason, actor=TRIGGER, trigger=trigger)
            planned += is_new
    return planned


def why_due(task: str) -> tuple[str, str] | None:
    """Return trigger and reason of the run that `task` is due for; None when it is not, or may not be yet."""
    rules, last = settings.TRAINING, _last(task)
    labels, new, word = _learnt_from(task)
    if labels.count() < rules.min_labels or _held_back(last, labels, word):
        return None
    n = new.count()
    if last is None:
        return Trigger.NEW_LABELS, f"the first run: {n} {word}"
    if n >= rules.new_labels:
        return Trigger.NEW_LABELS, f"{n} {word} are new"
    # After a run for the same reason the latest have to be new ones: trained on the same labels, it would come to the
    # same.
    is_news = n >= (LATEST if last.trigger == Trigger.DRIFT else 1)
    if is_news and (fall := drift_of(task)):
        return Trigger.DRIFT, fall
    ago = timezone.now() - last.created_at
    if n and ago >= dt.timedelta(days=rules.every_days):
        return Trigger.SCHEDULE, f"the last run was {ago.days} days ago, {n} {word} are new"
    return None


def _last(task: str) -> TrainingRun | None:
    return TrainingRun.objects.filter(task=task).order_by("-created_at").first()


def _held_back(last: TrainingRun | None, labels: QuerySet[Any], word: str) -> str:
    """Return in words why no run on `labels` may start by itself after `last`, however much is new;
    empty when one may.
    """
    rules, now = settings.TRAINING, timezone.now()
    if last is not None and last.status in runs.OPEN:
        return "A run is under way."
    if last is not None and now < (until := last.created_at + dt.timedelta(hours=HOURS_BETWEEN)):
        start = f"{timezone.localtime(until):%F %H:%M}"
        return f"None starts by itself before {start}, {HOURS_BETWEEN} hours after the last one."
    if (
        last is not None
        and last.status in _TAUGHT_NOBODY
        and now < last.created_at + dt.timedelta(days=rules.every_days)
        and not _since(labels, last.created_at).exists()
    ):
        return (
            f"The last run {last.get_status_display().lower()}, and no {word} are new since: it would come to the same."
        )
    if minutes_spent(now - dt.timedelta(days=1)) >= rules.budget_minutes:
        return f"None starts by itself while the day's {rules.budget_minutes} minutes of training are spent."
    return ""


_TAUGHT_NOBODY = (TrainingRun.Status.FAILED, TrainingRun.Status.CANCELLED)


def _since(examples: QuerySet[Any], moment: dt.datetime | None) -> QuerySet[Any]:
    """Return what of `examples` came after `moment`; all where there is none.

    A file may date a label to come: it would be new after every run, and the next one due for ever.
    """
    field = "labelled_at" if examples.model is Label else "created_at"
    return examples.filter(**{f"{field}__gt": moment, f"{field}__lte": timezone.now()}) if moment else examples


def _learnt_from(task: str) -> tuple[QuerySet[Any], QuerySet[Any], str]:
    """Return what a run of `task` learns from, what of it is new, and its name for people.

    New is what came after the start of the last run that succeeded: one that failed or was cancelled has taught nobody
    anything, and one that repeats another learnt from what there was then.
    """
    own = TrainingRun.objects.filter(task=task, status=TrainingRun.Status.SUCCEEDED)
    since = own.exclude(environment__has_key=runs.REPEATS).aggregate(at=Max("started_at"))["at"]
    if task == Task.COPY:
        decided = decisions_on_copy(Decision.Outcome.APPROVE, Decision.Outcome.EDIT)
        return decided, _since(decided, since), "decisions"
    asked = question(task)
    labels = asked.teaching(Label.objects.filter(question=asked.taught_by or task))
    return labels, _since(labels, since), "labels"


def in_words(task: str) -> str:
    """Return what the next run of `task` waits for, for people."""
    rules = settings.TRAINING
    labels, new, word = _learnt_from(task)
    if (n := labels.count()) < rules.min_labels:
        return f"The first run starts at {rules.min_labels} {word}; there are {n}."
    or_less = (
        ""
        if task != Task.COPY and task not in drift.watched()
        else ", or when people agree with the champion less than before"
    )
    return (
        f"{new.count()} of {rules.new_labels} {word} that start the next run are there. It also starts after "
        f"{rules.every_days} days{or_less}. {_held_back(_last(task), labels, word)}"
    ).strip()


def minutes_spent(since: dt.datetime) -> float:
    """Return how many minutes runs have worked since then."""
    now = timezone.now()
    ran = TrainingRun.objects.exclude(started_at=None).exclude(finished_at__lt=since)
    times = [(max(start, since), end or now) for start, end in ran.values_list("started_at", "finished_at") if start]
    return sum((end - start).total_seconds() for start, end in times) / 60


def drift_of(task: str) -> str:
    """Return in words by how much less people agree with the champion than before; empty when it may be chance.

    Of reviews what the daily lot drew counts (`training.drift`), of copy everything: people see the best draft of each
    request. No other draft is put before people by lot.
    """
    if task == Task.COPY:
        return _drift_of_copy()
    seen = drift.look(role_of(task))
    return seen.in_words() if seen else ""


def _drift_of_copy() -> str:
    from labeling.quality.intervals import share_difference

    champion = resolver.find(Role.COPYWRITER)
    if champion is None:
        return ""
    judged = decisions_on_copy(Decision.Outcome.APPROVE, Decision.Outcome.EDIT, Decision.Outcome.REJECT)
    own = judged.filter(item__candidate__model_version=champion).order_by("-created_at")
    agreed = [
        outcome == Decision.Outcome.APPROVE for outcome in own.values_list("outcome", flat=True)[: LATEST + BEFORE]
    ]
    if len(agreed) < LATEST + BEFORE // 2:
        return ""
    latest, before = agreed[:LATEST], agreed[LATEST:]
    fall = share_difference(sum(latest), len(latest), sum(before), len(before))
    if fall.high is None or fall.high >= 0:
        return ""
    return (
        f"people let out {sum(latest)} of the champion's latest {LATEST} drafts as they were, "
        f"{sum(before)} of {len(before)} before"
    )
