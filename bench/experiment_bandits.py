"""Bandits for `experiments`: what they earn on groups of real headlines, and what tests of their counts are worth."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.experiment_data import Half
from bench.experiment_looks import Z
from stats import bandits

HORIZON, BATCH = 12_000, 200  # units of a bandit, and how many are shared out at once
# Sharpness, floor and holdout of each; None shares out equally.
STRATEGIES: dict[str, tuple[float, float, float] | None] = {
    "equal split": None,
    "Thompson": (1.0, 0.0, 0.0),
    "Thompson, sharpened": (bandits.SHARPNESS, 0.0, 0.0),
    "Thompson, sharpened, floor 1 %": (bandits.SHARPNESS, bandits.FLOOR, 0.0),
    "Thompson, sharpened, floor 1 %, holdout 10 %": (bandits.SHARPNESS, bandits.FLOOR, bandits.HOLDOUT),
}
JUDGED = "Thompson, sharpened, floor 1 %"


def earned(half: Half, strategy: str, n_repeats: int, rng: np.random.Generator) -> np.ndarray:
    """Return clicks over those of the best arm, for each group of headlines, whose observed rates are taken for the
    truth.
    """
    found = np.empty((n_repeats, len(half.groups)))
    for number, (shown, clicks) in enumerate(half.groups):
        rates = clicks / shown
        for repeat in range(n_repeats):
            hits, n = np.zeros(len(rates), dtype=int), np.zeros(len(rates), dtype=int)
            shares: Any = np.full(len(rates), 1 / len(rates))
            chosen = STRATEGIES[strategy]
            for _ in range(HORIZON // BATCH):
                if chosen is not None:
                    sharpness, floor, holdout = chosen
                    draws = bandits.draw_rates(hits, n, rng=rng, sharpness=sharpness, n_draws=500)
                    shares = bandits.allocate(draws, floor=floor, holdout=holdout).total
                units = rng.multinomial(BATCH, shares)
                hits, n = hits + rng.binomial(units, rates), n + units
            found[repeat, number] = n @ rates / (HORIZON * rates.max())
    return found.mean(axis=0)


def after_a_bandit(base: float, n_runs: int, rng: np.random.Generator) -> dict[str, tuple[int, int, float, float]]:
    """Return what the counts of two arms that do not differ say, all that a bandit saw and its holdout.

    How often a test at the end calls them different, in how many runs, and how far the mean of an arm is off, with ±.
    """
    z: dict[str, list[float]] = {
        "Thompson, all that it saw": [],
        "sharpened, all that it saw": [],
        "sharpened, holdout": [],
    }
    off: dict[str, list[float]] = {name: [] for name in z}
    held = round(BATCH * bandits.HOLDOUT / 2)
    for run in range(2 * n_runs):
        sharpness = (1.0, bandits.SHARPNESS)[run % 2]
        hits, n, held_hits, held_n = (np.zeros(2, dtype=int) for _ in range(4))
        for _ in range(HORIZON // BATCH):
            draws = bandits.draw_rates(hits, n, rng=rng, sharpness=sharpness, n_draws=500)
            units = rng.multinomial(BATCH - 2 * held, bandits.allocate(draws).shares)
            hits, n = hits + rng.binomial(units, base), n + units
            held_hits, held_n = held_hits + rng.binomial(held, base, 2), held_n + held
        seen = "Thompson, all that it saw" if sharpness == 1 else "sharpened, all that it saw"
        for name, k, m in ((seen, hits, n), ("sharpened, holdout", held_hits, held_n)):
            if name == "sharpened, holdout" and sharpness == 1:
                continue
            rates, pooled = k / m, k.sum() / m.sum()
            z[name].append(abs(rates[0] - rates[1]) / np.sqrt(pooled * (1 - pooled) * (1 / m).sum()))
            off[name].append(float(rates.mean() - base))
    return {
        name: (
            int((np.array(found) > Z).sum()),
            n_runs,
            float(np.mean(off[name])),
            float(Z * np.std(off[name]) / n_runs**0.5),
        )
        for name, found in z.items()
    }
