"""What models said stays out of the other papers too that who is asked without a model's word can open."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from audit import ledger
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.refs import ref
from labeling.models import LabelIssue
from moderation.live import history
from moderation.models.candidates import Candidate
from moderation.models.predictions import Prediction
from moderation.models.reviews import ReviewItem
from moderation.queues import seats
from moderation.queues.blindness import readable
from monitoring.evidence import pack
from tests import factories, people
from tests.console.test_blind_reviewers import client_of

pytestmark = pytest.mark.django_db
JUDGES = SystemActor("moderation.judging")


@pytest.fixture
def draft() -> Candidate:
    """A draft that a judge points at, before people."""
    made = factories.candidate(status="in_review")
    factories.prediction(made, "policy_claims", {"green": 0.9}, version=factories.model_version("policy_claims"))
    factories.review_item(made)
    ledger.append("moderation.judge.pointed_at", subject=ref(made), actor=JUDGES, payload={"claims": ["green"]})
    return made


def decided(draft: Candidate) -> None:
    ReviewItem.objects.filter(candidate=draft).update(status="decided", decided_at=timezone.now())


def pointed_at(draft: Candidate, reader: User) -> bool:
    return any(entry.action == "moderation.judge.pointed_at" for entry in history.timeline(draft, reader=reader))


def test_the_history_of_a_draft_tells_who_may_still_decide_nothing_of_judges(draft: Candidate) -> None:
    senior, auditor = people.senior(), people.auditor()
    assert (pointed_at(draft, senior), pointed_at(draft, auditor)) == (False, True)
    page = client_of(senior).get(reverse("console:candidate", args=[draft.pk]))
    assert page.context["moments"] is not None
    assert "judge · pointed at" not in page.content.decode()
    decided(draft)
    assert pointed_at(draft, senior)


def blind_seat(draft: Candidate) -> ReviewItem:
    decided(draft)
    return seats.add_seat(ReviewItem.objects.get(candidate=draft), purpose="second_review")


def test_a_second_look_at_a_decided_draft_is_not_led_by_a_judge(draft: Candidate) -> None:
    blind_seat(draft)
    senior = people.senior()
    assert not readable(Prediction.objects.all(), reader=senior).exists()
    assert not pointed_at(draft, senior)
    ReviewItem.objects.filter(purpose="second_review").update(status="decided", decided_at=timezone.now())
    assert readable(Prediction.objects.all(), reader=senior).exists()
    assert pointed_at(draft, senior)


def test_no_evidence_pack_for_who_holds_a_blind_seat(draft: Candidate) -> None:
    seat = blind_seat(draft)
    copy = factories.published_copy(draft)
    senior, auditor = people.senior(), people.auditor()
    with pytest.raises(PermanentError, match="without a model's word"):
        pack.collect(copy.product.sku, actor=senior)
    sent = client_of(senior).post(reverse("console:evidence", args=[copy.pk]))
    assert (sent.status_code, sent.headers.get("Content-Disposition")) == (302, None)
    assert pack.collect(copy.product.sku, actor=auditor).content["texts"][0]["draft"]["scores"]
    ReviewItem.objects.filter(pk=seat.pk).update(status="decided", decided_at=timezone.now())
    assert pack.collect(copy.product.sku, actor=senior).hash


def test_labels_in_doubt_are_not_shown_to_who_may_be_the_second_person() -> None:
    review = factories.customer_review("Keeps tea hot.")
    lead = factories.review_item(review, status="decided")
    issue = LabelIssue.objects.create(
        question="sentiment",
        subject=ref(review),
        methods=["self_confidence"],
        given="negative",
        suggested="positive",
        score=0.01,
    )
    senior, auditor = people.senior(), people.auditor()

    def seen(user: User) -> tuple[int, int]:
        client = client_of(user)
        quality = client.get(reverse("console:label_quality", args=["sentiment"])).context
        panel = client.get(reverse("console:panel", args=[lead.pk])).context
        return len(quality["worst"]), len(panel["issues"])

    assert (seen(senior), seen(auditor)) == ((0, 0), (1, 1))
    page = client_of(senior).get(reverse("console:label_quality", args=["sentiment"])).content.decode()
    assert "not shown to you" in page
    seat = seats.add_seat(lead, purpose="second_review")
    LabelIssue.objects.filter(pk=issue.pk).update(status="in_review")
    assert seen(senior) == (0, 0)
    ReviewItem.objects.filter(pk=seat.pk).update(assignee=people.senior(), status="dispatched")
    assert seen(senior) == (1, 1), "somebody else has it in hand"
