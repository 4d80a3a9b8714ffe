"""A run that is repeated, or goes on: with what it began with, whatever was moved or changed meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from catalog.models import CustomerReview
from core.refs import keys_of
from inference import artifacts
from inference.models import ModelVersion
from labeling.models import Label, LabelIssue
from tests import factories
from tests.model_store import tiny_bert
from tests.training.shop import KIND, label_reviews, train
from training import recipes, snapshots

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("alone")]


def test_a_label_doubted_meanwhile_is_left_out_of_the_next_run_alone(guessing: ModelVersion) -> None:
    label_reviews(200)
    first = train()
    doubted = snapshots.read(first.snapshot, "train")[0].subject
    LabelIssue.objects.create(question=KIND, subject=doubted, given="positive", score=0.1, methods=["loss"])
    again = train(like=first)
    assert again.snapshot == first.snapshot, "a run that is repeated uses the snapshot it named"
    assert again.version == first.version, "and comes to the same model"
    later = train()
    assert later.snapshot.manifest["excluded"] == {"open label issue": 1}


def test_a_run_is_repeated_on_the_base_it_had_whatever_serves_by_now(
    guessing: ModelVersion, base: ModelVersion, tmp_path: Path
) -> None:
    label_reviews(160)
    first = train({"method": "head", "max_tokens": 32})
    other = tiny_bert(tmp_path / "other", labels=("a", "b"))
    factories.model_version("encoder", artifact_hash=artifacts.store_directory(other))
    again = train(like=first)
    assert (again.version, again.environment["base"]) == (first.version, base.artifact_hash)
    assert train({"method": "head", "max_tokens": 32}).version != first.version


def test_a_repeated_run_keeps_the_parts_it_kept_and_is_measured_against_the_champion_of_now(
    guessing: ModelVersion, tmp_path: Path
) -> None:
    label_reviews(300)
    first = train()
    again = train(like=first)
    folder = tiny_bert(tmp_path / "another", labels=("negative", "positive", "neutral"))
    newer = factories.model_version("sentiment", artifact_hash=artifacts.store_directory(folder), locales=["en"])
    for like in (first, again):
        once_more = train(like=like)
        assert (once_more.version, once_more.champion) == (first.version, newer)


def test_a_repeated_run_does_what_the_first_one_came_to_whatever_is_the_default_by_now(
    guessing: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    label_reviews(200)
    first = train({"method": "auto", "epochs": 1, "max_tokens": 32})
    assert first.version.card["parts"]["other"]["method"] == "lora"
    monkeypatch.setattr(recipes, "LORA_BELOW", 10)
    again = train(like=first)
    assert again.version == first.version
    assert train(like=again).version == first.version
    assert train({"method": "auto", "epochs": 1, "max_tokens": 32}).version.card["parts"]["other"]["method"] == "full"


def test_a_repeated_run_knows_the_labels_that_its_snapshot_knows(
    guessing: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    label_reviews(300)
    first = train()
    monkeypatch.setattr(snapshots, "labels_of", lambda task: ["negative", "positive"])
    again = train(like=first)
    assert (again.status, again.version) == ("succeeded", first.version), again.last_error


def test_a_run_stays_with_the_base_it_began_with_when_the_folder_it_names_changes(
    guessing: ModelVersion, tmp_path: Path
) -> None:
    label_reviews(160)
    named = tiny_bert(tmp_path / "named")
    recipe = {"method": "head", "max_tokens": 32, "base": str(named)}
    first = train(recipe)
    (named / "README.md").write_text("another model lies here by now")
    again = train(like=first)
    assert (again.version, again.environment["base"]) == (first.version, first.environment["base"])
    assert train(recipe).environment["base"] != first.environment["base"]


def test_the_command_says_what_of_a_snapshot_would_be_left_out_today(guessing: ModelVersion, capsys: Any) -> None:
    label_reviews(200)
    first = train()
    subjects = [row.subject for row in snapshots.read(first.snapshot, "train")]
    call_command("train", "--from-run", str(first.pk), "--here")
    assert "left out today" not in capsys.readouterr().out
    LabelIssue.objects.create(question=KIND, subject=subjects[0], given="positive", score=0.1, methods=["loss"])
    CustomerReview.objects.filter(pk__in=keys_of(subjects[1:3], CustomerReview)).delete()
    Label.objects.filter(subject=subjects[3]).delete()
    call_command("train", "--from-run", str(first.pk), "--here")
    out = capsys.readouterr().out
    assert "  2 of its examples would be left out today (erased)" in out
    assert "  1 of its examples would be left out today (nobody stands by it any more)" in out
    assert "  1 of its examples would be left out today (open label issue)" in out
