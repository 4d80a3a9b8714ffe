"""From decisions on copy to a copywriter that two people let serve; and back again after a crash on the way."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.actors import SystemActor
from inference import artifacts, loader, resolver
from inference.models import ModelVersion
from labeling import examples
from moderation.models.reviews import Decision
from tests import factories, people
from tests.model_store import tiny_llama
from tests.training import judged
from tests.training.copy_shop import BAD, GOOD, QUICK, decide_copy, writes
from training import curation, partition, pipeline, registry, runs, snapshots, triggers
from training.evaluation import copy_runner, smoke
from training.models import EvaluationReport, TrainingRun

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("copywriters")


@pytest.fixture
def careless(models: Path) -> ModelVersion:
    """The champion invents a material and a weight in each text."""
    return writes(BAD, models / "bad")


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the process of its own that each new model is tried in; the first test has it, a warm one."""
    monkeypatch.setattr(smoke, "writes_alone", lambda *given: "")


def train(recipe: dict[str, Any] | None = None, **more: Any) -> TrainingRun:
    run, _ = runs.plan(
        "copy", reason="for a test", actor=people.ml_engineer(), recipe={**QUICK, **(recipe or {})}, **more
    )
    assert pipeline.run_next()
    run.refresh_from_db()
    return run


@pytest.mark.slow("a copywriter is trained, and compared over a test set")
@pytest.mark.usefixtures("warm_process")
def test_a_better_copywriter_is_trained_measured_and_let_in_by_two_people(careless: ModelVersion) -> None:
    decide_copy(200)
    run = train({"preference_rate": 1e-4})
    assert (run.status, run.last_error) == ("succeeded", "")
    report = EvaluationReport.objects.get()
    assert report.verdict == "pass", report.reasons
    assert set(run.version.card["parts"]) == {"imitation", "preference"}
    assert (run.version.role, run.version.backend, run.version.locales) == ("copywriter", "causal_lm", ["en"])
    assert (run.version.base_hash, run.version.dataset_hash) == (careless.artifact_hash, run.snapshot.artifact_hash)
    assert report.metrics["champion"]["unsupported"]["value"] == 1
    assert report.metrics["new"]["unsupported"]["value"] == 0
    assert report.metrics["new"]["rouge_l"]["value"] > report.metrics["champion"]["rouge_l"]["value"]
    assert report.metrics["comparison"]["unsupported_claims"]["high"] < 0
    assert report.metrics["samples"][0]["new"] == GOOD
    assert 0 < report.metrics["new"]["n_human"] < report.metrics["new"]["n"], "fixes alone"
    assert {(row["by"], row["value"]) for row in report.metrics["by_slice"]["new"]} >= {
        ("language", "en"),
        ("channel", "description"),
        ("category", "Kitchen"),
    }
    page = Client()
    page.force_login(people.auditor())
    shown = page.get(reverse("console:training_run", args=[run.pk])).content.decode()
    assert "Claims without a fact, a text, by slice" in shown
    assert "channel: description" in shown
    assert {entry[0] for entry in run.history} == {"imitation", "preference"}
    card = (artifacts.root() / f"{run.version.artifact_hash}.card.md").read_text()
    assert "claims no fact backs" in card
    assert resolver.resolve("copywriter") == careless, "people have to agree"
    assert resolver.resolve("copywriter", alias="challenger") == run.version
    for _ in range(2):
        registry.approve(run.version, actor=people.ml_engineer(), reason="read twelve of them")
    assert resolver.resolve("copywriter") == run.version
    # The next one starts from the base again, not from this one.
    decide_copy(10, seed=2)
    again = train({"preferences": False})
    assert (again.champion, again.version.base_hash) == (run.version, careless.artifact_hash)
    assert set(again.version.card["parts"]) == {"imitation"}


@pytest.mark.usefixtures("no_process")
def test_a_worse_copywriter_does_not_get_in(models: Path) -> None:
    champion = writes(GOOD, models / "good")
    decide_copy(200, good=BAD, fixed=1000)
    train({"base": str(tiny_llama(models / "fresh")), "preferences": False})
    report = EvaluationReport.objects.get()
    assert report.verdict == "fail", report.reasons
    assert resolver.resolve("copywriter") == champion
    assert resolver.find("copywriter", alias="challenger") is None


@pytest.mark.usefixtures("no_process")
def test_a_better_copywriter_is_not_turned_down_for_being_unlike_the_champions_own_drafts(models: Path) -> None:
    better, careless = writes(GOOD, models / "good"), writes(BAD, models / "bad")
    decide_copy(200, good=BAD, fixed=1000)
    snapshot = snapshots.freeze("copy", actor=people.ml_engineer())
    ModelVersion.objects.filter(pk=better.pk).update(dataset_hash=snapshot.artifact_hash)
    better.refresh_from_db()
    report = judged.evaluate(copy_runner, better, snapshot, champion=careless)
    assert report.verdict == "pass", report.reasons
    assert [words for verdict, words in report.reasons if verdict == "note"] == [
        "people wrote a text of their own for 0 products: too few to tell how far from such texts it is, 15 are needed"
    ]
    assert (report.metrics["new"]["n_human"], "edit_distance" in report.metrics["new"]) == (0, False)
    assert report.metrics["samples"][0]["human"] == BAD, "what was let out is read all the same"
    # Two fixes are measured, and too few to judge by.
    decide_copy(30, good=GOOD, bad=BAD, fixed=3, seed=2)
    few = snapshots.freeze("copy", actor=people.ml_engineer())
    ModelVersion.objects.filter(pk=better.pk).update(dataset_hash=few.artifact_hash)
    better.refresh_from_db()
    second = judged.evaluate(copy_runner, better, few, champion=careless)
    assert second.verdict == "pass", second.reasons
    assert 0 < second.metrics["new"]["n_human"] < 15
    assert second.metrics["new"]["edit_distance"]["value"] == 0
    assert second.metrics["champion"]["edit_distance"]["value"] > 0


@pytest.mark.usefixtures("no_process")
def test_few_fixes_are_imitated_alone_and_few_products_prove_nothing(careless: ModelVersion) -> None:
    decide_copy(80, fixed=10)
    run = train()
    assert set(run.version.card["parts"]) == {"imitation"}
    report = EvaluationReport.objects.get()
    assert report.verdict == "inconclusive"
    assert any("products are too few" in words for _, words in report.reasons)


def test_too_little_copy_says_what_is_missing(careless: ModelVersion) -> None:
    decide_copy(20)
    run = train()
    assert run.status == "failed"
    assert "too few to train on" in run.last_error


@pytest.mark.usefixtures("no_process")
def test_only_languages_that_the_base_writes_are_learnt(careless: ModelVersion, models: Path) -> None:
    decide_copy(60, fixed=1000)
    decide_copy(10, fixed=1000, seed=3, good="蓝色杯子容量 350 ml。", locale="zh-Hans")
    run = train({"preferences": False})
    assert run.version.locales == ["en"]
    assert run.version.card["parts"]["imitation"]["n_train"] < run.snapshot.n_train
    ModelVersion.objects.filter(pk=careless.pk).update(locales=["en", "zh-Hans"])
    TrainingRun.objects.all().delete()
    again = train({"preferences": False})
    assert again.version.locales == ["en", "zh-Hans"]


@pytest.mark.usefixtures("no_process")
def test_what_the_champion_wrote_besides_is_told(careless: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=careless.pk).update(locales=["en", "zh-Hans"])
    decide_copy(60, fixed=1000)
    train({"preferences": False})
    assert [
        "note",
        "it writes en; copy in zh-Hans, which the champion writes, would be refused",
    ] in EvaluationReport.objects.get().reasons


def test_a_fix_carries_the_draft_that_it_fixed_and_the_brief(careless: ModelVersion) -> None:
    decide_copy(4, fixed=2)
    found = [item for item in curation.collect("copy") if isinstance(item, examples.Example)]
    pairs = Counter((item.fields["completion"], item.fields.get("rejected")) for item in found)
    assert pairs == {(GOOD, BAD): 2, (GOOD, None): 2}
    brief = found[0].fields["brief"]
    assert (brief["channel"], brief["locale"]) == ("description", "en")
    assert {fact["name"]: fact["value"] for fact in brief["facts"]} == {"colour": "blue", "capacity": "350 ml"}


@pytest.mark.usefixtures("no_process")
def test_a_run_that_stumbled_keeps_the_stage_that_was_done(
    careless: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide_copy(80, fixed=2)
    from training.trainers import copywriter

    calls: list[str] = []
    imitate, prefer = copywriter.imitate, copywriter.prefer

    def counted(*args: Any, **more: Any) -> Any:
        calls.append("imitate")
        return imitate(*args, **more)

    def stumbles(*args: Any, **more: Any) -> Any:
        calls.append("prefer")
        if calls.count("prefer") == 1:
            raise RuntimeError("the disk hiccuped")
        return prefer(*args, **more)

    monkeypatch.setattr(copywriter, "imitate", counted)
    monkeypatch.setattr(copywriter, "prefer", stumbles)
    run, _ = runs.plan("copy", reason="x", actor=people.ml_engineer(), recipe=dict(QUICK))
    pipeline.run_next()
    run.refresh_from_db()
    assert run.last_error == "RuntimeError: the disk hiccuped"
    TrainingRun.objects.update(lease_expires_at=None)
    assert pipeline.run_next()
    run.refresh_from_db()
    assert run.status == "succeeded", run.last_error
    assert calls == ["imitate", "prefer", "prefer"]


def test_an_endpoint_is_no_base(settings: Any) -> None:
    factories.model_version(
        "copywriter",
        artifact_hash="",
        backend="openai_compatible",
        options={"base_url": "http://127.0.0.1:9/v1", "model": "m"},
    )
    decide_copy(60)
    run = train()
    assert run.status == "failed"
    assert "no copywriter on this disk to start from" in run.last_error


def test_decisions_on_copy_start_a_run(settings: Any, careless: ModelVersion) -> None:
    settings.TRAINING = replace(settings.TRAINING, min_labels=40, new_labels=20, every_days=7)
    decide_copy(39)
    assert triggers.why_due("copy") is None
    assert triggers.in_words("copy") == "The first run starts at 40 decisions; there are 39."
    decide_copy(1, seed=2)
    assert triggers.why_due("copy") == ("new_labels", "the first run: 40 decisions")
    assert triggers.why_due("sentiment") is None
    assert triggers.plan_due() == 1
    long_ago = timezone.now() - dt.timedelta(hours=8)
    TrainingRun.objects.update(status="succeeded", created_at=long_ago, started_at=long_ago, finished_at=long_ago)
    Decision.objects.update(created_at=long_ago - dt.timedelta(hours=1))
    decide_copy(19, seed=3)
    assert triggers.why_due("copy") is None
    decide_copy(1, seed=4)
    assert triggers.why_due("copy") == ("new_labels", "20 decisions are new")


def test_a_champion_whose_drafts_are_let_out_less_often_starts_one(
    settings: Any, careless: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triggers, "LATEST", 20)
    monkeypatch.setattr(triggers, "BEFORE", 40)
    settings.TRAINING = replace(settings.TRAINING, min_labels=40, new_labels=10_000)
    decide_copy(triggers.BEFORE, fixed=10_000)
    decide_copy(triggers.LATEST, fixed=2, seed=2)
    runs.plan("copy", reason="first", actor=SystemActor("tests"))
    ago = timezone.now() - dt.timedelta(days=1)
    TrainingRun.objects.update(status="succeeded", created_at=ago, started_at=ago, finished_at=ago)
    trigger, reason = triggers.why_due("copy") or ("", "")
    assert (trigger, reason) == (
        "drift",
        "people let out 10 of the champion's latest 20 drafts as they were, 39 of 40 before",
    )


def test_without_test_texts_nothing_is_said_of_a_process_that_was_not_started(
    careless: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide_copy(6)
    monkeypatch.setattr(partition, "assign", lambda rows: {group: "train" for group, _ in rows})
    snapshot = snapshots.freeze("copy", actor=people.ml_engineer())
    report = judged.evaluate(copy_runner, careless, snapshot, champion=None)
    assert not [words for _, words in report.reasons if "process" in words]


@pytest.mark.usefixtures("no_process")
def test_the_command_trains_copy_here(careless: ModelVersion, capsys: Any) -> None:
    decide_copy(60)
    quick = [part for name, value in QUICK.items() for part in ("--set", f"{name}={value}")]
    call_command("train", "copy", "--here", *quick, "--set", "preferences=false")
    assert "the gate says inconclusive" in capsys.readouterr().out


def test_texts_are_written_from_the_prompts_of_the_snapshot(careless: ModelVersion) -> None:
    decide_copy(12)
    snapshot = snapshots.freeze("copy", actor=people.ml_engineer())
    test = [row for part in ("train", "validation", "test") for row in snapshots.read(snapshot, part)]
    told: list[int] = []
    backend: Any = loader.build(careless)
    assert copy_runner.write(backend, test, tell=told.append) == [BAD] * 12
    assert told == [0]
    draft = copy_runner.draft_of(test[0], GOOD)
    assert draft.prompt_lines
    assert {fact.value for fact in draft.facts} == {"blue", "350 ml"}
