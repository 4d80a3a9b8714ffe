"""The judge of drafts: trained on what people decided, and asked as it was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inference import artifacts, loader
from tests import factories, people
from tests.model_store import tiny_bert
from tests.training.test_pipeline import decide_on_drafts
from training import pipeline, recipes, runs
from training.evaluation import smoke
from training.models import TrainingRun


def test_a_draft_with_its_facts_is_read_further_than_a_review() -> None:
    assert [recipes.parse({}, task).max_tokens for task in ("sentiment", "validity")] == [128, 256]
    assert recipes.parse({"max_tokens": 64}, "validity").max_tokens == 64


@pytest.mark.django_db
def test_the_judge_serves_with_the_length_it_was_trained_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke, "works_alone", lambda *given: "")
    factories.model_version("encoder", artifact_hash=artifacts.store_directory(tiny_bert(tmp_path / "encoder")))
    decide_on_drafts(80)
    runs.plan("validity", reason="x", actor=people.ml_engineer(), recipe={"method": "head"})
    assert pipeline.run_next()
    run = TrainingRun.objects.get()
    assert run.version is not None, run.last_error
    assert run.recipe["max_tokens"] == 256
    assert run.version.card["parts"]["other"]["options"] == {"max_tokens": 64}, "all that this base reads"
    judge: Any = loader.build(run.version)
    assert judge.parts["other"].encoder.max_tokens == 64
