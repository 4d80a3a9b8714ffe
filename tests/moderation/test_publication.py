"""What shoppers see changes by a recorded decision and in no other way."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from catalog.models import PublishedCopy
from core.exceptions import PermanentError, StaleState
from moderation.live import publication
from moderation.models.candidates import Candidate
from tests import factories, people

pytestmark = pytest.mark.django_db


def approved(**fields):
    candidate = factories.candidate(status="approved", **fields)
    decision = factories.decision(factories.review_item(candidate), result=candidate)
    return candidate, decision


def test_only_the_decision_about_this_very_candidate_publishes_it() -> None:
    candidate, _ = approved()
    _, other = approved()
    with pytest.raises(PermanentError, match="does not let out"):
        publication.publish(candidate, decision=other, actor=people.reviewer())
    rejecting = factories.decision(factories.review_item(), "reject", result=candidate)
    with pytest.raises(PermanentError, match="does not let out"):
        publication.publish(candidate, decision=rejecting, actor=people.reviewer())
    assert not PublishedCopy.objects.exists()


def test_a_candidate_that_is_not_approved_cannot_go_out() -> None:
    candidate = factories.candidate(status="blocked")
    decision = factories.decision(factories.review_item(candidate), result=candidate)
    with pytest.raises(StaleState):
        publication.publish(candidate, decision=decision, actor=people.reviewer())


def test_new_copy_takes_the_place_of_the_old_and_its_candidate_is_retired() -> None:
    product = factories.product()
    for _ in range(2):
        request = factories.generation_request(product_=product, status="completed", facts_hash=str(_) * 64)
        candidate, decision = approved(request=request)
        publication.publish(candidate, decision=decision, actor=people.reviewer())
    assert PublishedCopy.objects.filter(retired_at=None).count() == 1
    assert sorted(Candidate.objects.values_list("status", flat=True)) == ["published", "retired"]


def test_taking_down_needs_the_right_and_a_reason_and_happens_once() -> None:
    candidate, decision = approved()
    live = publication.publish(candidate, decision=decision, actor=people.reviewer())
    for person in (people.reviewer(), people.auditor()):
        with pytest.raises(PermissionDenied):
            publication.retire(live, actor=person, reason="no")
    with pytest.raises(PermanentError, match="needs a reason"):
        publication.retire(live, actor=people.senior(), reason=" ")
    publication.retire(live, actor=people.senior(), reason="recall")
    with pytest.raises(StaleState):
        publication.retire(live, actor=people.senior(), reason="again")
    assert Candidate.objects.get(pk=candidate.pk).status == "retired"
