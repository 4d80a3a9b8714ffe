"""What is contested, in a real browser: a second person confirms, a senior goes to decide, an appeal is filed and judged."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from labeling.models import Annotation
from moderation.decisions import settling
from moderation.models.appeals import Appeal
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out
from tests import factories as make
from tests import people
from tests.chromium import needs_chromium
from tests.console.test_in_browser import Visitor, visitor

__all__ = ["visitor"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), needs_chromium]
TEXT = "Harbour mug: sea green stoneware that holds 350 ml, keeps tea hot for hours and boosts immunity every morning."
FIXED = "Harbour mug: sea green stoneware that holds 350 ml and boosts immunity every morning."


def _timed(consensus: Any, *, seconds: float) -> None:
    annotation = consensus.annotations.get()
    Annotation.objects.filter(pk=annotation.pk).update(lead_time=dt.timedelta(seconds=seconds))


@pytest.fixture
def contested(settings: Any) -> ReviewItem:
    """A draft whose claim one person let out, after another one had given up on it; one that is escalated; one rejected."""
    draft = make.candidate(TEXT, status="in_review", rank=1, grounding=0.61)
    make.finding(
        draft,
        "boosts immunity",
        code="health_claim",
        check_name="terms",
        message="Health claim: needs an authorised wording or evidence.",
    )
    make.finding(draft, "for hours", message="no fact backs “for hours”")
    item, maker = make.review_item(draft, risk=0.6), people.reviewer()
    handing_out.next_item(maker, question="copy_verdict")
    _timed(make.answer(item, maker, verdict="fix", fixed_text=FIXED, reason_codes=["unsupported_claim"]), seconds=21)
    settling.settle_decisions()  # given back: no word on the claim
    _timed(
        make.answer(
            item,
            maker,
            verdict="fix",
            fixed_text=FIXED,
            reason_codes=["unsupported_claim"],
            comment="The authorised wording for vitamin C is on file.",
        ),
        seconds=48,
    )
    settling.settle_decisions()
    hard = make.review_item(make.candidate("A lamp that heals.", status="in_review", rank=1))
    settling.escalate(hard, actor=people.reviewer(), reason="Is that a health claim?")
    rejected = make.review_item(make.candidate("A quiet towel for every day.", status="in_review", rank=1))
    make.answer(
        rejected, people.reviewer(), verdict="reject", reason_codes=["tone", "other"], comment="too quiet for us"
    )
    settling.settle_decisions()
    item.refresh_from_db()
    assert item.status == "confirming"
    return item


def test_contested_items_are_seen_whole_and_dealt_with(contested: ReviewItem, visitor: Visitor) -> None:
    people.people("Senior reviewer", email="sam@example.com")
    robin = people.people("Reviewer", email="robin@example.com")
    page = visitor.page
    visitor.sign_in("sam@example.com")
    visitor.open(reverse("console:contested"))
    page.click("text=Look at it >> nth=0")
    page.wait_for_selector("text=Confirm: it goes out")
    words = page.inner_text("main, #main")
    for said in ("health_claim", "The authorised wording", "Unsupported claim", "48 s in Label Studio", "The facts"):
        assert said in words
    assert "user:" in words
    assert page.locator(".es-diff del").first.inner_text()
    visitor.open(page.url.removeprefix(visitor.address))
    page.fill("#note", "Checked against the register.")
    page.click("text=Confirm: it goes out")
    page.wait_for_selector("text=Confirmed: it is decided, by the two of you.")
    decision = Decision.objects.get(outcome="edit")
    assert (decision.result.status, decision.check_note) == ("published", "Checked against the register.")
    visitor.open(reverse("console:candidate", args=[contested.candidate_id]))

    make.push_tasks()  # what was escalated is asked of the senior in a task of their own
    visitor.open(reverse("console:contested"))
    page.click("text=Look at it >> nth=0")
    page.wait_for_selector("text=Decide it")
    assert "Is that a health claim?" in page.inner_text("main, #main")

    rejection = Decision.objects.get(outcome="reject")
    make.appeal(rejection, appellant=robin, reason="Quiet is what the brand asks for.")
    visitor.open(reverse("console:adjudicate", args=[rejection.item_id]))
    page.fill("#answer", "The brand book says quiet.")
    page.click("text=Overturn it")
    page.wait_for_selector("text=Overturned: the text goes to review again.")
    assert Appeal.objects.get().status == "overturned"
    visitor.open(reverse("console:contested"))
    visitor.open(f"{reverse('admin:moderation_decision_changelist')}?quicker_than=60")
    assert not visitor.troubles
