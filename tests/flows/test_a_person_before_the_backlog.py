"""A person's request beside a full backlog, written by a real worker with a real, small model."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from core.actors import SystemActor
from core.hints import hint
from inference import artifacts
from moderation.drafting import ordering
from moderation.models.candidates import Candidate, GenerationRequest
from tests import factories, people
from tests.model_store import tiny_llama
from tests.workers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
BACKLOG = 150


def n_written(*, is_awaited: bool) -> int:
    return Candidate.objects.filter(request__is_awaited=is_awaited).count()


def test_its_first_draft_comes_after_the_batch_in_hand_and_the_backlog_goes_on(start_worker, tmp_path: Path) -> None:
    folder = artifacts.store_directory(tiny_llama(tmp_path / "llama"))
    factories.model_version(artifact_hash=folder, options={"device": "cpu", "dtype": "float32", "batch_size": 4})
    products = [factories.product(title=f"Harbour mug {i}") for i in range(BACKLOG)]
    ordering.request_copy(products, channels=["description"], locales=["en"], actor=SystemActor("tests"))
    start_worker("gpu")

    def goes_on(more_than: int) -> bool:
        return n_written(is_awaited=False) > more_than or bool(hint("moderation.drain_generation"))

    wait_for(lambda: goes_on(12), what="the backlog to be under way")
    asked = factories.product(title="Harbour lamp")
    before, began = n_written(is_awaited=False), time.monotonic()
    order = ordering.request_copy(
        [asked], channels=["description"], locales=["en"], actor=people.senior(), is_awaited=True
    ).created[0]
    wait_for(lambda: order.candidates.exists(), what="the first draft")
    assert time.monotonic() - began < 60
    waiting = GenerationRequest.objects.filter(status="queued").count()
    assert waiting > BACKLOG / 2, "it was written long before its turn by age"
    # What was in hand: a batch of four, and what was stored between two looks.
    assert n_written(is_awaited=False) - before <= 24
    wait_for(lambda: goes_on(before + 30), what="the backlog to go on")
