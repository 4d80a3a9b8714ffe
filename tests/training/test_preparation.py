"""The models that ship: prepared once, and nothing to do the second time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.model_store import PreparedModels
from training import preparation

pytestmark = [pytest.mark.model, pytest.mark.django_db]


def test_preparing_makes_a_champion_for_each_role(prepared_models: PreparedModels) -> None:
    assert prepared_models.champions == {
        "copywriter": "SmolLM2-135M-Instruct",
        "encoder": "all-MiniLM-L6-v2",
        "review_safety": "word-list-safety",
        "sentiment": "cold-start-sentiment",
    }


def test_preparing_again_does_nothing_within_a_second(prepared_models: PreparedModels) -> None:
    assert (prepared_models.n_first, prepared_models.n_second) == (4, 0)
    assert prepared_models.seconds_second < 1


def test_preparing_writes_the_ledger(prepared_models: PreparedModels) -> None:
    assert prepared_models.ledger_actions.count("inference.model.registered") == 4
    assert prepared_models.ledger_actions.count("inference.alias.moved") == 4


def test_the_copywriter_no_longer_needs_the_gguf_file(prepared_models: PreparedModels) -> None:
    names = {path.name for path in Path(prepared_models.folders["copywriter"]).iterdir()}
    assert "model.safetensors" in names
    assert not [name for name in names if name.endswith(".gguf")]


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
