"""Settings of experiments on shoppers: who is held out of all of them."""

from __future__ import annotations

from dataclasses import dataclass

from ecomsite import env


@dataclass(frozen=True)
class Experiments:
    """Experiments."""

    # The share of all shoppers, 0 to 1, to whom nothing new is shown: what all experiments together are worth.
    holdout: float


EXPERIMENTS = Experiments(holdout=min(env.integer("EXPERIMENT_HOLDOUT_PERCENT", 0, minimum=0), 50) / 100)
