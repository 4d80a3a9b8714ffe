"""Sentiment after training, by number of labels: each method beside TF-IDF and frozen embeddings with logistic regression.

The same split, labels and test texts for every method of a seed; a fifth of the texts is set aside, a tenth of the
labels is for validation. Each result is kept in var/bench/sentiment_training.jsonl as it comes, so a run that was
interrupted goes on, and parts may be run one at a time. `--write` refreshes the page from all that is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
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

from inference.backends.linear_heads import CharacterHead, EmbeddingHead  # noqa: E402
from inference.backends.sequence_classifier import SequenceClassifier  # noqa: E402
from training import recipes  # noqa: E402
from training.trainers.contracts import Labelled  # noqa: E402

KEPT = reviews.KEPT / "sentiment_training.jsonl"
LABELS = ("negative", "positive")
TOKENS = {"uci_sls": 64, "womens_clothing": 128, "zh_online_shopping": 64}
REFERENCES = ("TF-IDF + LR", "frozen embedding + LR")
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}


def chinese() -> reviews.Reviews:
    """All reviews of zh_online_shopping with a text."""
    found = [(row["review"], int(row["label"])) for row in reviews.rows_of("zh_online_shopping") if row["review"]]
    return reviews.Reviews(
        "zh_online_shopping",
        [text for text, _ in found],
        np.arange(len(found)),
        np.array([label for _, label in found]),
        is_read=False,
    )


SETS = {"uci_sls": reviews.uci_sls, "womens_clothing": reviews.womens_clothing, "zh_online_shopping": chinese}


class Split:
    """One seed's texts: those aside, and the order in which the others are labelled."""

    def __init__(self, data: reviews.Reviews, seed: int) -> None:
        order = np.random.default_rng(seed).permutation(len(data))
        aside = min(int(0.2 * len(data)), 4000)
        self.test, self.pool = data.take(order[:aside]), data.take(order[aside:])

    def parts(self, size: int) -> tuple[reviews.Reviews, reviews.Reviews, reviews.Reviews]:
        """Return all `size` labelled texts, and these without and with the tenth for validation alone."""
        n = min(size, len(self.pool)) if size else len(self.pool)
        cut = max(12, n // 10)
        rows = np.arange(n)
        return self.pool.take(rows), self.pool.take(rows[cut:]), self.pool.take(rows[:cut])


def labelled(data: reviews.Reviews) -> Labelled:
    return Labelled(data.texts, [int(label) for label in data.labels])


def accuracy(method: str, split: Split, size: int, seed: int) -> float:
    """Return the share of the texts aside that `method` gets right after `size` labels (0: all)."""
    everything, train, validation = split.parts(size)
    truth = split.test.labels
    is_chinese = split.test.embeddings is None
    if method == "TF-IDF + LR":
        view = {"analyzer": "char", "ngram_range": (1, 2)} if is_chinese else {"ngram_range": (1, 2)}
        reader = TfidfVectorizer(sublinear_tf=True, **view)
        model = LogisticRegression(C=10, max_iter=2000).fit(reader.fit_transform(everything.texts), everything.labels)
        return float((model.predict(reader.transform(split.test.texts)) == truth).mean())
    if method == "frozen embedding + LR":
        model = LogisticRegression(C=10, max_iter=2000).fit(everything.embeddings, everything.labels)
        return float((model.predict(split.test.embeddings) == truth).mean())
    asked = recipes.Recipe(method=method, seed=seed, max_tokens=TOKENS[split.test.name])  # type: ignore[arg-type]
    recipe = recipes.resolve_defaults(asked, n_train=len(train), is_chinese=is_chinese)
    with tempfile.TemporaryDirectory(prefix="ecomsite-bench-") as folder:
        into = Path(folder) / "model"
        backend = fit(recipe, train, validation, Path(folder), into)
        said = [LABELS.index(answer.label) for answer in backend.classify(split.test.texts)]
    return float((np.array(said) == truth).mean())


def fit(recipe: recipes.Recipe, train: reviews.Reviews, validation: reviews.Reviews, work: Path, into: Path) -> Any:
    if recipe.method == "characters":
        from training.trainers.linear_heads import fit_character_head

        fit_character_head(labelled(train), labelled(validation), labels=LABELS, recipe=recipe, into=into)
        return CharacterHead(directory=into, options={})
    if recipe.method == "head":
        from inference.backends.sentence_encoder import SentenceEncoder
        from training.trainers.linear_heads import fit_embedding_head

        base = reviews.encoder_directory()
        encoder = SentenceEncoder(directory=base, options={"max_tokens": recipe.max_tokens})
        fit_embedding_head(
            labelled(train),
            labelled(validation),
            labels=LABELS,
            recipe=recipe,
            encoder=encoder,
            encoder_directory=base,
            into=into,
        )
        return EmbeddingHead(directory=into, options={"max_tokens": recipe.max_tokens})
    from training.trainers import transformer_classifier

    transformer_classifier.fit(
        labelled(train),
        labelled(validation),
        labels=LABELS,
        recipe=recipe,
        base=reviews.encoder_directory(),
        work=work / "work",
        into=into,
    )
    return SequenceClassifier(directory=into, options={"max_tokens": recipe.max_tokens})


def known() -> list[dict[str, Any]]:
    return [json.loads(line) for line in KEPT.read_text().splitlines()] if KEPT.exists() else []


def table(rows: list[dict[str, Any]]) -> list[str]:
    found: dict[tuple[str, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in sorted(rows, key=lambda row: row["seed"]):
        found[row["set"], row["size"]][row["method"]].append(row["accuracy"])
    lines = ["| set | labels | method | accuracy | seeds | seconds |", "| --- | --- | --- | --- | --- | --- |"]
    for (name, size), methods in sorted(found.items(), key=lambda item: (item[0][0], item[0][1] or 10**9)):
        best = max(np.mean(values) for values in methods.values())
        for method, values in methods.items():
            spread = (
                T[min(len(values), 5)] * np.std(values, ddof=1) / len(values) ** 0.5
                if len(values) > 1
                else float("nan")
            )
            seconds = np.median(
                [row["seconds"] for row in rows if (row["set"], row["size"], row["method"]) == (name, size, method)]
            )
            words = f"{np.mean(values):.3f}" + (f" ± {spread:.3f}" if len(values) > 1 else "")
            bold = "**" if np.mean(values) == best else ""
            lines.append(
                f"| {name} | {size or 'all'} | {bold}{method}{bold} | {words} | {len(values)} | {seconds:.0f} |"
            )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--sizes", nargs="+", type=int, default=[200, 1000, 0], help="numbers of labels; 0: all")
    parser.add_argument("--methods", nargs="+", default=[*REFERENCES, "head", "lora", "full"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    done = {(row["set"], row["size"], row["method"], row["seed"]) for row in known()}
    for name in options.sets:
        data = SETS[name]()
        methods = ["TF-IDF + LR", "characters"] if data.embeddings is None else options.methods
        for seed in options.seeds:
            split = Split(data, seed)
            for size in options.sizes:
                for method in methods:
                    if (name, size, method, seed) in done:
                        continue
                    began = time.monotonic()
                    found = accuracy(method, split, size, seed)
                    row = {
                        "set": name,
                        "size": size,
                        "method": method,
                        "seed": seed,
                        "accuracy": found,
                        "seconds": time.monotonic() - began,
                    }
                    with KEPT.open("a") as stream:
                        stream.write(json.dumps(row) + "\n")
                    print(
                        f"{name} {size or 'all'} {method} seed {seed}: {found:.3f} ({row['seconds']:.0f} s)", flush=True
                    )
    lines = table(known())
    print("\n".join(lines))
    if options.write:
        page.write("sentiment_training", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
