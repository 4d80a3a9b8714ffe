"""Looks for `experiments`: units in a random order without a difference, or with one that was planted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import brentq

from bench.experiment_data import Half
from stats import planned, sequences
from stats.cuped import cap_of, winsorise
from stats.estimates import MINIMUM, MOST_SKEWED
from stats.sample_size import power_for_shares

Z, N_LOOKS, UNITS = 1.959963984540054, 1_000, 20_000
EVERY = np.arange(1, N_LOOKS + 1)
PLANNED = N_LOOKS // planned.LOOKS * np.arange(1, planned.LOOKS + 1) - 1
BOUNDS = planned.boundaries(planned.even_looks())
METHODS = ("one look", "naive, every look", "sequence", "planned looks")

Looks = tuple[np.ndarray, np.ndarray]  # standard errors off 0, and fractions of the plan, at each look


def z_of(n: np.ndarray, sums: np.ndarray, squares: np.ndarray, cubes: np.ndarray, support: np.ndarray) -> Looks:
    """Return z and fractions out of running sums of both arms, (2, …, looks): what `estimates.difference` says at
    each look.

    The plan is what there is at the last look.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        means = sums / n
        spreads = np.maximum(squares / n - means**2, 0)
        variance = (spreads / (n - 1)).sum(axis=0)
        at_the_end = (spreads * n / (n - 1) / n[..., -1:]).sum(axis=0)
        skewness = np.abs((cubes / n - 3 * means * squares / n + 2 * means**3) / spreads**1.5).max(axis=0)
        skewness = skewness * np.abs(1 / n[0] - 1 / n[1]) / np.sqrt(1 / n[0] + 1 / n[1])
        enough = (support >= MINIMUM).all(axis=0) & (variance > 0) & (skewness <= MOST_SKEWED)
        z = np.where(enough, (means[0] - means[1]) / np.sqrt(variance), 0.0)
        return z, np.where(enough, at_the_end / variance, 0.0)


def called(looks: Looks) -> np.ndarray:
    """Return which of `METHODS` call a difference in each run, (methods, runs)."""
    z, fractions = looks
    size = np.abs(z)
    return np.array(
        [
            size[..., -1] > Z,
            (size > Z).any(axis=-1),
            (size > sequences.widths(fractions)).any(axis=-1),
            (size[..., PLANNED] > BOUNDS).any(axis=-1),
        ]
    )


def permuted(
    values: np.ndarray, n_runs: int, rng: np.random.Generator, *, is_share: bool, first_share: float = 0.5
) -> Iterator[Looks]:
    """Yield looks at units in a random order, each in an arm by lot, as nothing is between the arms."""
    ends = len(values) * EVERY // N_LOOKS - 1
    for _ in range(n_runs):
        rows, first = rng.permutation(values), rng.random(len(values)) < first_share
        arms = np.array([first, ~first])
        n, sums, squares, cubes, some = (
            (arms * each).cumsum(axis=1)[:, ends] for each in (1.0, rows, rows**2, rows**3, rows != 0)
        )
        yield z_of(n, sums, squares, cubes, np.minimum(some, n - some) if is_share else some)


def permuted_clicks(half: Half, n_tests: int, rng: np.random.Generator) -> Iterator[Looks]:
    """Yield looks at all impressions of a test of Upworthy in a random order, each in one of two arms by lot."""
    for shown, clicks in half.tests[:n_tests]:
        total = int(shown.sum())
        steps = np.diff(total * np.arange(N_LOOKS + 1) // N_LOOKS)
        hit = np.bincount(
            np.searchsorted(steps.cumsum(), rng.permutation(total)[: clicks.sum()], "right"), minlength=N_LOOKS
        )
        first_hit, first_miss = rng.binomial(hit, 0.5), rng.binomial(steps - hit, 0.5)
        hits = np.array([first_hit, hit - first_hit]).cumsum(axis=1)
        n = np.array([first_hit + first_miss, steps - first_hit - first_miss]).cumsum(axis=1)
        yield z_of(n, hits, hits, hits, np.minimum(hits, n - hits))


def planted_shares(base: float, n_runs: int, rng: np.random.Generator) -> Iterator[Looks]:
    """Yield looks at two arms of `UNITS` whose shares differ by what one look finds in 80 of 100."""
    lifted = brentq(lambda share_: power_for_shares(base, share_, UNITS) - 0.8, base * 1.0001, min(base * 2, 0.99))
    n, chunk = UNITS * EVERY / N_LOOKS, 250
    for start in range(0, n_runs, chunk):
        rates = np.array([lifted, base])[:, None, None]
        hits = rng.binomial(UNITS // N_LOOKS, rates, (2, min(chunk, n_runs - start), N_LOOKS)).cumsum(axis=2)
        yield z_of(np.broadcast_to(n, hits.shape), hits, hits, hits, np.minimum(hits, n - hits))


def planted_means(values: np.ndarray, n_runs: int, rng: np.random.Generator) -> Iterator[Looks]:
    """Yield looks at two arms of `UNITS` drawn from `values`; one has more by what one look finds in 80 of 100."""
    lift = (Z + 0.8416) * values.std() * np.sqrt(2 / UNITS) / values.mean()
    ends, n = UNITS * EVERY // N_LOOKS - 1, np.broadcast_to(UNITS * EVERY / N_LOOKS, (2, N_LOOKS))
    for _ in range(n_runs):
        # Both arms are lifted by half: so their variances stay alike, as the sample size supposes.
        rows = rng.choice(values, (2, UNITS)) * np.array([[1 + lift / 2], [1 - lift / 2]])
        yield z_of(n, *(each.cumsum(axis=1)[:, ends] for each in (rows, rows**2, rows**3, rows != 0)))


def revenue(n_runs: int, rng: np.random.Generator, *, tail: float | None) -> Iterator[Looks]:
    """Yield looks at a tenth against nine tenths of 40,000 units of which 2 % buy, lognormal with σ 1.5; nothing
    between.
    """
    for _ in range(n_runs):
        values = np.where(rng.random(2 * UNITS) < 0.02, rng.lognormal(3, 1.5, 2 * UNITS), 0)
        if tail is not None:
            values = winsorise(values, cap_of(values[values > 0], tail=tail))
        yield from permuted(values, 1, rng, is_share=False, first_share=0.1)


def rates_of(looks: Iterator[Looks]) -> tuple[np.ndarray, int]:
    """Return how often each of `METHODS` called a difference, and in how many runs."""
    found = np.concatenate([called(each).reshape(len(METHODS), -1) for each in looks], axis=1)
    return found.sum(axis=1), found.shape[1]
