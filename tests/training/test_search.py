"""A search for better numbers, of a classifier and of a copywriter: what it tries, what comes of it, and that a repeat does not search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inference import artifacts
from inference.models import ModelVersion
from tests.training import test_copywriters
from tests.training.copy_shop import BAD, decide_copy, writes
from tests.training.shop import label_reviews, train
from training import runs, search
from training.evaluation import smoke
from training.models import TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("alone")]


def test_a_search_tries_other_numbers_and_augmentation_adds_rows(
    guessing: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    label_reviews(160)
    real, began = runs.report_progress, {}

    def say(claimed: TrainingRun, stage: str, done: int, of: int) -> None:
        real(claimed, stage, done, of)
        began.setdefault(stage, set()).add(claimed.stage_began_at)

    monkeypatch.setattr(runs, "report_progress", say)
    run = train({"method": "full", "epochs": 1, "max_tokens": 32, "search_trials": 2, "augment": 0.5})
    assert (run.status, run.last_error) == ("succeeded", "")
    part = run.version.card["parts"]["other"]
    assert part["n_train"] + part["n_validation"] == run.snapshot.n_train + run.snapshot.n_validation, "labelled texts"
    assert 0 < part["n_copies"] <= part["n_train"] / 2, "training rows alone are added to"
    assert part["recipe"]["learning_rate"] > 0
    searched, trained = "Looking for better numbers on English and other texts", "Training on English and other texts"
    assert {len(began[searched]), len(began[trained])} == {1}
    assert max(began[searched]) < min(began[trained]), "what is left is told from the training alone"
    card = (artifacts.root() / f"{run.version.artifact_hash}.card.md").read_text()
    assert f"| {part['n_train']} and {part['n_copies']} changed copies of them |" in card


def test_a_search_for_a_copywriter_is_of_imitation_and_is_not_done_again_where_its_run_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoke, "writes_alone", lambda *given: "")
    writes(BAD, tmp_path)
    decide_copy(60)
    tried: list[float] = []
    suggest = search._suggest

    def noted(recipe: Any, trial: Any) -> Any:
        found = suggest(recipe, trial)
        tried.append(found.learning_rate)
        return found

    monkeypatch.setattr(search, "_suggest", noted)
    run = test_copywriters.train({"search_trials": 2, "preferences": False})
    assert (run.status, run.last_error) == ("succeeded", "")
    parts = run.version.card["parts"]
    assert (len(tried), tried[0]) == (2, run.recipe["learning_rate"]), "what was asked for is tried, too"
    assert parts["imitation"]["recipe"]["learning_rate"] in tried
    again = test_copywriters.train(like=run)
    assert (again.version, len(tried)) == (run.version, 2)
