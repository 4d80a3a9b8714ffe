"""A training that is shared by processes: as good as one process, told of, and gone with its worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project

from core.exceptions import PermanentError
from tests.model_store import tiny_bert
from tests.training.small_trainers import RECIPE, fails, is_killed, waits
from tests.training.test_classifier_trainer import LABELS, texts, weights
from tests.workers import wait_for
from training.recipes import Recipe
from training.trainers import launch, transformer_classifier
from training.trainers.contracts import unwatched

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow("each process of a training loads torch")]


@pytest.fixture
def two_processes(settings: Any) -> None:
    settings.TRAINING = replace(settings.TRAINING, processes=2)


def alive(folder: Path) -> list[int]:
    """Return which of the processes that left their numbers in `folder` still run."""
    found = []
    for path in folder.iterdir():
        with suppress(OSError):
            if Path(f"/proc/{path.name}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(int(path.name))
    return found


def test_a_batch_goes_to_as_many_processes_as_get_the_same_number_of_examples(settings: Any) -> None:
    settings.TRAINING = replace(settings.TRAINING, processes=8)
    assert [launch.n_processes(size) for size in (1, 4, 12, 16)] == [1, 4, 6, 8]


def test_two_processes_make_the_model_that_one_makes(tmp_path: Path, settings: Any) -> None:
    base = tiny_bert(tmp_path / "base")
    recipe = Recipe(method="full", epochs=2, learning_rate=1e-3, batch_size=8, dropout=0.0)
    found: dict[int, Any] = {}
    for n in (1, 2):
        settings.TRAINING = replace(settings.TRAINING, processes=n)
        folder, told = tmp_path / str(n), list[tuple[int, int, Mapping[str, float]]]()
        figures = launch.run(
            transformer_classifier.fit,
            texts(48),
            texts(16),
            labels=LABELS,
            recipe=recipe,
            base=base,
            work=folder / "work",
            into=folder / "model",
            watch=lambda done, of, figures, told=told: told.append((done, of, figures)),
        )
        found[n] = figures, told, weights(folder / "model")
    (one, heard_one, w_one), (two, heard_two, w_two) = found[1], found[2]
    assert one["steps"] == two["steps"] == 12
    assert one["trained_parameters"] == two["trained_parameters"]
    assert [done for done, _, figures in heard_two if not figures] == [
        done for done, _, figures in heard_one if not figures
    ]
    assert any("eval_loss" in figures for _, _, figures in heard_two)
    for name, value in w_one.items():
        assert value.allclose(w_two[name], atol=1e-4), name


@pytest.mark.usefixtures("two_processes")
def test_what_a_process_finds_wrong_is_heard_as_it_was_said() -> None:
    with pytest.raises(PermanentError, match="every example is too long") as found:
        launch.run(fails, recipe=RECIPE, watch=unwatched)
    assert found.value.hint == "Raise max_tokens."
    with pytest.raises(RuntimeError, match="SIGKILL"):
        launch.run(is_killed, recipe=RECIPE, watch=unwatched)


@pytest.mark.usefixtures("two_processes")
def test_who_cancels_ends_them_all(tmp_path: Path) -> None:
    class Cancelled(Exception):
        pass

    def watch(done: int, of: int, figures: Mapping[str, float]) -> None:
        if len(alive(tmp_path)) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        launch.run(waits, recipe=RECIPE, watch=watch, into=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert not alive(tmp_path)


def test_they_end_with_the_worker_that_started_them(tmp_path: Path) -> None:
    script = f"""
import django; django.setup()
from pathlib import Path
from tests.training.small_trainers import RECIPE, waits
from training.trainers import launch
from training.trainers.contracts import unwatched
launch.run(waits, recipe=RECIPE, watch=unwatched, into=Path({str(tmp_path)!r}))
"""
    worker = subprocess.Popen(
        [sys.executable, "-c", script], cwd=project.BASE_DIR, env={**os.environ, "TRAINING_PROCESSES": "2"}
    )
    wait_for(lambda: len(alive(tmp_path)) == 2, seconds=300, what="both processes")
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    wait_for(lambda: not alive(tmp_path), seconds=60, what="their end")
