"""Several answers to a text: each method of training beside a regression on words, and what the bounds add.

`pii_presidio`: which of the six commonest kinds of personal data an English sentence holds; sentences of one template
are in one part. `advertisegen`: which of the eight commonest attributes a Chinese advertisement was written from. Parts
are those of `training.splits`. `--write` refreshes the page. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
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

from core import label_sets  # noqa: E402
from inference.backends.linear_heads import CharacterHead, EmbeddingHead  # noqa: E402
from inference.backends.sentence_encoder import SentenceEncoder  # noqa: E402
from inference.backends.sequence_classifier import SequenceClassifier  # noqa: E402
from inference.several import USUAL  # noqa: E402
from training import recipes, splits  # noqa: E402
from training.evaluation.several_metrics import SeveralAnswers, describe  # noqa: E402
from training.trainers import transformer_classifier  # noqa: E402
from training.trainers.contracts import Ticked  # noqa: E402
from training.trainers.linear_heads import fit_character_head, fit_embedding_head  # noqa: E402

TOKENS, MOST = 64, 2000
METHODS = {"pii_presidio": ("words", "characters", "head"), "advertisegen": ("words", "characters")}
SLOW = ("lora",)  # half an hour and more on two shared cores
TITLES = {
    "words": "TF-IDF and regression",
    "characters": "`characters`",
    "head": "`head`, the default",
    "lora": "`lora`",
}


@dataclass(frozen=True)
class Data:
    """Texts, what each is about (`groups`), and which of `labels` hold."""

    texts: Sequence[str]
    groups: Sequence[str]
    said: Sequence[frozenset[str]]
    labels: Sequence[str]

    def part(self, name: str) -> tuple[Ticked, list[str]]:
        """Return the rows of one part, each label with its share to test by, and their groups."""
        rows = (
            (group, label) for group, said in zip(self.groups, self.said, strict=True) for label in (said or {"none"})
        )
        part_of = splits.assign(rows)
        kept = [place for place, group in enumerate(self.groups) if part_of[group] == name]
        ticks = [tuple(int(label in self.said[place]) for label in self.labels) for place in kept]
        return Ticked([self.texts[place] for place in kept], ticks), [self.groups[place] for place in kept]


def pii_presidio() -> Data:
    rows = json.loads((reviews.DATA / "pii_presidio" / "pii.json").read_text(encoding="utf-8"))[:MOST]
    said = [[span["entity_type"] for span in row["spans"]] for row in rows]
    return _data([row["full_text"] for row in rows], [str(row["template_id"]) for row in rows], said, n_labels=6)


def advertisegen() -> Data:
    with (reviews.DATA / "advertisegen" / "adcopy.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))[:MOST]
    said = [[pair.split("#")[0] for pair in row["attributes"].split("*")] for row in rows]
    return _data([row["ad_copy"] for row in rows], [str(number) for number in range(len(rows))], said, n_labels=8)


def _data(texts: Sequence[str], groups: Sequence[str], said: Sequence[Sequence[str]], *, n_labels: int) -> Data:
    counts = Counter(name for names in said for name in set(names))
    # One that nearly every text has, as the kind of garment, tells nothing.
    labels = [name for name, n in counts.most_common() if n < 0.9 * len(texts)][:n_labels]
    return Data(texts, groups, [frozenset(set(names) & set(labels)) for names in said], labels)


SETS = {"pii_presidio": pii_presidio, "advertisegen": advertisegen}


def _by_words(train: Ticked, validation: Ticked, test: Ticked) -> tuple[Any, Any]:
    pattern = r"[\u3400-\u9fff]|\w+"
    reader = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=pattern)
    learnt = reader.fit_transform([*train.texts, *validation.texts])
    ticks, tested = np.array([*train.labels, *validation.labels]), reader.transform(test.texts)
    rows = [
        LogisticRegression(C=10, max_iter=2000).fit(learnt, column).predict_proba(tested)[:, 1] for column in ticks.T
    ]
    found = np.column_stack(rows)
    return found, found >= USUAL


def _ours(method: str, data: Data, train: Ticked, validation: Ticked, test: Ticked, folder: Path) -> tuple[Any, Any]:
    recipe = recipes.resolve_defaults(
        recipes.Recipe(method=method, max_tokens=TOKENS),
        n_train=len(train),
        is_chinese=False,
        is_several=True,  # type: ignore[arg-type]
    )
    encoder, into, labels = reviews.encoder_directory(), folder / "model", list(data.labels)
    model: Any
    if method == "characters":
        fit_character_head(train, validation, labels=labels, recipe=recipe, into=into)
        model = CharacterHead(directory=into, options={})
    elif method == "head":
        reads = SentenceEncoder(directory=encoder, options={"max_tokens": TOKENS})
        fit_embedding_head(
            train, validation, labels=labels, recipe=recipe, encoder=reads, encoder_directory=encoder, into=into
        )
        model = EmbeddingHead(directory=into, options={"max_tokens": TOKENS})
    else:
        transformer_classifier.fit(
            train, validation, labels=labels, recipe=recipe, base=encoder, work=folder / "work", into=into
        )
        model = SequenceClassifier(directory=into, options={"max_tokens": TOKENS})
    answers = model.classify(test.texts)
    said = [set(label_sets.split(one.label)) for one in answers]
    found = np.array([[one.probabilities[label] for label in labels] for one in answers])
    return found, np.array([[label in one for label in labels] for one in said])


def measure(name: str, method: str) -> dict[str, Any]:
    """Return what `method` comes to on the test part of the set `name`, with its bounds and with one half for all."""
    data, began = SETS[name](), time.perf_counter()
    (train, _), (validation, _), (test, groups) = (data.part(part) for part in ("train", "validation", "test"))
    with tempfile.TemporaryDirectory(prefix="bench-several-") as folder:
        by_words = method == "words"
        found, said = (
            _by_words(train, validation, test)
            if by_words
            else _ours(method, data, train, validation, test, Path(folder))
        )
    truth = np.array(test.labels, dtype=bool)
    products = np.unique(groups, return_inverse=True)[1]
    with_bounds, at_half = (
        describe(SeveralAnswers(found, one, truth, products), data.labels) for one in (said, found >= USUAL)
    )
    return {
        "set": name,
        "method": method,
        "n": [len(train), len(validation), len(test)],
        "groups": len(set(groups)),
        "seconds": round(time.perf_counter() - began, 1),
        "figures": with_bounds,
        "at_half": at_half["macro_f1"]["value"],
    }


def lines(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return the tables of the page."""
    written = []
    for name in dict.fromkeys(row["set"] for row in results):
        rows = [row for row in results if row["set"] == name]
        n = " + ".join(f"{one:,}" for one in rows[0]["n"])
        written += [
            f"`{name}`: {n} texts to train on, to validate and to test; {rows[0]['groups']} groups in the test part.",
            "",
            "| Method | macro-F1 | … at one half | all answers right | calibration error | seconds |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for row in rows:
            found = row["figures"]
            written.append(
                f"| {TITLES[row['method']]} | {_with_interval(found['macro_f1'])} | {row['at_half']:.3f} | "
                f"{_with_interval(found['accuracy'])} | {found['ece']:.3f} | {row['seconds']:.0f} |"
            )
        written += [
            "",
            "| Answer | Test texts | " + " | ".join(f"F1, {TITLES[row['method']]}" for row in rows) + " |",
            "| --- | --- |" + " --- |" * len(rows),
        ]
        for place, about in enumerate(rows[0]["figures"]["labels"]):
            each = (row["figures"]["labels"][place] for row in rows)
            cells = [
                f"{one['f1']:.2f} [{one['intervals']['f1'][0]:.2f}, {one['intervals']['f1'][1]:.2f}]" for one in each
            ]
            written.append(f"| {about['label']} | {about['n']} | " + " | ".join(cells) + " |")
        written.append("")
    return written[:-1]


def _with_interval(figure: dict[str, float]) -> str:
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--slow", action="store_true", help="fine-tune the encoder, too")
    parser.add_argument("--write", action="store_true", help="refresh the page")
    asked = parser.parse_args()
    results = []
    for name in asked.sets:
        for method in (*METHODS[name], *(SLOW if asked.slow and "head" in METHODS[name] else ())):
            results.append(measure(name, method))
            print(json.dumps(results[-1]), flush=True)
    if asked.write:
        page.write("several-answers", lines(results))
    print(
        json.dumps(
            {
                "benchmark": "several_answers",
                "results": [[row["set"], row["method"], row["figures"]["macro_f1"]["value"]] for row in results],
            }
        )
    )


if __name__ == "__main__":
    main()
