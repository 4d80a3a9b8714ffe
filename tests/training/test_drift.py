"""A champion that got worse is found by what people say of each day's lot, and taken back where the settings say so."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import LedgerEntry
from audit.verification import verify
from core.refs import ref
from inference import resolver
from inference.models import ModelAlias, ModelVersion
from labeling.models import Label
from labeling.quality.change import measure_change
from moderation.models.predictions import Prediction
from moderation.models.traffic import TrafficSample
from monitoring import alerts, health
from monitoring.models import Alert
from tests import factories, people
from tests.training.test_promotion import trained
from training import approvals, drift, registry, triggers
from training.models import DatasetSnapshot

pytestmark = pytest.mark.django_db
TODAY = dt.datetime.now(dt.UTC).date()
DAY = dt.timedelta(days=1)
ROLE = "sentiment"
NOON = dt.time(12)


def judged(version: ModelVersion, *, days: range, right: int, of: int = 20, source: str = "label_studio") -> None:
    """So many days ago the lot drew `of` reviews a day; people agree with `version` on `right` of them."""
    product = factories.product()
    days_of = [(ago, number) for ago in days for number in range(of)]
    reviews = factories.customer_reviews([f"{ago} {number} {uuid.uuid4()}" for ago, number in days_of], product=product)
    factories.sentiments(reviews, "positive", confidence=0.99, version=version)
    TrafficSample.objects.bulk_create(
        TrafficSample(day=TODAY - ago * DAY, question=ROLE, subject=ref(row), n_of=500)
        for (ago, _), row in zip(days_of, reviews, strict=True)
    )
    Label.objects.bulk_create(
        Label(
            question="sentiment",
            subject=ref(row),
            label="positive" if number < right else "negative",
            method="single",
            n_votes=1,
            labelled_at=dt.datetime.combine(TODAY - ago * DAY, NOON, dt.UTC),
            source=source,
        )
        for (ago, number), row in zip(days_of, reviews, strict=True)
    )


def serves_since(days: int, **fields: Any) -> ModelVersion:
    """A champion that has served for so many days."""
    return let_serve(factories.model_version(ROLE, alias=None, artifact_hash="", **fields), days)


def let_serve(version: ModelVersion, days: int) -> ModelVersion:
    champion = ModelAlias.objects.filter(role=ROLE, name="champion").first()
    if champion:
        ModelAlias.objects.update_or_create(role=ROLE, name="previous", defaults={"version": champion.version})
    ModelAlias.objects.update_or_create(role=ROLE, name="champion", defaults={"version": version})
    began = dt.datetime.combine(TODAY - days * DAY, dt.time(), dt.UTC)
    ModelAlias.objects.filter(role=ROLE).update(moved_at=began)
    return version


def rolls_back(settings: Any) -> None:
    settings.TRAINING = replace(settings.TRAINING, roll_back_on_drift=[ROLE])


def test_nothing_is_said_before_there_is_something_to_tell() -> None:
    assert drift.look(ROLE) is None, "nobody serves"
    assert drift.look("copywriter") is None
    version = serves_since(3)
    judged(version, days=range(3, 0, -1), right=18)
    seen = drift.look(ROLE)
    assert seen is not None
    assert (seen.n_drawn, seen.n_judged, seen.n_right, seen.change) == (60, 60, 54, None)
    assert (seen.is_fall, drift.watch_champions()) == (False, 0)


def test_a_fall_raises_an_alert_and_by_default_nothing_is_rolled_back() -> None:
    before, version = serves_since(40), serves_since(20)
    judged(version, days=range(20, 5, -1), right=18)
    assert (drift.watch_champions(), drift.troubles()) == (0, [])
    judged(version, days=range(5, 0, -1), right=10)
    seen = drift.look(ROLE)
    assert seen is not None
    words = "people agree with the champion on 50 of the latest 100 drawn by lot, 270 of 300 before"
    assert seen.in_words() == words
    answers = ([True] * 18 + [False] * 2) * 15 + ([True] * 10 + [False] * 10) * 5
    assert seen.change == measure_change(answers, day=20), "what bench/drift.py measures is what decides"
    assert drift.watch_champions() == 1
    assert drift.watch_champions() == 0, "said once"
    assert resolver.resolve(ROLE) == version != before
    line = LedgerEntry.objects.get(action=drift.FELL)
    assert (line.subject, line.payload["rolled_back"], line.payload["right"]) == (ref(version), False, 50)
    part = health.check_champions()
    assert (part.state, str(version) in part.words) == ("alarm", True)
    alerts.watch()
    assert Alert.objects.filter(part="champions", ended_at=None).exists()
    assert triggers.drift_of(ROLE) == words, "and it is a reason to train"
    assert verify().is_intact


def test_where_the_settings_say_so_the_champion_is_taken_back_once_and_people_let_in_the_next(settings: Any) -> None:
    rolls_back(settings)
    before, version = serves_since(40), serves_since(20)
    judged(version, days=range(20, 5, -1), right=18)
    judged(version, days=range(5, 0, -1), right=8)
    assert drift.watch_champions() == 1
    assert resolver.resolve(ROLE) == before
    moved = LedgerEntry.objects.get(action="inference.alias.moved")
    assert (moved.actor, moved.payload["rolled_back"]) == ("system:training.drift", True)
    assert LedgerEntry.objects.get(action=drift.FELL).payload["rolled_back"] is True
    part = health.check_champions()
    assert (part.state, "was taken back by itself" in part.words) == ("alarm", True)
    # The one before does no better: it stays where it is, and nothing swings to and fro.
    ModelAlias.objects.filter(role=ROLE).update(moved_at=timezone.now() - 15 * DAY)
    judged(before, days=range(15, 0, -1), right=2)
    assert drift.watch_champions() == 1, "that is said"
    assert resolver.resolve(ROLE) == before
    assert LedgerEntry.objects.filter(action="inference.alias.moved").count() == 1
    report = trained(options={"another": 1})
    assert approvals.people_needed(report.version) == 1
    registry.promote_if_passed(report)
    assert resolver.resolve(ROLE) == before
    registry.approve(report.version, actor=people.ml_engineer(), reason="looked at it")
    assert (resolver.resolve(ROLE), health.check_champions().state) == (report.version, "ok")


def test_one_that_is_worse_from_the_start_than_who_served_before_is_found(settings: Any) -> None:
    rolls_back(settings)
    before = serves_since(40)
    judged(before, days=range(14, 4, -1), right=18)
    version = serves_since(4)
    judged(version, days=range(4, 0, -1), right=9)
    assert drift.watch_champions() == 1
    assert resolver.resolve(ROLE) == before


def test_after_a_fall_was_noted_the_setting_still_takes_it_back(settings: Any) -> None:
    before, version = serves_since(40), serves_since(20)
    judged(version, days=range(20, 5, -1), right=18)
    judged(version, days=range(5, 0, -1), right=8)
    drift.watch_champions()
    rolls_back(settings)
    assert (drift.watch_champions(), resolver.resolve(ROLE)) == (1, before)


def test_where_there_is_none_to_go_back_to_there_is_the_alert(settings: Any) -> None:
    rolls_back(settings)
    version = serves_since(20)
    judged(version, days=range(20, 5, -1), right=18)
    judged(version, days=range(5, 0, -1), right=8)
    assert (drift.watch_champions(), resolver.resolve(ROLE)) == (1, version)
    assert health.check_champions().state == "alarm"


def test_one_whose_predecessors_files_are_gone_is_told_and_serves_on(settings: Any) -> None:
    rolls_back(settings)
    before, version = serves_since(40), serves_since(20)
    ModelVersion.objects.filter(pk=before.pk).update(artifact_hash="b" * 64)
    judged(version, days=range(20, 5, -1), right=18)
    judged(version, days=range(5, 0, -1), right=8)
    assert (drift.watch_champions(), resolver.resolve(ROLE)) == (1, version)
    assert drift.watch_champions() == 0
    assert LedgerEntry.objects.get(action=drift.FELL).payload["rolled_back"] is False
    words = health.check_champions().words
    assert "could not be taken back by itself" in words
    assert "are not in the store any more" in words, "and why"


def test_only_what_our_own_people_said_of_the_lot_before_today_counts() -> None:
    version = serves_since(20)
    judged(version, days=range(20, 5, -1), right=18)
    judged(version, days=range(5, 0, -1), right=5, source="import:7")
    seen = drift.look(ROLE)
    assert seen is not None
    assert (seen.n_drawn, seen.n_judged, seen.is_fall) == (400, 300, False)
    Label.objects.filter(source="import:7").update(source="label_studio", labelled_at=timezone.now())
    assert drift.look(ROLE).n_judged == 300, "what people said today counts tomorrow"  # type: ignore[union-attr]
    assert drift.look(ROLE, today=TODAY + DAY).is_fall  # type: ignore[union-attr]
    other = factories.customer_review("asked about because the model was unsure")
    factories.sentiment(other, "positive", version=version)
    factories.decision(factories.review_item(other, strategy="uncertain"), "label", label="negative")
    assert drift.look(ROLE).n_judged == 300, "no part of the lot"  # type: ignore[union-attr]


def test_what_a_model_learnt_from_says_nothing_about_it() -> None:
    before = serves_since(40, dataset_hash="d" * 64)
    frozen = DatasetSnapshot.objects.create(task=ROLE, artifact_hash="d" * 64, n_train=60, n_validation=8, n_test=12)
    DatasetSnapshot.objects.filter(pk=frozen.pk).update(created_at=timezone.now() - 12 * DAY)
    judged(before, days=range(22, 12, -1), right=20)
    judged(before, days=range(12, 8, -1), right=12)
    version = serves_since(8)
    judged(version, days=range(8, 0, -1), right=12)
    seen = drift.look(ROLE)
    assert seen is not None
    assert seen.change is not None
    assert (seen.change.n_before, seen.is_fall) == (240 - seen.change.n, False)


def test_a_champion_that_was_replaced_meanwhile_is_not_taken_back(settings: Any) -> None:
    rolls_back(settings)
    serves_since(40)
    version = serves_since(20)
    judged(version, days=range(20, 5, -1), right=18)
    judged(version, days=range(5, 0, -1), right=8)
    seen = drift.look(ROLE)
    newer = factories.model_version(ROLE, artifact_hash="")
    assert seen is not None
    assert (drift._note(seen), resolver.resolve(ROLE)) == (0, newer)
    with pytest.raises(registry.StaleState, match="serves by now"):
        registry.roll_back(ROLE, actor=drift.WATCH, reason="x", replacing=version)


def test_the_page_shows_what_the_lot_says(settings: Any) -> None:
    client = Client()
    client.force_login(people.auditor())
    version = serves_since(20)
    page = client.get(reverse("console:training")).content.decode()
    assert "Too few are judged to tell a fall." in page
    judged(version, days=range(20, 5, -1), right=18)
    page = client.get(reverse("console:training")).content.decode()
    assert "No fall beyond chance." in page
    assert "nothing is rolled back by itself" in page
    judged(version, days=range(5, 0, -1), right=10)
    rolls_back(settings)
    page = client.get(reverse("console:training")).content.decode()
    for words in ("The fall is beyond chance.", "worse than before", "50%", "90%", "is rolled back by itself"):
        assert words in page, words
    settings.MODERATION = replace(settings.MODERATION, daily_lot=0)
    Prediction.objects.all().delete()
    TrafficSample.objects.all().delete()
    assert "No lot is drawn" in client.get(reverse("console:training")).content.decode()
