"""Which drafts are blocked, and which one a person gets to see."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.core.exceptions import PermissionDenied

from audit.verification import verify
from core import leases
from core.actors import SystemActor
from core.exceptions import PermanentError, StaleState
from inference.models import ModelVersion
from moderation.drafting import generation, ordering, screening
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.predictions import Prediction
from tests import factories, people
from tests.moderation.conftest import GOOD, REFUSAL, WRONG

pytestmark = pytest.mark.django_db


def unscreened(script: Callable[..., ModelVersion], *texts: str) -> list[Candidate]:
    """Have `texts` drafted for one product; returns the candidates by ordinal."""
    script(*texts)
    product = factories.product(title="Harbour mug 1")
    summary = ordering.request_copy(
        [product], channels=["description"], locales=["en"], actor=SystemActor("tests"), n_candidates=len(texts)
    )
    generation.drain_generation()
    return list(Candidate.objects.filter(request=summary.created[0]).order_by("ordinal"))


def drafts(script: Callable[..., ModelVersion], *texts: str) -> list[Candidate]:
    """Have `texts` drafted for one product and screened; returns the candidates by ordinal."""
    unscreened(script, *texts)
    assert screening.screen_candidates() == len(texts)
    return list(Candidate.objects.order_by("ordinal"))


def test_the_best_grounded_draft_goes_to_a_person_and_the_others_wait(script) -> None:
    wrong, refused, good = drafts(script, WRONG, REFUSAL, GOOD)
    assert (good.status, good.rank) == ("in_review", 1)
    assert (wrong.status, wrong.rank) == ("generated", 2)
    assert (refused.status, refused.rank) == ("blocked", None)
    assert good.grounding > wrong.grounding


def test_findings_point_at_the_words_they_are_about(script) -> None:
    (wrong,) = drafts(script, WRONG)
    spans = {wrong.text[f.start : f.end].lower() for f in wrong.findings.all() if f.start is not None}
    assert {"scarlet", "leather"} <= spans
    assert any("900" in span for span in spans)
    assert wrong.status == "in_review"


def test_screening_again_finds_nothing_to_do(script) -> None:
    drafts(script, GOOD)
    assert screening.screen_candidates() == 0
    assert verify().is_intact


def test_the_tone_of_each_draft_is_scored_by_the_sentiment_champion(script, sentiment_champion) -> None:
    (candidate,) = drafts(script, GOOD + " It is good, good, good.")
    said = Prediction.objects.of("sentiment", [candidate]).get()
    assert (said.label, said.confidence, said.model_version) == ("positive", 0.9, sentiment_champion)


def test_a_senior_overrules_a_block_and_says_why(script) -> None:
    (blocked,) = drafts(script, REFUSAL)
    with pytest.raises(PermissionDenied):
        screening.overrule_block(blocked, actor=people.reviewer(), reason="fine")
    with pytest.raises(PermanentError, match="needs a reason"):
        screening.overrule_block(blocked, actor=people.senior(), reason="  ")
    screening.overrule_block(blocked, actor=people.senior(), reason="a joke of the brand")
    blocked.refresh_from_db()
    assert blocked.status == "in_review"
    with pytest.raises(StaleState):
        screening.overrule_block(Candidate(pk=blocked.pk, status="blocked"), actor=people.senior(), reason="again")


def test_drafts_that_cannot_be_screened_hold_up_no_others_and_end_in_quarantine(script, sentiment_champion) -> None:
    (poison,) = unscreened(script, "choke on this")
    (good,) = unscreened(script, GOOD)
    assert screening.screen_candidates() == 1
    good.refresh_from_db()
    assert good.status == "in_review"
    for _ in range(4):
        GenerationRequest.objects.update(lease_expires_at=None)  # the rest is over
        assert screening.screen_candidates() == 0
    poison.request.refresh_from_db()
    assert poison.request.quarantined_at
    assert poison.request.last_error == "RuntimeError: the model chokes on this"


def test_who_lost_the_lease_while_screening_writes_nothing(script, sentiment_champion) -> None:
    (draft,) = unscreened(script, GOOD)
    (request,) = leases.claim(screening._to_screen(), n=1, duration=dt.timedelta(minutes=1))
    GenerationRequest.objects.update(lease_token=uuid.uuid4())
    assert screening._screen_together([request]) == 0
    draft.refresh_from_db()
    assert (draft.status, draft.screened_at) == ("generated", None)


def test_among_equals_the_draft_that_people_would_accept_goes_first(script, settings) -> None:
    backends = {**settings.INFERENCE.backends, "acceptable": "tests.backends.Acceptable"}
    settings.INFERENCE = replace(settings.INFERENCE, backends=backends)
    version = factories.model_version("validity", backend="acceptable", artifact_hash="")
    plain, liked = drafts(script, GOOD, GOOD + " You are welcome.")
    assert (liked.rank, plain.rank) == (1, 2)
    said = Prediction.objects.of("validity", [liked]).get()
    assert (said.label, said.probabilities, said.model_version) == ("valid", {"valid": 0.9, "invalid": 0.1}, version)
