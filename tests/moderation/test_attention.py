"""A judge of claims adds attention, and the rules of the desk hold whatever it says, or whether it says anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from audit.verification import verify
from catalog.models import PublishedCopy
from core.refs import ref
from inference.models import ModelVersion
from moderation.decisions import settling
from moderation.drafting import generation, ordering, screening
from moderation.judging import attention
from moderation.models.candidates import Candidate, Finding
from moderation.models.predictions import Prediction
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out
from tests import factories, people
from tests.moderation.conftest import GOOD, REFUSAL
from tests.moderation.judging_desk import CLAIMS, accuser

pytestmark = pytest.mark.django_db
CURE = GOOD + " It cures a cold."
# What a judge may be: not there, of another mind than the rules, or broken in any way.
JUDGES: dict[str, dict[str, Any] | None] = {
    "off": None,
    "on": {"says": ["green"]},
    "silent": {"says": []},
    "slow": {"says": ["green"], "seconds": 0.4},
    "failing": {"fails": True},
    "lying": {"odds": 7},
    "lying about all": {},
}


def ordered(script: Callable[..., ModelVersion], *texts: str) -> list[Candidate]:
    """Have `texts` drafted, each for a product of its own, screened and put before people."""
    for text in texts:
        script(text)
        number = Candidate.objects.count()
        ordering.request_copy(
            [factories.product(title="Harbour mug 1", sku=f"mug-{number}")],
            channels=["description"],
            locales=["en"],
            actor=people.administrator(),
            n_candidates=1,
        )
        generation.drain_generation()
    screening.screen_candidates()
    settling.open_reviews()
    return list(Candidate.objects.order_by("created_at"))


def item_of(draft: Candidate) -> ReviewItem:
    return ReviewItem.objects.get(candidate=draft)


def test_a_claim_that_the_judge_alone_sees_puts_a_draft_further_forward(script: Any, settings: Any) -> None:
    judge = accuser(settings, says=["green", "absolute"])
    (draft,) = ordered(script, GOOD)
    said = Prediction.objects.of(CLAIMS, [draft]).get()
    assert (said.label, said.model_version, said.is_shadow) == ("absolute+green", judge, False)
    assert attention.pointed_at([draft]) == {ref(draft): ("absolute", "green")}
    accuser(settings, says=[])
    (plain,) = [one for one in ordered(script, GOOD) if one != draft]
    assert attention.pointed_at([plain]) == {}
    assert item_of(draft).risk == pytest.approx(item_of(plain).risk + 0.15)
    assert item_of(draft).urgent_from < item_of(plain).urgent_from
    assert not draft.findings.exists(), "it is no finding that somebody would have to tick"


def test_what_a_rule_found_too_adds_nothing(script: Any, settings: Any) -> None:
    accuser(settings, says=["medical"])
    draft = factories.candidate(CURE, status="in_review")
    factories.prediction(draft, CLAIMS, {"medical": 0.95}, version=factories.model_version(CLAIMS, alias="previous"))
    evidence = {"pack": "us_ftc", "rule": "medical_claim"}
    finding = factories.finding(draft, "cures", severity="info", evidence=evidence)
    assert attention.pointed_at([draft]) == {ref(draft): ("medical",)}, "what only informs sees no claim"
    Finding.objects.filter(pk=finding.pk).update(severity="warn")
    assert attention.pointed_at([draft]) == {}


def test_it_has_to_be_as_sure_as_the_settings_ask_and_shadows_do_not_count(settings: Any) -> None:
    version = factories.model_version(CLAIMS)
    unsure, shadowed = factories.candidate(), factories.candidate()
    factories.prediction(unsure, CLAIMS, {"medical": 0.69, "none": 0.99}, version=version)
    factories.prediction(shadowed, CLAIMS, {"medical": 0.99}, version=version, is_shadow=True)
    assert attention.pointed_at([unsure, shadowed]) == {}
    Prediction.objects.filter(subject=ref(unsure)).update(probabilities={"medical": 0.7})
    assert attention.pointed_at([unsure, shadowed]) == {ref(unsure): ("medical",)}


@pytest.mark.parametrize("judge", JUDGES)
def test_it_never_publishes_clears_or_blocks_whatever_it_is(judge: str, script: Any, settings: Any) -> None:
    plain = _outcome(script, [GOOD, CURE, REFUSAL])
    if (options := JUDGES[judge]) is not None:
        accuser(settings, **options)
    assert _outcome(script, [GOOD, CURE, REFUSAL]) == plain
    assert not PublishedCopy.objects.exists()
    assert not Decision.objects.exists()
    assert verify().is_intact


def _outcome(script: Any, texts: list[str]) -> list[Any]:
    """Return what became of drafts with these `texts`: state, findings, and whether they are before people."""
    known = set(Candidate.objects.values_list("pk", flat=True))
    drafts = [draft for draft in ordered(script, *texts) if draft.pk not in known]
    return [
        (
            draft.status,
            sorted(draft.findings.values_list("code", "severity", "verdict")),
            ReviewItem.objects.filter(candidate=draft, status="waiting").exists(),
        )
        for draft in drafts
    ]


@pytest.mark.parametrize("judge", JUDGES)
def test_two_people_are_needed_whatever_it_says(judge: str, script: Any, settings: Any, rules: Any) -> None:
    if (options := JUDGES[judge]) is not None:
        accuser(settings, **options)
    (draft,) = [one for one in ordered(script, CURE) if one.status in ("in_review", "blocked")]
    if draft.status == "blocked":
        screening.overrule_block(draft, actor=people.senior(), reason="a joke of the brand")
        settling.open_reviews()
    factories.push_tasks()
    maker = people.senior()
    item = handing_out.next_item(maker)
    assert item is not None
    factories.answer(item, maker, verdict="accept", comment="the proof is on file")
    settling.settle_decisions()
    item.refresh_from_db()
    assert item.status == "confirming"
    assert not PublishedCopy.objects.exists()
