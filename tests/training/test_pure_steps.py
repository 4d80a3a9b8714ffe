"""The steps of a run, fit, measure and judge, read the database and write nothing to it: the pipeline alone does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from core.exceptions import PermanentError
from inference.models import ModelVersion
from tests import people
from tests.training import judged
from tests.training.shop import CHARACTERS, label_reviews
from training import classifiers, pipeline, recipes, snapshots
from training.evaluation import runner
from training.models import TrainingRun
from training.work import Work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("alone")]
WRITES = ("INSERT", "UPDATE", "DELETE", "LOCK", "MERGE")


def refuse_writes(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    assert not sql.lstrip().upper().startswith(WRITES), f"a step wrote: {sql}"
    assert "FOR UPDATE" not in sql.upper(), f"a step locked: {sql}"
    return execute(sql, params, many, context)


def work_on(snapshot: Any, champion: ModelVersion | None, folder: Path) -> Work:
    recipe = recipes.parse(CHARACTERS, "sentiment")
    base = classifiers.base_of(recipe, champion=champion)  # type: ignore[arg-type]
    return judged.work_on(snapshot, champion, recipe=CHARACTERS, base=base, folder=folder)


def test_to_fit_to_measure_and_to_judge_write_nothing(guessing: ModelVersion, tmp_path: Path) -> None:
    label_reviews(300, chinese=0.5)
    snapshot = snapshots.freeze("sentiment", actor=people.ml_engineer())
    work, told = work_on(snapshot, guessing, tmp_path), list[tuple[str, int, int]]()
    with connection.execute_wrapper(refuse_writes):
        fitted = classifiers.fit(work, tell=lambda part, done, of, figures: told.append((part, done, of)))
        version = ModelVersion(
            role="sentiment",
            number=99,
            name="not recorded",
            backend=classifiers.BACKEND,
            artifact_hash=fitted.artifact_hash,
            dataset_hash=snapshot.artifact_hash,
        )
        measured = runner.measure(work, version)
        verdict, figures = runner.judge(measured)
        assert runner.judge(measured) == (verdict, figures), "the same figures, the same verdict"
    assert told
    assert verdict.findings
    assert figures["new"]["accuracy"]["value"] > figures["champion"]["accuracy"]["value"]
    assert not ModelVersion.objects.filter(artifact_hash=fitted.artifact_hash).exists()
    assert not TrainingRun.objects.exists()


def test_what_a_run_works_with_cannot_be_changed_on_the_way(guessing: ModelVersion, tmp_path: Path) -> None:
    label_reviews(60)
    work = work_on(snapshots.freeze("sentiment", actor=people.ml_engineer()), guessing, tmp_path)
    with pytest.raises(FrozenInstanceError):
        work.champion = None  # type: ignore[misc]


def test_two_trades_have_the_same_steps() -> None:
    for task in ("sentiment", "validity", "copy"):
        maker, judge = pipeline.pipeline_for(task)
        assert {"BACKEND", "STAGES", "base_of", "fit"} <= set(vars(maker))
        assert {"GATE_VERSION", "measure", "judge"} <= set(vars(judge))
    with pytest.raises(PermanentError):
        recipes.parse({"no_such": 1}, "sentiment")
