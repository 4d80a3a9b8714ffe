"""ARCHITECTURE.md against the code: states, queues, schedule."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import models

from ecomsite.celery import app as celery
from ecomsite.stack.commands import WORKER_POOLS
from ecomsite.web.lanes import DESK, EVENTS, FILES, SHOP, SIGN_IN
from labeling.lifecycle import MOVES as LABELING_MOVES
from labeling.models import LabelingTask
from moderation.lifecycle import MOVES as MODERATION_MOVES
from outbox.lifecycle import MOVES as OUTBOX_MOVES
from storefront.experiments.lifecycle import MOVES as EXPERIMENT_MOVES
from storefront.models import Experiment

MOVES = {**MODERATION_MOVES, LabelingTask: LABELING_MOVES, **OUTBOX_MOVES, Experiment: EXPERIMENT_MOVES}

PAGE = (Path(__file__).resolve().parents[2] / "ARCHITECTURE.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text below the heading `title`, up to the next heading."""
    found = re.search(rf"^#+ {re.escape(title)}$\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"ARCHITECTURE.md has no section {title!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row in `text`, without heading and rule."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("model", MOVES, ids=lambda model: model.__name__)
def test_the_state_table_is_that_of_the_code(model: type[models.Model]) -> None:
    shown = {tuple(row[0].split(" → ")) for row in rows(section(model.__name__))}
    assert shown == {(from_, to) for from_, targets in MOVES[model].items() for to in targets}


@pytest.mark.parametrize("model", MOVES, ids=lambda model: model.__name__)
def test_every_move_is_between_states_that_exist(model: type[models.Model]) -> None:
    states = set(model.Status.values)  # type: ignore[attr-defined]
    assert {*MOVES[model], *(to for targets in MOVES[model].values() for to in targets)} <= states


def test_the_queues_are_those_of_the_settings() -> None:
    assert {row[0] for row in rows(section("Queues"))} == {queue.name for queue in settings.CELERY_TASK_QUEUES}


def test_the_workers_are_those_of_the_local_stack() -> None:
    assert {row[0]: row[1] for row in rows(section("Workers"))} == {
        queues: " ".join(options) for queues, options in WORKER_POOLS.items()
    }


def test_the_lanes_are_those_of_the_web_server() -> None:
    shown = {row[0]: (int(row[1]), int(row[2])) for row in rows(section("Lanes"))}
    assert shown == {lane.name: (lane.threads, lane.line) for lane in (SHOP, DESK, SIGN_IN, EVENTS, FILES)}


def test_the_schedule_is_that_of_beat() -> None:
    shown = {(row[0], row[1].removesuffix(" s")) for row in rows(section("Schedule"))}
    assert shown == {(entry["task"], f"{entry['schedule']:g}") for entry in celery.conf.beat_schedule.values()}
