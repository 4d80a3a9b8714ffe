"""The registry: numbers, aliases, permissions, and a ledger line for every move."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection

from audit.models import LedgerEntry
from audit.verification import verify
from core.actors import SystemActor
from core.exceptions import PermanentError, StaleState
from inference import artifacts, loader, resolver
from inference.models import ModelAlias, ModelVersion
from tests.people import administrator, auditor, ml_engineer, outsider, reviewer, senior
from training import registry

ME = SystemActor("tests")


def endpoint(name: str = "writer", **fields: Any) -> ModelVersion:
    values: dict[str, Any] = {
        "role": "copywriter",
        "name": name,
        "backend": "openai_compatible",
        "locales": ["en"],
        "options": {"base_url": "http://127.0.0.1:1/v1", "model": name},
    } | fields
    actor = values.pop("actor", ME)
    return registry.register(ModelVersion(**values), actor=actor)


def let_in(version: ModelVersion, last: User) -> None:
    """Let a version serve, as two people, one of them `last`."""
    for person in (ml_engineer(), last):
        registry.approve(version, actor=person, reason="writes better")


def names() -> dict[str, int]:
    return {alias.name: alias.version.number for alias in ModelAlias.objects.select_related("version")}


@pytest.mark.django_db
def test_versions_are_numbered_within_their_role_and_the_same_model_is_recorded_once() -> None:
    assert [endpoint("a").number, endpoint("b").number, endpoint("a").number] == [1, 2, 1]
    assert LedgerEntry.objects.filter(action="inference.model.registered").count() == 2


@pytest.mark.django_db(transaction=True)
def test_versions_registered_at_the_same_time_get_different_numbers() -> None:
    def work(name: str) -> None:
        try:
            endpoint(name)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(f"m{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ModelVersion.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.django_db
def test_a_promotion_moves_the_champion_and_keeps_the_way_back() -> None:
    first, second = endpoint("a"), endpoint("b")
    engineer = ml_engineer()
    registry.promote(first, actor=engineer, reason="first")
    let_in(second, engineer)
    assert names() == {"champion": 2, "previous": 1}
    assert resolver.resolve("copywriter") == second
    registry.roll_back("copywriter", actor=engineer, reason="writes worse")
    assert names() == {"champion": 1, "previous": 2}
    lines = LedgerEntry.objects.filter(action="inference.alias.moved").order_by("seq")
    assert [line.payload["rolled_back"] for line in lines] == [False, False, True]
    assert {line.actor for line in lines} == {f"user:{engineer.pk}"}
    assert verify().is_intact


@pytest.mark.django_db
def test_a_challenger_leaves_the_champion_alone() -> None:
    registry.promote(endpoint("a"), actor=ME, reason="first")
    registry.promote(endpoint("b"), alias="challenger", actor=ME, reason="to compare")
    assert names() == {"champion": 1, "challenger": 2}


@pytest.mark.django_db
def test_a_promotion_against_a_champion_that_changed_meanwhile_is_refused() -> None:
    a, b, c = endpoint("a"), endpoint("b"), endpoint("c")
    registry.promote(a, actor=ME, reason="first")
    let_in(b, ml_engineer())
    with pytest.raises(StaleState):
        registry.promote(c, actor=ME, reason="third", replacing=a)
    assert names() == {"champion": 2, "previous": 1}


@pytest.mark.django_db
def test_moves_that_make_no_sense_are_refused_and_leave_no_line() -> None:
    a = endpoint("a")
    with pytest.raises(PermanentError, match="no previous"):
        registry.roll_back("copywriter", actor=ME, reason="none there")
    registry.promote(a, actor=ME, reason="first")
    before = LedgerEntry.objects.count()
    for alias, reason in (("champion", "again"), ("previous", "by hand"), ("champion", "  ")):
        with pytest.raises(PermanentError):
            registry.promote(a, alias=alias, actor=ME, reason=reason)
    with pytest.raises(PermanentError):
        registry.roll_back("copywriter", actor=ME, reason="no previous")
    assert LedgerEntry.objects.count() == before


@pytest.mark.django_db
@pytest.mark.parametrize("who", [reviewer, senior, auditor, administrator, outsider])
def test_only_an_ml_engineer_touches_the_registry(who) -> None:
    version, other = endpoint("a"), endpoint("b")
    registry.promote(other, actor=ME, reason="first")
    person = who()
    for act in (
        lambda: endpoint("c", actor=person),
        lambda: registry.promote(version, actor=person, reason="mine"),
        lambda: registry.roll_back("copywriter", actor=person, reason="mine"),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert names() == {"champion": 2}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields", [{"role": "poet"}, {"backend": "abacus"}, {"locales": []}, {"artifact_hash": "0" * 64}]
)
def test_a_model_that_could_not_be_served_is_not_registered(fields: dict[str, object]) -> None:
    with pytest.raises(PermanentError):
        endpoint(**fields)
    assert not ModelVersion.objects.exists()


@pytest.mark.django_db
def test_a_version_whose_artefact_was_tampered_with_is_not_registered_and_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    stored = artifacts.store_directory(tmp_path)
    version = ModelVersion.objects.create(role="encoder", number=1, backend="sentence_encoder", artifact_hash=stored)
    (artifacts.path_for(stored) / "model.safetensors").write_bytes(b"WEIGHTS")
    with pytest.raises(PermanentError, match=r"model\.safetensors"):
        endpoint(role="encoder", backend="sentence_encoder", artifact_hash=stored)
    with pytest.raises(PermanentError, match=r"model\.safetensors"):
        loader.build(version)


@pytest.mark.django_db
def test_a_promotion_and_a_roll_back_read_no_artefact(tmp_path: Path) -> None:
    versions = []
    for name in (b"one", b"two"):
        (tmp_path / "model.safetensors").write_bytes(name)
        stored = artifacts.store_directory(tmp_path)
        versions.append(endpoint(role="encoder", backend="sentence_encoder", artifact_hash=stored, options={}))
        for file in artifacts.path_for(stored).iterdir():
            file.write_bytes(b"whoever reads this raises")
    registry.promote(versions[0], actor=ME, reason="first")
    registry.promote(versions[1], alias="challenger", actor=ME, reason="second")
    ModelAlias.objects.create(role="encoder", name="previous", version=versions[1])
    registry.roll_back("encoder", actor=ME, reason="it was better")
    assert resolver.resolve("encoder") == versions[1]


@pytest.mark.django_db
def test_a_version_whose_files_are_gone_is_not_promoted() -> None:
    version = ModelVersion.objects.create(role="encoder", number=1, backend="sentence_encoder", artifact_hash="0" * 64)
    with pytest.raises(PermanentError, match="not in the store any more"):
        registry.promote(version, actor=ME, reason="first")
    assert not ModelAlias.objects.exists()
