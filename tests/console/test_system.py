"""“Queues & health”, the rules of a queue and the quarantine: what they show, and that they act through the functions."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ecomsite.console import charts
from labeling.models import LabelingTask, WebhookEvent
from moderation.models.candidates import GenerationRequest
from moderation.models.predictions import Scoring
from moderation.models.queues import QueuePolicy
from moderation.models.reviews import ReviewItem
from monitoring import health, heartbeats, quarantine
from monitoring.models import Heartbeat
from tests import factories as make
from tests import people
from tests.scenes import HOSTILE, Scene, busy_desk

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> None:
    health._latest = None
    quarantine._forget_count()
    settings.LABELING = replace(settings.LABELING, url="http://127.0.0.1:9")


@pytest.fixture
def scene(settings: Any, tmp_path: Any) -> Scene:
    settings.MEDIA_ROOT = tmp_path
    return busy_desk()


def _signed_in(role: str) -> Client:
    client = Client()
    client.force_login(people.people(role))
    return client


def _words(answer: Any) -> str:
    return str(answer.content.decode())


def test_each_absent_part_is_named_with_what_to_do(scene: Scene) -> None:
    Heartbeat.objects.filter(queue__in=(heartbeats.BEAT, "gpu")).update(at=timezone.now() - dt.timedelta(minutes=6))
    GenerationRequest.objects.update(lease_expires_at=None)
    html = _words(_signed_in("Reviewer").get(reverse("console:system")))
    assert "The scheduler (celery beat) has been silent for 6 minutes" in html
    assert "<code>celery -A ecomsite beat</code>" in html
    assert "Queue “gpu”: no worker answers, and work last got through 6 minutes ago, so nothing is drafted" in html
    assert "Label Studio is out of reach" in html
    assert "LABEL_STUDIO_URL" in html
    assert "In quarantine after too many failures: 1 of “Orders for copy”." in html
    assert "waits for beat, worker gpu: see above" in html, "no forecast for what stands still"


def test_stages_and_queues_are_shown_with_their_numbers(scene: Scene) -> None:
    html = _words(_signed_in("Auditor").get(reverse("console:system")))
    assert 'data-stage="requested"' in html
    assert 'data-stage="copy_verdict"' in html
    assert 'data-queue="sentiment"' in html
    assert "Too little to forecast from: 1 decided" in html
    assert "change</a>" not in html
    assert 'aria-current="true">last week' in _words(
        _signed_in("Auditor").get(reverse("console:system"), {"window": "week"})
    )
    assert "last day" in _words(_signed_in("Auditor").get(reverse("console:system_now"), {"window": "<script>"}))


def test_an_administrator_sets_the_rules_of_a_queue(scene: Scene) -> None:
    client = _signed_in("Administrator")
    page = reverse("console:queue_policy", args=["copy_verdict"])
    assert scene.reviewer.username in _words(client.get(page))
    assert not QueuePolicy.objects.exists()
    form = {
        "enable_reservations": "on",
        "reservation_minutes": 20,
        "reviewer_access_mode": "assigned",
        "reviewers": [scene.reviewer.pk],
        "sla_minutes": 90,
        "ageing_minutes": 60,
        "max_waiting": 0,
        "num_reviewers_per_item": 2,
        "num_reviewers_risky": 3,
        "risky_from": 0.5,
        "consensus_method": "dawid_skene",
        "min_quality": 0.7,
        "blind_percent": 20,
        "rereview_percent": 5,
        "gold_percent": 5,
        "random_percent": 10,
        "contradicted_facts": "block",
        "ticks_suggestions": "on",
    }
    assert client.post(page, form)["Location"] == reverse("console:system")
    policy = QueuePolicy.objects.get()
    assert (policy.reservation_minutes, policy.sla_minutes, policy.max_waiting) == (20, 90, 0)
    assert (policy.overlap(0.1), policy.overlap(0.5), policy.consensus_method) == (2, 3, "dawid_skene")
    assert list(policy.reviewers.all()) == [scene.reviewer]
    assert (policy.contradicted_facts, policy.ticks_suggestions) == ("block", True)
    shown = _words(client.get(reverse("console:system")))
    assert "for 1 assigned person" in shown
    assert "no limit to what may wait" in shown
    refused = client.post(page, {**form, "reviewers": []})
    assert refused.status_code == 422
    assert "Nobody could take anything." in _words(refused)
    assert client.post(page, {**form, "sla_minutes": 0}).status_code == 422
    assert client.get(reverse("console:queue_policy", args=["nonsense"])).status_code == 404


def test_who_is_not_assigned_is_told_why_nothing_comes(scene: Scene) -> None:
    make_rules = {"reservation_minutes": 20, "sla_minutes": 90, "ageing_minutes": 60, "max_waiting": 0}
    QueuePolicy.objects.create(question="copy_verdict", reviewer_access_mode="assigned", **make_rules)
    html = _words(_signed_in("Reviewer").get(reverse("console:nothing"), {"question": "copy_verdict"}))
    assert "you are not one of them" in html


def test_pages_that_wait_say_which_part_is_missing_and_for_how_long(scene: Scene) -> None:
    Heartbeat.objects.filter(queue="external").update(at=timezone.now() - dt.timedelta(minutes=9))
    ReviewItem.objects.filter(status="waiting").update(status="withdrawn")
    html = _words(_signed_in("Reviewer").get(reverse("console:nothing"), {"question": "copy_verdict"}))
    assert "work last got through 9 minutes ago, so nothing goes to Label Studio" in html
    assert "What is missing stands above." in html
    Heartbeat.objects.filter(queue="gpu").update(at=timezone.now() - dt.timedelta(minutes=4))
    GenerationRequest.objects.filter(status="generating").delete()
    health._latest = None
    order = GenerationRequest.objects.filter(status="queued").first()
    assert order is not None
    html = _words(_signed_in("Reviewer").get(reverse("console:drafts", args=[order.pk])))
    assert "work last got through 4 minutes ago, so nothing is drafted" in html
    assert "Why it waits stands above." in html
    for name in (heartbeats.BEAT, *heartbeats.QUEUES):
        heartbeats.record(name)
    health._latest = None
    html = _words(_signed_in("Reviewer").get(reverse("console:drafts", args=[order.pk])))
    assert "it is taken when its turn comes" in html


def test_the_quarantine_shows_errors_escaped_and_lets_out_one_or_all(scene: Scene) -> None:
    aside = {"quarantined_at": timezone.now() - dt.timedelta(hours=2), "n_attempts": 5, "last_error": HOSTILE}
    Scoring.objects.create(question=HOSTILE[:60], subject="tests:1", **aside)
    tasks = [make.labeling_task(f"tests:{n}", status="open", **aside) for n in range(3)]
    event = WebhookEvent.objects.create(action="<script>alert(1)</script>", body_hash="0", **aside)
    client, page = _signed_in("ML engineer"), reverse("console:quarantine")
    html = _words(client.get(page))
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;alert") >= 3
    assert "\u202e" not in html
    assert "2\xa0hours ago" in html
    assert 'data-kind="generationrequest"' in html
    one = reverse("console:readmit", args=["labelingtask"])
    assert "Let out: it gets fresh attempts." in _words(client.post(one, {"pk": str(tasks[0].pk)}, follow=True))
    assert "not in quarantine any more" in _words(client.post(one, {"pk": str(tasks[0].pk)}, follow=True))
    assert "2 of “Labelling tasks” let out" in _words(client.post(one, follow=True))
    assert not LabelingTask.objects.filter(quarantined_at__isnull=False).exists()
    event.refresh_from_db()
    assert event.quarantined_at is not None
    for address in (reverse("console:readmit", args=["user"]), reverse("console:readmit", args=["reviewitem"])):
        assert client.post(address).status_code == 404
    assert client.post(one, {"pk": "nonsense"}).status_code == 404
    assert client.get(one).status_code == 405


def test_an_auditor_sees_the_quarantine_and_its_count_but_no_buttons(scene: Scene) -> None:
    html = _words(_signed_in("Auditor").get(reverse("console:quarantine")))
    assert "the endpoint refused the input" in html
    assert "Let out" not in html
    assert "Let all of them out" not in html
    assert reverse("console:quarantine") in html
    assert reverse("console:quarantine") not in _words(_signed_in("Reviewer").get(reverse("console:system")))


def test_an_empty_quarantine_says_so() -> None:
    assert "Nothing is in quarantine" in _words(_signed_in("Administrator").get(reverse("console:quarantine")))


def test_the_queue_and_the_candidate_say_in_words_why_an_item_is_where_it_is(scene: Scene) -> None:
    client = _signed_in("Reviewer")
    assert "middling risk, low uncertainty, low value" in _words(
        client.get(reverse("admin:moderation_reviewitem_changelist"))
    )
    assert "middling risk, low uncertainty, low value" in _words(
        client.get(reverse("console:candidate", args=[scene.in_review.pk]))
    )


def test_small_charts_fit_their_frame() -> None:
    bars = charts.slot_bars((0, 5, 10))
    assert [bar.height for bar in bars] == [1, 11, 22]
    assert all(bar.x >= 0 and bar.x + bar.width <= 96 and bar.y + bar.height <= 22 for bar in bars)
    minute = dt.timedelta(minutes=1)
    clock = charts.clock_bars((minute, 5 * minute, 10 * minute), top=10 * minute)
    assert [(bar.kind, bar.width) for bar in clock] == [("p99", 220), ("p90", 110), ("p50", 22)]
    assert charts.clock_bars((minute * 0,) * 3, top=minute * 0)[0].width == 1
