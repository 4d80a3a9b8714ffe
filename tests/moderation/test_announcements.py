"""What is told of the desk's work: by the real acts, in their transaction, thin and without persons or texts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from core import leases
from core.actors import SystemActor
from core.refs import ref
from moderation.decisions import settling
from moderation.drafting import generation, requests
from moderation.live import publication
from moderation.models.candidates import GenerationRequest
from moderation.models.reviews import Decision
from outbox.models import Event
from tests import factories, people
from tests.moderation.conftest import GOOD
from tests.moderation.test_generation import order

pytestmark = pytest.mark.django_db
FIXED = "Harbour mug by Tideway: a sea green stoneware mug that holds 350 ml."


@pytest.fixture(autouse=True)
def subscriber(settings: Any) -> None:
    factories.webhook_endpoint(*settings.OUTBOX.event_types)


def told(type: str) -> list[dict[str, Any]]:
    return [event.data for event in Event.objects.filter(type=type).order_by("created_at")]


def decided(answer: Callable[..., Any], **said: Any) -> tuple[Any, Any]:
    reviewer = people.reviewer()
    item = factories.review_item(factories.candidate(GOOD, status="in_review", rank=1))
    answer(item, reviewer, **said)
    assert settling.settle_decisions() == 1
    return item, reviewer


def test_an_accepted_draft_is_told_as_a_decision_and_as_live_copy(answer: Any) -> None:
    item, reviewer = decided(answer, verdict="accept")
    decision = Decision.objects.get()
    candidate = item.candidate
    place = {
        "candidate": ref(candidate),
        "sku": candidate.product.sku,
        "channel": "description",
        "locale": "en",
        "audience": "",
        "variant": "control",
    }
    (completed,) = told("item.completed")
    assert completed == {
        **place,
        "item": ref(item),
        "question": "copy_verdict",
        "kind": "copy_verdict",
        "decision": ref(decision),
        "outcome": "approve",
        "label": "",
        "reason_codes": [],
        "decided_by": "human_single",
        "reviewer": f"user:{reviewer.pk}",
        "policy_version": decision.policy_version,
        "result": ref(candidate),
    }
    (live,) = told("copy.published")
    assert place.items() <= live.items()
    assert (live["decision"], live["replaces"], live["human_edited"]) == (ref(decision), None, False)


def test_a_rejection_is_told_with_its_reasons_and_nothing_goes_live(answer: Any) -> None:
    decided(answer, verdict="reject", reason_codes=["tone"], comment="Robin thinks it shouts")
    (completed,) = told("item.completed")
    assert (completed["outcome"], completed["reason_codes"], completed["result"]) == ("reject", ["tone"], None)
    assert told("copy.published") == []


def test_a_label_is_told_with_the_review_it_is_about(answer: Any) -> None:
    item = factories.review_item(factories.customer_review("Robin's mug broke."))
    answer(item, people.reviewer(), sentiment="negative")
    settling.settle_decisions()
    (completed,) = told("item.completed")
    assert (completed["outcome"], completed["label"]) == ("label", "negative")
    assert completed["customer_review"] == ref(item.customer_review)


def test_copy_that_replaces_other_copy_retires_it_and_both_say_so() -> None:
    product = factories.product()
    live = []
    for n in range(2):
        request = factories.generation_request(product_=product, status="completed", facts_hash=str(n) * 64)
        candidate = factories.candidate(status="approved", request=request)
        decision = factories.decision(factories.review_item(candidate), result=candidate)
        live.append(publication.publish(candidate, decision=decision, actor=people.reviewer()))
    (retired,) = told("copy.retired")
    assert (retired["copy"], retired["replaced_by"]) == (ref(live[0]), ref(live[1]))
    assert [data["replaces"] for data in told("copy.published")] == [None, ref(live[0])]
    publication.retire(live[1], actor=people.senior(), reason="Robin said so")
    assert told("copy.retired")[1]["copy"] == ref(live[1])
    assert told("copy.retired")[1]["replaced_by"] is None


def test_a_request_is_told_when_its_drafts_are_written_and_when_it_is_given_up(script: Any, settings: Any) -> None:
    script(GOOD)
    done = order().created[0]
    generation.drain_generation()
    assert told("request.completed") == [
        {
            "request": ref(done),
            "sku": done.product.sku,
            "channel": "description",
            "locale": "en",
            "audience": "",
            "variant": "control",
            "n_candidates": 3,
        }
    ]
    settings.LEASES = replace(settings.LEASES, max_attempts=1)
    script(fails="bug")
    failed = order().created[0]
    generation.drain_generation()
    assert GenerationRequest.objects.get(pk=failed.pk).status == "failed"
    assert [data["request"] for data in told("request.failed")] == [ref(failed)]


def test_a_request_whose_worker_died_too_often_is_told_too(script: Any, settings: Any) -> None:
    settings.LEASES = replace(settings.LEASES, max_losses=1)
    script(GOOD)
    request = order().created[0]
    queued = GenerationRequest.objects.filter(pk=request.pk)
    leases.claim(queued, n=1, duration=dt.timedelta(minutes=1), status="generating")
    queued.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert requests.reap_requests() == 1
    assert [data["request"] for data in told("request.failed")] == [ref(request)]


def test_no_text_no_name_and_no_words_of_a_person_go_out(answer: Any) -> None:
    item, reviewer = decided(
        answer, verdict="fix", fixed_text=FIXED, comment="as Robin Reviewer wished", reason_codes=["tone"]
    )
    live = publication.PublishedCopy.objects.get()
    publication.retire(live, actor=people.senior(), reason="Robin Reviewer asked")
    said = json.dumps([event.data for event in Event.objects.all()])
    assert len(Event.objects.all()) == 3
    for secret in (GOOD, FIXED, "Robin", reviewer.email, reviewer.username, item.candidate.product.title):
        assert secret not in said


def test_what_is_undone_is_not_told() -> None:
    candidate = factories.candidate(status="approved")
    decision = factories.decision(factories.review_item(candidate), result=candidate)
    with transaction.atomic():
        publication.publish(candidate, decision=decision, actor=SystemActor("tests"))
        assert told("copy.published")
        transaction.set_rollback(True)
    assert not Event.objects.exists()
