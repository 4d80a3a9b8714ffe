"""A run enters each room once or twice: followed through the calls, from the labels to the promotion (ADR 0024)."""

from __future__ import annotations

import sys

import pytest

from inference.models import ModelVersion
from tests.training.shop import label_reviews, train
from tests.training.way import followed, is_leaf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("alone")]
# Of one run, as ADR 0024 has them; fewer are welcome.
MOST_ROOMS, MOST_DOORS = 24, 81


@pytest.mark.slow("follows every call of a whole run")
def test_a_run_enters_each_room_once_or_twice(guessing: ModelVersion) -> None:
    label_reviews(600, chinese=0.5)
    with followed() as way:
        run = train()
    sys.stdout.writelines(f"{line}\n" for line in way.lines())
    assert (run.status, run.last_error) == ("succeeded", "")
    assert run.version.aliases.get().name == "champion", "the way was gone to its end"
    assert [step.name for step in way.steps] == [
        "recipes.parse",
        "snapshots.freeze",
        "roles.role_of",
        "classifiers.base_of",
        "snapshots.read_all",
        "classifiers.fit",
        "evaluation/runner.measure",
        "evaluation/runner.judge",
        "registry.register",
        "evaluation/reports.write",
        "evaluation/model_card.write",
        "registry.promote_if_passed",
    ]
    assert not {room: steps for room, steps in way.visits.items() if len(steps) > 2}
    assert len(way.visits) <= MOST_ROOMS
    assert way.n_doors <= MOST_DOORS


def test_a_leaf_is_given_values_and_returns_values() -> None:
    for leaf in ("near_copies", "splits", "minhash", "evaluation/metrics", "evaluation/comparison", "evaluation/gate"):
        assert is_leaf(f"training/{leaf}.py"), f"{leaf} reads a table, a setting or a stored file by now"
    for room in ("snapshots", "partition", "kept_parts", "recipes", "evaluation/runner"):
        assert not is_leaf(f"training/{room}.py"), f"{room} became a leaf: good, say so in ADR 0024"
