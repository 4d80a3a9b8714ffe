"""How urgent a piece of human work is: risk × uncertainty × value, and age as a factor that grows without end.

    score(t) = risk · uncertainty · value · exp((t − created_at) / ageing)

Age multiplies every score alike as time goes by, so the order of two items never changes, and one stored column orders
a queue: `urgent_from` = created_at − ageing · ln(risk · uncertainty · value), earliest first. Nothing is ranked again,
and nothing starves: an item opened `longest_overtaking` after another one never goes before it, whatever it is about.

Pure: numbers in, numbers and words out.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

# Lowest and highest of each factor. What is unknown counts as uncertain, and as worth the least.
RISK, UNCERTAINTY, VALUE = (0.1, 1.0), (0.1, 1.0), (1.0, 3.0)
# What a mistake in print would cost: a slogan is advertising, where a wrong word is an offence; a label is not shown.
CHANNEL_RISK = {"ad_slogan": 0.4}
COPY_RISK, LABEL_RISK = 0.2, 0.1
SEVERITY_RISK = {"warn": 0.15, "block": 0.4}  # what each finding adds
JUDGE_RISK = 0.15  # what a claim adds that a judge alone sees: as much as a warning, however many they are


@dataclass(frozen=True)
class Factors:
    """Why an item is where it is in its queue; each within its range."""

    risk: float
    uncertainty: float
    value: float

    @property
    def urgency(self) -> float:
        """Their product: how urgent a fresh item is, against another fresh one."""
        return self.risk * self.uncertainty * self.value

    def in_words(self) -> str:
        """Return the factors in words, e.g. `high risk, low uncertainty, middling value`."""
        named = (
            (self.risk, RISK, "risk"),
            (self.uncertainty, UNCERTAINTY, "uncertainty"),
            (self.value, VALUE, "value"),
        )
        return ", ".join(f"{_degree(number, limits)} {name}" for number, limits, name in named)


def _degree(number: float, limits: tuple[float, float]) -> str:
    low, high = limits
    place = (number - low) / (high - low)
    return "low" if place < 1 / 3 else "middling" if place < 2 / 3 else "high"


def _within(number: float, limits: tuple[float, float]) -> float:
    return round(min(max(number, limits[0]), limits[1]), 4)


def factors_of_copy(
    *,
    channel: str,
    severities: Iterable[str],
    grounding: float | None,
    price: Decimal | None,
    is_pointed_at: bool = False,
) -> Factors:
    """Return the factors of a draft: risk by channel, findings and what a judge points at, uncertainty by how little
    the facts back it.
    """
    risk = CHANNEL_RISK.get(channel, COPY_RISK) + sum(SEVERITY_RISK.get(severity, 0.0) for severity in severities)
    risk += JUDGE_RISK if is_pointed_at else 0.0
    unsure = 1.0 if grounding is None else 1 - grounding
    return Factors(_within(risk, RISK), _within(unsure, UNCERTAINTY), value_of(price))


def factors_of_label(*, confidence: float | None, n_labels: int, price: Decimal | None) -> Factors:
    """Return the factors of a label that a model is unsure about: 1 is a guess among `n_labels`, 0.1 is certainty."""
    chance = 1 / max(n_labels, 2)
    unsure = 1.0 if confidence is None else (1 - confidence) / (1 - chance)
    return Factors(LABEL_RISK, _within(unsure, UNCERTAINTY), value_of(price))


def value_of(price: Decimal | None) -> float:
    """Return what a product is worth to us: 1 without a price, 2 at 99, 3 from 9,999 on, in whatever currency."""
    return _within(1 + math.log10(1 + max(float(price or 0), 0)) / 2, VALUE)


def urgent_from(created_at: dt.datetime, factors: Factors, *, ageing: dt.timedelta) -> dt.datetime:
    """Return the moment that orders an item in its queue, earliest first."""
    return created_at - ageing * math.log(factors.urgency)


def score(at: dt.datetime, *, created_at: dt.datetime, factors: Factors, ageing: dt.timedelta) -> float:
    """Return how urgent an item is at a moment. Only the order of two scores means something."""
    return factors.urgency * math.exp((at - created_at) / ageing)


def longest_overtaking(ageing: dt.timedelta) -> dt.timedelta:
    """Return how much later an item may be opened and still go first: nothing waits behind younger ones for longer."""
    most, least = (math.prod(limits[i] for limits in (RISK, UNCERTAINTY, VALUE)) for i in (1, 0))
    return ageing * math.log(most / least)
