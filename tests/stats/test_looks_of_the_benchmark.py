"""The benchmark takes a thousand looks at once: what it sees at each is what the functions of one look say."""

from __future__ import annotations

import numpy as np
import pytest

from bench.experiment_looks import EVERY, METHODS, N_LOOKS, called, permuted, z_of
from stats.estimates import difference, mean
from stats.sequences import Sequence, widths


def test_running_sums_show_what_each_look_would() -> None:
    rng = np.random.default_rng(0)
    rows = rng.gamma(0.5, 2, (2, 3 * N_LOOKS)) * (rng.random((2, 3 * N_LOOKS)) < 0.4)
    ends = 3 * EVERY - 1
    sums, squares, cubes, some = (each.cumsum(axis=1)[:, ends] for each in (rows, rows**2, rows**3, rows != 0))
    z, fractions = z_of(np.broadcast_to(3.0 * EVERY, sums.shape), sums, squares, cubes, some)
    for look in (3, 20, 100, 500, 999):
        n = 3 * (look + 1)
        contrast = difference(mean(rows[0, :n]), mean(rows[1, :n]), planned=(rows.shape[1], rows.shape[1]))
        assert z[look] == pytest.approx(contrast.z, abs=1e-9)
        assert fractions[look] == pytest.approx(contrast.fraction if contrast.is_defined else 0, abs=1e-9)
        width = widths(fractions[look]) if contrast.is_defined else np.inf
        assert (abs(z[look]) > width) == (Sequence().p_value(contrast) < 0.05)


def test_units_in_a_random_order_are_all_seen_at_the_last_look() -> None:
    rng = np.random.default_rng(1)
    values = (rng.random(5000) < 0.2).astype(float)
    (z, fractions) = next(permuted(values, 1, rng, is_share=True))
    assert z.shape == fractions.shape == (N_LOOKS,)
    assert fractions[-1] == pytest.approx(1)
    assert np.all(np.diff(fractions[fractions > 0]) > -0.01)
    assert called((z, fractions)).shape == (len(METHODS),)
