"""A two-person rule that cannot be passed: every way we know of to be both the maker and the checker, and each fails."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from audit.models import LedgerEntry
from audit.verification import verify
from catalog.models import PublishedCopy
from core.exceptions import PermanentError, StaleState
from core.refs import ref
from labeling.accounts import sync_accounts
from labeling.models import Annotator
from moderation.decisions import confirmations, settling
from moderation.drafting import screening
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out
from tests import factories, people
from tests.at_once import at_once
from tests.moderation.conftest import GOOD

pytestmark = pytest.mark.django_db
SAYS_WHY = {"verdict": "accept", "comment": "the maker's certificate is on file"}


@pytest.fixture
def item() -> ReviewItem:
    """An item about a draft with a health claim: what is let out there is two people's."""
    draft = factories.candidate(GOOD, status="in_review", rank=1)
    factories.finding(draft, "sea green", code="health_claim")
    return factories.review_item(draft)


@pytest.fixture
def maker() -> User:
    """A senior, who may do everything that the rule does not forbid."""
    return people.senior()


@pytest.fixture
def proposed(item: ReviewItem, maker: User, answer: Callable[..., Any]) -> ReviewItem:
    """The item, answered by the maker."""
    answer(item, maker, **SAYS_WHY)
    assert settling.settle_decisions() == 0
    item.refresh_from_db()
    assert (item.status, item.proposed_by, item.high_severity) == ("confirming", maker, ["warn:health_claim"])
    return item


def assert_nothing_is_out(item: ReviewItem) -> None:
    assert not Decision.objects.exists()
    assert not PublishedCopy.objects.exists()
    item.refresh_from_db()
    assert item.status == "confirming"
    assert item.candidate.status == "in_review"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


# --- The straight way ---------------------------------------------------------------------------------------------


def test_what_is_of_high_severity_goes_out_once_a_second_person_confirms(proposed: ReviewItem, maker: User) -> None:
    assert_nothing_is_out(proposed)
    checker = people.senior()
    decision = confirmations.confirm(
        proposed, proposal=proposed.proposal_id, actor=checker, note="seen the certificate"
    )
    assert (decision.reviewer, decision.checker, decision.check_note) == (maker, checker, "seen the certificate")
    assert (decision.high_severity, decision.rationale) == (["warn:health_claim"], SAYS_WHY["comment"])
    assert PublishedCopy.objects.get().text == GOOD
    proposed.refresh_from_db()
    assert (proposed.status, proposed.assignee) == ("decided", maker)
    line = LedgerEntry.objects.get(action="moderation.decision.approve")
    assert (line.actor, line.payload["maker"]) == (f"user:{checker.pk}", f"user:{maker.pk}")
    assert verify().is_intact


def test_what_is_of_no_high_severity_is_one_persons(answer: Callable[..., Any]) -> None:
    answer(
        factories.review_item(factories.candidate(GOOD, status="in_review", rank=1)),
        people.reviewer(),
        verdict="accept",
    )
    assert settling.settle_decisions() == 1
    assert Decision.objects.get().checker is None


def test_a_rejection_is_one_persons_whatever_its_severity(item: ReviewItem, answer: Callable[..., Any]) -> None:
    answer(item, people.reviewer(), verdict="reject", reason_codes=["legal_risk"], comment="no authorised wording")
    assert settling.settle_decisions() == 1
    assert Decision.objects.get().outcome == "reject"


@pytest.mark.parametrize(
    ("rules_", "about"),
    [
        ({"check_channels": ["ad_slogan"]}, {"channel": "ad_slogan"}),
        ({"check_categories": ["kitch"]}, {}),
        ({"check_severity": "warn"}, {"finding": "guarantee"}),
        ({"check_codes": ["guarantee"]}, {"finding": "guarantee"}),
    ],
)
def test_the_rules_of_the_queue_say_what_is_of_high_severity(
    rules: Any, rules_: dict[str, Any], about: dict[str, Any], answer: Callable[..., Any]
) -> None:
    def said_of(**fields: Any) -> str:
        draft = factories.candidate(GOOD, status="in_review", rank=1, channel=fields.get("channel", "description"))
        if "finding" in fields:
            factories.finding(draft, "sea green", code=fields["finding"])
        item = factories.review_item(draft)
        answer(item, people.reviewer(), **SAYS_WHY)
        settling.settle_decisions()
        item.refresh_from_db()
        return item.status

    assert said_of(**about) == "decided"
    rules(**rules_)
    assert said_of(**about) == "confirming"


def test_a_fix_that_takes_the_claim_out_is_one_persons(item: ReviewItem, answer: Callable[..., Any]) -> None:
    fixed = GOOD.replace("sea green ", "")
    answer(item, people.reviewer(), verdict="fix", fixed_text=fixed, reason_codes=["legal_risk"])
    assert settling.settle_decisions() == 1


def test_the_second_person_returns_it_and_the_maker_answers_again(
    proposed: ReviewItem, maker: User, answer: Callable[..., Any]
) -> None:
    checker = people.senior()
    with pytest.raises(PermanentError, match="needs a reason"):
        confirmations.return_(proposed, proposal=proposed.proposal_id, actor=checker, reason=" ")
    first = proposed.proposal_id
    confirmations.return_(proposed, proposal=first, actor=checker, reason="The certificate is of another mug.")
    proposed.refresh_from_db()
    assert (proposed.status, proposed.assignee, proposed.proposal) == ("dispatched", maker, None)
    assert "another mug" in proposed.returned_reason
    assert handing_out.next_item(maker) == proposed, "it is theirs, and comes first"
    answer(proposed, maker, **SAYS_WHY)
    settling.settle_decisions()
    proposed.refresh_from_db()
    with pytest.raises(StaleState, match="Another answer"):
        confirmations.confirm(proposed, proposal=first, actor=checker)  # of a page that was open all the while
    confirmations.confirm(proposed, proposal=proposed.proposal_id, actor=checker)
    assert PublishedCopy.objects.exists()


def test_what_a_panel_agreed_on_is_confirmed_by_somebody_outside_it_or_goes_to_an_adjudicator(
    rules: Any, answer: Callable[..., Any]
) -> None:
    rules(num_reviewers_per_item=2)
    draft = factories.candidate(GOOD, status="in_review", rank=1)
    factories.finding(draft, "sea green", code="health_claim")
    settling.open_reviews()
    lead = ReviewItem.objects.get(lead=None)
    one, two, third = people.senior(), people.senior(), people.senior()
    for seat, person in ((lead, one), (lead.seats.get(), two)):
        answer(seat, person, **SAYS_WHY)
        settling.settle_decisions()
    lead.refresh_from_db()
    for member in (one, two):
        with pytest.raises(PermanentError, match="had a part"):
            confirmations.confirm(lead, proposal=lead.proposal_id, actor=member)
    confirmations.return_(lead, proposal=lead.proposal_id, actor=third, reason="both overlook the wording")
    assert "both overlook" in ReviewItem.objects.get(purpose="adjudication").escalated_reason
    lead.refresh_from_db()
    assert lead.status == "answered"


# --- 1: the console, by the same person ---------------------------------------------------------------------------


def test_way_1_the_maker_presses_confirm_in_the_console(proposed: ReviewItem, maker: User) -> None:
    client = signed_in(maker)
    page = client.get(reverse("console:adjudicate", args=[proposed.pk])).content.decode()
    assert "Confirm: it goes out" not in page
    answered = client.post(
        reverse("console:confirm", args=[proposed.pk]),
        {"proposal": proposed.proposal_id, "note": "me again"},
        follow=True,
    )
    assert "You cannot confirm it: you had a part in it." in answered.content.decode()
    assert handing_out.next_item(maker) is None
    assert_nothing_is_out(proposed)


# --- 2: the HTTP API ------------------------------------------------------------------------------------------------


def test_way_2_the_maker_confirms_through_the_api(proposed: ReviewItem, maker: User) -> None:
    basic = base64.b64encode(f"{maker.username}:{people.PASSWORD}".encode()).decode()
    address, body = f"/api/v1/items/{proposed.pk}/confirm", json.dumps({"proposal": proposed.proposal_id})
    for headers in ({"HTTP_AUTHORIZATION": f"Basic {basic}"}, {}):
        answered = Client().post(address, body, content_type="application/json", **headers)
        assert answered.status_code == (422 if headers else 401)
    for who in (people.reviewer(), people.auditor(), people.administrator(), people.people("Merchant")):
        assert signed_in(who).post(address, body, content_type="application/json").status_code == 403
    assert_nothing_is_out(proposed)


# --- 3: Django's admin, and whoever may change accounts there --------------------------------------------------------


def test_way_3_a_superuser_edits_assignee_and_maker_in_the_admin(proposed: ReviewItem, maker: User) -> None:
    root = User.objects.create_superuser("root@example.com", "root@example.com", people.PASSWORD)
    client = signed_in(root)
    rows = {"reviewitem": proposed.pk}
    before = ReviewItem.objects.filter(pk=proposed.pk).values().get()
    for name, pk in rows.items():
        change = reverse(f"admin:moderation_{name}_change", args=[pk])
        form = {"assignee": root.pk, "proposed_by": root.pk, "status": "decided", "high_severity": "[]"}
        assert client.post(change, form).status_code in (302, 403)
    for name in ("decision", "reviewitem", "appeal"):
        assert client.post(reverse(f"admin:moderation_{name}_add"), {"item": proposed.pk}).status_code == 403
    assert ReviewItem.objects.filter(pk=proposed.pk).values().get() == before
    assert_nothing_is_out(proposed)


def test_way_3_the_escalator_and_the_overruler_confirm(answer: Callable[..., Any]) -> None:
    draft = factories.candidate(GOOD, status="blocked", rank=1)
    factories.finding(draft, "sea green", severity="block", code="absolute_claim")
    overruler, escalator, maker = people.senior(), people.senior(), people.senior()
    screening.overrule_block(draft, actor=overruler, reason="an award was won")
    item = factories.review_item(draft)
    settling.escalate(item, actor=escalator, reason="a second pair of eyes")
    answer(item, maker, **SAYS_WHY)
    settling.settle_decisions()
    item.refresh_from_db()
    for person in (overruler, escalator, maker):
        with pytest.raises(PermanentError, match="had a part"):
            confirmations.confirm(item, proposal=item.proposal_id, actor=person)
    assert_nothing_is_out(item)
    confirmations.return_(item, proposal=item.proposal_id, actor=people.senior(), reason="which award?")
    item.refresh_from_db()
    assert (item.status, item.assignee) == ("escalated", None), "what a senior decided goes back to the seniors"


# --- 4: Label Studio, directly --------------------------------------------------------------------------------------


def test_way_4_further_answers_in_label_studio_confirm_nothing(
    proposed: ReviewItem, maker: User, answer: Callable[..., Any]
) -> None:
    answer(proposed, maker, **SAYS_WHY)  # the maker once more, on the same task
    assert settling.settle_decisions() == 0
    assert_nothing_is_out(proposed)
    answer(proposed, people.senior(), verdict="accept")  # and somebody else, on the maker's task
    assert settling.settle_decisions() == 0
    assert_nothing_is_out(proposed)


def test_way_4_both_tasks_of_a_panel_are_answered_by_the_same_person(rules: Any, answer: Callable[..., Any]) -> None:
    rules(num_reviewers_per_item=2)
    draft = factories.candidate(GOOD, status="in_review", rank=1)
    factories.finding(draft, "sea green", code="health_claim")
    settling.open_reviews()
    lead, maker = ReviewItem.objects.get(lead=None), people.senior()
    for seat in (lead, lead.seats.get()):
        answer(seat, maker, **SAYS_WHY)
        settling.settle_decisions()
    lead.refresh_from_db()
    assert lead.status == "answered", "the second answer does not count"
    assert not PublishedCopy.objects.exists()


# --- 5: in bulk -----------------------------------------------------------------------------------------------------


def test_way_5_bulk_actions_of_the_admin_and_bulk_writes(proposed: ReviewItem, maker: User) -> None:
    client = signed_in(maker)
    for name in ("reviewitem", "candidate", "decision"):
        for action in ("confirm", "approve", "publish", "delete_selected"):
            client.post(
                reverse(f"admin:moderation_{name}_changelist"),
                {"action": action, "_selected_action": [str(proposed.pk), str(proposed.candidate_id)], "post": "yes"},
            )
    assert_nothing_is_out(proposed)
    fields = {"item": proposed, "outcome": "approve", "decided_by": "human_single", "reviewer": maker}
    for more in ({"checker": maker}, {"high_severity": ["warn:health_claim"]}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Decision.objects.bulk_create([Decision(**fields, **more) for _ in range(3)])
    assert_nothing_is_out(proposed)


# --- 6: at the same time ----------------------------------------------------------------------------------------------


def _at_once(*calls: Callable[[], object]) -> list[str]:
    """Run each call in a thread of its own, all at one moment; returns what they raised ("" for nothing)."""
    outcomes = at_once(*calls, expected=Exception)
    return [type(outcome).__name__ if isinstance(outcome, Exception) else "" for outcome in outcomes]


@pytest.mark.django_db(transaction=True)
def test_way_6_two_sessions_of_one_person_and_two_checkers_at_once(proposed: ReviewItem, maker: User) -> None:
    def confirmed_by(person: User) -> Callable[[], object]:
        return lambda: confirmations.confirm(proposed, proposal=proposed.proposal_id, actor=person)

    assert _at_once(*[confirmed_by(maker)] * 4) == ["PermanentError"] * 4
    assert_nothing_is_out(proposed)
    checker = people.senior()
    said = _at_once(confirmed_by(checker), confirmed_by(checker), confirmed_by(people.senior()), confirmed_by(maker))
    assert sorted(said)[0] == ""
    assert said.count("") == 1
    assert Decision.objects.count() == PublishedCopy.objects.count() == 1
    assert Decision.objects.get().checker != maker


@pytest.mark.django_db(transaction=True)
def test_way_6_the_maker_answers_again_while_another_person_confirms(
    proposed: ReviewItem, maker: User, answer: Callable[..., Any]
) -> None:
    checker = people.senior()
    answer(proposed, maker, verdict="reject", reason_codes=["tone"], comment="on second thoughts")
    said = _at_once(
        lambda: confirmations.confirm(proposed, proposal=proposed.proposal_id, actor=checker), settling.settle_decisions
    )
    assert said == ["", ""]
    decision = Decision.objects.get()
    assert (decision.outcome, decision.reviewer, decision.checker) == ("approve", maker, checker)


# --- 7: a second account ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["SENIOR-X@example.com", "senior-x+two@example.com", "senior-x@Example.com"])
def test_way_7_a_second_account_with_the_same_address(
    item: ReviewItem, answer: Callable[..., Any], address: str
) -> None:
    maker = people.people("Senior reviewer", email="senior-x@example.com")
    twin = people.people("Senior reviewer", email=address)
    answer(item, maker, **SAYS_WHY)
    settling.settle_decisions()
    item.refresh_from_db()
    with pytest.raises(PermanentError, match="had a part"):
        confirmations.confirm(item, proposal=item.proposal_id, actor=twin)
    assert_nothing_is_out(item)
    decision = Decision(item=item, outcome="approve", decided_by="human_single", reviewer=maker, checker=twin)
    with pytest.raises(IntegrityError, match="had no part"), transaction.atomic():
        decision.save(force_insert=True)


def test_way_7_one_label_studio_account_cannot_be_two_people_here(maker: User, monkeypatch: Any) -> None:
    account = type("Remote", (), {"email": maker.email, "id": 77})
    monkeypatch.setattr("labeling.accounts.administration.list_users", lambda: [account])
    monkeypatch.setattr("labeling.accounts.made_by_the_stack", lambda: {maker.email: 77})
    sync_accounts()
    people.people("Senior reviewer", email=maker.email.upper())
    sync_accounts()
    assert list(Annotator.objects.values_list("user", "ls_user_id")) == [(maker.pk, 77)]
    with pytest.raises(IntegrityError), transaction.atomic():
        Annotator.objects.create(user=people.senior(), ls_user_id=77)


# --- The last line: SQL -----------------------------------------------------------------------------------------------


def test_sql_itself_cannot_make_one_person_maker_and_checker(proposed: ReviewItem, maker: User) -> None:
    checker = people.senior()
    decision = confirmations.confirm(proposed, proposal=proposed.proposal_id, actor=checker)
    statements = {
        "UPDATE moderation_decision SET checker_id = reviewer_id": "maker_is_not_checker",
        "UPDATE moderation_decision SET reviewer_id = checker_id": "never changes",
        "UPDATE moderation_decision SET checker_id = NULL": "never changes",
        "UPDATE moderation_decision SET high_severity = '[]', checker_id = NULL": "never changes",
    }
    for statement in statements:
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    columns = "item_id, outcome, decided_by, created_at, label, reason_codes, rationale, policy_version, check_note"
    values = f"'{proposed.pk}', 'approve', 'human_single', now(), '', '[]', '', '', ''"
    inserts = {
        f"({columns}, id, reviewer_id, checker_id, high_severity)": f"({values}, gen_random_uuid(), {maker.pk}, {maker.pk}, '[]')",
        f"({columns}, id, reviewer_id, high_severity)": f"({values}, gen_random_uuid(), {maker.pk}, '[\"block:x\"]')",
        f"({columns}, id, checker_id, high_severity)": f"({values}, gen_random_uuid(), {maker.pk}, '[]')",
    }
    for names, row in inserts.items():
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO moderation_decision {names} VALUES {row}")
    decision.refresh_from_db()
    assert (decision.reviewer, decision.checker) == (maker, checker)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE moderation_reviewitem SET status = 'confirming', proposal_id = NULL")
    assert LedgerEntry.objects.filter(subject=ref(decision)).count() == 1
