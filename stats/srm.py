"""Sample-ratio mismatch: whether arms got the planned shares of units, without which comparing them means little.

More or fewer units in an arm than chance explains says that some were lost, counted twice or drawn elsewhere, and
those are seldom like the others (Fabijan, A. et al., 2019, Diagnosing sample ratio mismatch in online controlled
experiments, KDD).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, gammaln

# Microsoft's and Eppo's: a test that blocks has to be right.
LEVEL = 0.001
# Chi-square is no approximation where fewer are expected in a cell (Cochran, W. G., 1954, Biometrics 10, 417-451).
FEWEST_EXPECTED = 5.0
# How strongly the alternative is drawn to the planned shares, in units: what Lindon and Malek's own library takes.
CONCENTRATION = 100.0


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Units in each arm against those expected. `p` holds at one look, `p_always` however often one looks.

    Both are None while fewer than `FEWEST_EXPECTED` are expected in an arm.
    """

    counts: tuple[int, ...]
    expected: tuple[float, ...]
    p: float | None = None
    p_always: float | None = None
    level: float = LEVEL

    @property
    def is_mismatch(self) -> bool:
        """Whether the shares are off by more than chance: it blocks the verdict, not the traffic."""
        return self.p is not None and self.p < self.level

    @property
    def is_mismatch_always(self) -> bool:
        """The same by the test that may be repeated at will: for an alarm that is checked every minute."""
        return self.p_always is not None and self.p_always < self.level


def sample_ratio(counts: Sequence[int], shares: Sequence[float], *, level: float = LEVEL) -> SampleRatio:
    """Compare `counts` of units with planned `shares` (any scale: 1, 1 is half and half).

    Raises `ValueError` on fewer than two arms, negative counts, or shares that are not above 0.
    """
    if len(counts) != len(shares) or len(counts) < 2 or min(counts) < 0 or min(shares) <= 0:
        raise ValueError(f"counts and planned shares, above 0, of two arms or more are needed: {counts}, {shares}")
    n, whole = sum(counts), math.fsum(shares)
    expected = tuple(n * share / whole for share in shares)
    seen = tuple(int(count) for count in counts)
    if min(expected) < FEWEST_EXPECTED:
        return SampleRatio(seen, expected, level=level)
    away = math.fsum((count - mean) ** 2 / mean for count, mean in zip(seen, expected, strict=True))
    return SampleRatio(
        seen, expected, float(chdtrc(len(seen) - 1, away)), sequential_p(seen, [mean / n for mean in expected]), level
    )


def sequential_p(counts: Sequence[int], shares: Sequence[float], *, concentration: float = CONCENTRATION) -> float:
    """Return a p that may be looked at after every unit: the inverse of the Bayes factor of multinomial against
    `shares`.

    The alternative is a Dirichlet of α = `concentration` · `shares`, and

        BF = Γ(Σ α) / Γ(Σ α + n) · Π Γ(α_i + n_i) / Γ(α_i) · Π shares_i^-n_i

    is a martingale from 1 while the plan holds: Lindon, M. & Malek, A. (2022), Anytime-valid inference for multinomial
    count data, NeurIPS. `shares` sum to 1.
    """
    n, planned = np.asarray(counts, dtype=float), np.asarray(shares, dtype=float)
    alpha = concentration * planned
    log_factor = (
        gammaln(alpha.sum())
        - gammaln(alpha.sum() + n.sum())
        + np.sum(gammaln(alpha + n) - gammaln(alpha))
        - np.sum(n * np.log(planned))
    )
    return float(np.exp(min(0.0, -float(log_factor))))
