"""Two models on the same texts: who is right more often, and whether that is more than chance. Pure.

Texts about one product are alike: what they say together is less than what as many texts about as many products say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Gap:
    """A figure of the new model less that of the old, with its interval."""

    value: float
    low: float
    high: float


UNKNOWN = Gap(0.0, -1.0, 1.0)


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

    The interval is that of `difference`. The test gives each product's difference either sign with equal chances,
    exactly; with a text for each it is McNemar's (1947, Psychometrika 12, 153).
    """
    gap = new.astype(np.int64) - old.astype(np.int64)
    found = difference(gap.astype(np.float64), products, level=level)
    sums = _by_product(gap.astype(np.float64), products)[0].astype(np.int64)
    only_new, only_old = int((gap > 0).sum()), int((gap < 0).sum())
    return Comparison(len(gap), found.value, found.low, found.high, only_new, only_old, _chance(sums))


def difference(
    gap: Floats, products: Ints | None = None, *, level: float = 0.95, unit: float = 1.0, alike: float | None = None
) -> Gap:
    """Return the mean of `gap` (n,), what each text gained, with its interval; no text can gain or lose more than
    `unit`.

    Bonett and Price's adjusted Wald interval for a paired difference (2012, Journal of Educational and Behavioral
    Statistics 37, 479), which holds its level with few texts: two texts are added, one that gained a unit and one that
    lost it. Counts are divided by the design effect (Rao and Scott 1992, Biometrics 48, 577), and the quantile is
    Student's for as many products. `alike`: what texts of a product have in common at least, as in `likeness`.
    """
    n = len(gap)
    if not n:
        return UNKNOWN
    value = float(gap.mean())
    effect, n_products = _design_effect(gap, products, alike)
    if n_products < 2:
        return Gap(value, -unit, unit)
    n_worth = n / effect + 2
    mean = float(gap.sum()) / effect / n_worth
    square = (float((gap**2).sum()) / effect + 2 * unit**2) / n_worth
    half = _quantile(level, n_products) * float(np.sqrt(max(square - mean**2, 0) / n_worth))
    return Gap(value, max(-unit, mean - half), min(unit, mean + half))


def of_shares(
    new: Bools, old: Bools, hit: Bools, products: Ints | None = None, *, level: float = 0.95, alike: float | None = None
) -> Gap:
    """Return by how much the share of `hit` is larger among the texts of `new` than among those of `old`, with its
    interval.

    The two may have texts in common: so it is with the texts that two models call alike, of which precision is the
    share that is. Agresti and Caffo's interval (2000, The American Statistician 54, 280), a hit and a miss added to
    each side, with the variance of what is in common taken off (Moskowitz and Pepe 2006, Clinical Trials 3, 272), and
    texts of a product counted as in `difference`.
    """
    rows = np.flatnonzero(new | old)
    new, old, hit = new[rows], old[rows], hit[rows].astype(np.float64)
    if not new.any() or not old.any():
        return UNKNOWN
    own = None if products is None else products[rows]
    weights = [side / side.sum() for side in (new, old)]
    shares = [float(weight @ hit) for weight in weights]
    apart = weights[0] * (hit - shares[0]) - weights[1] * (hit - shares[1])
    effect, n_products = _design_effect(apart, own, alike)
    if n_products < 2:
        return Gap(shares[0] - shares[1], -1.0, 1.0)
    value, spread, parts = 0.0, 0.0, np.zeros(len(rows))
    for sign, side in ((1, new), (-1, old)):
        n = float(side.sum()) / effect + 2
        share = (float(hit[side].sum()) / effect + 1) / n
        value += sign * share
        spread += ((1 - share) ** 2 + share**2) / n**2
        parts += sign * side * (hit - share) / n
    half = _quantile(level, n_products) * float(np.sqrt(spread + (parts**2).sum() / effect))
    return Gap(shares[0] - shares[1], max(-1.0, value - half), min(1.0, value + half))


def summed(parts: Floats, value: float, products: Ints | None = None, *, level: float = 0.95) -> Gap:
    """Return `value` with the interval that the influence of each text on it (n,) gives, texts of a product together.

    By linearisation (Binder 1983, International Statistical Review 51, 279); the influences sum to zero.
    """
    sums, _ = _by_product(parts, products)
    if (n := len(sums)) < 2:
        return Gap(value, -1.0, 1.0)
    half = _quantile(level, n) * float(np.sqrt(n / (n - 1) * (sums**2).sum()))
    return Gap(value, value - half, value + half)


def likeness(gap: Floats, products: Ints | None = None) -> float:
    """Return how alike what texts gained is among those of a product: 0, as if of different ones, to 1, always the
    same.

    The intraclass correlation that the design effect comes to. 1 where nothing was gained or lost to see it by.
    """
    effect, most = _design_effect(gap, products, None)[0], _most(_by_product(gap, products)[1])
    return (effect - 1) / (most - 1) if most > 1 else 0.0


def _by_product(values: Floats, products: Ints | None) -> tuple[Floats, Floats]:
    """Return the sum of `values` for each product, and of how many texts it is."""
    if products is None:
        return values, np.ones(len(values))
    sizes = np.bincount(products)
    there = sizes > 0
    sums = np.asarray(np.bincount(products, weights=values), dtype=np.float64)
    return sums[there], sizes[there].astype(np.float64)


def _quantile(level: float, n_products: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(n_products - 1, 0.5 + level / 2))


def _most(sizes: Floats) -> float:
    """Return the design effect where texts of one product always agree."""
    return float((sizes**2).sum() / max(sizes.sum(), 1.0))


def _design_effect(gap: Floats, products: Ints | None, alike: float | None) -> tuple[float, int]:
    """Return how many texts, drawn by product as they were, are worth one that is drawn alone, 1 or more; and how many
    products.

    It is at most what it is where texts of one product always agree, and that where there is nothing to see it by; with
    `alike` it is at least what that comes to, and that where there is nothing to see.
    """
    n, (sums, sizes) = len(gap), _by_product(gap, products)
    n_products, most = len(sizes), _most(sizes)
    least = 1.0 if alike is None else 1 + alike * (most - 1)
    if gap.min() == gap.max():
        return (most if alike is None else least), n_products
    alone = float(gap.var()) / n
    if n_products < 2:
        return most, n_products
    together = n_products / (n_products - 1) * float(((sums - sizes * gap.mean()) ** 2).sum()) / n**2
    return min(max(together / alone, least), most), n_products


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
