"""The gate's power: how often a model that is better, equal or worse by so much is let in, by number of test texts.

The two models of each cycle are right or wrong together on four fifths of the texts, as models trained alike are; of a
product's texts half share their fate. Pure arithmetic, minutes on one core. `--write` refreshes the page.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import numpy as np  # noqa: E402

from bench import page  # noqa: E402
from labeling.quality.intervals import share  # noqa: E402
from tests.training.evaluation.test_gate import groups, pair  # noqa: E402
from training.evaluation import gate  # noqa: E402

OLD = 0.86
GAINS = (-0.03, 0.0, 0.02, 0.04, 0.06, 0.08)
# Test texts, and texts about each product.
SIZES = ((100, 1), (200, 1), (500, 1), (1000, 1), (2000, 1), (500, 5), (1000, 5), (2000, 10))


def accepted(n: int, per_product: int, gain: float, cycles: int) -> int:
    """Return in how many of `cycles` a model that is right more often by `gain` passes on `n` texts."""
    rng = np.random.default_rng([n, round(1000 * (gain + 1)), per_product])
    passed = 0
    for _ in range(cycles):
        new, old = pair(rng, n, old=OLD, new=OLD + gain, per_product=per_product)
        passed += gate.judge(new, old, groups=groups(n), rules=gate.Rules()).verdict == gate.PASS
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    lines = [
        "| test texts | products | " + " | ".join(f"{100 * gain:+.0f} points" for gain in GAINS) + " |",
        "| --- | --- |" + " --- |" * len(GAINS),
    ]
    for n, per_product in SIZES:
        found = [share(accepted(n, per_product, gain, options.cycles), options.cycles) for gain in GAINS]
        lines.append(
            f"| {n} | {n // per_product} | "
            + " | ".join(f"{one.value:.1%} [{one.low:.1%}, {one.high:.1%}]" for one in found)
            + " |"
        )
        print(lines[-1], flush=True)
    if options.write:
        page.write("gate", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
