"""A customer review is hidden while the newest decision about it says that it is unsafe, and by nothing else."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from audit.models import LedgerEntry
from audit.verification import verify
from catalog import selectors
from catalog.importing import import_reviews
from catalog.models import CustomerReview, HiddenReview
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.refs import ref
from labeling import labels
from labeling.label_config import check_task, validate
from labeling.question import question
from moderation.decisions import deciding, settling
from moderation.live import hidden_reviews
from moderation.models.reviews import Decision, ReviewItem
from outbox.models import Event
from tests import factories, people
from tests.labeling.conftest import choice
from tests.questions.safety import KIND, asked, is_hidden, says

pytestmark = pytest.mark.django_db
ACTOR = SystemActor("tests")


def _as(user: User) -> dict[str, Any]:
    value = base64.b64encode(f"{user.username}:{people.PASSWORD}".encode()).decode()
    return {"HTTP_AUTHORIZATION": f"Basic {value}"}


@pytest.fixture(autouse=True)
def nobody_is_asked_again(settings: Any) -> None:
    """No review is asked about a second time by lot."""
    queue = {**settings.MODERATION.queue, "rereview_percent": 0, "blind_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=queue)


def test_its_page_is_valid_and_says_what_hides_a_review() -> None:
    about = question(KIND)
    validate(about)
    check_task(about, about.task_data(CustomerReview(text="Dear.")), [])
    assert all(one.title in about.instructions for one in about.choices)
    assert about.label_of(about.parse(about.result_of("abuse+spam"), {})) == "abuse+spam"


@pytest.mark.parametrize("ticked", ["abuse", "off_topic"])
def test_what_a_person_ticks_hides_it_and_the_ledger_and_who_subscribed_hear_of_it(ticked: str) -> None:
    factories.webhook_endpoint("review.hidden")
    item = asked(factories.customer_review("You filthy liar.", product=factories.product(sku="M-1")))
    decision = says(item, ticked)
    hidden = HiddenReview.objects.get()
    assert (hidden.review, hidden.reasons, hidden.decision_ref) == (item.subject, [ticked], ref(decision))
    line = LedgerEntry.objects.get(action="moderation.review.hidden")
    assert (line.subject, line.payload["decision"]) == (ref(hidden.review), ref(decision))
    assert Event.objects.get().data["reasons"] == [ticked]
    assert "filthy" not in json.dumps([Event.objects.get().data, line.payload]), "what customers write stays here"
    assert verify().is_intact


def test_none_of_these_hides_nothing() -> None:
    item = asked()
    assert says(item).label == "none"
    assert not is_hidden(item.subject)
    assert not LedgerEntry.objects.filter(action__startswith="moderation.review.").exists()


def test_what_a_model_or_an_import_says_hides_nothing() -> None:
    review = factories.customer_review()
    labels.record_label(KIND, ref(review), label="abuse", method="import", quality=1, n_votes=9, at=timezone.now())
    assert not is_hidden(review)
    item = asked(review)
    decision = factories.decision(item, "label", label="abuse", decided_by="automatic")
    with pytest.raises(PermanentError, match="a person has to"):
        question(KIND).act(decision)
    assert not is_hidden(review)


def test_only_customer_reviews_are_hidden() -> None:
    decision = factories.decision(factories.review_item(), "label", label="abuse", reviewer=people.reviewer())
    with pytest.raises(PermanentError, match="Only customer reviews"):
        hidden_reviews.follow(decision, unsafe=["abuse"])


@pytest.mark.parametrize(
    "result",
    [
        [choice(KIND, "abuse", "none")],
        [choice(KIND, "execute")],
        [choice(KIND)],
        [],
        [{**choice(KIND, "abuse"), "value": {"choices": [["abuse"]]}}],
        [{**choice(KIND, "abuse"), "value": None}],
        [choice("sentiment", "abuse")],
    ],
)
def test_a_forged_answer_is_refused(result: Any) -> None:
    with pytest.raises(PermanentError):
        question(KIND).parse(result, {})


@pytest.mark.parametrize(
    "label", ["", "+", "abuse+", "none+abuse", "abuse+none", "none+none", "abuse+abuse", "spam+abuse", "ABUSE", "\x00"]
)
def test_a_label_has_one_form_alone(label: str) -> None:
    """Or a known answer would be one that nobody can give."""
    with pytest.raises(PermanentError):
        question(KIND).require_label(label)


@pytest.mark.parametrize("label", ["none", "abuse", "abuse+spam", "hate+personal_data+off_topic"])
def test_in_that_form_it_is_taken(label: str) -> None:
    question(KIND).require_label(label)


@pytest.mark.parametrize(
    "said",
    [["none", "abuse"], ["abuse+none"], ["../abuse"], "abuse", [["abuse"]], {"abuse": 1}],
)
def test_a_forged_label_that_was_stored_all_the_same_hides_nothing_and_harms_nothing(said: Any) -> None:
    item = asked()
    factories.answer(item, people.reviewer(), review_safety=said)
    settling.settle_decisions()
    decision = Decision.objects.filter(item=item).first()
    reasons = HiddenReview.objects.values_list("reasons", flat=True).first() or []
    assert set(reasons) <= set(question(KIND).labels)
    assert is_hidden(item.subject) == (decision is not None and decision.label != "none")


def test_the_api_leaves_it_out_and_tells_who_may_know() -> None:
    product = factories.product(sku="M-1")
    good, bad = (factories.customer_review(text, product=product) for text in ("Lovely.", "You filthy liar."))
    factories.sentiment(bad)
    decision = says(asked(bad), "abuse")
    reader, merchant = _as(people.senior()), _as(people.people("Merchant"))
    client = Client()
    body = client.get("/api/v1/reviews?sku=M-1", **reader).json()
    assert [one["external_id"] for one in body["reviews"]] == [good.external_id]
    (hidden,) = client.get("/api/v1/reviews/hidden", **merchant).json()["hidden"]
    assert (hidden["external_id"], hidden["reasons"]) == (bad.external_id, ["abuse"])
    assert hidden["statement"] == f"ecomsite-{decision.pk}"
    answer = client.get(f"/api/v1/reviews/{bad.external_id}/sentiment", **reader)
    assert (answer.status_code, answer.json()["reason"]) == (404, "hidden")
    assert client.get("/api/v1/reviews?sku=M-1", **merchant).status_code == 403
    for path in ("/api/v1/reviews?sku=M-1", "/api/v1/reviews/hidden"):
        assert client.get(path).status_code == 401
        assert client.get(path, **_as(people.outsider())).status_code == 403
    assert client.get("/api/v1/reviews?sku=absent", **reader).status_code == 404
    for after in ("x", "0" * 32):
        assert client.get("/api/v1/reviews/hidden", {"after": after}, **merchant).status_code == 400


def test_the_api_gives_them_a_hundred_at_a_time_and_none_twice() -> None:
    product, now = factories.product(sku="M-1"), timezone.now()
    rows = [CustomerReview(external_id=f"r{n}", text="Dear.", product=product) for n in range(150)]
    CustomerReview.objects.bulk_create(rows)
    CustomerReview.objects.update(created_at=now)
    reader, client = _as(people.senior()), Client()
    first = client.get("/api/v1/reviews?sku=M-1", **reader).json()
    second = client.get("/api/v1/reviews", {"sku": "M-1", "after": first["after"]}, **reader).json()
    found = [one["external_id"] for one in first["reviews"] + second["reviews"]]
    assert (len(first["reviews"]), second["after"]) == (100, None)
    assert sorted(found) == sorted(row.external_id for row in rows)


def test_the_table_keeps_one_hiding_for_each_review_and_each_decision() -> None:
    item = asked()
    says(item, "abuse")
    hidden = HiddenReview.objects.get()
    for decision_ref in ("moderation.decision:other", hidden.decision_ref):
        with pytest.raises(IntegrityError), transaction.atomic():
            HiddenReview.objects.create(
                review=hidden.review, reasons=["spam"], decision_ref=decision_ref, hidden_at=timezone.now()
            )


def test_importing_the_same_review_again_does_not_show_it(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    row = {"external_id": "r1", "text": "You filthy liar.", "rating": 1}
    path.write_text(json.dumps(row))
    import_reviews(path, actor=ACTOR)
    review = CustomerReview.objects.get()
    says(asked(review), "abuse")
    for changed in ({}, {"rating": 5}, {"text": "You liar."}):
        path.write_text(json.dumps(row | changed))
        import_reviews(path, actor=ACTOR)
        assert is_hidden(review)
        assert not selectors.shown_reviews().exists()
        review.refresh_from_db()
        assert (review.edited_at is None) == ("text" not in changed)


@tried(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sets(st.sampled_from(["abuse", "spam", "off_topic"]), max_size=2), min_size=1, max_size=4))
def test_it_is_hidden_exactly_while_the_newest_standing_decision_says_unsafe(said: list[set[str]]) -> None:
    item = asked(factories.customer_review())
    for ticked in said:
        if Decision.objects.filter(item=item).exists():
            consensus = factories.answer(item, people.reviewer(), review_safety=sorted(ticked))
            with transaction.atomic():
                lead = ReviewItem.objects.select_for_update().get(pk=item.pk)
                deciding.relabel(lead, consensus=consensus, actor=people.reviewer())
        else:
            says(item, *ticked)
        newest = Decision.objects.get(item=item, superseded_by=None)
        assert is_hidden(item.subject) == (newest.label != "none") == bool(ticked)
        standing = HiddenReview.objects.filter(review=item.subject, ended_at=None)
        assert [one.decision_ref for one in standing] == [ref(newest)] * bool(ticked)
