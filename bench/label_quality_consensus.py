"""Consensus of real votes against the truth: majority, Dawid and Skene, CROWDLAB, and crowd-kit called directly.

Accuracy over items; a tie of the majority counts as a draw by lot, in expectation. Differences are paired, item by item,
with the 95 % interval of a bootstrap over items. The second table keeps a few votes of each item, drawn anew each time.
What needs a model runs where there is content: on abtbuy_crowd a logistic regression on how similar two products' texts
are, fitted to the majority's labels, out of sample by cross-validation. `--write` refreshes the page.
"""

from __future__ import annotations

import argparse
import csv
import importlib.metadata
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from crowdkit.aggregation import DawidSkene as CrowdKit  # noqa: E402
from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import StratifiedKFold, cross_val_predict  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from bench import page  # noqa: E402
from labeling.quality.aggregation import TIE, aggregate  # noqa: E402
from labeling.quality.intervals import Estimate, bootstrap  # noqa: E402
from labeling.quality.votes import Votes  # noqa: E402

DATA = Path(os.environ.get("ECOMSITE_DATA_DIR", ROOT.parent / "shared" / "data"))
# Name → what it is, numbers of votes to keep of each item, whether it has to be above the majority.
SETS = {
    "crowd_face_sentiment": ("4 labels", (3, 5, 7), True),
    "crowd_dog": ("4 labels", (3, 5, 7), True),
    "crowd_duck": ("2 labels", (3, 9, 19), False),
    "abtbuy_crowd": ("2 labels", (2,), True),
}
CONTENT = "abtbuy_crowd"
N_SEEDS, N_FOLDS, N_ROUNDS = 5, 5, 10_000

Array = np.ndarray


@dataclass(frozen=True)
class Answers:
    """A set: its votes, the truth, and the pairs of products where it is about those."""

    votes: Votes
    truth: Array
    questions: list[str]


def read(name: str) -> Answers:
    path = DATA / name / "answers.csv"
    if not path.is_file():
        raise SystemExit(f"{path} is absent: set ECOMSITE_DATA_DIR to the folder of the evaluation data.")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    truths = {row["question"]: int(row["truth"]) for row in rows}
    items = {question: number for number, question in enumerate(truths)}
    workers = {worker: number for number, worker in enumerate(dict.fromkeys(row["worker"] for row in rows))}
    labels = np.array([int(row["answer"]) for row in rows])
    votes = Votes(
        np.array([items[row["question"]] for row in rows]),
        np.array([workers[row["worker"]] for row in rows]),
        labels,
        int(max(labels.max(), *truths.values())) + 1,
    )
    return Answers(votes, np.array(list(truths.values())), list(truths))


def keep(votes: Votes, n: int, *, seed: int) -> Votes:
    """Return `n` votes of each item, drawn by lot."""
    lot = np.random.default_rng(seed).permutation(len(votes))
    order = lot[np.argsort(votes.items[lot], kind="stable")]
    starts = np.flatnonzero(np.diff(votes.items[order], prepend=-1))
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    kept = order[place < n]
    return Votes(
        votes.items[kept],
        votes.raters[kept],
        votes.labels[kept],
        votes.n_labels,
        n_items=votes.n_items,
        n_raters=votes.n_raters,
    )


# --- The arms: how right each is on each item, 0…1 ---------------------------------------------------------------


def by_majority(votes: Votes, truth: Array) -> Array:
    counts = votes.counts()
    first = counts == counts.max(axis=1, keepdims=True)
    return first[np.arange(len(truth)), truth] / first.sum(axis=1)


def by_ours(votes: Votes, truth: Array) -> Array:
    found = aggregate("dawid_skene", votes)
    best = np.where(found.labels == TIE, found.posteriors.argmax(axis=1), found.labels)
    return (best == truth).astype(float)


def by_crowd_kit(votes: Votes, truth: Array) -> Array:
    table = pd.DataFrame({"task": votes.items, "worker": votes.raters, "label": votes.labels})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas about crowd-kit
        found = CrowdKit().fit_predict(table)
    return (found.loc[range(votes.n_items)].to_numpy() == truth).astype(float)


def with_model(answers: Answers, features: Array, *, seed: int) -> dict[str, Array]:
    """Return how right three are that have the same model: CROWDLAB, ours with the model as a rater, the model alone."""
    votes, truth = answers.votes, answers.truth
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    majority = votes.counts().argmax(axis=1)
    probabilities = cross_val_predict(model, features, majority, cv=folds, method="predict_proba")
    crowdlab = aggregate("crowdlab", votes, probabilities=probabilities)
    return {
        "CROWDLAB (cleanlab)": (crowdlab.labels == truth).astype(float),
        "the model alone": (probabilities.argmax(axis=1) == truth).astype(float),
        "**Dawid–Skene, ours, the model as one more rater**": by_ours(
            votes.joined_by(probabilities.argmax(axis=1)), truth
        ),
    }


def similarities(questions: list[str]) -> Array:
    """Return what is alike in the two products of each pair: words, letters, model numbers, prices. (n, 6)."""
    with (DATA / CONTENT / "products.csv").open(encoding="utf-8", newline="") as stream:
        products = {row["id"]: row for row in csv.DictReader(stream)}
    ids = list(products)
    names = [products[number]["name"] for number in ids]
    whole = [f"{products[number]['name']} {products[number]['description']}" for number in ids]
    left, right = (np.array([ids.index(question.split("_")[side]) for question in questions]) for side in (0, 1))

    def cosine(texts: list[str], **options: object) -> Array:
        vectors = TfidfVectorizer(sublinear_tf=True, **options).fit_transform(texts)
        return np.asarray(vectors[left].multiply(vectors[right]).sum(axis=1)).ravel()

    codes = [
        {word for word in text.lower().split() if any(c.isdigit() for c in word) and len(word) > 3} for text in names
    ]
    shared = [len(codes[a] & codes[b]) for a, b in zip(left, right, strict=True)]
    prices = np.array([float(products[number]["price"].strip("$").replace(",", "") or "nan") for number in ids])
    gap = np.abs(np.log(prices[left]) - np.log(prices[right]))
    return np.column_stack(
        [
            cosine(names),
            cosine(whole),
            cosine(names, analyzer="char_wb", ngram_range=(3, 5)),
            shared,
            np.isnan(gap),
            np.nan_to_num(gap),
        ]
    )


# --- Figures -----------------------------------------------------------------------------------------------------


def mean(sums: Array) -> Array:
    return sums[..., 0] / sums[..., 1]


def difference(ours: Array, other: Array) -> Estimate:
    return bootstrap(np.column_stack([ours - other, np.ones(len(ours))]), mean, n_rounds=N_ROUNDS, minimum=1)


def points(found: Estimate) -> str:
    return f"{100 * found.value:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def f1(right: Array, truth: Array) -> float:
    """Return the F1 of label 1 of two, from how right each item is."""
    hits, wrong = right[truth == 1].sum(), (1 - right).sum()
    return float(2 * hits / (2 * hits + wrong))


def row(name: str, truth: Array, arm: str, right: Array, majority: Array, crowd_kit: Array | None = None) -> str:
    against = "" if crowd_kit is None else points(difference(right, crowd_kit))
    above = "" if right is majority else points(difference(right, majority))
    of_two = f"{f1(right, truth):.3f}" if truth.max() == 1 else ""
    return f"| {name} | {arm} | {right.mean():.4f} | {of_two} | {above} | {against} |"


def all_votes(name: str, answers: Answers) -> Iterator[tuple[str, dict[str, object] | None]]:
    """Yield the lines of the first table for a set, the result with the line that it is about."""
    about, _, must = SETS[name]
    votes, truth = answers.votes, answers.truth
    majority, ours = by_majority(votes, truth), by_ours(votes, truth)
    theirs = by_crowd_kit(votes, truth)
    per_item = len(votes) / votes.n_items
    yield (
        row(f"{name}: {len(truth):,} items, {about}, {per_item:.0f} votes each", truth, "majority", majority, majority),
        None,
    )
    result = {
        "name": f"label_quality: consensus, {name}",
        "ours": round(float(ours.mean()), 4),
        "majority": round(float(majority.mean()), 4),
        "reference": round(float(theirs.mean()), 4),
        "ratio": round(float(ours.mean() / theirs.mean()), 4),
        "must": 1.0,
        "pass": bool(ours.mean() >= theirs.mean() and (ours.mean() > majority.mean() or not must)),
    }
    yield row("", truth, "**Dawid–Skene, ours**", ours, majority, theirs), result
    yield row("", truth, "Dawid–Skene, crowd-kit", theirs, majority), None
    if name == CONTENT:
        features = similarities(answers.questions)
        runs = [with_model(answers, features, seed=seed) for seed in range(N_SEEDS)]
        for arm in runs[0]:
            right = np.mean([run[arm] for run in runs], axis=0)
            yield row("", truth, f"{arm}, mean of {N_SEEDS} seeds", right, majority, theirs), None


def few_votes(name: str, answers: Answers, n_draws: int) -> Iterator[str]:
    """Yield the lines of the second table for a set."""
    for n in SETS[name][1]:
        draws = [keep(answers.votes, n, seed=seed) for seed in range(n_draws)]
        majority, ours, theirs = (
            np.mean([arm(votes, answers.truth) for votes in draws], axis=0)
            for arm in (by_majority, by_ours, by_crowd_kit)
        )
        yield (
            f"| {name} | {n} | {majority.mean():.4f} | {theirs.mean():.4f} | {ours.mean():.4f} "
            f"| {points(difference(ours, majority))} | {points(difference(ours, theirs))} |"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--draws", type=int, default=10, help="how often a few votes are drawn (0: no second table)")
    parser.add_argument("--write", action="store_true", help="refresh the page in docs/benchmarks")
    options = parser.parse_args()
    started, results = time.perf_counter(), []
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("crowd-kit", "cleanlab", "numpy"))
    lines = [
        "| set | method | accuracy | F1 of label 1 | against majority, points | against crowd-kit, points |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    sets = {name: read(name) for name in options.sets}
    for name, answers in sets.items():
        for line, result in all_votes(name, answers):
            lines.append(line)
            results += [result] if result else []
    if options.draws:
        lines += [
            "",
            "| set | votes kept of each item | majority | crowd-kit | ours | ours against majority, points "
            "| ours against crowd-kit, points |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
        lines += [line for name, answers in sets.items() for line in few_votes(name, answers, options.draws)]
    print(f"Python {platform.python_version()}, {versions}, {time.perf_counter() - started:.0f} s", *lines, sep="\n")
    if options.write:
        page.write("label_quality_consensus", lines)
    for result in results:
        print(json.dumps(result))
    passed = all(result["pass"] for result in results)
    worst = min(results, key=lambda result: (result["pass"], result["ratio"]))
    print(json.dumps({**worst, "name": "label_quality: consensus", "pass": passed}))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
