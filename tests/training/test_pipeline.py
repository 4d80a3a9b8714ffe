"""From labels to a model that serves, through every stage; and back again after a crash at any of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from catalog.models import CustomerReview, Product
from core.exceptions import PermanentError, StaleState
from core.refs import ref
from inference import artifacts, loader, resolver
from inference.models import ModelVersion
from labeling.models import Label
from moderation import shadow
from moderation.drafting import screening
from moderation.models.predictions import Prediction
from tests import factories, people
from tests.model_store import tiny_bert
from tests.training import judged
from tests.training.shop import CHARACTERS, label_reviews, train
from training import answering, partition, pipeline, registry, runs, snapshots, unlabelled
from training.evaluation import runner, smoke
from training.models import EvaluationReport, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("alone")]


def test_a_better_model_is_trained_measured_let_in_and_serves(guessing: ModelVersion) -> None:
    label_reviews(600, chinese=0.3)
    run = train()
    assert (run.status, run.last_error) == ("succeeded", "")
    report = EvaluationReport.objects.get()
    assert report.verdict == "pass", report.reasons
    assert resolver.resolve("sentiment") == run.version
    assert run.version.dataset_hash == run.snapshot.artifact_hash
    assert report.metrics["new"]["accuracy"]["value"] > 0.9
    assert report.metrics["comparison"]["low"] > 0
    assert {row["value"] for row in report.metrics["slices"] if row["by"] == "language"} == {"en", "zh-Hans"}
    answers = loader.load_classifier(resolver.resolve("sentiment")).classify(["lovely great mug", "很差失望破了退货"])
    assert [answer.label for answer in answers] == ["positive", "negative"]
    card = (artifacts.root() / f"{run.version.artifact_hash}.card.md").read_text()
    assert "## Gate" in card
    assert run.snapshot.artifact_hash in card


def test_a_model_that_learnt_near_copies_of_the_test_texts_is_not_let_in(
    guessing: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    label_reviews(600)
    for review in CustomerReview.objects.all()[:40]:  # as a file would bring them in, of products of its own
        said = factories.customer_review(f"{review.full_text} {review.full_text} !", product=factories.product())
        CustomerReview.objects.filter(pk=review.pk).update(text=f"{review.full_text} {review.full_text}")
        label = Label.objects.get(subject=ref(review))
        label.pk, label.subject = None, ref(said)
        label.save()
    fact = "the closest text that was trained on is"
    clean = train()
    (said_of_it,) = [
        words for words in clean.version.reports.get().reasons if fact in words[1] or "is near" in words[1]
    ]
    assert said_of_it[0] == "pass"
    monkeypatch.setattr(partition, "_grouped", lambda task, rows: rows)
    real = partition.crossing
    monkeypatch.setattr(partition, "crossing", lambda *sides: (set(), real(*sides)[1]))
    report = train().version.reports.get()
    (words,) = [words for verdict, words in report.reasons if fact in words]
    assert report.verdict == "fail"
    assert "is 100.0% like one of the test part (catalog.customerreview:" in words
    assert report.metrics["closest"]["similarity"] == 1


def test_what_a_run_is_doing_moves_on_while_it_does_it(guessing: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, int, int]] = []
    real = runs.report_progress

    def say(run: TrainingRun, stage: str, done: int, of: int) -> None:
        said.append((stage, done, of))
        real(run, stage, done, of)

    monkeypatch.setattr(runs, "report_progress", say)
    monkeypatch.setattr(answering, "BATCH", 16)
    label_reviews(300)
    run = train({"method": "head", "max_tokens": 32})
    assert run.status == "succeeded", run.last_error
    stages = list(dict.fromkeys(stage for stage, _, _ in said))
    assert stages == [
        "Freezing examples",
        "Reading English and other texts",
        "Training on English and other texts",
        "Measuring it beside the champion",
    ]
    measuring = [(done, of) for stage, done, of in said if stage == stages[-1]]
    n_test = run.snapshot.n_test
    assert {of for _, of in measuring[1:]} == {2 * n_test}, "two models answer"
    assert [done for done, _ in measuring] == sorted(done for done, _ in measuring)
    assert len(measuring) >= 2 * n_test // 16


def test_labels_of_one_language_leave_the_other_as_it_was(guessing: ModelVersion) -> None:
    label_reviews(300)
    before = loader.build(guessing).classify(["很好喜欢"])[0]
    run = train()
    assert loader.build(run.version).classify(["很好喜欢"])[0].probabilities == pytest.approx(before.probabilities)


def test_forty_examples_stop_early_and_do_not_get_in(guessing: ModelVersion) -> None:
    label_reviews(60, wrong=0.4)  # what is learnt by heart is wrong elsewhere
    run = train({"method": "full", "epochs": 30, "learning_rate": 5e-3, "patience": 2})
    assert run.status == "succeeded"
    figures = run.version.card["parts"]["other"]
    assert figures["stopped_early"], figures
    assert EvaluationReport.objects.get().verdict in {"fail", "inconclusive"}
    assert resolver.resolve("sentiment") == guessing


@pytest.mark.parametrize("method", ["import", "majority"])
def test_what_a_file_stated_lets_no_model_in(guessing: ModelVersion, settings: Any, method: str) -> None:
    label_reviews(600)
    # By raters whom nobody answers for, where it is what most of them said.
    Label.objects.update(method=method, source="import:7")
    settings.TRAINING = replace(settings.TRAINING, gate={"min_test": 30})
    run = train()
    report = EvaluationReport.objects.get()
    assert (report.verdict, report.metrics["comparison"]["low"] > 0) == ("inconclusive", True)
    assert resolver.resolve("sentiment") == guessing
    said = f"The test texts were labelled: {run.snapshot.n_test} by a file that nobody here answers for."
    assert said in (artifacts.root() / f"{run.version.artifact_hash}.card.md").read_text()
    page = Client()
    page.force_login(people.auditor())
    shown = page.get(reverse("console:training_run", args=[run.pk])).content.decode()
    assert said in shown
    assert f"0 of {run.snapshot.n_test} test texts labelled by people are too few" in shown


def test_too_few_labels_say_what_is_missing(guessing: ModelVersion) -> None:
    label_reviews(20)
    run = train()
    assert run.status == "failed"
    assert "too few to train on" in run.last_error
    assert TrainingRun.objects.get().finished_at
    label_reviews(120, seed=2, names=["positive"])
    Label.objects.exclude(label="positive").delete()
    assert "to train on are positive: a model learns to tell two labels apart" in train().last_error


def test_a_base_that_reads_less_than_was_asked_for_is_given_what_it_reads(guessing: ModelVersion) -> None:
    label_reviews(200)
    run = train({"method": "full", "epochs": 1, "max_tokens": 4096})
    assert run.status == "succeeded", run.last_error
    part = run.version.card["parts"]["other"]
    assert part["options"]["max_tokens"] == part["recipe"]["max_tokens"] == 64


@pytest.mark.parametrize("stage", ["snapshots.freeze", "registry.register", "registry.promote_if_passed"])
def test_a_run_that_failed_on_the_way_goes_on_from_there(
    guessing: ModelVersion, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    label_reviews(200)
    module, name = (
        {"snapshots": snapshots, "registry": registry}[stage.split(".")[0]],
        stage.split(".")[1],
    )
    real, calls = getattr(module, name), []

    def once(*args: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("the disk hiccuped")
        return real(*args, **more)

    monkeypatch.setattr(module, name, once)
    run, _ = runs.plan("sentiment", reason="x", actor=people.ml_engineer(), recipe=CHARACTERS)
    pipeline.run_next()
    run.refresh_from_db()
    assert (run.status, run.last_error) == ("running", "RuntimeError: the disk hiccuped")
    TrainingRun.objects.update(lease_expires_at=None)
    assert pipeline.run_next()
    run.refresh_from_db()
    assert run.status == "succeeded"
    assert ModelVersion.objects.filter(role="sentiment", dataset_hash=run.snapshot.artifact_hash).count() == 1


def test_a_run_that_is_cancelled_while_it_trains_ends(guessing: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    label_reviews(200)
    engineer = people.ml_engineer()
    run, _ = runs.plan("sentiment", reason="x", actor=engineer, recipe={"method": "full", "epochs": 2})
    real = runs.report_progress

    def say(claimed: TrainingRun, stage: str, done: int, of: int) -> None:
        if stage.startswith("Training on") and done == 3:
            runs.cancel(claimed, actor=engineer)
        real(claimed, stage, done, of)

    monkeypatch.setattr(runs, "report_progress", say)
    assert pipeline.run_next()
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert resolver.resolve("sentiment") == guessing
    assert not (pipeline.folder_of(run) / "parts").exists(), "its checkpoints would fill the disk"
    assert list(pipeline.folder_of(run).glob("runs/other/**/events*")), "what TensorBoard shows stays"


def test_a_run_that_is_cancelled_while_it_is_measured_moves_nothing(
    guessing: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    label_reviews(600)
    engineer = people.ml_engineer()
    run, _ = runs.plan("sentiment", reason="x", actor=engineer, recipe=CHARACTERS)

    def works_alone(*args: Any) -> str:  # the last step, after which nothing is said any more
        runs.cancel(run, actor=engineer)
        return ""

    monkeypatch.setattr(smoke, "works_alone", works_alone)
    assert pipeline.run_next()
    run.refresh_from_db()
    assert (run.status, run.version) == ("cancelled", None)
    assert not EvaluationReport.objects.exists()
    assert list(ModelVersion.objects.filter(role="sentiment")) == [guessing], "what nobody wanted is not registered"
    assert resolver.resolve("sentiment") == guessing
    with pytest.raises(StaleState, match="has ended: cancelled"):
        runs.cancel(run, actor=engineer)


@pytest.mark.parametrize("method", ["full", "lora", "adalora", "prefix", "head", "contrastive"])
def test_every_method_makes_a_model_that_works_in_a_process_of_its_own(guessing: ModelVersion, method: str) -> None:
    label_reviews(160)
    run = train({"method": method, "epochs": 2, "max_tokens": 32, "lora_rank": 4, "prefix_tokens": 4})
    assert (run.status, run.last_error) == ("succeeded", "")
    said = dict(map(reversed, EvaluationReport.objects.get().reasons))
    assert said.get("the saved model works in a fresh process") == "pass", list(said)
    assert run.version.card["parts"]["other"]["method"] == method


def test_without_test_texts_nothing_is_said_of_a_process_that_was_not_started(
    guessing: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    label_reviews(60)
    monkeypatch.setattr(partition, "assign", lambda rows: {group: "train" for group, _ in rows})
    report = judged.evaluate(runner, guessing, snapshots.freeze("sentiment", actor=people.ml_engineer()), champion=None)
    said = [words for _, words in report.reasons]
    assert "0 test texts are too few to tell: 100 are needed" in said
    assert not [words for words in said if "process" in words]


def test_a_model_whose_weights_are_no_numbers_is_refused_in_words(guessing: ModelVersion, settings: Any) -> None:
    known = {**settings.INFERENCE.backends, "diverged": "tests.backends.Diverged"}
    settings.INFERENCE = replace(settings.INFERENCE, backends=known)
    label_reviews(60)
    snapshot = snapshots.freeze("sentiment", actor=people.ml_engineer())
    diverged = factories.model_version("sentiment", alias=None, backend="diverged", artifact_hash="")
    with pytest.raises(PermanentError, match=f"no number for {snapshot.n_test} of {snapshot.n_test} texts"):
        judged.evaluate(runner, diverged, snapshot, champion=guessing)
    assert not EvaluationReport.objects.exists()


def test_a_challenger_scores_in_the_shadow_and_nothing_acts_on_it(guessing: ModelVersion) -> None:
    review = factories.customer_review("lovely great mug")
    factories.sentiment(review, "negative", version=guessing)
    assert shadow.score() == 0, "there is no challenger"
    label_reviews(200)
    run = train()
    assert resolver.find("sentiment", alias="challenger") == run.version, "too few test texts to let it serve"
    assert shadow.score() == 1
    assert shadow.score() == 0
    said = Prediction.objects.get(is_shadow=True)
    assert (said.label, said.model_version) == ("positive", run.version)
    assert (found := shadow.compared(run.version, guessing))
    assert (found.n, found.n_alike) == (1, 0)
    assert Prediction.objects.of("sentiment", [review]).standing().get().label == "negative"


def test_the_command_trains_here_and_tells_what_the_gate_says(guessing: ModelVersion, capsys: Any) -> None:
    label_reviews(600)
    call_command("train", "sentiment", "--here", "--set", "method=characters", "--reason", "by hand")
    out = capsys.readouterr().out
    assert "the gate says pass" in out
    with pytest.raises(CommandError, match="NAME=VALUE"):
        call_command("train", "sentiment", "--here", "--set", "method")
    with pytest.raises(CommandError, match="There is no run"):
        call_command("train", "--from-run", "nonsense")
    first = TrainingRun.objects.get()
    runs.plan("validity", reason="waits for a worker", actor=people.ml_engineer())
    call_command("train", "--from-run", str(first.pk), "--here")
    again = TrainingRun.objects.filter(task="sentiment").latest("created_at")
    assert (again.snapshot, again.version, again.champion) == (first.snapshot, first.version, first.version)
    assert "the champion itself: nothing changes" in capsys.readouterr().out
    assert resolver.find("sentiment", alias="challenger") is None, "it is not measured against itself"
    assert TrainingRun.objects.get(task="validity").status == "planned", "another run is a worker's"
    with pytest.raises(CommandError, match="was for sentiment, not for validity"):
        call_command("train", "validity", "--from-run", str(first.pk), "--here")
    with pytest.raises(CommandError, match="leave out --set"):
        call_command("train", "--from-run", str(first.pk), "--set", "epochs=3")


def test_what_a_model_says_of_unlabelled_text_is_spread_over_all_labels(guessing: ModelVersion) -> None:
    Label.objects.all().delete()
    label_reviews(200, names=("positive", "negative"))
    run = train()
    rows = answering.classify(run.version, ["plain box"], ["positive", "neutral", "negative"])
    assert rows.sum() == pytest.approx(1)
    assert ref(run.version)


def decide_on_drafts(n: int) -> None:
    """Have people let out one draft and reject the next, `n` in all, each of a product of its own."""
    for number in range(n):
        product = factories.product()
        request = factories.generation_request(product_=product, status="completed")
        good = number % 2 == 0
        text = "A sea green stoneware mug." if good else "The best mug ever, doctors love it."
        draft = factories.candidate(f"{text} {number}", request=request, status="approved" if good else "rejected")
        outcome = {"outcome": "approve", "result": draft} if good else {"outcome": "reject"}
        factories.decision(factories.review_item(draft), **outcome)


def test_decisions_on_copy_teach_which_descriptions_are_valid(base: ModelVersion, settings: Any) -> None:
    decide_on_drafts(260)
    settings.TRAINING = replace(settings.TRAINING, gate={"min_test": 30})
    runs.plan("validity", reason="x", actor=people.ml_engineer(), recipe=CHARACTERS)
    assert pipeline.run_next()
    run = TrainingRun.objects.get()
    assert (run.status, run.last_error) == ("succeeded", "")
    assert resolver.resolve("validity") == run.version, EvaluationReport.objects.get().reasons


def test_a_challenger_scores_the_drafts_that_were_screened(base: ModelVersion, tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "judge", labels=("valid", "invalid"))
    guess = factories.model_version("validity", artifact_hash=artifacts.store_directory(folder))
    draft = factories.candidate("A sea green stoneware mug that holds 350 ml.")
    assert screening.screen_candidates() == 1
    says_valid = Prediction.objects.of("validity", [draft]).get(model_version=guess).label == "valid"
    decide_on_drafts(120)
    runs.plan("validity", reason="x", actor=people.ml_engineer(), recipe=CHARACTERS)
    assert pipeline.run_next()
    version = TrainingRun.objects.get().version
    assert version
    assert resolver.find("validity", alias="challenger") == version, EvaluationReport.objects.get().reasons
    assert shadow.score() == 1
    assert Prediction.objects.of("validity", [draft]).get(is_shadow=True).label == "valid"
    assert (found := shadow.compared(version, guess))
    assert (found.n, found.n_alike) == (1, int(says_valid))


def test_unlabelled_reviews_are_learnt_from_where_the_recipe_says_so_and_never_about_tested_products(
    guessing: ModelVersion,
) -> None:
    label_reviews(160)
    snapshot = snapshots.freeze("sentiment", actor=people.ml_engineer())
    tested = snapshots.read(snapshot, "test")[0]
    product = Product.objects.get(sku=tested.group)
    factories.customer_review("the lid of this pot does not close at all since the first wash", product=product)
    factories.customer_review(tested.text.upper(), product=None)
    for number in range(60):
        factories.customer_review(f"lovely great perfect warm splendid happy mug it is the {number}", product=None)
    asked = {"method": "head", "max_tokens": 32, "pseudo_labels": 0.34, "pretrain_steps": 0}
    found = unlabelled.texts_for(judged.work_on(snapshot, guessing, recipe=asked))
    assert len(found) == 60
    assert unlabelled.texts_for(judged.work_on(snapshot, guessing)) == []
    run = train(asked)
    assert (run.status, run.last_error) == ("succeeded", "")
    part = run.version.card["parts"]["other"]
    assert 0 < part["n_guessed"] <= 60
