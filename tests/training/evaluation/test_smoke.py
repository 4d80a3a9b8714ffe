"""A saved model is tried in a fresh process; what that says of the machine is not held against the model."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from django.utils import timezone

from inference.models import ModelVersion
from tests.training.shop import label_reviews, train
from training import pipeline
from training.evaluation import smoke
from training.models import EvaluationReport, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("warm_process")]


@pytest.mark.parametrize(
    "run",
    [
        lambda *given, **more: subprocess.CompletedProcess(given, -9, "", ""),
        lambda *given, **more: (_ for _ in ()).throw(subprocess.TimeoutExpired("python", 300)),
    ],
)
def test_a_machine_too_busy_to_try_the_saved_model_does_not_condemn_it(
    guessing: ModelVersion, monkeypatch: pytest.MonkeyPatch, run: Any
) -> None:
    label_reviews(600)
    with monkeypatch.context() as patch:
        patch.setattr(smoke.subprocess, "run", run)
        assert train().status == "running"
    assert "TransientError" in TrainingRun.objects.get().last_error
    assert not EvaluationReport.objects.exists()
    TrainingRun.objects.update(lease_expires_at=timezone.now())
    assert pipeline.run_next()
    assert TrainingRun.objects.get().report.verdict == "pass"
