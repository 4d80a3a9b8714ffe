"""Few Chinese labels: the part as it ships, one fitted to the labels alone, and one that starts from what ships.

Five seeds, each a draw of texts: 2,000 aside, so many labelled, from the first half of a set and from its second ("set
aside"). By the trainer and the back end of
production. `--write` refreshes the page.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import django  # noqa: E402
import numpy as np  # noqa: E402

from bench import page, reviews  # noqa: E402

django.setup()

from inference.backends.linear_heads import CharacterHead  # noqa: E402
from training.preparation import SHIPPED  # noqa: E402
from training.recipes import Recipe  # noqa: E402
from training.trainers.contracts import Labelled  # noqa: E402
from training.trainers.linear_heads import Start, fit_character_head  # noqa: E402

LABELS = ("negative", "positive")
SETS, SEEDS, SIZES = ("zh_online_shopping", "zh_waimai"), range(5), (40, 200, 1000)
ASIDE = 2000
T_4 = 2.776
ALONE, STARTED = "labels alone", "from what ships"
BELOW_MUST = 0.01  # at most so much below what ships, in the mean of the seeds


def halves(name: str) -> dict[str, list[tuple[str, int]]]:
    found = [(row["review"], int(row["label"])) for row in reviews.rows_of(name) if row["review"]]
    order = np.random.default_rng(11).permutation(len(found))
    cut = len(found) // 2
    return {"first half": [found[i] for i in order[:cut]], "set aside": [found[i] for i in order[cut:]]}


def right(model: object, texts: list[str], truth: np.ndarray) -> float:
    found = [answer.probabilities for answer in model.classify(texts)]  # type: ignore[attr-defined]
    return float((np.array([row["positive"] > row["negative"] for row in found]) == truth).mean())


def measure(rows: list[tuple[str, int]], start: Start, size: int, seed: int) -> dict[str, float]:
    """Return the accuracy of each arm on texts aside, after `size` labels; a tenth of these is the validation part."""
    order = np.random.default_rng(seed).permutation(len(rows))
    texts, truth = [rows[i][0] for i in order[:ASIDE]], np.array([rows[i][1] for i in order[:ASIDE]])
    said = [rows[i] for i in order[ASIDE : ASIDE + size]]
    parts = [
        Labelled([text for text, _ in part], [label for _, label in part])
        for part in (said[size // 10 :], said[: size // 10])
    ]
    found = {"as it ships": right(start.model, texts, truth)}
    for arm, begun in ((ALONE, None), (STARTED, start)):
        with tempfile.TemporaryDirectory(prefix="ecomsite-bench-") as folder:
            into = Path(folder) / "head"
            fit_character_head(*parts, labels=LABELS, recipe=Recipe(), into=into, start=begun)
            found[arm] = right(CharacterHead(directory=into, options={}), texts, truth)
    return found


def mean(values: list[float]) -> str:
    return f"{np.mean(values):.3f} ± {T_4 * np.std(values, ddof=1) / len(values) ** 0.5:.3f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    lines = [
        f"| set | half | labels | as it ships | {ALONE} | {STARTED} | less what ships |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    worst, began = 1.0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ecomsite-bench-") as name:
        folder = Path(name)
        next(model for model in SHIPPED if model.backend == "cold_start").build(folder)
        start = Start(folder, {"backend": "cold_start", "options": {}})
        for set_name in options.sets:
            for half, rows in halves(set_name).items():
                for size in options.sizes:
                    if ASIDE + size > len(rows):
                        continue
                    found = [measure(rows, start, size, seed) for seed in SEEDS]
                    arms = {arm: [row[arm] for row in found] for arm in found[0]}
                    gain = [100 * (row[STARTED] - row["as it ships"]) for row in found]
                    half_width = T_4 * np.std(gain, ddof=1) / len(gain) ** 0.5
                    cells = [
                        set_name,
                        half,
                        f"{size:,}",
                        *map(mean, arms.values()),
                        f"{np.mean(gain):+.1f} ± {half_width:.1f}",
                    ]
                    lines.append("| " + " | ".join(cells) + " |")
                    print(lines[-1], flush=True)
                    worst = min(worst, float(np.mean(gain)) / 100)
    lines += ["", f"Differences in points. The run took {time.monotonic() - began:.0f} s."]
    if options.write:
        page.write("chinese_labels", lines)
    passed = worst >= -BELOW_MUST
    print(json.dumps({"name": "chinese_labels", "worst": round(worst, 4), "must": -BELOW_MUST, "pass": passed}))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
