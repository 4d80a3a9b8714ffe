"""Appeals: who may, who judges, and that a text comes back to shoppers by a new decision only."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import LedgerEntry
from audit.verification import verify
from catalog.models import PublishedCopy
from core.exceptions import EcomsiteError, PermanentError
from core.refs import ref
from labeling.models import Label, LabelingTask
from moderation import policy_versions
from moderation.decisions import appeals, confirmations, settling
from moderation.decisions.statements import document
from moderation.drafting import screening
from moderation.live import publication
from moderation.models.appeals import Appeal
from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision, ReviewItem
from moderation.policy_record import record_of
from moderation.queues import handing_out
from tests import factories, people
from tests.moderation.conftest import GOOD

pytestmark = pytest.mark.django_db


@pytest.fixture
def rejected(script: Any, answer: Callable[..., Any], rules: Any) -> Decision:
    """A good draft that somebody rejected."""
    script(GOOD)
    item = factories.review_item(factories.candidate(GOOD, status="in_review", rank=1))
    answer(item, people.reviewer(), verdict="reject", reason_codes=["wrong_fact"])
    assert settling.settle_decisions() == 1
    return Decision.objects.get()


@pytest.fixture
def retired(script: Any, answer: Callable[..., Any], rules: Any) -> Decision:
    """A text that was live and taken down."""
    script(GOOD)
    item = factories.review_item(factories.candidate(GOOD, status="in_review", rank=1))
    answer(item, people.reviewer(), verdict="accept")
    settling.settle_decisions()
    publication.retire(
        PublishedCopy.objects.get(), actor=people.senior(), reason="a complaint", reason_codes=["legal_risk"]
    )
    return Decision.objects.get(outcome="retire")


def push() -> None:
    for number, task in enumerate(LabelingTask.objects.filter(status="open")):
        LabelingTask.objects.filter(pk=task.pk).update(status="pushed", ls_task_id=7000 + task.pk.int % 10**6 + number)


def asked_again() -> ReviewItem:
    """The item about the text that came back, in Label Studio."""
    assert screening.screen_candidates() == 1
    settling.open_reviews()
    push()
    return ReviewItem.objects.get(candidate__reinstated_by__isnull=False)


def test_upheld_the_decision_stands(rejected: Decision) -> None:
    filed = appeals.appeal(rejected, actor=people.reviewer(), reason="It says what the facts say.")
    judge = people.senior()
    appeals.judge(filed, actor=judge, overturn=False, answer="The mug is blue.")
    filed.refresh_from_db()
    assert (filed.status, filed.judge, filed.candidate) == ("upheld", judge, None)
    assert Candidate.objects.count() == 1
    with pytest.raises(EcomsiteError):
        appeals.judge(filed, actor=people.senior(), overturn=True, answer="no")
    lines = list(LedgerEntry.objects.filter(subject=ref(filed)).values_list("action", flat=True))
    assert lines == ["moderation.appeal.opened", "moderation.appeal.upheld"]
    assert "facts say" not in str(list(LedgerEntry.objects.values_list("payload", flat=True))), (
        "their words stay out of it"
    )
    assert verify().is_intact


@pytest.mark.parametrize("which", ["rejected", "retired"])
def test_overturned_the_text_is_a_draft_again_and_a_new_decision_supersedes(
    which: str, request: Any, answer: Callable[..., Any]
) -> None:
    decision: Decision = request.getfixturevalue(which)
    appellant, decided_by = people.reviewer(), decision.reviewer
    filed = appeals.appeal(decision, actor=appellant, reason="It says what the facts say.")
    appeals.judge(filed, actor=people.senior(), overturn=True, answer="It does.")
    again = Appeal.objects.get().candidate
    assert again is not None
    assert (again.text, again.status, again.origin) == (GOOD, "generated", "machine")
    assert not PublishedCopy.objects.filter(retired_at=None).exists(), "nothing comes back by the appeal itself"
    item = asked_again()
    for person in (appellant, decided_by):
        assert handing_out.next_item(person) is None, "who had a part in it is not asked"
        answer(item, person, verdict="accept")
        assert settling.settle_decisions() == 0
    item.refresh_from_db()
    assert item.status == "escalated", "an answer of theirs goes to a senior"
    answer(item, people.senior(), verdict="accept")
    assert settling.settle_decisions() == 1
    new = Decision.objects.get(item=item)
    assert new.supersedes == decision
    assert PublishedCopy.objects.get(retired_at=None).text == GOOD
    if which == "rejected":
        assert not Label.objects.filter(subject=ref(decision.item.candidate)).exists(), "nobody learns that it was bad"


def test_what_was_said_in_an_overturned_rejection_counts_for_no_rule(rejected: Decision) -> None:
    version = policy_versions.policy_in_force().version
    pack = version.content["packs"][0]
    rule = next(one for one in pack["rules"] if one["severity"] == "warn")
    factories.finding(
        rejected.item.candidate,
        check_name="policy_rules",
        severity="warn",
        policy_version=version,
        evidence={"pack": pack["pack"], "rule": rule["id"]},
        verdict="confirmed",
    )
    Candidate.objects.update(screened_at=timezone.now())

    def confirmed() -> int:
        return sum(record.total.confirmed for record in record_of(version))

    assert confirmed() == 1
    filed = appeals.appeal(rejected, actor=people.reviewer(), reason="It says what the facts say.")
    appeals.judge(filed, actor=people.senior(), overturn=True, answer="It does.")
    assert confirmed() == 0


def test_what_comes_back_and_is_of_high_severity_needs_a_second_person_as_ever(
    rejected: Decision, rules: Any, answer: Callable[..., Any]
) -> None:
    rules(check_channels=["description"])
    filed = appeals.appeal(rejected, actor=people.reviewer(), reason="It says what the facts say.")
    appeals.judge(filed, actor=people.senior(), overturn=True, answer="It does.")
    item = asked_again()
    answer(item, people.senior(), verdict="accept", comment="the facts say so")
    settling.settle_decisions()
    item.refresh_from_db()
    assert item.status == "confirming"
    appellant = User.objects.get(pk=filed.appellant_id)
    appellant.groups.set(people.senior().groups.all())
    with pytest.raises(PermanentError, match="had a part"):
        confirmations.confirm(item, proposal=item.proposal_id, actor=User.objects.get(pk=appellant.pk))
    confirmations.confirm(item, proposal=item.proposal_id, actor=people.senior())
    assert PublishedCopy.objects.get(retired_at=None).text == GOOD


def test_who_decided_checked_or_appealed_does_not_judge(rejected: Decision) -> None:
    decider = rejected.reviewer
    decider.groups.set(people.senior().groups.all())  # promoted since
    appellant = people.senior()
    twin = people.people("Senior reviewer", email=decider.email.upper())
    filed = appeals.appeal(rejected, actor=appellant, reason="It says what the facts say.")
    for person in (User.objects.get(pk=decider.pk), appellant, twin):
        with pytest.raises(PermanentError, match="had a part"):
            appeals.judge(filed, actor=person, overturn=True, answer="mine")
        client = Client()
        client.force_login(person)
        client.post(reverse("console:judge_appeal", args=[filed.pk]), {"answer": "mine", "overturn": "1"})
    assert Appeal.objects.get().status == "open"
    for person in (decider, appellant, twin):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE moderation_appeal SET status = 'upheld', judge_id = %s", [person.pk])


@pytest.mark.parametrize("who", ["auditor", "ml_engineer", "administrator", "outsider"])
def test_who_may_not_neither_appeals_nor_judges(rejected: Decision, who: str) -> None:
    person = getattr(people, who)()
    with pytest.raises(PermissionDenied):
        appeals.appeal(rejected, actor=person, reason="because")
    filed = factories.appeal(rejected)
    for other in (person, people.reviewer(), people.people("Merchant")):
        with pytest.raises(PermissionDenied):
            appeals.judge(filed, actor=other, overturn=True, answer="because")


def test_an_appeal_has_a_reason_a_time_and_one_try(
    rejected: Decision, settings: Any, answer: Callable[..., Any]
) -> None:
    reviewer = people.reviewer()
    with pytest.raises(PermanentError, match="needs a reason"):
        appeals.appeal(rejected, actor=reviewer, reason="  ")
    Decision.objects.filter(pk=rejected.pk).update(created_at=timezone.now() - dt.timedelta(days=185))
    rejected.refresh_from_db()
    with pytest.raises(PermanentError, match="time for an appeal ended"):
        appeals.appeal(rejected, actor=reviewer, reason="late")
    settings.APPEAL_DAYS = 200
    appeals.appeal(rejected, actor=reviewer, reason="in time")
    with pytest.raises(PermanentError, match="already"):
        appeals.appeal(rejected, actor=people.senior(), reason="once more")
    item = factories.review_item(factories.candidate(GOOD, status="in_review", rank=1))
    answer(item, reviewer, verdict="accept")
    settling.settle_decisions()
    with pytest.raises(PermanentError, match="Only a rejection"):
        appeals.appeal(Decision.objects.get(item=item), actor=reviewer, reason="no")


def test_a_merchant_appeals_through_the_api_and_sees_their_own_appeal_alone(rejected: Decision) -> None:
    merchant, other = people.people("Merchant"), people.people("Merchant")

    def basic(user: User) -> dict[str, str]:
        value = base64.b64encode(f"{user.username}:{people.PASSWORD}".encode()).decode()
        return {"HTTP_AUTHORIZATION": f"Basic {value}"}

    body = json.dumps({"statement": document.puid_of(rejected), "reason": "It says what the facts say."})
    client = Client()
    assert client.post("/api/v1/appeals", body, content_type="application/json").status_code == 401
    for person in (people.auditor(), people.outsider()):
        answered = client.post("/api/v1/appeals", body, content_type="application/json", **basic(person))
        assert answered.status_code == 403
    filed = client.post("/api/v1/appeals", body, content_type="application/json", **basic(merchant))
    assert filed.status_code == 201
    assert filed.json()["status"] == "open"
    address = f"/api/v1/appeals/{filed.json()['id']}"
    assert client.get(address, **basic(merchant)).json()["statement"] == document.puid_of(rejected)
    assert client.get(address, **basic(other)).status_code == 404
    again = client.post("/api/v1/appeals", body, content_type="application/json", **basic(other))
    assert again.status_code == 422
    for bad in (
        {"statement": "nonsense", "reason": "x"},
        {"statement": f"ecomsite-{filed.json()['id']}", "reason": "x"},
    ):
        assert (
            client.post(
                "/api/v1/appeals", json.dumps(bad), content_type="application/json", **basic(merchant)
            ).status_code
            == 404
        )
    assert client.post("/api/v1/appeals", "{}", content_type="application/json", **basic(merchant)).status_code == 422


def test_the_console_lists_takes_and_judges_appeals(rejected: Decision) -> None:
    reviewer, senior = Client(), Client()
    reviewer.force_login(people.reviewer())
    senior.force_login(people.senior())
    page = reviewer.get(reverse("console:candidate", args=[rejected.item.candidate_id])).content.decode()
    assert "File the appeal" in page
    reviewer.post(reverse("console:appeal", args=[rejected.pk]), {"reason": "It says what the facts say."})
    filed = Appeal.objects.get()
    assert "what the facts say" in reviewer.get(reverse("console:contested")).content.decode()
    assert reviewer.get(reverse("console:adjudicate", args=[rejected.item_id])).status_code == 403
    assert "Uphold the decision" in senior.get(reverse("console:adjudicate", args=[rejected.item_id])).content.decode()
    assert reviewer.post(reverse("console:judge_appeal", args=[filed.pk]), {"answer": "x"}).status_code == 403
    senior.post(reverse("console:judge_appeal", args=[filed.pk]), {"answer": "It does.", "overturn": "1"})
    filed.refresh_from_db()
    assert filed.status == "overturned"
    assert "It does." in senior.get(reverse("console:contested")).content.decode()


def test_taking_down_is_a_decision_with_its_reasons(retired: Decision) -> None:
    assert (retired.reason_codes, retired.rationale) == (["legal_risk"], "a complaint")
    assert retired.supersedes is not None
    assert retired.supersedes.outcome == "approve"
    live = factories.published_copy(factories.candidate(GOOD, status="published"))
    with pytest.raises(PermanentError, match="no such reason"):
        publication.retire(live, actor=people.senior(), reason="x", reason_codes=["nonsense"])
