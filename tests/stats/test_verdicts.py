"""Verdicts: the word and the sentence that follow from an interval, a sample ratio and the guardrails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.estimates import Interval
from stats.srm import SampleRatio, sample_ratio
from stats.verdicts import Guardrail, Kind, Verdict, judge

EVEN = sample_ratio([5000, 5010], [1, 1])


def verdict(low: float, high: float, **more: object) -> Verdict:
    interval = Interval((low + high) / 2, low, high, is_relative=bool(more.pop("is_relative", True)))
    given_ = {"name": "B", "matters_from": 0.02, "sample_ratio": EVEN, "fraction": 0.43, **more}
    return judge(interval, **given_)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("low", "high", "kind", "sentence"),
    [
        (0.012, 0.048, Kind.BETTER, "B is better by 1.2 to 4.8 %, and you may look as often as you like."),
        (-0.048, -0.012, Kind.WORSE, "B is worse by 1.2 to 4.8 %, and you may look as often as you like."),
        (
            -0.01,
            0.015,
            Kind.SAME,
            "B differs by less than 2.0 % from the control, and you may look as often as you like.",
        ),
        (-0.01, 0.032, Kind.NOT_YET, "Not yet: B is between 1.0 % worse and 3.2 % better; 43 % of the plan is there."),
        (0.0004, 0.048, Kind.BETTER, "B is better by 0.04 to 4.8 %, and you may look as often as you like."),
        (0.0102, 0.0104, Kind.BETTER, "B is better by about 1.0 %, and you may look as often as you like."),
    ],
)
def test_the_sentence_says_what_the_interval_does(low: float, high: float, kind: Kind, sentence: str) -> None:
    found = verdict(low, high)
    assert (found.kind, found.sentence) == (kind, sentence)
    assert found.may_ship == (kind is Kind.BETTER)


def test_where_less_is_better_signs_turn_round() -> None:
    found = verdict(-0.048, -0.012, higher_is_better=False)
    assert found.sentence == "B is better by 1.2 to 4.8 %, and you may look as often as you like."


def test_units_are_told_as_units() -> None:
    found = verdict(0.1234, 2.5, is_relative=False, validity="this was look 3 of 5")
    assert found.sentence == "B is better by 0.123 to 2.5, and this was look 3 of 5."


def test_without_an_interval_it_is_too_soon() -> None:
    found = judge(None, name="B", matters_from=0.02, sample_ratio=EVEN, fraction=0.02)
    assert found.kind is Kind.NOT_YET
    assert found.sentence == "Not yet: too few outcomes to say anything of B; 2 % of the plan is there."


def test_a_sample_ratio_that_is_off_blocks_whatever_the_figures_say() -> None:
    found = verdict(0.1, 0.2, sample_ratio=sample_ratio([5200, 4800], [1, 1]))
    assert found.kind is Kind.BLOCKED
    assert not found.may_ship
    assert found.sentence.startswith(
        "No verdict: of 10,000 units the arms got 52.0 : 48.0 % where 50.0 : 50.0 % were planned (p = 6e-05)."
    )
    assert "better" not in found.sentence


def test_a_guardrail_that_is_harmed_is_named_and_forbids_to_ship() -> None:
    rails = {
        "returns": Guardrail(Interval(0.05, 0.02, 0.08), margin=0.01, higher_is_better=False),
        "revenue": Guardrail(Interval(-0.01, -0.03, 0.01)),
        "speed": Guardrail(Interval(0.01, 0.005, 0.02), margin=0.01, higher_is_better=False),
        "helpful": Guardrail(None),
    }
    found = verdict(0.012, 0.048, guardrails=rails)
    assert found.kind is Kind.BETTER
    assert found.harmed == ("returns",)
    assert not found.may_ship
    assert found.sentence.endswith("as often as you like; but returns is worse than allowed.")


@given(st.floats(-0.5, 0.5), st.floats(0, 0.5), st.floats(0.001, 0.2))
def test_seen_from_the_other_side_the_verdict_turns_round(low: float, width: float, delta: float) -> None:
    other = {Kind.BETTER: Kind.WORSE, Kind.WORSE: Kind.BETTER}
    one = verdict(low, low + width, matters_from=delta)
    back = verdict(low, low + width, matters_from=delta, higher_is_better=False)
    assert back.kind is other.get(one.kind, one.kind)


def test_the_difference_that_matters_has_to_be_declared() -> None:
    with pytest.raises(ValueError, match="declared"):
        verdict(0, 1, matters_from=0.0)


def test_too_few_units_block_nothing() -> None:
    assert verdict(0.01, 0.02, sample_ratio=SampleRatio((2, 0), (1.0, 1.0))).kind is Kind.BETTER
