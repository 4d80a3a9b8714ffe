"""Few labels: our ways beside frozen embeddings and TF-IDF, each with logistic regression; and what unlabelled texts add.

A half of each set, drawn by lot, was for choosing the numbers of the trainer; everything here is of the other half. Each
seed draws the labelled texts anew, and tests on 300 others; the unlabelled texts are neither. Results are kept in
var/bench/few_shot.jsonl as they come. `--write` refreshes the page. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

import django  # noqa: E402
import numpy as np  # noqa: E402

from bench import page, reviews  # noqa: E402

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")
django.setup()

from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import f1_score  # noqa: E402

from bench.kept_vectors import KeptVectors  # noqa: E402
from inference.backends.linear_heads import EmbeddingHead  # noqa: E402
from inference.backends.sequence_classifier import SequenceClassifier  # noqa: E402
from training import pseudo_labels, recipes  # noqa: E402
from training.trainers import contrastive, linear_heads, masked_language, transformer_classifier  # noqa: E402
from training.trainers.contracts import Labelled  # noqa: E402

KEPT = reviews.KEPT / "few_shot.jsonl"
TOKENS, ASIDE, SPARE, INTENTS = 48, 300, 600, 20
SURE, PRETRAIN_STEPS = 0.8, 40
FROZEN, WORDS = "frozen embedding + LR", "TF-IDF + LR"
OURS = ("head", "contrastive", "lora")
PSEUDO, PRETRAINED = "frozen + pseudo-labels", "frozen, pretrained on unlabelled texts"
METHODS = (WORDS, FROZEN, *OURS, PSEUDO, PRETRAINED)
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
Rows = list[tuple[str, str]]


def davidson_toxic() -> Rows:
    return [(row["tweet"], row["class"]) for row in _read("davidson_toxic", "tweets.csv")]


def banking77() -> Rows:
    return [(row["text"], row["category"]) for row in _read("banking77", "train.csv")]


def womens_clothing() -> Rows:
    data = reviews.womens_clothing()
    return [(text, str(label)) for text, label in zip(data.texts, data.labels, strict=True)]


SETS = {"davidson_toxic": davidson_toxic, "banking77": banking77, "womens_clothing": womens_clothing}


def _read(name: str, file: str) -> list[dict[str, str]]:
    path = reviews.DATA / name / file
    if not path.is_file():
        raise SystemExit(f"{path} is absent: set ECOMSITE_DATA_DIR to the folder of the evaluation data.")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def halves_of(rows: Rows) -> tuple[Rows, Rows]:
    """Return the half that numbers were chosen on, and the other one, without the texts of the first."""
    shuffled = list(rows)
    random.Random(9).shuffle(shuffled)
    first, second = shuffled[: len(rows) // 2], shuffled[len(rows) // 2 :]
    seen = {text for text, _ in first}
    return first, [row for row in second if row[0] not in seen]


def commonest(rows: Rows) -> Rows:
    """Return the rows of the INTENTS commonest labels."""
    kept = {label for label, _ in Counter(label for _, label in rows).most_common(INTENTS)}
    return [row for row in rows if row[1] in kept]


class Draw:
    """One seed's texts: `n` labelled of each label, those aside, and unlabelled ones that are neither."""

    def __init__(self, rows: Rows, n: int, seed: int) -> None:
        order = np.random.default_rng(seed).permutation(len(rows))
        aside, pool = [rows[i] for i in order[:ASIDE]], [rows[i] for i in order[ASIDE:]]
        self.labels = sorted({label for _, label in rows})
        taken, spare = Counter[str](), list[str]()
        texts, labels = list[str](), list[int]()
        for text, label in pool:
            if taken[label] < n:
                taken[label] += 1
                texts.append(text)
                labels.append(self.labels.index(label))
            elif len(spare) < SPARE:
                spare.append(text)
        self.train = Labelled(texts, labels)
        self.tested = [text for text, _ in aside]
        self.truth = np.array([self.labels.index(label) for _, label in aside])
        self.spare = spare

    @property
    def unlabelled(self) -> list[str]:
        return pseudo_labels.untested(self.spare, tested=self.tested, labelled=self.train.texts)


def ours(method: str, draw: Draw, seed: int, vectors: KeptVectors, folder: Path) -> Any:
    """Return the back end that serves what production makes of the labelled texts; LoRA sets an eighth aside to stop by."""
    into, options, names = folder / "model", {"max_tokens": TOKENS, "dtype": "float32"}, draw.labels
    asked = recipes.Recipe(method=method, seed=seed, max_tokens=TOKENS)  # type: ignore[arg-type]
    recipe = recipes.resolve_defaults(asked, n_train=len(draw.train), is_chinese=False)
    train, aside, base = draw.train, Labelled([], []), reviews.encoder_directory()
    if method == "head":
        linear_heads.fit_embedding_head(
            train, aside, labels=names, recipe=recipe, encoder=vectors.encoder, encoder_directory=base, into=into
        )
        return EmbeddingHead(directory=into, options=options)
    if method == "contrastive":
        contrastive.fit(train, aside, labels=names, recipe=recipe, base=base, work=folder / "work", into=into)
        return EmbeddingHead(directory=into, options=options)
    order = np.random.default_rng(seed).permutation(len(train))
    aside, train = (
        Labelled([train.texts[i] for i in part], [train.labels[i] for i in part])
        for part in (order[: len(order) // 8], order[len(order) // 8 :])
    )
    transformer_classifier.fit(train, aside, labels=names, recipe=recipe, base=base, work=folder / "work", into=into)
    return SequenceClassifier(directory=into, options=options)


def answers(method: str, draw: Draw, seed: int, vectors: KeptVectors) -> Any:
    """Return what `method` says of the texts aside."""
    train = draw.train
    if method == WORDS:
        reader = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
        model = LogisticRegression(C=10, max_iter=2000).fit(reader.fit_transform(train.texts), train.labels)
        return model.predict(reader.transform(draw.tested))
    if method in OURS:
        with tempfile.TemporaryDirectory(prefix="ecomsite-bench-") as folder:
            said = ours(method, draw, seed, vectors, Path(folder)).classify(draw.tested)
        return np.array([draw.labels.index(answer.label) for answer in said])
    model = LogisticRegression(C=10, max_iter=2000).fit(vectors.of(train.texts), train.labels)
    if method == PSEUDO:
        first = model
        more = pseudo_labels.add(
            train, draw.unlabelled, lambda texts: first.predict_proba(vectors.of(texts)), threshold=SURE
        )
        model = LogisticRegression(C=10, max_iter=2000).fit(vectors.of(more.texts), more.labels)
    return model.predict(vectors.of(draw.tested))


def pretrained(rows: Rows, folder: Path) -> Path:
    """Return an encoder that went on pretraining on texts of the half that is not measured: none of them is tested on."""
    texts = [text for text, _ in rows][:2000]
    masked_language.pretrain(
        texts, base=reviews.encoder_directory(), into=folder, steps=PRETRAIN_STEPS, seed=0, max_tokens=TOKENS
    )
    return folder


def known() -> list[dict[str, Any]]:
    return [json.loads(line) for line in KEPT.read_text().splitlines()] if KEPT.exists() else []


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Return accuracy and macro-F1 of each method, and the difference of its accuracy from the frozen embedding's, by seed."""
    found: dict[tuple[str, int], dict[str, dict[int, dict[str, Any]]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        found[row["set"], row["n"]][row["method"]][row["seed"]] = row
    lines = [
        "| set | labels a class | method | accuracy | macro-F1 | against frozen, points | seeds | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (name, n), methods in sorted(found.items()):
        for method in METHODS:
            by_seed, frozen = methods.get(method, {}), methods.get(FROZEN, {})
            if not by_seed:
                continue
            accuracy, f1, seconds = (
                np.mean([row[key] for row in by_seed.values()]) for key in ("accuracy", "f1", "seconds")
            )
            gaps = [
                100 * (row["accuracy"] - frozen[seed]["accuracy"]) for seed, row in by_seed.items() if seed in frozen
            ]
            lines.append(
                f"| {name} | {n} | {method} | {accuracy:.3f} | {f1:.3f} | "
                f"{'' if method == FROZEN else mean(gaps)} | {len(by_seed)} | {seconds:.0f} |"
            )
    return lines


def mean(values: list[float]) -> str:
    """Return a mean with the 95 % interval of a mean (Student's t)."""
    if len(values) < 2:
        return f"{np.mean(values):+.1f}"
    return f"{np.mean(values):+.1f} ± {T[min(len(values), 5)] * np.std(values, ddof=1) / len(values) ** 0.5:.1f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--sizes", nargs="+", type=int, default=[8, 32, 64], help="labels a class")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--minutes", type=float, default=60, help="no further result is begun after so long")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    began, every = time.monotonic(), {name: SETS[name]() for name in options.sets}
    chosen_on = {name: halves_of(rows)[0] for name, rows in every.items()}
    halves = {name: commonest(halves_of(rows)[1]) for name, rows in every.items()}
    with tempfile.TemporaryDirectory(prefix="ecomsite-pretrained-") as folder:
        encoders: dict[str, KeptVectors] = {}
        for seed in options.seeds:
            for name in options.sets:
                for n in options.sizes:
                    for method in options.methods:
                        done = {(row["set"], row["n"], row["method"], row["seed"]) for row in known()}
                        if (name, n, method, seed) in done or time.monotonic() - began > 60 * options.minutes:
                            continue
                        encoder = f"{name} pretrained" if method == PRETRAINED else "as it ships"
                        started = time.monotonic()
                        if encoder not in encoders:
                            place = None
                            if method == PRETRAINED:
                                place = pretrained(chosen_on[name], Path(folder) / name)
                            encoders[encoder] = KeptVectors(place, dtype="float32", max_tokens=TOKENS)
                        draw = Draw(halves[name], n, seed)
                        said = answers(method, draw, seed, encoders[encoder])
                        row = {
                            "set": name,
                            "n": n,
                            "method": method,
                            "seed": seed,
                            "accuracy": float((said == draw.truth).mean()),
                            "f1": float(f1_score(draw.truth, said, average="macro")),
                            "seconds": time.monotonic() - started,
                        }
                        with KEPT.open("a") as stream:
                            stream.write(json.dumps(row) + "\n")
                        print(
                            f"{name} {n} {method} seed {seed}: {row['accuracy']:.3f} ({row['seconds']:.0f} s)",
                            flush=True,
                        )
    lines = table(known())
    print("\n".join(lines))
    if options.write:
        page.write("few_shot", lines)
    print(json.dumps({"few_shot": known()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
