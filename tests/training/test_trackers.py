"""Trackers by setting: each training is a run of its own there, and one that is not installed is named before it matters."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import run_checks

from tests.training.copy_shop import QUICK, base, rows
from training.recipes import CopyRecipe
from training.trainers import copywriter, trackers


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What two trackers, loaded by somebody, were told at the end."""
    said: list[tuple[str, Any]] = []
    wandb = SimpleNamespace(finish=lambda exit_code: said.append(("wandb", exit_code)))
    mlflow = SimpleNamespace(end_run=lambda status: said.append(("mlflow", status)))
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    return said


def test_runs_end_with_the_training_that_began_them(ended: list[tuple[str, Any]]) -> None:
    with trackers.runs_of_their_own(["tensorboard"]):
        pass
    assert ended == [], "somebody else's run is left alone"
    with trackers.runs_of_their_own(["wandb", "mlflow"]):
        assert ended == []
    with pytest.raises(KeyError), trackers.runs_of_their_own(["wandb", "mlflow"]):
        raise KeyError
    assert ended == [("wandb", 0), ("mlflow", "FINISHED"), ("wandb", 1), ("mlflow", "FAILED")]


def test_the_system_check_names_what_is_unknown_or_not_installed(settings: Any) -> None:
    assert [found for found in run_checks() if found.id == "ecomsite.E003"] == []
    settings.TRAINING = replace(settings.TRAINING, trackers=["tensorboard", "tensorbord", "mlflow"])
    found = [found.msg for found in run_checks() if found.id == "ecomsite.E003"]
    assert found == [
        "TRAINING_TRACKERS: there is no tracker 'tensorbord'; known: tensorboard, wandb, mlflow.",
        "TRAINING_TRACKERS: mlflow is not installed: pip install mlflow-skinny.",
    ]


def test_tensorboard_gets_the_losses_of_a_part_under_its_own_folder(tmp_path: Path) -> None:
    work = tmp_path / "run" / "parts" / "imitation"
    copywriter.imitate(
        rows(16),
        rows(8),
        recipe=CopyRecipe(**QUICK),
        base=base(tmp_path / "base"),
        work=work,
        into=tmp_path / "model",
        report_to=["tensorboard"],
    )
    (events,) = (work / "runs").rglob("events.out.tfevents.*")
    assert b"train/loss" in events.read_bytes()
