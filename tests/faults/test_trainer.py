"""A trainer that is killed in the middle: another takes over from its last checkpoint and comes to the very same model."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from audit.models import LedgerEntry
from inference import artifacts
from inference.models import ModelAlias, ModelVersion
from tests import factories
from tests.model_store import tiny_bert
from tests.training.shop import label_reviews
from tests.warm import WarmProcess
from tests.workers import environment, wait_for
from training import runs
from training.models import EvaluationReport, TrainingRun
from training.trainers.checkpoints import PREFIX

pytestmark = pytest.mark.django_db(transaction=True)
RECIPE = {"method": "full", "epochs": 6, "max_tokens": 32, "batch_size": 8, "learning_rate": 1e-3, "patience": 50}


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> None:
    """A tiny encoder and a guessing champion, and reviews with labels. Enough steps to be killed among."""
    encoder = artifacts.store_directory(tiny_bert(tmp_path / "encoder"))
    factories.model_version("encoder", artifact_hash=encoder)
    guessing = artifacts.store_directory(tiny_bert(tmp_path / "guessing", labels=("positive", "neutral", "negative")))
    factories.model_version("sentiment", artifact_hash=guessing, locales=["en", "zh-Hans"])
    label_reviews(300)


def trainer(log: Path) -> WarmProcess:
    """A process that works one run, as the training worker does."""
    code = "import django; django.setup(); from training import pipeline; pipeline.run_next()"
    return WarmProcess(["-c", code], env=environment(), log=log)


def step_of(run: TrainingRun) -> int:
    now = TrainingRun.objects.get(pk=run.pk)
    return now.n_done if now.stage.startswith("Training on") else 0


def train_and_kill(seed: int, step: int | None, log: Path) -> tuple[TrainingRun, int]:
    """Train with `seed`; kill at `step` and let another process go on. Returns the run and how many steps were lost."""
    run, is_new = runs.plan("sentiment", reason=f"seed {seed}", actor=runs_actor(), recipe={**RECIPE, "seed": seed})
    assert is_new
    process, lost = trainer(log), 0
    if step is not None:
        wait_for(lambda: step_of(run) >= step, seconds=240, what=f"step {step}: {log.read_text()[-2000:]}")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        reached = step_of(run)
        kept = _last_checkpoint(run)
        lost = reached - kept
        TrainingRun.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now())  # the lease runs out
        process = trainer(log)
    assert process.wait(300) == 0, log.read_text()[-2000:]
    run.refresh_from_db()
    assert run.status == "succeeded", run.last_error
    return run, lost


def runs_actor() -> Any:
    from core.actors import SystemActor

    return SystemActor("tests")


def _last_checkpoint(run: TrainingRun) -> int:
    from training.pipeline import folder_of

    found = folder_of(run).glob(f"parts/*/{PREFIX}*/trainer_state.json")
    return max((int(path.parent.name.removeprefix(PREFIX)) for path in found), default=0)


def checked(kills: int, tmp_path: Path) -> None:
    rng, rows = random.Random(3), []
    began = time.monotonic()
    whole, _ = train_and_kill(1, None, tmp_path / "whole.log")
    steps = whole.version.card["parts"]["other"]["steps"]
    for number in range(kills):
        EvaluationReport.objects.all().delete()
        TrainingRun.objects.all().delete()
        version = whole.version
        ModelAlias.objects.filter(version__dataset_hash=version.dataset_hash).delete()
        ModelVersion.objects.filter(
            dataset_hash=version.dataset_hash
        ).delete()  # so that the next one is registered anew
        run, lost = train_and_kill(1, rng.randrange(2, steps - 2), tmp_path / f"{number}.log")
        rows.append((run.version.artifact_hash == version.artifact_hash, lost))
        assert ModelVersion.objects.filter(role="sentiment", dataset_hash=run.snapshot.artifact_hash).count() == 1
        assert LedgerEntry.objects.filter(action="inference.model.registered").count() == number + 2, "once each"
    every = max(10, -(-steps // 12))
    print(  # noqa: T201
        f"\n  {kills} kills among {steps} steps, a checkpoint each {every}: the same model "
        f"{sum(same for same, _ in rows)} times, steps done twice {sorted(lost for _, lost in rows)}, "
        f"{time.monotonic() - began:.0f} s"
    )
    assert all(same for same, _ in rows), "weights equal to the last bit"
    assert all(lost <= every + 1 for _, lost in rows), "at most one checkpoint is lost"


@pytest.mark.slow("a model is trained twice")
@pytest.mark.timeout(900)
def test_a_killed_trainer_comes_to_the_same_model(shop: None, tmp_path: Path) -> None:
    checked(1, tmp_path)


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_a_trainer_killed_at_twenty_steps_comes_to_the_same_model(shop: None, tmp_path: Path) -> None:
    checked(20, tmp_path)
