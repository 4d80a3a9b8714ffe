"""Sentiment before any label exists: accuracy of the cold-start scorer on real reviews, beside VADER and SnowNLP.

Two-class accuracy: a text counts as positive when P(positive) > P(negative). The Chinese categories that SnowNLP's
corpus covers (books, computers, hotels) are left out, for the Chinese head is fitted on that corpus, and so is every
text that occurs in it. `--write` refreshes the page.
"""

from __future__ import annotations

import csv
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import django  # noqa: E402

django.setup()

from snownlp import SnowNLP  # noqa: E402
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: E402

from bench import page  # noqa: E402
from inference.backends.cold_start import ColdStartSentiment  # noqa: E402
from training.preparation import SHIPPED  # noqa: E402
from training.trainers.cold_start import chinese_corpus  # noqa: E402

DATA = Path(os.environ.get("ECOMSITE_DATA_DIR", ROOT.parent / "shared" / "data"))
OVERLAPPING = {"书籍", "计算机", "酒店"}
CONFIDENT, MUST = 0.75, 1.02

Labelled = list[tuple[str, int]]


def rows(name: str) -> list[dict[str, str]]:
    path = DATA / name / "reviews.csv"
    if not path.is_file():
        raise SystemExit(f"{path} is absent: set ECOMSITE_DATA_DIR to the folder of the evaluation data.")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def datasets() -> dict[str, tuple[str, Labelled]]:
    """Return name → (language, texts with 1 for positive), shuffled with a fixed seed, balanced where one class rules."""
    pick = random.Random(1)
    uci = [(row["text"], int(row["label"])) for row in rows("uci_sls")]
    clothing: Labelled = []
    for row in rows("womens_clothing"):
        if row["review_text"] and row["rating"] in {"1", "2", "4", "5"}:
            clothing.append((f"{row['title']}. {row['review_text']}".lstrip(". "), int(row["rating"] in {"4", "5"})))
    corpus = set(chinese_corpus()[0])
    shopping = [
        (row["review"], int(row["label"]))
        for row in rows("zh_online_shopping")
        if row["review"] and row["cat"] not in OVERLAPPING and row["review"].strip() not in corpus
    ]
    takeaway = [(row["review"], int(row["label"])) for row in rows("zh_waimai")]

    def balanced(texts: Labelled, n: int) -> Labelled:
        groups = [[text for text in texts if text[1] == label] for label in (0, 1)]
        return [text for group in groups for text in pick.sample(group, n)]

    return {
        "uci_sls": ("en", pick.sample(uci, 1000)),
        "womens_clothing (200 + 200)": ("en", balanced(clothing, 200)),
        "zh_online_shopping (7 categories)": ("zh", pick.sample(shopping, 2000)),
        "zh_waimai (1000 + 1000)": ("zh", balanced(takeaway, 1000)),
    }


def wilson(hits: int, total: int) -> str:
    """Return a share with its 95 % Wilson interval."""
    z, share = 1.959964, hits / max(total, 1)
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    spread = z * ((share * (1 - share) + z * z / (4 * total)) / total) ** 0.5 / (1 + z * z / total)
    return f"{share:.3f} [{middle - spread:.3f}, {middle + spread:.3f}]"


def main() -> None:
    vader = SentimentIntensityAnalyzer()
    references: dict[str, tuple[str, Callable[[str], bool]]] = {
        "en": ("VADER 3.3.2", lambda text: vader.polarity_scores(text)["compound"] > 0),
        "zh": ("SnowNLP 0.12.3 as shipped", lambda text: SnowNLP(text).sentiments > 0.5),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        next(model for model in SHIPPED if model.backend == "cold_start").build(folder)
        ours = ColdStartSentiment(directory=folder, options={})
    lines = [
        "| reviews | scorer | n | accuracy, two classes | of these with confidence ≥ 0.75: share, accuracy | texts/s |"
    ]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    ours_total, theirs_total, n_total = 0, 0, 0
    for dataset, (language, labelled) in datasets().items():
        texts: Sequence[str] = [text for text, _ in labelled]
        started = time.perf_counter()
        results = ours.classify(texts)
        seconds = time.perf_counter() - started
        right = [
            (result.probabilities["positive"] > result.probabilities["negative"]) == bool(label)
            for result, (_, label) in zip(results, labelled, strict=True)
        ]
        sure = [ok for ok, result in zip(right, results, strict=True) if result.confidence >= CONFIDENT]
        lines.append(
            f"| {dataset} | ours | {len(texts)} | {wilson(sum(right), len(right))} | {len(sure) / len(right):.0%},"
            f" {wilson(sum(sure), len(sure))} | {len(texts) / seconds:.0f} |"
        )
        reference, judge = references[language]
        started = time.perf_counter()
        theirs = [judge(text) == bool(label) for text, label in labelled]
        seconds = time.perf_counter() - started
        lines.append(
            f"| | {reference} | {len(texts)} | {wilson(sum(theirs), len(theirs))} | | {len(texts) / seconds:.0f} |"
        )
        ours_total, theirs_total, n_total = ours_total + sum(right), theirs_total + sum(theirs), n_total + len(right)
    print("\n".join(lines))
    if "--write" in sys.argv:
        page.write("sentiment_cold_start", lines)
    ratio = ours_total / theirs_total
    figures = {"ours": round(ours_total / n_total, 4), "reference": round(theirs_total / n_total, 4)}
    result = {"name": "sentiment_cold_start", **figures, "ratio": round(ratio, 3), "must": MUST, "pass": ratio >= MUST}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
