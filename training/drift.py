"""Whether what serves got worse, by what people say of a few subjects of each day, drawn by lot from all that came.

A champion that is sure of itself asks about nothing, so its doubts do not show that it is wrong. What the daily lot
drew does (`moderation.queues.daily_lot`). A fall beyond chance raises an alert, and takes the champion back where the
settings say so; whoever comes next is let in by a person, so nothing swings to and fro.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet

from audit import ledger
from audit.models import LedgerEntry
from core.actors import SystemActor
from core.exceptions import EcomsiteError
from core.refs import ref
from inference.models import ModelAlias, ModelVersion
from labeling.approvals import FROM_FILES
from labeling.models import Label
from labeling.quality.change import MOST, PREDECESSORS, Change, measure_change
from moderation.models.predictions import Prediction
from moderation.models.traffic import TrafficSample
from moderation.queues import daily_lot
from training import registry
from training.models import DatasetSnapshot

log = logging.getLogger(__name__)
WATCH = SystemActor("training.drift")
FELL = "training.champion.fell"


@dataclass(frozen=True)
class Watch:
    """What the lot says of the champion of a role, as of the beginning of `day` (in UTC).

    `n_drawn` subjects were drawn while it served, `n_judged` of them judged. `change` is None while those are too few.
    """

    role: str
    champion: ModelVersion
    day: dt.date
    since: dt.date
    n_drawn: int
    n_judged: int
    n_right: int
    change: Change | None
    rolls_back: bool

    @property
    def is_fall(self) -> bool:
        return self.change is not None and self.change.is_fall

    def in_words(self) -> str:
        """Return by how much less people agree with the champion than before; empty when it may be chance."""
        found = self.change
        if found is None or not found.is_fall:
            return ""
        return (
            f"people agree with the champion on {found.right} of the latest {found.n} drawn by lot, "
            f"{found.right_before} of {found.n_before} before"
        )


def watched() -> tuple[str, ...]:
    """Return the questions whose traffic a lot is drawn from: a role is the name of its question, and of its queue."""
    return tuple(asked.name for asked in daily_lot.drawn_questions())


def look(role: str, *, today: dt.date | None = None) -> Watch | None:
    """Return what the lot says of the champion of `role`; None where none serves, or no lot is drawn.

    Only what was judged before today counts, so that it is the same all day: the level is that of one look a day.
    """
    aliases = {alias.name: alias for alias in ModelAlias.objects.select_related("version").filter(role=role)}
    if role not in watched() or ModelAlias.Name.CHAMPION not in aliases:
        return None
    today = today or dt.datetime.now(dt.UTC).date()
    alias, previous = aliases[ModelAlias.Name.CHAMPION], aliases.get(ModelAlias.Name.PREVIOUS)
    since = alias.moved_at.astimezone(dt.UTC).date()
    drawn = TrafficSample.objects.filter(question=role, day__gte=since, day__lt=today)
    answers = _answers(role, alias.version, drawn, today=today, most=MOST)
    before: Sequence[bool] = []
    if previous is not None:
        earlier = TrafficSample.objects.filter(question=role, day__lt=since)
        before = _answers(role, previous.version, earlier, today=today, most=PREDECESSORS)
    return Watch(
        role,
        alias.version,
        today,
        since,
        drawn.count(),
        len(answers),
        sum(answers),
        measure_change(answers, before=before, day=(today - since).days),
        rolls_back=role in settings.TRAINING.roll_back_on_drift,
    )


def _answers(
    role: str, version: ModelVersion, drawn: QuerySet[TrafficSample], *, today: dt.date, most: int
) -> Sequence[bool]:
    """Return whether our own people agree with `version` on the latest `most` of what was `drawn`, oldest first.

    Not on what came before its snapshot was frozen: it may have learnt from that. Of what people were asked about
    besides, because a model was unsure, their label counts as well: leaving those out would leave out what is
    difficult.
    """
    learnt = DatasetSnapshot.objects.filter(artifact_hash=version.dataset_hash).aggregate(at=Max("created_at"))["at"]
    if version.dataset_hash and learnt is not None:
        drawn = drawn.filter(day__gte=learnt.astimezone(dt.UTC).date())
    subjects = list(drawn.order_by("-day", "-pk").values_list("subject", flat=True)[:most])
    labels = Label.objects.filter(question=role, subject__in=subjects)
    ours = labels.exclude(source__startswith=FROM_FILES).filter(labelled_at__lt=_beginning_of(today))
    said = dict(ours.values_list("subject", "label"))
    predictions = Prediction.objects.of(role, subjects).filter(model_version=version)
    scored = dict(predictions.values_list("subject", "label"))
    return [scored[subject] == said[subject] for subject in reversed(subjects) if subject in scored and subject in said]


def _beginning_of(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def watch_champions() -> int:
    """Note each champion that got worse, once, and take back those that the settings say so of.

    Returns how many were found.

    None is taken back after a roll-back, before a person let the next one in, nor where there is none to go back to.
    """
    found = 0
    for role in watched():
        seen = look(role)
        if seen is not None and seen.is_fall:
            found += _note(seen)
    return found


def _note(seen: Watch) -> int:
    with transaction.atomic():
        registry.lock()
        alias = ModelAlias.objects.select_related("version").get(role=seen.role, name=ModelAlias.Name.CHAMPION)
        if alias.version != seen.champion or seen.change is None:
            return 0
        goes_back = seen.rolls_back and not alias.rolled_back and _previous(seen.role) is not None
        if noted(alias) and not goes_back:
            return 0
        why_not = _take_back(seen) if goes_back else ""
        if why_not and noted(alias):
            return 0
        change = seen.change
        payload = {
            "role": seen.role,
            "rolled_back": goes_back and not why_not,
            "why_not": why_not,
            "right": change.right,
            "n": change.n,
            "right_before": change.right_before,
            "n_before": change.n_before,
            "p": change.p,
            "level": change.level,
        }
        ledger.append(FELL, subject=ref(seen.champion), actor=WATCH, payload=payload)
    log.warning("%s got worse: %s", seen.champion, seen.in_words())
    return 1


def _take_back(seen: Watch) -> str:
    """Let the champion before serve again; return in words why it could not, empty where it does."""
    try:
        registry.roll_back(seen.role, actor=WATCH, reason=seen.in_words(), replacing=seen.champion)
    except EcomsiteError as exc:  # the files of the one before are gone, say: there is the alert, and it is tried again
        log.warning("%s got worse and could not be taken back: %s", seen.champion, exc)
        return str(exc)
    return ""


def _previous(role: str) -> ModelAlias | None:
    return ModelAlias.objects.filter(role=role, name=ModelAlias.Name.PREVIOUS).first()


def noted(alias: ModelAlias) -> LedgerEntry | None:
    """Return the line that says that the champion of `alias` got worse since it serves."""
    lines = LedgerEntry.objects.filter(action=FELL, subject=ref(alias.version), at__gte=alias.moved_at)
    return lines.order_by("-seq").first()


def troubles() -> list[str]:
    """Return in words which champions got worse, or were taken back because they had; until another one is let in."""
    words = []
    for alias in ModelAlias.objects.select_related("version").filter(name=ModelAlias.Name.CHAMPION, role__in=watched()):
        if line := noted(alias):
            words.append(f"{alias.version} got worse: {_figures(line)}.")
            if why_not := line.payload.get("why_not"):
                words.append(f"It could not be taken back by itself, and is tried again: {why_not}")
        elif alias.rolled_back and (previous := _previous(alias.role)) is not None:
            taken = LedgerEntry.objects.filter(action=FELL, subject=ref(previous.version)).order_by("-seq").first()
            if taken is not None and taken.payload["rolled_back"] and taken.at >= alias.moved_at:
                words.append(f"{previous.version} got worse and was taken back by itself: {_figures(taken)}.")
    return words


def _figures(line: LedgerEntry) -> str:
    held = line.payload
    return (
        f"people agreed with it on {held['right']} of the latest {held['n']} drawn by lot, "
        f"{held['right_before']} of {held['n_before']} before"
    )
