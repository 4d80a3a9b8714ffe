"""Wrong labels planted in real reviews: how many of them the worst-ranked tenth reaches, and what mending them is worth.

Five seeds. In each a fifth of the texts is set aside with clean labels, and a tenth of the others gets a wrong one. All
models judge out of sample, on the noisy part alone, by the very functions of the search in production
(`training.label_evidence`: judge, flag), which decide themselves what the encoder reads. "Mended" means that a perfect
reviewer looked: the label there is the right one afterwards. The classifier that is then trained is the same in all arms.
The prototype is logistic regression on embeddings (C = 10), stratified 5-fold, ranked by cleanlab. `--fine-tuned SET` adds
MiniLM, fine-tuned on each fold (minutes a seed); `--all-embedded SET` flags of a search that embeds every text, as it once
did. `--write` refreshes the page.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import django  # noqa: E402
import numpy as np  # noqa: E402
from cleanlab.filter import find_label_issues  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import StratifiedKFold  # noqa: E402

from bench import page, reviews  # noqa: E402

django.setup()

from labeling.columns import Columns  # noqa: E402
from labeling.quality import label_errors  # noqa: E402
from labeling.quality.probabilities import characters, cross_validated, pool  # noqa: E402
from training import label_evidence  # noqa: E402

SEEDS, NOISE, BUDGET = range(5), 0.1, 0.1
REACH_MUST, F1_MUST, WINS_MUST = 0.7, 0.98, 4
NAMES = ("negative", "positive")
T_4 = 2.776  # Student's t, 97.5 %, four degrees of freedom: the interval of a mean over five seeds
JUDGED = {"uci_sls", "womens_clothing", "zh_online_shopping", "zh_online_shopping, set aside", "zh_waimai"}

Rows = dict[str, list[float]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(reviews.SETS), choices=list(reviews.SETS))
    parser.add_argument("--fine-tuned", nargs="*", default=[], choices=list(reviews.SETS), metavar="SET")
    parser.add_argument("--all-embedded", nargs="*", default=[], choices=list(reviews.SETS), metavar="SET")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    began = time.monotonic()
    lines = [
        f"{platform.python_implementation()} {platform.python_version()}, "
        + ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("cleanlab", "scikit-learn", "numpy"))
        + f"; {os.cpu_count()} cores, shared. Means over {len(SEEDS)} seeds with the 95 % interval of such a mean."
    ]
    bars: list[dict[str, object]] = []
    for name in options.sets:
        found = plant_and_find(
            reviews.SETS[name](), fine_tuned=name in options.fine_tuned, all_embedded=name in options.all_embedded
        )
        lines += tables(name, found)
        bars += bars_of(name, found) if name in JUDGED else []
    lines += ["", f"The run took {time.monotonic() - began:.0f} s."]
    print("\n".join(lines))
    if options.write:
        page.write("label_quality_errors", lines)
    for bar in bars:
        print(json.dumps(bar))
    passed = all(bar["pass"] for bar in bars)
    print(json.dumps({**(bars[0] if bars else {}), "name": "label_quality_errors", "pass": passed}))
    return 0 if passed else 1


# --- One set -----------------------------------------------------------------------------------------------------


def plant_and_find(data: reviews.Reviews, *, fine_tuned: bool, all_embedded: bool) -> dict[str, Rows]:
    """Return the figures of each seed: how many wrong labels were reached, accuracies, flags."""
    found: dict[str, Rows] = {"reach": defaultdict(list), "accuracy": defaultdict(list), "flags": defaultdict(list)}
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(data))
        train, test = data.take(order[: int(0.8 * len(data))]), data.take(order[int(0.8 * len(data)) :])
        wrong = np.zeros(len(train), dtype=bool)
        wrong[rng.choice(len(train), int(NOISE * len(train)), replace=False)] = True
        given = np.where(wrong, 1 - train.labels, train.labels)
        began = time.monotonic()
        ours, flagged = searched(train, given)
        found["flags"]["seconds"].append(time.monotonic() - began)
        second = np.asarray(ours.second)
        scores = {
            "prototype": own(given, prototype(train, given, seed)),
            "cleanlab": label_errors.find(given, ours.probabilities).scores,
            "loss": own(given, second),
            "combined": flagged.scores,
        }
        if fine_tuned:
            scores["combined with fine-tuned"] = searched(train, given, fine_tuned=True)[1].scores
        worst = {name: np.argsort(score, kind="stable")[: int(BUDGET * len(train))] for name, score in scores.items()}
        for name, rows in worst.items():
            found["reach"][name].append(wrong[rows].sum() / wrong.sum())
        by_lot = rng.choice(len(train), 2 * int(BUDGET * len(train)), replace=False)
        mended = {
            "noisy": [],
            "random 20 % mended": by_lot,
            **{f"{name}, worst 10 % mended": rows for name, rows in worst.items()},
        }
        flags(found["flags"], given, wrong, ours.probabilities, second, flagged.rows)
        if all_embedded:
            rows = searched(train, given, reads_chinese=True)[1].rows
            note(found["flags"], "ours, combined, every text embedded", np.isin(np.arange(len(given)), rows), wrong)
        print(
            f"{data.name}, seed {seed}: "
            + ", ".join(
                f"{key} {values[-1]:.3f}"
                for key, values in found["flags"].items()
                if "combined" in key and "ratio" not in key
            ),
            flush=True,
        )
        mended |= {"flagged ones mended": np.array(flagged.rows, dtype=int), "all clean": np.arange(len(train))}
        fitted = Classifier(train, test)
        for name, rows in mended.items():
            labels = given.copy()
            labels[rows] = train.labels[rows]
            found["accuracy"][name].append(fitted.accuracy(labels))
    return found


def searched(
    data: reviews.Reviews, given: np.ndarray, *, reads_chinese: bool = reviews.READS_CHINESE, fine_tuned: bool = False
) -> tuple[label_evidence.Judgement, label_evidence.Found]:
    """Return what the search of production comes to on these texts, and the labels it flags before any flag was judged."""
    corpus = label_evidence.Corpus(data.texts, data.texts, given)
    base = reviews.encoder_directory()
    tune = (
        (lambda rows: label_evidence.fine_tuned_folds(corpus.of(rows), n_labels=2, base=base)) if fine_tuned else None
    )
    found = label_evidence.judge(
        data.texts,
        given,
        n_labels=len(NAMES),
        keys=data.texts,
        embed=data.embed,
        reads_chinese=reads_chinese,
        tune=tune,
    )
    table = Columns(np.arange(len(given)), given, found.probabilities, found.second, NAMES)
    return found, label_evidence.flag(table, judged=[], precision=0.5)


def own(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    return np.asarray(probabilities)[np.arange(len(labels)), labels]


def prototype(train: reviews.Reviews, given: np.ndarray, seed: int) -> np.ndarray:
    """The probabilities of the figures to beat; in Chinese on characters, as embeddings say nothing there."""
    folds = np.zeros(len(train), dtype=int)
    splits = StratifiedKFold(5, shuffle=True, random_state=seed).split(given, given)
    for number, (_, rows) in enumerate(splits):
        folds[rows] = number
    view = train.embed(np.arange(len(train))) if train.is_read else characters(train.texts)
    return cross_validated(view, given, folds, n_labels=2, C=10)


class Classifier:
    """What is trained in the end: logistic regression (C = 10, as the prototype's) on embeddings, in Chinese on characters."""

    def __init__(self, train: reviews.Reviews, test: reviews.Reviews) -> None:
        if train.is_read:
            self.train, self.test = train.embed(np.arange(len(train))), test.embed(np.arange(len(test)))
        else:
            both = characters([*train.texts, *test.texts])
            self.train, self.test = both[: len(train)], both[len(train) :]
        self.truth = test.labels

    def accuracy(self, labels: np.ndarray) -> float:
        model = LogisticRegression(C=10, max_iter=1000).fit(self.train, labels)
        return float((model.predict(self.test) == self.truth).mean())


def flags(
    rows: Rows, given: np.ndarray, wrong: np.ndarray, first: np.ndarray, second: np.ndarray, flagged: list[int]
) -> None:
    """Note precision, recall and F1 of our flags, and of direct calls of cleanlab with the same probabilities."""
    alone, both = label_errors.find(given, first), label_errors.find(given, first, second=second)
    direct = {
        "cleanlab as it comes": find_label_issues(given, first, n_jobs=1),
        "cleanlab as it comes, pool": find_label_issues(given, pool(first, second), n_jobs=1),
        "ours, first model": alone.flagged,
        "ours, loss": both.by_method[label_errors.LOSS],
        "ours, combined": np.isin(np.arange(len(given)), flagged),
    }
    for name, mask in direct.items():
        note(rows, name, mask, wrong)
    for name, reference in (("first model", "cleanlab as it comes"), ("combined", "cleanlab as it comes, pool")):
        rows[f"ratio, {name}"].append(rows[f"ours, {name}: F1"][-1] / rows[f"{reference}: F1"][-1])


def note(rows: Rows, name: str, mask: np.ndarray, wrong: np.ndarray) -> None:
    hits = (mask & wrong).sum()
    precision, recall = hits / max(mask.sum(), 1), hits / wrong.sum()
    rows[f"{name}: precision"].append(precision)
    rows[f"{name}: recall"].append(recall)
    rows[f"{name}: F1"].append(2 * precision * recall / max(precision + recall, 1e-9))


# --- What it comes to --------------------------------------------------------------------------------------------


def mean(values: list[float]) -> str:
    spread = T_4 * np.std(values, ddof=1) / len(values) ** 0.5
    return f"{np.mean(values):.3f} [{np.mean(values) - spread:.3f}, {np.mean(values) + spread:.3f}]"


def tables(name: str, found: dict[str, Rows]) -> list[str]:
    noisy = np.array(found["accuracy"]["noisy"])
    lines = ["", f"**{name}**", "", "| ranked by | share of the wrong labels in the worst 10 % |", "| --- | --- |"]
    lines += [f"| {arm} | {mean(values)} |" for arm, values in found["reach"].items()]
    lines += ["", "| trained on | accuracy on clean texts | better than noisy in |", "| --- | --- | --- |"]
    lines += [
        f"| {arm} | {mean(values)} | {'' if arm == 'noisy' else f'{int((np.array(values) > noisy).sum())} of {len(noisy)}'} |"
        for arm, values in found["accuracy"].items()
    ]
    lines += ["", "| flags | precision | recall | F1 |", "| --- | --- | --- | --- |"]
    kinds = [key.removesuffix(": F1") for key in found["flags"] if key.endswith(": F1")]
    lines += [
        f"| {kind} | "
        + " | ".join(mean(found["flags"][f"{kind}: {what}"]) for what in ("precision", "recall", "F1"))
        + " |"
        for kind in kinds
    ]
    seconds = np.median(found["flags"]["seconds"])
    return [*lines, "", f"Judging all labels took {seconds:.1f} s a seed (median), embeddings not counted."]


def bars_of(name: str, found: dict[str, Rows]) -> list[dict[str, object]]:
    reach, ratio = np.mean(found["reach"]["combined"]), np.mean(found["flags"]["ratio, first model"])
    pooled = np.mean(found["flags"]["ratio, combined"])
    wins = int((np.array(found["accuracy"]["flagged ones mended"]) > np.array(found["accuracy"]["noisy"])).sum())
    return [
        {
            "name": f"errors reached, {name}",
            "ours": round(reach, 3),
            "reference": round(np.mean(found["reach"]["prototype"]), 3),
            "must": REACH_MUST,
            "pass": bool(reach >= REACH_MUST),
        },
        {
            "name": f"F1 / direct call, {name}",
            "ratio": round(ratio, 3),
            "ratio_pool": round(pooled, 3),
            "must": F1_MUST,
            "pass": bool(min(ratio, pooled) >= F1_MUST),
        },
        {
            "name": f"seeds in which mending what is flagged helped, {name}",
            "ours": wins,
            "must": WINS_MUST,
            "pass": wins >= WINS_MUST,
        },
    ]


if __name__ == "__main__":
    sys.exit(main())
