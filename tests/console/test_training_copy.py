"""The page of a run that trained a copywriter: figures of both sides, texts to read, and nothing that a text could run."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ecomsite.console import training_copy
from tests import factories, people
from tests.scenes import HOSTILE
from tests.training.test_promotion import trained
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def side(unsupported: float) -> dict[str, Any]:
    def figure(value: float) -> dict[str, float]:
        return {"value": value, "low": value / 2, "high": value + 0.1}

    return {
        "n": 80,
        "products": 40,
        "n_human": 24,
        "unsupported": figure(unsupported),
        "edit_distance": figure(0.4),
        "bleu": figure(0.3),
        "characters": figure(140),
        "distinct_2": 0.61,
    }


def finished() -> TrainingRun:
    """A run for copy that ended, with everything its page shows."""
    factories.model_version("copywriter", artifact_hash="")
    parts = {
        "imitation": {"method": "LoRA", "n_train": 300, "steps": 60, "steps_planned": 60},
        "preference": {"method": "DPO", "n_train": 40},
    }
    report = trained("copywriter", card={"parts": parts})
    sample = {
        "title": "Harbour mug",
        "channel": "description",
        "human": "A blue mug.",
        "new": HOSTILE,
        "champion": "A steel mug.",
    }
    report.metrics = {"kind": "copy", "new": side(0.1), "champion": side(0.4), "samples": [sample]}
    report.reasons = [["pass", "fewer claims"], ["note", "it writes en alone"]]
    report.save()
    return TrainingRun.objects.create(
        task="copy",
        status="succeeded",
        trigger="hand",
        reason="x",
        version=report.version,
        snapshot=report.snapshot,
        champion=report.against,
        started_at=timezone.now(),
        finished_at=timezone.now(),
        history=[[part, step, "loss", 1 / step] for part in ("imitation", "preference") for step in range(1, 5)],
    )


def test_the_page_shows_both_sides_and_texts_to_read() -> None:
    run = finished()
    page = signed_in(people.ml_engineer()).get(reverse("console:training_run", args=[run.pk])).content.decode()
    for words in (
        "40 test products, 80 texts",
        "texts with a claim that no fact backs",
        "10.0% (5.0% to 20.0%)",
        "40.0% (20.0% to 50.0%)",
        "0.61",
        "A steel mug.",
        "Loss, copy that people let out",
        "preferred to the drafts",
        "it writes en alone",
        "0 of 2 approvals",
        "For 24 of the texts a person wrote another than the draft",
    ):
        assert words in page, words
    assert "macro-F1" not in page
    assert HOSTILE not in page, "escaped"


def test_a_run_for_copy_starts_from_the_page_without_a_method() -> None:
    engineer = signed_in(people.ml_engineer())
    page = engineer.get(reverse("console:training")).content.decode()
    assert "The first run starts at 200 decisions; there are 0." in page
    engineer.post(reverse("console:start_training", args=["copy"]), {"reason": "new season"})
    run = TrainingRun.objects.get()
    assert (run.task, run.recipe["preferences"]) == ("copy", True)


def test_a_report_of_another_kind_has_no_such_figures() -> None:
    assert training_copy.figures({"new": {"accuracy": {"value": 1.0}}}) == []
    assert training_copy.title_of("other") == "English and other"
