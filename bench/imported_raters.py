"""Whether raters of a file can be told from what only calls itself so, by a sample that our own people answer.

Real votes of paid crowds (`crowd_*`): of each item one worker stands for our people, up to two others for the raters of the file. What is
no person's is made from the truth: turned round, one label, drawn by lot, or a model that is right on 86 % and is copied. The
functions are those by which the desk decides (`labeling.quality.against`). Seconds on one core. `--write` refreshes the page.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import numpy as np  # noqa: E402

from bench import page  # noqa: E402
from labeling.quality.against import measure_against, problem_with, shares_of, sided_with  # noqa: E402
from labeling.quality.intervals import share  # noqa: E402

DATA = Path(os.environ.get("ECOMSITE_DATA_DIR", ROOT.parent / "shared" / "data"))
SETS = ("crowd_dog", "crowd_face_sentiment", "crowd_duck")
LEAST, MODEL = 0.4, 0.86  # settings.LABEL_CHECKS.min_rater_kappa; how often the copied model is right
SAMPLES = (30, 60, 120)
ARMS = ("honest", "turned round", "one label", "by lot", "copies the model", "copies the model, 1 in 10 otherwise")


def read(name: str) -> tuple[list[list[int]], np.ndarray, int]:
    path = DATA / name / "answers.csv"
    if not path.is_file():
        raise SystemExit(f"{path} is absent: set ECOMSITE_DATA_DIR to the folder of the evaluation data.")
    votes: defaultdict[str, list[int]] = defaultdict(list)
    truth: dict[str, int] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            votes[row["question"]].append(int(row["answer"]))
            truth[row["question"]] = int(row["truth"])
    held = np.array(list(truth.values()))
    return [votes[item] for item in truth], held, int(max(held.max(), *(max(one) for one in votes.values()))) + 1


def accepted(votes: list[list[int]], truth: np.ndarray, n_labels: int, arm: str, n: int, rounds: int) -> int:
    """Return in how many of `rounds` nothing speaks against the raters of `arm`, by a sample of `n` items."""
    rng = np.random.default_rng([ARMS.index(arm), n, n_labels, len(truth)])
    taken = 0
    for _ in range(rounds):
        items = rng.choice(len(truth), size=min(n, len(truth)), replace=False)
        order = [rng.permutation(votes[item]) for item in items]
        ours, t = np.array([one[0] for one in order]), truth[items]
        wrong = (t + rng.integers(1, n_labels, len(t))) % n_labels
        model = np.where(rng.random(len(t)) < MODEL, t, wrong)
        said = _said(arm, order, t, model, n_labels, rng)
        shares = shares_of(said, n_labels=n_labels)
        found, sided = measure_against(shares, ours, n_rounds=300), sided_with(shares, ours, model)
        taken += not problem_with(found, sided, least=LEAST)
    return taken


def _said(
    arm: str, order: list[np.ndarray], truth: np.ndarray, model: np.ndarray, n_labels: int, rng: np.random.Generator
) -> list[list[int]]:
    if arm == "honest":
        return [one[1:3].tolist() for one in order]
    if arm == "copies the model, 1 in 10 otherwise":
        model = np.where(rng.random(len(truth)) < 0.1, rng.integers(0, n_labels, len(truth)), model)
    made = {
        "turned round": (truth + 1) % n_labels,
        "one label": np.full(len(truth), np.bincount(truth).argmax()),
        "by lot": rng.integers(0, n_labels, len(truth)),
    }.get(arm, model)
    return [[int(label)] for label in made]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    lines = [
        "| set | raters | " + " | ".join(f"sample of {n}" for n in SAMPLES) + " |",
        "| --- | --- |" + " --- |" * len(SAMPLES),
    ]
    let_in, copies = 0.0, 0.0
    for name in SETS:
        votes, truth, n_labels = read(name)
        for arm in ARMS:
            cells = []
            for n in SAMPLES:
                found = share(accepted(votes, truth, n_labels, arm, n, options.rounds), options.rounds)
                cells.append(f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}]")
                if n == 60 and arm in ("turned round", "one label", "by lot"):
                    let_in = max(let_in, found.value or 0.0)
                if n == 60 and arm == "copies the model":
                    copies = max(copies, found.value or 0.0)
            lines.append(f"| {name} | {arm} | " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
    if options.write:
        page.write("imported_raters", lines)
    passed = let_in <= 0.01 and copies <= 0.05
    print(
        json.dumps(
            {
                "name": "imported_raters",
                "let_in": let_in,
                "copies_let_in": copies,
                "must": "let in ≤ 0.01, copies ≤ 0.05, sample of 60",
                "pass": passed,
            }
        )
    )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
