"""A draft goes out with an open warning only when somebody looked at it; a contradicted fact blocks or takes two people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from moderation.decisions import settling
from moderation.drafting import screening
from moderation.models.candidates import Candidate, Finding
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out
from moderation.queues.rules import set_policy
from tests import factories, people
from tests.moderation.conftest import GOOD

pytestmark = pytest.mark.django_db
PLASTIC = "Harbour mug 1 by Tideway is a sea green plastic mug that holds 350 ml of tea or coffee."


@pytest.fixture
def draft() -> Candidate:
    return factories.candidate(GOOD, status="in_review", rank=1)


def accepted(draft: Candidate, answer: Callable[..., Any], **said: Any) -> ReviewItem:
    item = ReviewItem.objects.filter(candidate=draft).first() or factories.review_item(draft)
    answer(item, item.assignee or people.reviewer(), verdict="accept", **said)
    settling.settle_decisions()
    item.refresh_from_db()
    return item


def test_an_accept_with_an_open_warning_comes_back_and_names_it(draft: Candidate, answer: Callable[..., Any]) -> None:
    warned = factories.finding(draft, "sea green")
    factories.finding(draft, "stoneware", severity="info")
    item = accepted(draft, answer, dismissed_findings=[])
    assert item.status == "dispatched"
    assert item.returned_reason.startswith("1 warning is still open (no fact backs “sea green”): tick each")
    assert not Decision.objects.exists()
    assert accepted(draft, answer, dismissed_findings=[str(warned.pk)]).status == "decided"
    warned.refresh_from_db()
    assert warned.verdict == "dismissed"


def test_a_warning_that_is_right_goes_out_with_a_reason_alone(draft: Candidate, answer: Callable[..., Any]) -> None:
    one, two = factories.finding(draft, "sea green"), factories.finding(draft, "350 ml")
    both = {"dismissed_findings": [str(one.pk)], "confirmed_findings": [str(two.pk)]}
    assert "say in the comment why the text may go out" in accepted(draft, answer, **both).returned_reason
    assert accepted(draft, answer, **both, comment="the fact is on its way").status == "decided"
    assert list(Finding.objects.order_by("pk").values_list("verdict", flat=True)) == ["dismissed", "confirmed"]


def test_a_fix_that_changes_nothing_is_an_accept_and_looks_at_them_too(
    draft: Candidate, answer: Callable[..., Any]
) -> None:
    factories.finding(draft, "sea green")
    item = factories.review_item(draft)
    answer(item, people.reviewer(), verdict="fix", fixed_text=GOOD, reason_codes=["tone"])
    assert settling.settle_decisions() == 0
    assert not Decision.objects.exists()


def test_findings_of_another_draft_close_nothing(draft: Candidate, answer: Callable[..., Any]) -> None:
    factories.finding(draft, "sea green")
    other = factories.finding(factories.candidate(status="in_review"), "stoneware")
    forged = {"dismissed_findings": [str(other.pk), "", "999999", None]}
    assert accepted(draft, answer, **forged).status == "dispatched"


def test_a_panels_answer_looks_at_them_too(rules: Callable[..., None], answer: Callable[..., Any]) -> None:
    rules(num_reviewers_per_item=2)
    draft = factories.candidate(GOOD, status="in_review", rank=1)
    factories.finding(draft, "sea green")
    settling.open_reviews()
    lead = ReviewItem.objects.get(lead=None)
    answer(lead, people.reviewer(), verdict="accept", dismissed_findings=[])
    settling.settle_decisions()
    lead.refresh_from_db()
    assert (lead.status, "still open" in lead.returned_reason) == ("dispatched", True)


# --- Contradicted facts -------------------------------------------------------------------------------------------


def screened(text: str) -> Candidate:
    draft = factories.candidate(text)
    screening.screen_candidates()
    draft.refresh_from_db()
    return draft


def contradictions(draft: Candidate) -> list[Finding]:
    return [found for found in draft.findings.all() if found.code.startswith(("contradicted", "excluded_by_fact"))]


def test_what_contradicts_a_fact_takes_two_people(answer: Callable[..., Any]) -> None:
    draft = screened(PLASTIC)
    assert draft.status == "in_review"
    assert len(contradictions(draft)) == 1
    settling.open_reviews()
    ids = [str(pk) for pk in draft.findings.values_list("pk", flat=True)]
    item = accepted(draft, answer, dismissed_findings=ids, comment="the lid is of plastic")
    assert item.status == "confirming"
    assert any("contradicted_material" in why for why in item.high_severity)


def test_or_one_person_or_nobody_by_the_rule_of_the_queue(answer: Callable[..., Any]) -> None:
    admin = people.administrator()
    set_policy("copy_verdict", actor=admin, contradicted_facts="block")
    blocked = screened(PLASTIC)
    assert (blocked.status, [found.severity for found in contradictions(blocked)]) == ("blocked", ["block"])
    set_policy("copy_verdict", actor=admin, contradicted_facts="warn")
    draft = screened(PLASTIC)
    settling.open_reviews()
    ids = [str(pk) for pk in draft.findings.values_list("pk", flat=True)]
    assert accepted(draft, answer, dismissed_findings=ids).status == "decided"
    assert handing_out.waiting_for(people.reviewer()).count() == 0
