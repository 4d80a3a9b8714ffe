"""A trained version serves when the gate let it pass and enough people agree; one action takes it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from audit.models import LedgerEntry
from core.exceptions import PermanentError
from inference import artifacts, resolver
from inference.models import ModelVersion
from tests import factories, people
from training import approvals, registration, registry
from training.models import DatasetSnapshot, EvaluationReport

pytestmark = pytest.mark.django_db


RARE = [
    ["pass", "+4.0 points against the champion"],
    ["people", "negative: too few to rule out a loss, so people decide"],
]


def trained(role: str = "sentiment", *, verdict: str = "pass", reasons: Any = (), **fields: Any) -> EvaluationReport:
    """A version that was trained here, with its report."""
    against = resolver.find(role)
    version = factories.model_version(role, alias=None, dataset_hash="d" * 64, artifact_hash="", **fields)
    snapshot, _ = DatasetSnapshot.objects.get_or_create(
        task="sentiment",
        artifact_hash="d" * 64,
        defaults={"n_train": 1, "n_validation": 1, "n_test": 1, "manifest": {"imported": {}}},
    )
    return EvaluationReport.objects.create(
        version=version, snapshot=snapshot, against=against, gate_version="1", verdict=verdict, reasons=list(reasons)
    )


def champion(role: str = "sentiment") -> ModelVersion:
    return resolver.resolve(role)


def test_where_nobody_has_to_agree_a_pass_serves_at_once_and_is_taken_back_in_one_action() -> None:
    before = factories.model_version("sentiment", artifact_hash="")
    report = trained()
    moved = registry.promote_if_passed(report)
    assert moved is not None
    assert (moved.name, champion()) == ("champion", report.version)
    registry.roll_back("sentiment", actor=people.ml_engineer(), reason="it is too harsh")
    assert champion() == before
    assert LedgerEntry.objects.filter(action="inference.alias.moved").count() == 2


@pytest.mark.parametrize("verdict", ["fail", "inconclusive"])
def test_what_did_not_pass_never_serves(verdict: str) -> None:
    before = factories.model_version("sentiment", artifact_hash="")
    report = trained(verdict=verdict)
    moved = registry.promote_if_passed(report)
    assert champion() == before
    assert (moved.name if moved else None) == (None if verdict == "fail" else "challenger")
    with pytest.raises(PermanentError, match="did not pass the gate"):
        registry.promote(report.version, actor=people.ml_engineer(), reason="I like it")
    with pytest.raises(PermanentError, match="did not pass the gate"):
        registry.approve(report.version, actor=people.ml_engineer(), reason="I like it")


def test_where_a_label_is_too_rare_to_judge_a_person_lets_the_model_in_and_never_the_gate() -> None:
    before = factories.model_version("sentiment", artifact_hash="")
    report = trained(verdict="inconclusive", reasons=RARE)
    assert report.asks_people
    moved = registry.promote_if_passed(report)
    assert moved is not None
    assert (moved.name, champion(), approvals.people_needed(report.version)) == ("challenger", before, 1)
    with pytest.raises(PermanentError, match="0 of 1 approvals"):
        registry.promote(report.version, actor=registry.GATE, reason="nobody looked")
    assert approvals.may_replace(report.version)
    with pytest.raises(PermissionDenied):
        registry.approve(report.version, actor=people.senior(), reason="me")
    registry.approve(report.version, actor=people.ml_engineer(), reason="read all the negative ones")
    assert champion() == report.version


@pytest.mark.parametrize("other", ["inconclusive", "fail"])
def test_what_else_is_in_doubt_is_not_for_people_to_overlook(other: str) -> None:
    factories.model_version("sentiment", artifact_hash="")
    report = trained(verdict=other, reasons=[*RARE, [other, "right as often as the champion"]])
    assert not report.asks_people
    assert not approvals.may_replace(report.version)
    with pytest.raises(PermanentError, match="did not pass the gate"):
        registry.approve(report.version, actor=people.ml_engineer(), reason="I like it")


def test_a_first_model_with_a_rare_label_is_let_in_by_a_person_by_name() -> None:
    report = trained("validity", verdict="inconclusive", reasons=RARE)
    assert registry.promote_if_passed(report) is not None
    assert resolver.find("validity") is None
    registry.promote_or_approve(report.version, actor=people.ml_engineer(), reason="it is a start")
    assert champion("validity") == report.version


def test_what_was_left_to_people_against_another_champion_is_measured_again() -> None:
    factories.model_version("sentiment", artifact_hash="")
    report = trained(verdict="inconclusive", reasons=RARE)
    factories.model_version("sentiment", artifact_hash="")
    assert not approvals.may_replace(report.version)
    with pytest.raises(PermanentError, match="serves now"):
        registry.approve(report.version, actor=people.ml_engineer(), reason="read them")


def test_a_trained_version_that_was_not_measured_never_serves() -> None:
    version = factories.model_version("sentiment", alias=None, dataset_hash="d" * 64, artifact_hash="")
    with pytest.raises(PermanentError, match="was not measured"):
        registry.promote(version, actor=people.ml_engineer(), reason="in a hurry")


def test_a_copywriter_needs_two_people() -> None:
    factories.model_version("copywriter", artifact_hash="")
    report = trained("copywriter")
    moved = registry.promote_if_passed(report)
    assert moved is not None
    assert moved.name == "challenger"
    one, two = people.ml_engineer(), people.ml_engineer()
    with pytest.raises(PermanentError, match="0 of 2 approvals"):
        registry.promote(report.version, actor=one, reason="now")
    with pytest.raises(PermanentError, match="needs a reason"):
        registry.approve(report.version, actor=one, reason=" ")
    assert registry.approve(report.version, actor=one, reason="fewer invented claims") is None
    with pytest.raises(PermanentError, match="approved this version already"):
        registry.approve(report.version, actor=one, reason="once more")
    for person in (people.reviewer(), people.senior(), people.auditor()):
        with pytest.raises(PermissionDenied):
            registry.approve(report.version, actor=person, reason="me too")
    assert champion("copywriter") != report.version
    registry.approve(report.version, actor=two, reason="read forty of them")
    assert champion("copywriter") == report.version


def test_a_champion_that_moved_on_meanwhile_is_not_replaced_unseen() -> None:
    factories.model_version("sentiment", artifact_hash="")
    report = trained()
    newer = factories.model_version("sentiment", artifact_hash="")
    moved = registry.promote_if_passed(report)
    assert moved is not None
    assert (moved.name, moved.version, champion()) == ("challenger", report.version, newer), (
        "nothing is said of this one"
    )
    with pytest.raises(
        PermanentError, match=r"was measured against sentiment v1 .* and sentiment v3 .* serves now.*--from-run"
    ):
        registry.promote(report.version, actor=people.ml_engineer(), reason="it passed")
    assert champion() == newer
    EvaluationReport.objects.create(
        version=report.version, snapshot=report.snapshot, against=newer, gate_version="1", verdict="pass"
    )
    registry.promote(report.version, actor=people.ml_engineer(), reason="it passed here, too")
    assert champion() == report.version


def test_people_do_not_approve_what_was_measured_against_another_champion() -> None:
    factories.model_version("copywriter", artifact_hash="")
    report = trained("copywriter")
    registry.promote_if_passed(report)
    registry.approve(report.version, actor=people.ml_engineer(), reason="read twenty")
    newer = factories.model_version("copywriter", artifact_hash="")
    for _ in range(2):
        with pytest.raises(PermanentError, match=r"copywriter v3 .* serves now"):
            registry.approve(report.version, actor=people.ml_engineer(), reason="read forty")
    assert report.version.approvals.count() == 1
    assert champion("copywriter") == newer


def test_what_served_before_serves_again_without_another_report() -> None:
    factories.model_version("sentiment", artifact_hash="")
    first = trained()
    registry.promote_if_passed(first)
    second = trained(options={"another": 1})
    registry.promote_if_passed(second)
    engineer = people.ml_engineer()
    registry.promote(first.version, actor=engineer, reason="by name")
    assert champion() == first.version
    registry.roll_back("sentiment", actor=engineer, reason="not that bad")
    assert champion() == second.version
    registry.roll_back("sentiment", actor=engineer, reason="it is")
    assert champion() == first.version


def test_a_report_that_is_considered_again_changes_nothing() -> None:
    factories.model_version("sentiment", artifact_hash="")
    report = trained()
    registry.promote_if_passed(report)
    assert registry.promote_if_passed(report) is None, "its worker died before it noted that it was done"
    assert champion() == report.version
    assert resolver.find("sentiment", alias="challenger") is None


def test_after_a_roll_back_a_person_lets_the_next_one_in() -> None:
    before = factories.model_version("sentiment", artifact_hash="")
    first = trained()
    registry.promote_if_passed(first)
    registry.roll_back("sentiment", actor=people.ml_engineer(), reason="it is too harsh")
    assert registry.promote_if_passed(first) is not None
    assert champion() == before, "the gate finds what it found before, and a person did not want it"
    second = trained(options={"another": 1})
    assert approvals.people_needed(second.version) == 1
    moved = registry.promote_if_passed(second)
    assert moved is not None
    assert moved.name == "challenger"
    registry.approve(second.version, actor=people.ml_engineer(), reason="this one is not")
    assert (champion(), approvals.people_needed(second.version)) == (second.version, 0)


def test_a_champion_that_came_while_it_trained_is_not_replaced_unmeasured() -> None:
    report = trained()
    assert report.against is None
    meanwhile = factories.model_version("sentiment", artifact_hash="")
    moved = registry.promote_if_passed(report)
    assert moved is not None
    assert (moved.name, champion()) == ("challenger", meanwhile)


def test_what_was_trained_here_needs_its_report_under_any_other_name() -> None:
    factories.model_version("sentiment", artifact_hash="")
    report = trained(verdict="fail")
    ModelVersion.objects.filter(pk=report.version.pk).update(artifact_hash="a" * 64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("inference.artifacts.verify", lambda folder: None)
        patch.setattr("inference.artifacts.path_for", lambda stored: Path())
        again = ModelVersion(
            role="sentiment", name="mine", backend="sequence_classifier", locales=["zh-Hans"], artifact_hash="a" * 64
        )
        again = registry.register(again, actor=people.ml_engineer())
        assert again != report.version
        with pytest.raises(PermanentError, match="was not measured"):
            registry.promote(again, actor=people.ml_engineer(), reason="I like it")


def test_what_was_trained_here_needs_its_report_when_its_folder_is_brought_in_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text("{}")
    stored = artifacts.store_directory(tmp_path, created_from={"snapshot": "d" * 64})
    champion_before = factories.model_version("copywriter", artifact_hash="")
    report = trained("copywriter", verdict="fail")
    ModelVersion.objects.filter(pk=report.version.pk).update(artifact_hash=stored)
    monkeypatch.setattr(registration, "smoke_test", lambda version: None)
    engineer = people.ml_engineer()

    def bring_in(folder: Path, locale: str) -> ModelVersion:
        source = registration.Source(location=str(folder), role="copywriter", locales=[locale])
        return registration.register_source(source, actor=engineer)

    assert bring_in(artifacts.path_for(stored), "en") == report.version, "it is what it was"
    again = bring_in(artifacts.path_for(stored), "zh-Hans")
    assert (again.artifact_hash, again.dataset_hash) == (stored, report.version.dataset_hash)
    for version in (report.version, again):
        with pytest.raises(PermanentError, match=r"did not pass the gate|was not measured"):
            registry.promote(version, actor=engineer, reason="I like it")
    assert champion("copywriter") == champion_before
    (tmp_path / "config.json").write_text('{"another": true}')
    assert bring_in(tmp_path, "en").dataset_hash == "", "other files are another model"
