"""Two models on the same texts: who is right more often, and whether that is more than chance. Pure.

Texts about one product are alike: what they say together is less than what as many texts about as many products say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Comparison:
    """By how much one model is right more often than another: points of accuracy, 0…1, with a 95 % interval.

    `only_new` and `only_old` count texts that one alone got right; `p` is the chance of such a difference, or a larger
    one, between models that are equally good.
    """

    n: int
    gain: float
    low: float
    high: float
    only_new: int
    only_old: int
    p: float


def compare(new: Bools, old: Bools, products: Ints | None = None, *, level: float = 0.95) -> Comparison:
    """Compare who was right on the same n texts; `products` (n,) numbers what each is about, None: no two alike.

    The interval is Bonett and Price's adjusted Wald interval for a paired difference (2012, Journal of Educational and
    Behavioral Statistics 37, 479), which holds its level with few texts, of the counts divided by the design effect (Rao
    and Scott 1992, Biometrics 48, 577), with Student's quantile for as many products. The test gives each product's
    difference either sign with equal chances, exactly; with a text for each it is McNemar's (1947, Psychometrika 12, 153).
    """
    from scipy.stats import t

    n = len(new)
    if not n:
        return Comparison(0, 0.0, -1.0, 1.0, 0, 0, 1.0)
    gap = new.astype(np.int64) - old.astype(np.int64)
    only_new, only_old, gain = int((gap > 0).sum()), int((gap < 0).sum()), float(gap.mean())
    found = np.unique(np.arange(n) if products is None else products, return_inverse=True)[1]
    sums, sizes = np.bincount(found, weights=gap).astype(np.int64), np.bincount(found)
    low, high = -1.0, 1.0
    if len(sizes) > 1:
        effect = _design_effect(gap, sums, sizes)
        n_worth = n / effect
        p1, p2 = (only_new / effect + 1) / (n_worth + 2), (only_old / effect + 1) / (n_worth + 2)
        half = float(t.ppf(0.5 + level / 2, len(sizes) - 1)) * float(
            np.sqrt(max(p1 + p2 - (p1 - p2) ** 2, 0) / (n_worth + 2))
        )
        low, high = max(low, p1 - p2 - half), min(high, p1 - p2 + half)
    return Comparison(n, gain, low, high, only_new, only_old, _chance(sums))


def _design_effect(gap: Ints, sums: Ints, sizes: Ints) -> float:
    """Return how many texts, drawn by product as they were, are worth one that is drawn alone: 1 or more.

    It is at most what it is where texts of one product always agree, and that where there is nothing to see it by.
    """
    n, n_products = len(gap), len(sizes)
    most = float((sizes.astype(np.float64) ** 2).sum() / n)
    alone = float(gap.var()) / n
    if not alone:
        return most
    together = n_products / (n_products - 1) * float(((sums - sizes * gap.mean()) ** 2).sum()) / n**2
    return min(max(together / alone, 1.0), most)


def _chance(sums: Ints) -> float:
    """Return the two-sided p of the sum of `sums` where each might as well have had the other sign."""
    sizes, seen = np.abs(sums[sums != 0]), abs(int(sums.sum()))
    chances = np.zeros(2 * int(sizes.sum()) + 1)  # of each sum, from the lowest to the highest there can be
    middle = len(chances) // 2
    chances[middle] = 1.0
    reach = 0
    for size in sizes:
        inner, reach = chances[middle - reach : middle + reach + 1] / 2, reach + int(size)
        chances[middle - reach : middle + reach + 1] = 0
        chances[middle - reach : middle - reach + len(inner)] += inner
        chances[middle + reach - len(inner) + 1 : middle + reach + 1] += inner
    return float(min(1.0, chances[: middle - seen + 1].sum() + chances[middle + seen :].sum()))
