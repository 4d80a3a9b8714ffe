"""Planning, starting, ramping and ending an experiment: who may, what is refused, what the ledger says."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from audit.models import LedgerEntry
from core.exceptions import IllegalMove, PermanentError, StaleState
from storefront.experiments import lifecycle, planning
from storefront.experiments.planning import NewArm, Plan
from storefront.models import Experiment
from tests import factories as make
from tests import people
from tests.at_once import at_once

pytestmark = pytest.mark.django_db
TWO = (NewArm("control"), NewArm("b", variant="b"))


def plan(name: str = "warmer-words", **fields: Any) -> Plan:
    """A plan on all English descriptions, with what `fields` say."""
    values: dict[str, Any] = {
        "hypothesis": "Warmer words sell more.",
        "arms": TWO,
        "n_planned": 10_000,
        "channel": "description",
        "locale": "en",
    } | fields
    return Plan(name, **values)


def test_an_experiment_is_planned_started_paused_stopped_with_a_line_for_each() -> None:
    analyst = people.ml_engineer()
    made = planning.draft(plan(secondary=("cart_share",), guardrails={"not_helpful_share": 0.1}), actor=analyst)
    lifecycle.start(made, actor=analyst)
    lifecycle.pause(made, actor=analyst, reason="A sale began.")
    lifecycle.resume(made, actor=analyst, reason="The sale is over.")
    lifecycle.stop(made, actor=analyst, reason="The plan is full.")
    made.refresh_from_db()
    assert (made.status, made.first, made.share) == ("stopped", 0, 10_000)
    lines = LedgerEntry.objects.filter(subject=f"storefront.experiment:{made.pk}").order_by("seq")
    assert [line.action.rpartition(".")[2] for line in lines] == ["planned", "started", "paused", "resumed", "stopped"]
    assert lines[1].payload["plan"]["primary"] == "click_share"
    assert "sale" not in str(lines[2].payload), "what people typed is sealed"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"arms": (NewArm("control"),)}, "arms"),
        ({"arms": (NewArm("b"), NewArm("control"))}, "first called control"),
        ({"arms": (NewArm("control"), NewArm("b"))}, "show the same"),
        ({"arms": (NewArm("control", weight=float("nan")), TWO[1])}, "weight"),
        ({"hypothesis": "  "}, "needs a reason"),
        ({"name": "No name\0"}, "no name"),
        ({"primary": "happiness"}, "no metric"),
        ({"primary": "revenue"}, "one currency"),
        ({"n_planned": 10**12}, "number of units"),
        ({"matters_from": 0.0}, "difference that matters"),
        ({"alpha": float("inf")}, "Alpha"),
        ({"share": 0}, "share"),
        ({"channel": "billboard"}, "Unknown channel"),
        ({"skus": ["NO-SUCH"]}, "no product"),
        ({"skus": ["A\0B"]}, "skus"),
        ({"window": dt.timedelta(days=9999)}, "window"),
        ({"mode": "bandit"}, "holdout"),
        ({"mode": "bandit", "holdout": 0.1, "primary": "click_rate"}, "bandit goes by"),
        ({"subject": "audience"}, "which audience"),
        ({"subject": "recommendations"}, "no slots"),
        ({"subject": "weather"}, "Unknown"),
        ({"guardrails": {"cart_share": -1.0}}, "margin"),
    ],
    ids=str,
)
def test_a_plan_that_is_none_is_refused_with_words(fields: dict[str, Any], words: str) -> None:
    asked = plan(fields.pop("name", "absurd"), **fields)
    with pytest.raises(PermanentError, match=words):
        planning.draft(asked, actor=people.ml_engineer())
    assert not Experiment.objects.exists()


def test_a_name_is_taken_once() -> None:
    actor = people.ml_engineer()
    planning.draft(plan(), actor=actor)
    with pytest.raises(PermanentError, match="already"):
        planning.draft(plan(), actor=actor)


@pytest.mark.parametrize("role", ["Reviewer", "Senior reviewer", "Merchant", "Auditor", None], ids=str)
def test_who_may_not_run_experiments_neither_plans_nor_starts_one(role: str | None) -> None:
    made = planning.draft(plan(), actor=people.ml_engineer())
    other = people.people(role)
    for act in (
        lambda: planning.draft(plan("other"), actor=other),
        lambda: lifecycle.start(made, actor=other),
        lambda: lifecycle.ramp(made, share=10_000, actor=other),
        lambda: lifecycle.stop(made, actor=other, reason="because"),
    ):
        with pytest.raises(PermissionDenied):
            act()


def test_experiments_of_one_layer_get_parts_that_do_not_overlap() -> None:
    actor = people.ml_engineer()
    first, second, third = (planning.draft(plan(name, share=4000), actor=actor) for name in ("a", "b", "c"))
    lifecycle.start(first, actor=actor)
    lifecycle.start(second, actor=actor)
    assert (first.first, second.first) == (0, 4000)
    with pytest.raises(PermanentError, match="no room"):
        lifecycle.start(third, actor=actor)
    with pytest.raises(PermanentError, match="no room"):
        lifecycle.ramp(first, share=5000, actor=actor)
    lifecycle.ramp(second, share=6000, actor=actor)
    with pytest.raises(PermanentError, match="goes up"):
        lifecycle.ramp(second, share=5999, actor=actor)
    lifecycle.stop(first, actor=actor, reason="enough")
    lifecycle.start(third, actor=actor)
    assert third.first == 0


def test_two_layers_do_not_meet_on_one_slot() -> None:
    actor, mug, cup = people.ml_engineer(), make.product(), make.product()
    lifecycle.start(planning.draft(plan("on-mugs", skus=[mug.sku]), actor=actor), actor=actor)
    other = planning.draft(plan("on-cups", skus=[cup.sku], layer="cups"), actor=actor)
    lifecycle.start(other, actor=actor)
    for skus in ([mug.sku, cup.sku], []):
        meets = planning.draft(plan(f"meets-{len(skus)}", skus=skus, layer="third"), actor=actor)
        with pytest.raises(PermanentError, match="same slots"):
            lifecycle.start(meets, actor=actor)


def test_there_is_no_way_back_from_stopped() -> None:
    actor = people.ml_engineer()
    made = planning.draft(plan(), actor=actor)
    with pytest.raises(StaleState):
        lifecycle.pause(made, actor=actor, reason="too early")
    lifecycle.start(made, actor=actor)
    with pytest.raises(StaleState):
        lifecycle.start(made, actor=actor)
    lifecycle.stop(made, actor=actor, reason="enough")
    with pytest.raises(StaleState):
        lifecycle.resume(made, actor=actor, reason="again")
    with pytest.raises(IllegalMove):
        lifecycle.advance(made, from_="stopped", to="running")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_start_at_once_one_gets_the_traffic() -> None:
    actor = people.ml_engineer()
    one, two = (planning.draft(plan(name, share=6000), actor=actor) for name in ("one", "two"))
    found = at_once(*(lambda made=made: lifecycle.start(made, actor=actor) for made in (one, two, one)))
    assert sum(isinstance(one, Exception) for one in found) == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM storefront_experiment WHERE status = 'running'")
        assert cursor.fetchone() == (1,)
