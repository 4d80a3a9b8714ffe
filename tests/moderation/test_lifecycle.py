"""The state tables: complete, closed, and the only way to move."""

from __future__ import annotations

import itertools

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.ledger import Line
from core.exceptions import IllegalMove, StaleState
from core.refs import ref
from moderation.lifecycle import MOVES, advance, line_for
from moderation.models.candidates import Candidate, GenerationRequest
from tests import factories

CASES = [(model, from_, to) for model in MOVES for from_, to in itertools.permutations(model.Status.values, 2)]


def test_every_state_named_in_a_table_exists() -> None:
    for model, moves in MOVES.items():
        named = set(moves) | {to for targets in moves.values() for to in targets}
        assert named <= set(model.Status.values)


@pytest.mark.parametrize(("model", "from_", "to"), CASES)
def test_a_move_that_the_table_does_not_list_is_refused(model, from_, to) -> None:
    if to not in MOVES[model].get(from_, ()):
        with pytest.raises(IllegalMove):
            advance(model(status=from_), from_=from_, to=to)


@pytest.mark.django_db
def test_of_two_who_move_the_same_row_one_is_told_that_it_came_too_late() -> None:
    candidate = factories.candidate(status="in_review")
    stale = Candidate.objects.get(pk=candidate.pk)
    advance(candidate, from_="in_review", to="approved")
    with pytest.raises(StaleState, match=f"candidate {stale.pk} is no longer in_review; somebody else moved it first"):
        advance(stale, from_="in_review", to="rejected")
    assert Candidate.objects.get(pk=candidate.pk).status == "approved"


@pytest.mark.django_db
@pytest.mark.parametrize("model", list(MOVES))
def test_the_database_itself_refuses_a_state_that_does_not_exist(model) -> None:
    factories.appeal(factories.decision(factories.review_item(), "reject"))
    factories.retro_scan()
    factories.rule_proposal()
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(status="nonsense")


def test_a_thing_has_the_same_name_in_the_ledger_for_ever() -> None:
    assert [line_for(model(), "seen").action for model in MOVES] == [
        "moderation.request.seen",
        "moderation.candidate.seen",
        "moderation.item.seen",
        "moderation.appeal.seen",
        "moderation.retroscan.seen",
        "moderation.ruleproposal.seen",
    ]


@pytest.mark.django_db
def test_a_move_writes_what_comes_with_it_and_brings_the_line_that_tells_of_it() -> None:
    request, at = factories.generation_request(), timezone.now()
    line = advance(request, from_="queued", to="cancelled", payload={"why": "sold out"}, finished_at=at)
    assert line == Line("moderation.request.cancelled", ref(request), {"from": "queued", "why": "sold out"})
    stored = GenerationRequest.objects.get(pk=request.pk)
    assert (stored.status, stored.finished_at) == ("cancelled", at)


@pytest.mark.django_db
def test_a_line_may_tell_of_something_else_than_the_state() -> None:
    scan = factories.retro_scan()
    assert advance(scan, from_="scanning", to="scanned", event="seen") == Line(
        "moderation.retroscan.seen", ref(scan), {"from": "scanning"}
    )


@pytest.mark.django_db
def test_from_where_to_where_is_said_by_name() -> None:
    item = factories.review_item(factories.customer_review())
    with pytest.raises(TypeError):
        advance(item, item.status, "dispatched")  # type: ignore[misc]
