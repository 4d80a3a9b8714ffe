"""Assignment is a pure function: sticky, independent by layer, and in the shares that were planned."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from stats.srm import sample_ratio
from storefront.assignment import GRAIN, Arm, Design, assign, fraction, is_held_out

UNITS = [f"{n:016x}" for n in range(20_000)]
FOR_EVER = 0.10633364627462386
HALVES = Design(salt="s1", layer="copy", first=0, share=GRAIN, arms=(Arm("control", 1), Arm("b", 1)))


def test_units_get_the_shares_that_were_planned() -> None:
    arms = (Arm("control", 0.5), Arm("b", 0.3), Arm("c", 0.2))
    counts = Counter(assign(replace(HALVES, arms=arms), unit).name for unit in UNITS)  # type: ignore[union-attr]
    assert sample_ratio([counts[arm.name] for arm in arms], [arm.weight for arm in arms]).p > 0.001  # type: ignore[operator]


def test_a_ramp_keeps_everybody_who_is_in_and_in_their_arm() -> None:
    small = replace(HALVES, first=500, share=1000)
    large = replace(small, share=6000)
    was = {unit: arm for unit in UNITS if (arm := assign(small, unit))}
    assert was
    assert all(assign(large, unit) == arm for unit, arm in was.items())


def test_experiments_of_one_layer_exclude_one_another() -> None:
    one, other = replace(HALVES, share=5000), replace(HALVES, salt="s2", first=5000, share=5000)
    assert all((assign(one, unit) is None) != (assign(other, unit) is None) for unit in UNITS)


def test_layers_are_independent_of_one_another() -> None:
    other = replace(HALVES, salt="s2", layer="lists")
    both = Counter((assign(HALVES, unit).name, assign(other, unit).name) for unit in UNITS)  # type: ignore[union-attr]
    assert sample_ratio(list(both.values()), [1, 1, 1, 1]).p > 0.001  # type: ignore[operator]


def test_an_arm_of_no_weight_gets_nobody() -> None:
    arms = (Arm("control", 1), Arm("b", 0))
    assert {assign(replace(HALVES, arms=arms), unit).name for unit in UNITS} == {"control"}  # type: ignore[union-attr]


def test_who_is_held_out_stays_so() -> None:
    share = sum(is_held_out(unit, share=0.05) for unit in UNITS) / len(UNITS)
    assert share == pytest.approx(0.05, abs=0.008)
    assert all(is_held_out(unit, share=0.1) for unit in UNITS if is_held_out(unit, share=0.05))


def test_assignment_is_the_same_for_ever() -> None:
    """Of another number every shopper would change sides in the middle of their experiments."""
    assert fraction("arm", "s1", "00") == pytest.approx(FOR_EVER, abs=1e-15)


@pytest.mark.parametrize(
    "wrong", [{"first": -1}, {"share": GRAIN + 1}, {"first": 1}, {"arms": ()}, {"arms": (Arm("a", 0),)}]
)
def test_a_design_that_cannot_be_dealt_out_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"a layer has|an experiment needs"):
        replace(HALVES, **wrong)
