"""What an experiment's figures amount to, in one word and one plain sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from stats.estimates import Interval
from stats.srm import SampleRatio

ALWAYS = "you may look as often as you like"


class Kind(StrEnum):
    """What can be said of an arm against its control."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "no difference that matters"
    NOT_YET = "not yet"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What can be said, the sentence that says it, and the guardrail metrics that are worse than they may be."""

    kind: Kind
    sentence: str
    harmed: tuple[str, ...] = ()

    @property
    def may_ship(self) -> bool:
        """Whether the figures speak for the arm and no guardrail against it; to ship it is a person's decision."""
        return self.kind is Kind.BETTER and not self.harmed


@dataclass(frozen=True, slots=True)
class Guardrail:
    """The interval of a metric that may not get worse by more than `margin` (a share of the control's value, or
    units).
    """

    interval: Interval | None
    margin: float = 0.0
    higher_is_better: bool = True

    @property
    def is_harmed(self) -> bool:
        """Whether it is worse by more than the margin beyond chance."""
        if self.interval is None:
            return False
        return -_for_the_better(self.interval, self.higher_is_better)[1] > self.margin


def judge(
    interval: Interval | None,
    *,
    name: str,
    matters_from: float,
    sample_ratio: SampleRatio,
    fraction: float,
    higher_is_better: bool = True,
    guardrails: Mapping[str, Guardrail] | None = None,
    validity: str = ALWAYS,
) -> Verdict:
    """Return the verdict on the arm `name` by the `interval` of its primary metric against the control.

    `matters_from` is the difference δ, above 0 and in the units of the interval, below which nobody would care: wholly
    within ± δ is "no difference that matters". `fraction` of the plan is there. `validity` says for which looks the
    interval holds. A sample ratio that is off blocks all else. Raises `ValueError` where δ is not above 0.
    """
    if matters_from <= 0:
        raise ValueError("the difference that matters has to be above 0 and declared before the start")
    if sample_ratio.is_mismatch:
        return Verdict(Kind.BLOCKED, _blocked(sample_ratio))
    harmed = tuple(metric for metric, guardrail in (guardrails or {}).items() if guardrail.is_harmed)
    kind, sentence = _read(interval, name, matters_from, fraction, higher_is_better, validity)
    if harmed:
        sentence = f"{sentence[:-1]}; but {_listed(harmed)} {'is' if len(harmed) == 1 else 'are'} worse than allowed."
    return Verdict(kind, sentence, harmed)


def _read(
    interval: Interval | None, name: str, delta: float, fraction: float, higher_is_better: bool, validity: str
) -> tuple[Kind, str]:
    there = f"{min(100 * fraction, 100):.0f} % of the plan is there"
    if interval is None:
        return Kind.NOT_YET, f"Not yet: too few outcomes to say anything of {name}; {there}."
    low, high = _for_the_better(interval, higher_is_better)
    relative = interval.is_relative
    # Better and within δ at once: it is better, by little; the range says by how little.
    if low > 0:
        return Kind.BETTER, f"{name} is better by {_range(low, high, relative)}, and {validity}."
    if high < 0:
        return Kind.WORSE, f"{name} is worse by {_range(-high, -low, relative)}, and {validity}."
    if -delta < low and high < delta:
        most = _number(delta, relative)
        return Kind.SAME, f"{name} differs by less than {most} from the control, and {validity}."
    return (
        Kind.NOT_YET,
        f"Not yet: {name} is between {_number(-low, relative)} worse and {_number(high, relative)} better; {there}.",
    )


def _for_the_better(interval: Interval, higher_is_better: bool) -> tuple[float, float]:
    return (interval.low, interval.high) if higher_is_better else (-interval.high, -interval.low)


def _blocked(ratio: SampleRatio) -> str:
    n = sum(ratio.counts)
    got = " : ".join(f"{100 * count / n:.1f}" for count in ratio.counts)
    due = " : ".join(f"{100 * mean / n:.1f}" for mean in ratio.expected)
    p = ratio.p or 0.0
    chance = f"p = {p:.1g}" if p >= 1e-12 else "p < 1e-12"
    return (
        f"No verdict: of {n:,} units the arms got {got} % where {due} % were planned ({chance}). Find out which units "
        "are lost or counted twice before anything else is read here."
    )


def _range(low: float, high: float, is_relative: bool) -> str:
    first, last = _number(low, is_relative), _number(high, is_relative)
    return f"{first.removesuffix(' %')} to {last}" if first != last else f"about {first}"


def _number(value: float, is_relative: bool) -> str:
    """Return a size as people read it: shares as percent with one decimal, units with three figures."""
    if not is_relative:
        return f"{value + 0.0:.3g}"
    percent = 100 * value
    if 0 < abs(percent) < 0.1:
        return f"{percent:.2g} %"
    return f"{percent + 0.0:.1f} %" if abs(percent) < 1000 else f"{percent:,.0f} %"


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
