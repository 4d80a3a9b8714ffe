"""Drafts that keep to the facts: finished by the plan, with how they came about, and written again to the letter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.actors import SystemActor
from inference.contracts import CopyBrief, Fact, Prompt
from inference.models import ModelVersion
from inference.writing import limits
from moderation.drafting import generation, ordering, reproduction
from moderation.drafting.writing import FactJudge, messages_for, prompt_for
from moderation.models.candidates import Candidate
from tests import factories
from tests.moderation.conftest import GOOD

pytestmark = pytest.mark.django_db
Script = Callable[..., ModelVersion]
PARTLY = "Harbour mug 1 is a stoneware mug. It holds 900 ml."


def drafted(script: Script, *texts: str, **options: Any) -> Candidate:
    script(*texts, **options)
    asked = {"channels": ["description"], "locales": ["en"], "actor": SystemActor("tests"), "n_candidates": 1}
    ordering.request_copy([factories.product()], **asked)  # type: ignore[arg-type]
    generation.drain_generation()
    return Candidate.objects.get()


def test_a_draft_has_no_claim_without_a_fact_and_tells_its_plan(script: Script) -> None:
    draft = drafted(script, PARTLY, constrained=True)
    assert draft.text == "Harbour mug 1 is a stoneware mug. It holds 350 ml and comes in sea green."
    assert draft.params["constraints"] == limits.VERSION
    assert draft.params["writing"] == {
        "plan": ["material", "capacity", "colour"],
        "plainly": ["capacity", "colour"],
        "dropped": 1,
        "tries": 1,
    }


def test_a_good_draft_stays_as_it_is(script: Script) -> None:
    draft = drafted(script, GOOD, constrained=True)
    assert draft.text == GOOD
    assert draft.params["writing"]["plainly"] == []


def test_it_is_asked_for_again_as_often_as_the_model_says(script: Script) -> None:
    draft = drafted(script, PARTLY, constrained=True, tries=3)
    assert draft.params["writing"]["tries"] == 3


@pytest.mark.parametrize("by", ["setting", "option"])
def test_it_can_be_switched_off(script: Script, settings: Any, by: str) -> None:
    script()
    settings.INFERENCE = replace(settings.INFERENCE, constrained=by != "setting")
    draft = drafted(script, PARTLY, constrained=by != "option")
    assert draft.text == PARTLY
    assert draft.params["constraints"] == 0
    assert "writing" not in draft.params


@pytest.mark.parametrize("is_constrained", [True, False])
def test_a_draft_is_made_again_to_the_letter(script: Script, is_constrained: bool) -> None:
    draft = drafted(script, PARTLY, constrained=is_constrained)
    assert reproduction.prompt_of(draft).is_same
    assert reproduction.reproduce(draft).is_same


def test_a_draft_within_limits_of_another_version_is_not_said_to_be_the_same(script: Script) -> None:
    draft = drafted(script, PARTLY, constrained=True)
    draft.params["constraints"] = limits.VERSION + 1
    assert "older version" in reproduction.reproduce(draft).words


def test_what_is_asked_and_what_is_learned_from_are_the_same(settings: Any) -> None:
    facts = [Fact("weight", "350 g"), Fact("material", "oak"), Fact("ASIN", "B0711BVG2Z")]
    brief = CopyBrief("ad_slogan", "en", "Oak Spoon", facts=facts)
    prompt = prompt_for(brief, constraints=limits.VERSION)
    assert isinstance(prompt, Prompt)
    assert list(prompt) == messages_for(brief)
    assert "oak" not in prompt[-1].content
    settings.INFERENCE = replace(settings.INFERENCE, constrained=False)
    assert messages_for(brief) == prompt_for(brief, constraints=0) != list(prompt)


def test_the_judge_knows_what_is_told() -> None:
    facts = [Fact("weight", "350 g"), Fact("colour", "sea green"), Fact("dishwasher safe", "yes"), Fact("lids", "2")]
    judge = FactJudge(CopyBrief("description", "en", "Mug", facts=facts))
    assert judge.untold("A sea green mug of 350 grams with 2 lids; it is dishwasher safe.", facts) == []
    assert [fact.name for fact in judge.untold("A mug of 35 g in sea blue.", facts)] == [fact.name for fact in facts]
    assert judge.faults("It weighs 360 g.")
    assert not judge.faults("It weighs 350 g.")
