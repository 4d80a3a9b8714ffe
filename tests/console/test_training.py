"""The pages about training: what serves, runs as they go, what the gate said, and who lets a version serve."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inference import resolver
from inference.models import ModelAlias
from tests import factories, people
from tests.scenes import HOSTILE
from tests.training.test_promotion import trained
from training import registry, runs
from training.models import EvaluationReport, TrainingRun

pytestmark = pytest.mark.django_db


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def figure(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.02, "high": value + 0.02}


def described(accuracy: float) -> dict[str, Any]:
    return {
        "n": 200,
        "accuracy": figure(accuracy),
        "macro_f1": figure(accuracy),
        "auc": 0.9,
        "log_loss": 0.4,
        "ece": 0.05,
        "labels": [],
        "confusion": [[90, 10], [15, 85]],
    }


def finished(*, verdict: str = "pass", role: str = "sentiment") -> TrainingRun:
    """A run that ended, with everything its page shows."""
    factories.model_version(role, artifact_hash="")
    report = trained(
        role,
        verdict=verdict,
        card={
            "parts": {
                "other": {
                    "method": "lora",
                    "n_train": 700,
                    "n_copies": 350,
                    "steps": 90,
                    "steps_planned": 120,
                    "stopped_early": True,
                }
            }
        },
    )
    report.metrics = {
        "labels": ["positive", "negative"],
        "new": described(0.9),
        "champion": described(0.85),
        "slices": [{"by": "language", "value": "en", "n": 150, "accuracy": figure(0.91)}],
        "champion_slices": [{"by": "language", "value": "en", "n": 150, "accuracy": figure(0.86)}],
    }
    report.reasons = [
        ["pass", "the saved model works in a fresh process"],
        [verdict, "+5.0 points against the champion"],
    ]
    report.save()
    return TrainingRun.objects.create(
        task="sentiment",
        status="succeeded",
        trigger="hand",
        reason=HOSTILE[:200],
        version=report.version,
        snapshot=report.snapshot,
        champion=report.against,
        started_at=timezone.now(),
        finished_at=timezone.now(),
        history=[["other", step, name, 1 / step] for step in range(1, 30) for name in ("loss", "eval_loss")],
    )


def test_the_overview_says_what_serves_and_what_the_next_run_waits_for() -> None:
    run = finished()
    page = signed_in(people.ml_engineer()).get(reverse("console:training")).content.decode()
    assert "The first run starts at 200 labels; there are 0." in page
    assert str(run.pk) in page
    assert "Train now" in page
    assert HOSTILE not in page, "escaped"
    read_only = signed_in(people.auditor()).get(reverse("console:training")).content.decode()
    assert "Train now" not in read_only
    assert signed_in(people.reviewer()).get(reverse("console:training")).status_code == 403


def test_the_overview_shows_a_challenger_in_the_shadow_on_drafts() -> None:
    champion, challenger = (factories.model_version("validity", alias=name) for name in ("champion", "challenger"))
    for value, label in ((0.9, "valid"), (0.2, "valid")):
        draft = factories.candidate()
        factories.validity(draft, value, version=champion)
        factories.validity(draft, 0.8, version=challenger, label=label, seconds=0.0125, is_shadow=True)
    page = signed_in(people.auditor()).get(reverse("console:training")).content.decode()
    assert "says the same as the champion of 50% of 2 drafts, 0.0125 s each" in page


def test_a_run_is_shown_with_its_losses_figures_and_the_gates_reasons() -> None:
    run = finished(verdict="inconclusive")
    page = signed_in(people.auditor()).get(reverse("console:training_run", args=[run.pk])).content.decode()
    for words in (
        "Loss, English and other",
        "polyline",
        "90%",
        "+5.0 points against the champion",
        "language: en",
        "(stopped early)",
        "lora on 700 texts and 350 changed copies of them",
        f"train --from-run {run.pk}",
        "Inconclusive",
    ):
        assert words in page, words
    assert HOSTILE not in page
    assert "Approve" not in page


def test_a_run_is_started_and_cancelled_from_the_page() -> None:
    engineer = signed_in(people.ml_engineer())
    assert signed_in(people.auditor()).post(reverse("console:start_training", args=["sentiment"])).status_code == 403
    answer = engineer.post(reverse("console:start_training", args=["sentiment"]), {"reason": "new season"}, follow=True)
    assert "begins as soon as the training worker is free" in answer.content.decode()
    run = TrainingRun.objects.get()
    assert run.reason == "new season"
    claimed = runs.claim()
    assert claimed is not None
    runs.report_progress(claimed, "Training on English and other texts", 30, 120)
    fragment = engineer.get(reverse("console:training_run_now", args=[run.pk])).content.decode()
    assert 'aria-valuenow="25"' in fragment
    assert "data-done" not in fragment
    assert (
        "ends after this step"
        in engineer.post(reverse("console:cancel_training", args=[run.pk]), follow=True).content.decode()
    )


def test_who_asks_while_a_run_is_open_is_shown_that_one_and_told_so() -> None:
    open_run, _ = runs.plan("sentiment", reason="the first", actor=people.ml_engineer())
    asked = {"reason": "mine", "method": "full"}
    answer = signed_in(people.ml_engineer()).post(
        reverse("console:start_training", args=["sentiment"]), asked, follow=True
    )
    assert answer.redirect_chain[-1][0] == reverse("console:training_run", args=[open_run.pk])
    page = answer.content.decode()
    assert "open already, so yours was not planned" in page
    assert "begins as soon as" not in page
    assert TrainingRun.objects.get().reason == "the first"


def test_a_version_that_passed_against_another_champion_says_so_and_is_run_again_from_the_page() -> None:
    run = finished()
    newer = factories.model_version("sentiment", artifact_hash="")
    registry.promote_if_passed(run.version.reports.get())
    address = reverse("console:training_run", args=[run.pk])
    engineer = signed_in(people.ml_engineer())
    page = engineer.get(address).content.decode()
    assert f"was measured against {run.champion}, and {newer} serves now" in page
    assert "challenger</span>" in page
    assert "Run it again" not in signed_in(people.auditor()).get(address).content.decode()
    again = reverse("console:repeat_training", args=[run.pk])
    assert signed_in(people.auditor()).post(again).status_code == 403
    assert "begins as soon as" in engineer.post(again, follow=True).content.decode()
    planned = TrainingRun.objects.get(status="planned")
    assert (planned.task, planned.snapshot) == (run.task, run.snapshot)


def test_what_served_and_was_followed_by_another_is_not_said_to_be_outdated() -> None:
    run = finished()
    registry.promote_if_passed(run.version.reports.get())
    address = reverse("console:training_run", args=[run.pk])
    engineer = signed_in(people.ml_engineer())
    assert "Run it again" not in engineer.get(address).content.decode()
    registry.promote_if_passed(trained(options={"another": 1}))
    page = engineer.get(address).content.decode()
    assert "previous</span>" in page
    assert "Run it again" not in page


def test_a_copywriter_that_passed_against_another_champion_cannot_be_approved() -> None:
    run = finished(role="copywriter")
    address = reverse("console:training_run", args=[run.pk])
    engineer = signed_in(people.ml_engineer())
    assert "Why may it serve?" in engineer.get(address).content.decode()
    factories.model_version("copywriter", artifact_hash="")
    page = engineer.get(address).content.decode()
    assert "Why may it serve?" not in page
    assert "Run it again" in page


def test_a_report_against_an_earlier_champion_counts_when_that_one_serves_again() -> None:
    run = finished(role="copywriter")
    before = resolver.resolve("copywriter")
    newer = factories.model_version("copywriter", artifact_hash="")
    again = TrainingRun.objects.create(
        task="copy",
        status="succeeded",
        trigger="hand",
        reason="again",
        version=run.version,
        champion=newer,
        snapshot=run.snapshot,
    )
    EvaluationReport.objects.create(
        version=run.version, snapshot=run.snapshot, against=newer, gate_version="2", verdict="fail"
    )
    engineer = signed_in(people.ml_engineer())
    first, second = (reverse("console:training_run", args=[row.pk]) for row in (run, again))
    ModelAlias.objects.filter(role="copywriter", name="champion").update(version=before)
    page = engineer.get(first).content.decode()
    assert "Why may it serve?" in page
    assert "Run it again" not in page
    assert ">Fail</span>" in engineer.get(second).content.decode(), "each run shows what it found"
    verdicts = {row.pk: report.verdict for row, report in engineer.get(reverse("console:training")).context["runs"]}
    assert verdicts == {run.pk: "pass", again.pk: "fail"}


def test_each_label_is_shown_and_where_one_is_too_rare_to_judge_a_person_lets_the_model_in() -> None:
    run = finished(verdict="inconclusive")
    report = run.report
    assert report
    for name, recall in (("new", 0.875), ("champion", 0.625)):
        report.metrics[name]["labels"] = [{"label": "negative", "n": 8, "precision": 0.75, "recall": recall, "f1": 0.8}]
    report.reasons = [["pass", "+5.0 points against the champion"], ["people", "negative: too few to rule out a loss"]]
    report.save()
    engineer = signed_in(people.ml_engineer())
    address = reverse("console:training_run", args=[run.pk])
    page = engineer.get(address).content.decode()
    assert "<td>negative</td>" in page
    assert "88%" in page or "87.5%" in page
    assert "0 of 1 approvals" in page
    assert "A person who has looked may let the model serve" in page
    engineer.post(reverse("console:approve_model", args=[run.version.pk]), {"reason": "read all eight"})
    assert resolver.resolve("sentiment") == run.version


def test_the_overview_lists_a_challenger_of_a_role_without_a_champion() -> None:
    waiting = factories.model_version("validity", alias="challenger")
    page = signed_in(people.auditor()).get(reverse("console:training")).content.decode()
    assert "Judge of descriptions" in page
    assert f">v{waiting.number}</a>" in page
    assert "none yet" in page


def test_two_people_let_a_copywriter_serve_and_one_takes_it_back() -> None:
    run = finished(role="copywriter")
    before = resolver.resolve("copywriter")
    address = reverse("console:approve_model", args=[run.version.pk])
    one, two = signed_in(people.ml_engineer()), signed_in(people.ml_engineer())
    page = one.get(reverse("console:training_run", args=[run.pk])).content.decode()
    assert "0 of 2 approvals" in page
    one.post(address, {"reason": "read twenty"})
    assert "approved this version already" in one.post(address, {"reason": "again"}, follow=True).content.decode()
    assert resolver.resolve("copywriter") == before
    two.post(address, {"reason": "read forty"})
    assert resolver.resolve("copywriter") == run.version
    one.post(reverse("console:roll_back_model", args=["copywriter"]), {"reason": "too florid"})
    assert resolver.resolve("copywriter") == before


def test_the_word_of_somebody_who_may_not_promote_any_more_is_not_counted_on_the_page() -> None:
    run, left = finished(role="copywriter"), people.ml_engineer()
    registry.approve(run.version, actor=left, reason="before I left")
    address, engineer = reverse("console:training_run", args=[run.pk]), signed_in(people.ml_engineer())
    assert "1 of 2 approvals" in engineer.get(address).content.decode()
    left.groups.clear()
    page = engineer.get(address).content.decode()
    assert "0 of 2 approvals" in page
    assert "before I left" not in page


def test_two_people_let_in_a_copywriter_that_is_brought_in() -> None:
    factories.model_version("copywriter", artifact_hash="")
    another = factories.model_version("copywriter", alias=None, artifact_hash="", name=HOSTILE)
    overview = reverse("console:training")
    engineer = signed_in(people.ml_engineer())
    assert "Waits for people to agree" not in engineer.get(overview).content.decode()
    registry.promote_or_approve(another, actor=people.ml_engineer(), reason=HOSTILE)
    page = engineer.get(overview).content.decode()
    assert "Waits for people to agree" in page
    assert "1 of 2 approvals" in page
    assert HOSTILE not in page
    assert "Approve</button>" not in signed_in(people.auditor()).get(overview).content.decode()
    answer = engineer.post(reverse("console:approve_model", args=[another.pk]), {"reason": "read forty"}, follow=True)
    assert answer.redirect_chain[-1][0] == overview
    assert "Waits for people to agree" not in answer.content.decode()
    assert resolver.resolve("copywriter") == another
