"""A champion does not change on the labels of a file alone: a named person lets it in, and not who brought the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.actors import COMMAND_LINE
from core.exceptions import PermanentError
from inference import resolver
from inference.models import ModelVersion
from labeling.models import Label
from moderation.label_exchange.approving import approve_raters
from moderation.label_exchange.importing import source_of
from tests import factories, people
from tests.moderation.imported_raters import FLIPPED, answer_ourselves, bring, said, truth
from tests.training.shop import label_reviews
from training import approvals, consent, registry, snapshots
from training.models import DatasetSnapshot, EvaluationReport

pytestmark = pytest.mark.django_db


def passed(snapshot: DatasetSnapshot) -> EvaluationReport:
    """A version that learnt from `snapshot`, which the gate let pass."""
    version = factories.model_version("sentiment", alias=None, artifact_hash="", dataset_hash=snapshot.artifact_hash)
    return EvaluationReport.objects.create(
        version=version, snapshot=snapshot, against=resolver.find("sentiment"), gate_version="1", verdict="pass"
    )


def frozen(*, imported: int, source: str = "import:7", min_test: int, settings: Any) -> DatasetSnapshot:
    """A snapshot of 200 labels, of each three so many from a file."""
    settings.TRAINING = replace(settings.TRAINING, gate={**settings.TRAINING.gate, "min_test": min_test})
    subjects = label_reviews(200)
    chosen = [subject for number, subject in enumerate(subjects) if number % 3 < imported]
    Label.objects.filter(subject__in=chosen).update(source=source)
    return snapshots.freeze("sentiment", actor=people.ml_engineer())


def test_labels_of_our_own_people_let_the_gate_decide_alone(settings: Any) -> None:
    before = factories.model_version("sentiment", artifact_hash="")
    report = passed(frozen(imported=0, min_test=20, settings=settings))
    assert (consent.reasons(report.version), approvals.people_needed(report.version)) == ([], 0)
    registry.promote_if_passed(report)
    assert resolver.resolve("sentiment") == report.version != before


@pytest.mark.parametrize("imported", [2, 3])
def test_labels_of_files_that_decide_ask_for_a_named_person(imported: int, settings: Any) -> None:
    before = factories.model_version("sentiment", artifact_hash="")
    snapshot = frozen(imported=imported, min_test=20, settings=settings)
    held = snapshot.imported
    assert held is not None
    assert held["train"]["import:7"] > snapshot.n_train / 2
    report = passed(snapshot)
    assert "have a label that came from a file" in " ".join(consent.reasons(report.version))
    registry.promote_if_passed(report)
    assert resolver.resolve("sentiment") == before
    with pytest.raises(PermanentError, match="0 of 1 approvals"):
        registry.promote(report.version, actor=COMMAND_LINE, reason="the gate let it pass")
    registry.approve(report.version, actor=people.ml_engineer(), reason="I know the file")
    assert resolver.resolve("sentiment") == report.version


def test_a_third_of_them_does_not_decide_but_a_test_part_without_enough_of_ours_does(settings: Any) -> None:
    snapshot = frozen(imported=1, min_test=100, settings=settings)
    version = passed(snapshot).version
    ours = snapshot.n_test - sum(snapshot.imported["test"].values())  # type: ignore[index]
    why = f"our own people labelled {ours} of its test texts, and the gate needs 100"
    assert consent.reasons(version) == [why]
    settings.TRAINING = replace(settings.TRAINING, gate={**settings.TRAINING.gate, "min_test": 20})
    assert consent.reasons(version) == []


def test_flipped_labels_do_not_replace_the_champion_by_themselves(tmp_path: Path, settings: Any) -> None:
    """Made-up raters, more of them than anybody asked here, all of one mind: the gate's pass is not enough."""
    settings.TRAINING = replace(settings.TRAINING, gate={**settings.TRAINING.gate, "min_test": 20})
    before, mallory = factories.model_version("sentiment", artifact_hash=""), people.ml_engineer()
    run = bring(tmp_path / "x.jsonl", said(150, "gpt-4o", "ann", says=lambda i: FLIPPED[truth(i)]), actor=mallory)
    report = passed(snapshots.freeze("sentiment", actor=mallory))
    for act in (
        lambda: approve_raters(run, reason="ours", actor=people.senior()),
        lambda: registry.promote(report.version, actor=mallory, reason="it passed"),
        lambda: registry.approve(report.version, actor=mallory, reason="it passed"),
    ):
        with pytest.raises(PermanentError):
            act()
    registry.promote_if_passed(report)
    assert resolver.resolve("sentiment") == before


def test_approved_raters_let_in_no_champion_alone_and_who_brought_them_is_not_the_one_to_say(tmp_path: Path) -> None:
    factories.model_version("sentiment", artifact_hash="")
    bringer, one = people.ml_engineer(), people.ml_engineer()
    run = bring(tmp_path / "x.jsonl", said(150, "ann"), actor=bringer)
    answer_ourselves(24)
    approve_raters(run, reason="Ann", actor=people.senior())
    snapshot = snapshots.freeze("sentiment", actor=one)
    assert snapshot.imported["train"] == {source_of(run): snapshot.n_train}  # type: ignore[index]
    report = passed(snapshot)
    assert approvals.people_needed(report.version) == 1
    assert consent.brought_by(report.version) == [bringer]
    with pytest.raises(PermanentError, match="you had a part in it"):
        registry.approve(report.version, actor=bringer, reason="I know the file")
    with pytest.raises(PermanentError, match="you had a part in it"):
        registry.promote_or_approve(report.version, actor=bringer, reason="I know the file")
    registry.approve(report.version, actor=one, reason="read forty of them")
    assert resolver.resolve("sentiment") == report.version


def test_the_first_champion_of_all_is_no_exception(settings: Any) -> None:
    report = passed(frozen(imported=3, min_test=20, settings=settings))
    registry.promote_if_passed(report)
    assert resolver.find("sentiment") is None
    with pytest.raises(PermanentError, match="0 of 1 approvals"):
        registry.promote_or_approve(report.version, actor=COMMAND_LINE, reason="nobody serves yet")
    registry.promote_or_approve(report.version, actor=people.ml_engineer(), reason="I know the file")
    assert resolver.resolve("sentiment") == report.version


def test_a_snapshot_from_before_this_was_counted_asks_for_a_person(settings: Any) -> None:
    snapshot = frozen(imported=0, min_test=20, settings=settings)
    DatasetSnapshot.objects.filter(pk=snapshot.pk).update(manifest={})
    snapshot.refresh_from_db()
    assert consent.reasons(passed(snapshot).version) == ["nobody knows how many of its labels came from files"]
    copy = DatasetSnapshot.objects.create(task="copy", artifact_hash="c" * 64, n_train=1, n_validation=1, n_test=1)
    version = factories.model_version("copywriter", alias=None, artifact_hash="", dataset_hash=copy.artifact_hash)
    assert consent.reasons(version) == [], "no other labels come from files"


def test_a_version_whose_snapshot_is_gone_is_judged_by_its_report_as_before() -> None:
    version: ModelVersion = factories.model_version("sentiment", alias=None, artifact_hash="", dataset_hash="e" * 64)
    assert consent.reasons(version) == []


def test_whoever_brought_votes_in_has_a_part_though_a_later_file_had_the_last_word(tmp_path: Path) -> None:
    factories.model_version("sentiment", artifact_hash="")
    first, last, one = people.ml_engineer(), people.ml_engineer(), people.ml_engineer()
    bring(tmp_path / "x.jsonl", said(150, "ann", "bob"), actor=first)
    bring(tmp_path / "y.jsonl", said(150, "carl"), actor=last)
    version = passed(snapshots.freeze("sentiment", actor=one)).version
    for actor in (first, last):
        with pytest.raises(PermanentError, match="you had a part in it"):
            registry.approve(version, actor=actor, reason="I know the file")
    registry.approve(version, actor=one, reason="read forty of them")
    assert resolver.resolve("sentiment") == version


def test_where_a_command_named_nobody_who_brought_the_labels_two_people_let_it_in(tmp_path: Path) -> None:
    before = factories.model_version("sentiment", artifact_hash="")
    bring(tmp_path / "x.jsonl", said(150, "ann"), actor=COMMAND_LINE)
    version = passed(snapshots.freeze("sentiment", actor=people.ml_engineer())).version
    assert "named nobody" in consent.reasons(version)[-1]
    assert registry.approve(version, actor=people.ml_engineer(), reason="mine, perhaps") is None
    assert resolver.resolve("sentiment") == before
    registry.approve(version, actor=people.ml_engineer(), reason="I know the file")
    assert resolver.resolve("sentiment") == version


def test_of_a_snapshot_that_does_not_name_its_files_nobody_approves_who_brought_labels_in(tmp_path: Path) -> None:
    factories.model_version("sentiment", artifact_hash="")
    bringer, later = people.ml_engineer(), people.ml_engineer()
    bring(tmp_path / "x.jsonl", said(150, "ann"), actor=bringer)
    snapshot = snapshots.freeze("sentiment", actor=bringer)
    old = {name: value for name, value in snapshot.manifest.items() if name not in ("imported", "files", "closest")}
    DatasetSnapshot.objects.filter(pk=snapshot.pk).update(manifest=old)
    bring(tmp_path / "y.jsonl", said(3, "bob", first=200), actor=later)
    version = passed(DatasetSnapshot.objects.get(pk=snapshot.pk)).version
    with pytest.raises(PermanentError, match="you had a part in it"):
        registry.approve(version, actor=bringer, reason="it is from before")
    registry.approve(version, actor=later, reason="read forty of them")
    assert resolver.resolve("sentiment") == version
