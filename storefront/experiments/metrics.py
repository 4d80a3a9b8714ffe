"""The metrics of experiments: what is added up for each unit, and whether more of it is better."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.exceptions import PermanentError


class Kind(StrEnum):
    """How a metric comes out of the sums of units."""

    SHARE = "share"  # of the units, those with any
    MEAN = "mean"  # of what each unit has
    RATIO = "ratio"  # of two sums of the units


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `above` and `below` are columns of `ExperimentUnit`."""

    name: str
    title: str
    kind: Kind
    above: str
    below: str = ""
    higher_is_better: bool = True


METRICS: Final[dict[str, Metric]] = {
    metric.name: metric
    for metric in (
        Metric("click_share", "Shoppers who clicked", Kind.SHARE, "clicks"),
        Metric("cart_share", "Shoppers who put something into the cart", Kind.SHARE, "carts"),
        Metric("purchase_share", "Shoppers who bought", Kind.SHARE, "purchases"),
        Metric("revenue", "Revenue a shopper", Kind.MEAN, "revenue"),
        Metric("click_rate", "Clicks for each impression", Kind.RATIO, "clicks", "impressions"),
        Metric("purchases_for_carts", "Purchases for each cart", Kind.RATIO, "purchases", "carts"),
        Metric("helpful_share", "Shoppers who found it helpful", Kind.SHARE, "helpful"),
        Metric("not_helpful_share", "Shoppers who found it not helpful", Kind.SHARE, "not_helpful", "", False),
    )
}


def metric(name: str) -> Metric:
    """Return the metric `name`. Raises `PermanentError` where there is none."""
    if name not in METRICS:
        raise PermanentError(f"There is no metric “{name[:40]}”.", hint=f"Choose from {', '.join(METRICS)}.")
    return METRICS[name]
