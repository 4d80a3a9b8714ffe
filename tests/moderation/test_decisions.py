"""What follows from a reviewer's answer."""

from __future__ import annotations

import threading

import pytest
from django.db import OperationalError, connection, transaction

from audit.models import LedgerEntry
from audit.verification import verify
from catalog.models import PublishedCopy
from core.actors import SystemActor
from core.refs import ref
from moderation.decisions import confirmations, settling
from moderation.live import history, publication
from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision, ReviewItem
from tests import factories, people
from tests.moderation.conftest import GOOD, WRONG

pytestmark = pytest.mark.django_db
FIXED = "Harbour mug by Tideway: a sea green stoneware mug that holds 350 ml."


@pytest.fixture
def item() -> ReviewItem:
    """An item about the first of two drafts."""
    request = factories.generation_request(status="completed")
    first = factories.candidate(GOOD, request=request, status="in_review", rank=1)
    factories.candidate(WRONG, request=request, rank=2)
    return factories.review_item(first)


def settle() -> int:
    return settling.settle_decisions()


def test_accept_publishes_the_draft_and_ends_its_siblings(item, answer) -> None:
    reviewer = people.reviewer()
    answer(item, reviewer, verdict="accept")
    assert settle() == 1
    item.refresh_from_db()
    live = PublishedCopy.objects.get()
    assert (live.text, live.retired_at) == (GOOD, None)
    assert live.provenance["human_reviewed"] is True
    assert live.provenance["human_edited"] is False
    assert live.ai_mark["AIGC"]["Label"] == "1"
    assert list(Candidate.objects.order_by("ordinal").values_list("status", flat=True)) == ["published", "superseded"]
    assert (item.status, item.assignee) == ("decided", reviewer)
    decision = Decision.objects.get()
    assert (decision.outcome, decision.decided_by, decision.reviewer) == ("approve", "human_single", reviewer)
    assert decision.policy_version
    assert verify().is_intact


def test_settling_twice_decides_once(item, answer) -> None:
    answer(item, people.reviewer(), verdict="accept")
    assert [settle(), settle()] == [1, 0]
    assert Decision.objects.count() == PublishedCopy.objects.count() == 1


def test_a_fix_becomes_a_child_and_the_machines_text_stays_as_it_was(item, answer) -> None:
    answer(item, people.reviewer(), verdict="fix", fixed_text=FIXED, reason_codes=["tone"], comment="too long")
    assert settle() == 1
    child = Candidate.objects.get(origin="human")
    assert (child.text, child.parent, child.status) == (FIXED, item.candidate, "published")
    item.candidate.refresh_from_db()
    assert (item.candidate.text, item.candidate.status) == (GOOD, "superseded")
    live = PublishedCopy.objects.get()
    assert (live.text, live.candidate_ref) == (FIXED, ref(child))
    assert live.provenance["human_edited"] is True
    assert live.provenance["model"]["name"] == item.candidate.model_version.name
    assert Decision.objects.get().reason_codes == ["tone"]


def test_a_fix_that_changed_nothing_is_an_approval(item, answer) -> None:
    answer(item, people.reviewer(), verdict="fix", fixed_text=f" {GOOD} ")
    settle()
    assert Decision.objects.get().outcome == "approve"
    assert not Candidate.objects.filter(origin="human").exists()


def test_reject_publishes_nothing_and_brings_up_the_next_draft(item, answer) -> None:
    answer(item, people.reviewer(), verdict="reject", reason_codes=["wrong_fact"])
    assert settle() == 1
    assert not PublishedCopy.objects.exists()
    assert list(Candidate.objects.order_by("ordinal").values_list("status", flat=True)) == ["rejected", "in_review"]


def test_escalation_takes_it_to_another_person(item, answer) -> None:
    reviewer, senior = people.reviewer(), people.senior()
    answer(item, reviewer, verdict="accept", escalate=True, comment="is this legal?")
    assert settle() == 0
    item.refresh_from_db()
    assert (item.status, item.escalated_reason, item.escalated_by) == ("escalated", "is this legal?", reviewer)
    answer(item, reviewer, verdict="accept")
    assert settle() == 0, "a reviewer cannot decide an escalated item"
    answer(item, senior, verdict="accept")
    assert settle() == 1
    assert Decision.objects.get().reviewer == senior


def test_a_senior_does_not_decide_what_they_escalated_themselves(item, answer) -> None:
    senior, other = people.senior(), people.senior()
    settling.escalate(item, actor=senior, reason="a second pair of eyes")
    answer(item, senior, verdict="accept")
    assert settle() == 0
    assert not PublishedCopy.objects.exists()
    answer(item, other, verdict="accept")
    assert settle() == 1


@pytest.mark.parametrize("who", ["auditor", "outsider", "stranger"])
def test_the_answer_of_somebody_who_may_not_decide_publishes_nothing_and_goes_to_a_senior(item, answer, who) -> None:
    user = None if who == "stranger" else getattr(people, who)()
    answer(item, user, verdict="accept")
    assert settle() == 0
    item.refresh_from_db()
    assert item.status == "escalated"
    assert not PublishedCopy.objects.exists()
    assert settle() == 0, "the same answer is not tried for ever"


@pytest.mark.parametrize("said", [{}, {"verdict": "maybe"}, {"verdict": "fix", "fixed_text": "  "}])
def test_an_answer_that_says_nothing_goes_to_a_senior(item, answer, said) -> None:
    answer(item, people.reviewer(), **said)
    assert settle() == 0
    item.refresh_from_db()
    assert item.status == "escalated"
    assert "could not be acted on" in item.escalated_reason


def test_a_fix_that_the_policy_blocks_needs_a_senior_who_says_why(item, answer) -> None:
    bad = "Call us on +1 415 555 2671 or write to sales@tideway.example for your Harbour mug today."
    fix = {"verdict": "fix", "fixed_text": bad, "reason_codes": ["tone"]}
    answer(item, people.reviewer(), **fix)
    assert settle() == 0
    item.refresh_from_db()
    assert item.status == "escalated"
    assert "blocked by policy" in item.escalated_reason
    senior = people.senior()
    answer(item, senior, **fix)
    assert settle() == 0
    item.refresh_from_db()
    assert (item.status, item.assignee) == ("escalated", senior), "the answer lacks a word on why, and stays with them"
    assert "say in the comment why it may go out" in item.returned_reason
    answer(item, senior, **fix, comment="the shop's own service line")
    assert settle() == 0, "an overruled block is two people's"
    item.refresh_from_db()
    assert item.status == "confirming"
    confirmations.confirm(item, proposal=item.proposal_id, actor=people.senior(), note="it is the shop's line")
    child = Candidate.objects.get(origin="human")
    assert child.status == "published"
    moves = list(LedgerEntry.objects.filter(subject=ref(child)).values_list("action", flat=True))
    assert "moderation.candidate.overruled" in moves


def test_a_change_after_the_decision_moves_nothing_and_is_on_record(item, answer) -> None:
    reviewer = people.reviewer()
    answer(item, reviewer, verdict="accept")
    settle()
    answer(item, reviewer, verdict="reject")
    assert settle() == 0
    assert PublishedCopy.objects.get().retired_at is None
    assert LedgerEntry.objects.filter(action="moderation.item.answered_late").count() == 1


def test_findings_are_confirmed_or_dismissed_by_the_reviewer(item, answer) -> None:
    one, two = factories.finding(item.candidate, "sea green"), factories.finding(item.candidate, "350 ml")
    answer(
        item,
        people.reviewer(),
        verdict="accept",
        confirmed_findings=[one.pk],
        dismissed_findings=[str(two.pk), "²", "9" * 5000],
        comment="the fact is on its way",
    )
    settle()
    one.refresh_from_db(), two.refresh_from_db()
    assert (one.verdict, two.verdict) == ("confirmed", "dismissed")


def test_a_label_for_a_customer_review_is_recorded(answer) -> None:
    item = factories.review_item(factories.customer_review("bad and good"))
    answer(item, people.reviewer(), sentiment="negative")
    assert settle() == 1
    decision = Decision.objects.get()
    assert (decision.outcome, decision.label, decision.result) == ("label", "negative", None)


def test_the_timeline_tells_the_whole_story(item, answer) -> None:
    answer(item, people.reviewer(), verdict="fix", fixed_text=FIXED, reason_codes=["tone"])
    settle()
    publication.retire(PublishedCopy.objects.get(), actor=people.senior(), reason="recalled")
    actions = [
        entry.action for entry in history.timeline(Candidate.objects.get(origin="human"), reader=SystemActor("tests"))
    ]
    for action in (
        "candidate.fixed",
        "candidate.approved",
        "candidate.published",
        "copy.published",
        "item.decided",
        "candidate.retired",
        "copy.retired",
    ):
        assert f"moderation.{action}" in actions


def test_an_answer_that_breaks_us_goes_to_a_senior_and_holds_up_no_other(item, answer) -> None:
    poison, good = item, factories.review_item(factories.candidate(GOOD, status="in_review", rank=1))
    answer(poison, people.reviewer(), verdict="accept", confirmed_findings=5)  # a number where a list belongs
    answer(good, people.reviewer(), verdict="accept")
    assert settle() == 1
    poison.refresh_from_db(), good.refresh_from_db()
    assert good.status == "decided"
    assert poison.status == "escalated"
    assert "unexpected TypeError" in poison.escalated_reason
    assert settle() == 0, "the same answer is not tried for ever"
    answer(poison, people.senior(), verdict="accept")
    assert settle() == 1


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_raised_and_not_blamed_on_the_answer(item, answer) -> None:
    answer(item, people.reviewer(), verdict="accept")
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                ReviewItem.objects.select_for_update().get(pk=item.pk)
                locked.set()
                done.wait(20)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(20)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '300ms'")
        with pytest.raises(OperationalError):
            settle()
    finally:
        done.set()
        holder.join()
        connection.close()
    item.refresh_from_db()
    assert item.status == "waiting"
    assert settle() == 1, "its turn comes again"
