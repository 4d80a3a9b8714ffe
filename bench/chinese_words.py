"""Sentiment of Chinese reviews by runs of characters, as we fit them, by the words that jieba cuts, and by both.

TF-IDF and logistic regression each, on the splits of `bench/sentiment_training.py`; minutes on one core. Words are cut by
`rjieba` (jieba's dictionary and rules in Rust, MIT). `--write` refreshes the page.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import numpy as np  # noqa: E402

from bench import page, sentiment_training  # noqa: E402

from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: E402 # isort: skip
from sklearn.linear_model import LogisticRegression  # noqa: E402 # isort: skip

from inference.backends.linear_heads import signs  # noqa: E402

SEEDS = range(5)
SIZES = (200, 1000, 0)


def readers() -> dict[str, Callable[[str], list[str]]]:
    """Return what a text is taken for, by name."""
    import rjieba

    def words(text: str) -> list[str]:
        cut = [word for word in rjieba.cut(text) if not word.isspace()]
        return [*cut, *(f"{one} {other}" for one, other in pairwise(cut))]

    return {
        "characters": lambda text: list(signs(text)),
        "words": words,
        "both": lambda text: [*signs(text), *(f"word {word}" for word in words(text))],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    found, data = readers(), sentiment_training.chinese()
    lines = [
        "| labels | " + " | ".join(found) + " | words less characters | both less characters |",
        "| --- |" + " --- |" * 5,
    ]
    for size in SIZES:
        right: dict[str, list[float]] = {name: [] for name in found}
        for seed in SEEDS:
            split = sentiment_training.Split(data, seed)
            everything, _, _ = split.parts(size)
            for name, read in found.items():
                began = time.monotonic()
                reader = TfidfVectorizer(analyzer=read, sublinear_tf=True, min_df=2 if len(everything) < 5000 else 3)
                model = LogisticRegression(C=10, max_iter=2000).fit(
                    reader.fit_transform(everything.texts), everything.labels
                )
                right[name].append(
                    float((model.predict(reader.transform(split.test.texts)) == split.test.labels).mean())
                )
                print(
                    f"{size or 'all'} {name} seed {seed}: {right[name][-1]:.4f} ({time.monotonic() - began:.0f} s)",
                    flush=True,
                )
        cells = [f"{np.mean(right[name]):.3f}" for name in found]
        cells += [_difference(np.array(right[name]) - np.array(right["characters"])) for name in ("words", "both")]
        lines.append(f"| {size or 'all'} | " + " | ".join(cells) + " |")
    print("\n".join(lines))
    if options.write:
        page.write("chinese_words", lines)
    return 0


def _difference(gaps: np.ndarray) -> str:
    """Return the mean over the seeds with its 95 % interval, in points."""
    half = sentiment_training.T[len(gaps)] * gaps.std(ddof=1) / len(gaps) ** 0.5
    return f"{100 * gaps.mean():+.1f} ± {100 * half:.1f}"


if __name__ == "__main__":
    sys.exit(main())
