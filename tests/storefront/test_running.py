"""Which arm a unit is shown: only where all arms are live, in the same arm for ever, a bandit's where it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Product, PublishedCopy
from catalog.slots import Slot
from storefront.experiments import lifecycle, planning, running
from storefront.experiments.planning import NewArm
from storefront.models import Experiment, ExperimentUnit
from tests import factories as make
from tests import people
from tests.storefront.test_experiment_lifecycle import plan

pytestmark = pytest.mark.django_db
UNITS = [f"{n:016x}" for n in range(200)]


@pytest.fixture(autouse=True)
def designs_read_anew() -> Iterator[None]:
    running.forget_designs()
    yield
    running.forget_designs()


def started(**fields: Any) -> Experiment:
    actor = people.ml_engineer()
    made = planning.draft(plan(fields.pop("name", "warmer"), **fields), actor=actor)
    lifecycle.start(made, actor=actor)
    running.forget_designs()
    return made


def live(product: Product, **fields: str) -> PublishedCopy:
    """Live copy of `product` in the variant and for the audience that `fields` say."""
    request = make.generation_request(product_=product, status="completed", **fields)
    return make.published_copy(make.candidate(request=request))


def both_live(*variants: str) -> Slot:
    product: Product = make.product()
    for variant in variants or ("control", "b"):
        live(product, variant=variant)
    return Slot(product, "description", "en")


def test_each_unit_has_one_arm_for_ever_and_half_of_them_the_other() -> None:
    made, slot = started(), both_live()
    shown = [running.assigned(slot, unit) for unit in UNITS]
    assert {one.experiment for one in shown if one} == {made.pk}
    n = sum(one is not None and one.variant == "b" for one in shown)
    assert 70 <= n <= 130
    assert shown == [running.assigned(slot, unit) for unit in UNITS]
    assert running.assigned(slot, "") is None


def test_an_experiment_applies_only_where_all_its_arms_are_live() -> None:
    started()
    slot = both_live("control")
    assert all(running.assigned(slot, unit) is None for unit in UNITS[:20])
    elsewhere = replace(both_live(), channel="ad_slogan")
    assert running.assigned(elsewhere, UNITS[0]) is None


def test_a_ramp_leaves_everybody_where_they_are() -> None:
    made, slot = started(share=3000), both_live()
    before = {unit: running.assigned(slot, unit) for unit in UNITS}
    lifecycle.ramp(made, share=8000, actor=people.ml_engineer())
    running.forget_designs()
    after = {unit: running.assigned(slot, unit) for unit in UNITS}
    assert all(after[unit] == one for unit, one in before.items() if one)
    assert sum(one is not None for one in after.values()) > sum(one is not None for one in before.values())


def test_nobody_is_assigned_by_what_is_paused_or_to_who_is_held_out(settings: Any) -> None:
    made, slot = started(), both_live()
    settings.EXPERIMENTS = replace(settings.EXPERIMENTS, holdout=0.5)
    out = [unit for unit in UNITS if running.is_held_out(unit)]
    assert 60 <= len(out) <= 140
    assert all((running.assigned(slot, unit) is None) == (unit in out) for unit in UNITS)
    lifecycle.pause(made, actor=people.ml_engineer(), reason="A sale began.")
    running.forget_designs()
    assert all(running.assigned(slot, unit) is None for unit in UNITS)


def test_members_of_an_audience_see_its_copy_or_that_for_everybody() -> None:
    started(subject="audience", audience="runners", arms=(NewArm("control"), NewArm("runners")))
    product = make.product()
    live(product)
    live(product, audience="runners")
    slot = Slot(product, "description", "en", "runners")
    shown = {(one.variant, one.audience) for unit in UNITS if (one := running.assigned(slot, unit))}
    assert shown == {("control", ""), ("control", "runners")}
    assert running.assigned(replace(slot, audience=""), UNITS[0]) is None


def test_a_recommender_is_assigned_by_the_subject_alone() -> None:
    arms = (NewArm("control", recommender="popular"), NewArm("b", recommender="nearby"))
    started(subject="recommendations", channel="", locale="", arms=arms)
    shown = {one.variant for unit in UNITS if (one := running.assigned("recommendations", unit))}
    assert shown == {"popular", "nearby"}


def test_a_bandit_keeps_units_in_their_first_arm_and_its_holdout_equal() -> None:
    made, slot = started(mode="bandit", holdout=0.2), both_live()
    before = {unit: one.arm for unit in UNITS if (one := running.assigned(slot, unit))}
    seated = [unit for unit in UNITS[:50] if before[unit] == "control"]
    ExperimentUnit.objects.bulk_create(
        ExperimentUnit(experiment=made, unit=unit, arm="control", exposed_at=timezone.now()) for unit in seated
    )
    Experiment.objects.filter(pk=made.pk).update(allocation={"control": 0.0, "b": 1.0})
    running.forget_designs()
    after = {unit: one.arm for unit in UNITS if (one := running.assigned(slot, unit))}
    assert all(after[unit] == "control" for unit in seated)
    held = [unit for unit in UNITS if running.is_in_holdout(made.salt, unit, holdout=0.2)]
    assert 20 <= len(held) <= 60
    assert all(after[unit] == before[unit] for unit in held)
    assert all(after[unit] == "b" for unit in UNITS if unit not in held and unit not in seated)
