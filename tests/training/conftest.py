"""Fixtures of the training tests."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from inference import artifacts
from inference.models import ModelVersion
from tests import factories, warm
from tests.model_store import prepared_models, tiny_bert
from training.evaluation import smoke

__all__ = ["prepared_models"]


@pytest.fixture
def base(tmp_path_factory: pytest.TempPathFactory) -> ModelVersion:
    """A tiny encoder with random weights is the champion of its role."""
    folder = tiny_bert(tmp_path_factory.mktemp("encoder"))
    stored = artifacts.store_directory(folder)
    return factories.model_version("encoder", artifact_hash=stored)


@pytest.fixture
def guessing(base: ModelVersion, tmp_path: Path) -> ModelVersion:
    """The sentiment champion is a classifier with random weights."""
    folder = tiny_bert(tmp_path / "classifier", labels=("positive", "neutral", "negative"))
    return factories.model_version(
        "sentiment", artifact_hash=artifacts.store_directory(folder), locales=["en", "zh-Hans"]
    )


@pytest.fixture
def warm_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the process of its own that a saved model is tried in from one that has loaded torch."""
    warm_run = SimpleNamespace(run=warm.run, TimeoutExpired=subprocess.TimeoutExpired)
    monkeypatch.setattr(smoke, "subprocess", warm_run)


@pytest.fixture
def alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare most tests the process of its own; of those that are about it, one has the real command, as it is started."""
    if "in_a_process_of_its_own" not in request.node.name:
        monkeypatch.setattr(smoke, "works_alone", lambda *args: "")
    elif "[head]" not in request.node.name:
        request.getfixturevalue("warm_process")
