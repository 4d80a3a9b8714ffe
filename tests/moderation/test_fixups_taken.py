"""A fix-up that a reviewer takes is a fix of theirs, and it is recorded that it was proposed."""

from __future__ import annotations

import pytest

from audit.models import LedgerEntry
from catalog.models import PublishedCopy
from core.refs import ref
from moderation.decisions import settling
from moderation.models.candidates import Candidate, Finding
from moderation.models.reviews import Decision, ReviewItem
from questions.copy_verdict.question import CopyVerdict
from tests import factories, people
from tests.labeling.conftest import choice

pytestmark = pytest.mark.django_db
TEXT = "Harbour mug by Tideway: a sea green stoneware mug that holds 500 ml."
MENDED = "Harbour mug by Tideway: a sea green stoneware mug that holds 350 ml."


@pytest.fixture
def item() -> ReviewItem:
    """An item about a draft with one finding that brings a fix-up."""
    draft = factories.candidate(TEXT, status="in_review", rank=1)
    at = TEXT.index("500 ml")
    Finding.objects.create(
        candidate=draft,
        check_name="grounding",
        check_version="3",
        code="unsupported_number",
        severity="warn",
        message="No fact says “500 ml”.",
        start=at,
        end=at + 6,
        evidence={"fixup": {"start": at, "end": at + 6, "text": "350 ml"}},
    )
    return factories.review_item(draft)


def said(item: ReviewItem) -> dict[str, object]:
    question = CopyVerdict()
    return question.parse([choice("verdict", "fix_as_proposed")], question.task_data(item.candidate))


def test_it_goes_live_and_ledger_and_provenance_say_who_took_it(item: ReviewItem) -> None:
    reviewer = people.reviewer()
    factories.lease(item, reviewer)
    factories.answer(item, reviewer, **said(item))

    assert settling.settle_decisions() == 1

    finding, child = Finding.objects.get(candidate=item.candidate), Candidate.objects.get(origin="human")
    assert (PublishedCopy.objects.get().text, child.text) == (MENDED, MENDED)
    (taken,) = child.params["fixups"]
    assert (taken["finding"], taken["code"], taken["text"]) == (finding.pk, "unsupported_number", "350 ml")
    line = LedgerEntry.objects.get(action="moderation.candidate.fixed", subject=ref(child))
    assert line.payload["fixups"] == [finding.pk]
    assert line.payload["fixups_taken_by"] == line.actor == f"user:{reviewer.pk}"
    assert finding.verdict == "confirmed"
    decision = Decision.objects.get()
    assert (decision.outcome, decision.reviewer, decision.reason_codes) == ("edit", reviewer, ["unsupported_claim"])


def test_where_nothing_is_proposed_the_answer_comes_back(item: ReviewItem) -> None:
    Finding.objects.update(evidence={})
    reviewer = people.reviewer()
    factories.lease(item, reviewer)
    factories.answer(item, reviewer, **said(item))

    assert settling.settle_decisions() == 0

    item.refresh_from_db()
    assert (item.status, item.assignee) == ("dispatched", reviewer)
    assert "nothing is proposed" in item.returned_reason
    assert not Decision.objects.exists()


def test_a_warning_for_which_nothing_is_proposed_is_not_carried_out_with_the_rest(item: ReviewItem) -> None:
    other = Finding.objects.create(
        candidate=item.candidate,
        check_name="policy_rules",
        check_version="1",
        code="absolute_claim",
        severity="warn",
        message="“best” is an absolute claim.",
        start=0,
        end=7,
    )
    reviewer = people.reviewer()
    factories.lease(item, reviewer)
    factories.answer(item, reviewer, **said(item))

    assert settling.settle_decisions() == 0

    item.refresh_from_db()
    assert "Nothing is proposed for 1 warning" in item.returned_reason
    factories.answer(item, reviewer, **{**said(item), "dismissed_findings": [str(other.pk)]})
    assert settling.settle_decisions() == 1
    assert PublishedCopy.objects.get().text == MENDED


def test_a_fix_in_words_of_their_own_is_no_fixup(item: ReviewItem) -> None:
    reviewer = people.reviewer()
    factories.lease(item, reviewer)
    factories.answer(item, reviewer, verdict="fix", fixed_text=MENDED, reason_codes=["wrong_fact"], comment="")

    assert settling.settle_decisions() == 1

    assert Candidate.objects.get(origin="human").params == {}
    assert "fixups" not in LedgerEntry.objects.get(action="moderation.candidate.fixed").payload


def test_a_warning_that_the_mended_text_alone_has_comes_back(item: ReviewItem) -> None:
    at = TEXT.index("500 ml")
    Finding.objects.update(evidence={"fixup": {"start": at, "end": at + 6, "text": "950 ml"}})
    reviewer = people.reviewer()
    factories.lease(item, reviewer)
    factories.answer(item, reviewer, **said(item))

    assert settling.settle_decisions() == 0

    item.refresh_from_db()
    assert (item.status, item.assignee) == ("dispatched", reviewer)
    assert "would warn of the text as proposed" in item.returned_reason
    assert "950 ml" in item.returned_reason
    assert not PublishedCopy.objects.exists()


def test_of_two_proposals_that_overlap_the_one_that_is_not_made_carries_nothing_out(item: ReviewItem) -> None:
    """The longer one that begins first is made; what the other one was to mend stands in the text still."""
    at = TEXT.index("stoneware")
    Finding.objects.create(
        candidate=item.candidate,
        check_name="grounding",
        check_version="3",
        code="unsupported_number",
        severity="warn",
        message="No fact says so.",
        start=at,
        end=at + 9,
        evidence={"fixup": {"start": at, "end": TEXT.index("500 ml") + 3, "text": "mug that holds 500"}},
    )
    reviewer = people.reviewer()
    factories.lease(item, reviewer)
    factories.answer(item, reviewer, **said(item))

    assert settling.settle_decisions() == 0

    item.refresh_from_db()
    assert "500 ml" in item.returned_reason
    assert not PublishedCopy.objects.exists()


def test_what_would_leave_nothing_of_the_text_comes_back_to_who_took_it(item: ReviewItem) -> None:
    Finding.objects.update(evidence={"fixup": {"start": 0, "end": len(TEXT), "text": ""}})
    reviewer = people.reviewer()
    factories.lease(item, reviewer)
    factories.answer(item, reviewer, **said(item))

    assert settling.settle_decisions() == 0

    item.refresh_from_db()
    assert (item.status, item.assignee) == ("dispatched", reviewer)
    assert "nothing would be left of the text" in item.returned_reason
