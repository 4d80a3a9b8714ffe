"""The review page: its turn as JSON, passing on, pausing and leaving, the last ten; for reviewers alone."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.models import WebhookEvent
from moderation.decisions import settling
from moderation.models.reviewers import Skip
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out
from tests import factories, people

pytestmark = pytest.mark.django_db
KIND = "copy_verdict"
ENDPOINTS = ("review_state", "review_skip", "review_more_time", "review_leave", "review_pause")


@pytest.fixture
def reviewer() -> User:
    return people.reviewer()


@pytest.fixture
def client(reviewer: User) -> Client:
    made = Client()
    made.force_login(reviewer)
    return made


@pytest.fixture(autouse=True)
def _nobody_is_asked_again(settings: Any) -> None:
    settings.MODERATION = replace(settings.MODERATION, queue={**settings.MODERATION.queue, "rereview_percent": 0})


def turn(client: Client, question: str = KIND, **said: Any) -> dict[str, Any]:
    answer = client.post(reverse("console:review_state", args=[question]), said)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_the_page_leases_nothing_and_frames_label_studio_alone(client: Client, settings: Any) -> None:
    factories.review_item()
    answer = client.get(reverse("console:review", args=[KIND]))
    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    assert f"frame-src 'self' {settings.LABELING.door_url}" in policy
    assert "default-src 'self'; " in policy
    assert "frame-ancestors 'none'" in policy
    assert not ReviewItem.objects.exclude(status="waiting").exists()
    assert client.get(reverse("console:next"), {"question": KIND})["Location"] == reverse("console:review", args=[KIND])


def test_a_turn_says_what_to_show_and_what_to_load_ahead(client: Client, reviewer: User) -> None:
    first, second = factories.review_item(risk=0.9), factories.review_item(risk=0.5)
    factories.review_item(factories.customer_review())
    found = turn(client)
    assert (found["current"]["item"], found["following"]["item"]) == (str(first.pk), str(second.pk))
    assert found["current"]["address"] == reverse("console:door", args=[first.labeling_task.pk])
    assert 800 < found["current"]["seconds_left"] <= 900
    assert "counts" not in found, "numbers cost, and are asked for now and then"
    counts = turn(client, showing=str(first.pk), counts="")["counts"]
    assert (counts["done_today"], counts["waiting"]) == (0, 0)
    assert counts["others"] == [
        {"title": "Review sentiment", "waiting": 1, "address": reverse("console:review", args=["sentiment"])}
    ]


def test_the_next_one_comes_with_the_webhook_and_the_fate_with_the_decision(client: Client, reviewer: User) -> None:
    first, second = factories.review_item(risk=0.9), factories.review_item(risk=0.5)
    turn(client)
    WebhookEvent.objects.create(action="ANNOTATION_CREATED", ls_task_ids=[first.labeling_task.ls_task_id])
    found = turn(client, showing=str(first.pk))
    assert (found["current"]["item"], found["was_answered"]) == (str(second.pk), True)
    assert found["fates"][str(first.pk)]["fate"] == "arriving"
    factories.answer(first, reviewer, verdict="accept")
    WebhookEvent.objects.update(status="processed")
    settling.settle_decisions()
    fate = turn(client, showing=str(second.pk), asked=[str(first.pk)])["fates"][str(first.pk)]
    assert fate == {"fate": "done", "words": "Published: Harbour mug 1", "may_correct": True}


def test_what_is_missing_is_said_and_the_item_comes_again(client: Client, reviewer: User) -> None:
    first = factories.review_item()
    turn(client)
    factories.answer(first, reviewer, verdict="reject")
    settling.settle_decisions()
    found = turn(client, showing=str(first.pk), asked=[str(first.pk)])
    assert "tick at least one reason" in found["current"]["again"]
    assert found["fates"][str(first.pk)]["words"].startswith("Once more, please: ")


def test_whose_time_ran_out_is_not_told_that_they_answered(client: Client) -> None:
    first, second = factories.review_item(risk=0.9), factories.review_item(risk=0.5)
    turn(client)
    ReviewItem.objects.filter(pk=first.pk).update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    handing_out.reap_items()
    found = turn(client, showing=str(first.pk))
    assert (found["current"]["item"], found["was_answered"]) == (str(second.pk), False)


def test_passing_on_needs_a_reason_that_there_is(client: Client) -> None:
    first = factories.review_item()
    turn(client)
    address = reverse("console:review_skip", args=[KIND])
    refused = client.post(address, {"item": str(first.pk), "reason": "because"})
    assert (refused.status_code, "no such reason" in refused.json()["error"]) == (400, True)
    assert client.post(address, {"item": str(first.pk), "reason": "unsure"}).status_code == 200
    assert client.post(address, {"item": str(first.pk), "reason": "unsure"}).status_code == 409
    assert Skip.objects.get().item == first
    assert turn(client)["current"] is None


def test_leaving_and_pausing_give_back_and_more_time_is_given(client: Client, reviewer: User) -> None:
    first = factories.review_item(risk=0.9)
    factories.review_item(risk=0.5)
    turn(client)
    assert client.post(reverse("console:review_leave", args=[KIND])).status_code == 204
    assert list(handing_out.held(reviewer)) == [first]
    ReviewItem.objects.filter(pk=first.pk).update(lease_expires_at=timezone.now() + dt.timedelta(minutes=1))
    assert client.post(reverse("console:review_more_time", args=[KIND]), {"item": str(first.pk)}).status_code == 200
    assert turn(client)["current"]["seconds_left"] > 800
    paused = client.post(reverse("console:review_pause", args=[KIND]), follow=True)
    assert "Nothing of this queue is reserved for you" in paused.content.decode()
    assert not handing_out.held(reviewer).exists()


def test_the_last_ten_say_what_became_of_each_and_open_what_may_be_corrected(client: Client, reviewer: User) -> None:
    first = factories.review_item()
    turn(client)
    factories.answer(first, reviewer, verdict="accept")
    settling.settle_decisions()
    for address in (reverse("console:review_last_ten", args=[KIND]), reverse("console:my_work")):
        words = client.get(address).content.decode()
        assert "Published: Harbour mug 1" in words
        assert reverse("console:correct", args=[first.pk]) in words
    answer = client.post(reverse("console:correct", args=[first.pk]))
    assert answer["Location"] == f"{reverse('console:review', args=[KIND])}?item={first.pk}"
    assert turn(client, showing=str(first.pk))["current"]["item"] == str(first.pk)
    Decision.objects.update(created_at=timezone.now() - dt.timedelta(hours=1))
    assert reverse("console:correct", args=[first.pk]) not in client.get(reverse("console:my_work")).content.decode()


def test_nobody_learns_what_became_of_anothers_answer(client: Client) -> None:
    other, item = people.reviewer(), factories.review_item()
    factories.answer(handing_out.next_item(other), other, verdict="accept")
    settling.settle_decisions()
    found = turn(client, asked=[str(item.pk), str(uuid.uuid4())])
    assert found["fates"] == {}
    assert client.post(reverse("console:correct", args=[item.pk]), follow=True).status_code == 200
    assert Decision.objects.count() == 1


@pytest.mark.parametrize("said", ["", "\x00", "x" * 5000, "../..", "null", "{}"])
def test_nonsense_is_no_error_of_ours(client: Client, said: str) -> None:
    factories.review_item()
    assert turn(client, showing=said, asked=[said] * 50)["current"]
    # A NUL is nothing that anything here holds.
    shown = client.get(reverse("console:review", args=[KIND]), {"item": said})
    assert shown.status_code == (400 if "\x00" in said else 200)
    for name in ("review_skip", "review_more_time"):
        assert client.post(reverse(f"console:{name}", args=[KIND]), {"item": said}).status_code == 404


def test_it_is_for_reviewers_and_for_queues_that_there_are(reviewer: User, client: Client) -> None:
    assert client.get(reverse("console:review", args=["nonsense"])).status_code == 404
    assert client.post(reverse("console:review_state", args=["nonsense"])).status_code == 404
    for person in (people.auditor(), people.administrator(), people.outsider()):
        other = Client()
        other.force_login(person)
        for name in ("review", "review_last_ten"):
            assert other.get(reverse(f"console:{name}", args=[KIND])).status_code == 403
        for name in ENDPOINTS:
            assert other.post(reverse(f"console:{name}", args=[KIND])).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(reviewer)
    for name in ENDPOINTS:
        assert strict.post(reverse(f"console:{name}", args=[KIND])).status_code == 403
        assert client.get(reverse(f"console:{name}", args=[KIND])).status_code == 405


def test_an_administrator_says_who_reads_what(client: Client, reviewer: User) -> None:
    admin = Client()
    admin.force_login(people.administrator())
    form = {
        "username": reviewer.username,
        "email": reviewer.email,
        "is_active": "on",
        "is_staff": "on",
        "groups": list(reviewer.groups.values_list("pk", flat=True)),
        "languages": ["zh-Hans"],
    }
    address = reverse("admin:auth_user_change", args=[reviewer.pk])
    assert admin.post(address, form).status_code == 302
    factories.review_item()
    assert turn(client)["current"] is None
    words = client.get(reverse("console:nothing"), {"question": KIND}).content.decode()
    assert "You are offered texts in zh-Hans alone" in words
    assert 'value="zh-Hans"' in admin.get(address).content.decode()


def test_a_page_that_says_it_was_answered_is_believed_for_the_next_one_and_for_nothing_else(
    client: Client, reviewer: User
) -> None:
    first, second = factories.review_item(risk=0.9), factories.review_item(risk=0.5)
    assert turn(client)["current"]["item"] == str(first.pk)
    assert turn(client, showing=str(first.pk), answered="")["current"]["item"] == str(second.pk)
    assert WebhookEvent.objects.get().ls_task_ids == [first.labeling_task.ls_task_id], (
        "it is asked for, the webhook lost"
    )
    assert turn(client, showing=str(first.pk), answered="")["current"]["item"] == str(second.pk)
    assert WebhookEvent.objects.count() == 1
    assert settling.settle_decisions() == 0
    other = Client()
    other.force_login(people.reviewer())
    turn(other, showing=str(second.pk), answered="")
    assert WebhookEvent.objects.count() == 1, "of what is not theirs nobody says anything"
