"""The writer as it is against the same model without limits: claims without a fact, facts told, variety, likeness, speed.

The copywriter that ships, or the model of --model; descriptions in English, sampled as in production, one draft a
product, the arms in turns by batch. Even rows of each set were looked at while limits and plan were written; the odd ones are reported.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import django  # noqa: E402

django.setup()

import numpy as np  # noqa: E402

from bench import page, writer_sets  # noqa: E402
from bench.checks import shown  # noqa: E402
from bench.writer_sets import Product  # noqa: E402
from catalog.units import canonical_unit  # noqa: E402
from inference import prompts  # noqa: E402
from inference.backends.causal_lm import CausalLM  # noqa: E402
from inference.writing import limits, plan  # noqa: E402
from inference.writing.tries import Written, as_written  # noqa: E402
from moderation.drafting.screening import draft_from  # noqa: E402
from moderation.drafting.writing import order_for  # noqa: E402
from moderation.policy.base import Severity  # noqa: E402
from moderation.policy.grounding import claims  # noqa: E402
from training.evaluation import copy_metrics  # noqa: E402
from training.preparation import SHIPPED  # noqa: E402

MOST_UNSUPPORTED, LEAST_TOLD = 0.05, 0.90
ARMS = {"before": 0, "after": limits.VERSION}
SUMMED = ("unsupported", "n", "told", "planned", "seconds")
BATCH = 16
_YES_NO = {"yes", "no", "true", "false"}


def write(
    model: CausalLM, products: Sequence[Product], *, constraints: int, tries: int, seed: int, asked_with: str
) -> list[Written]:
    """Return one draft for each product, as production has it written."""
    params = prompts.params_for("description", seed=seed, overrides={"constraints": constraints})
    orders = [order_for(product.brief, constraints=constraints, asked_with=asked_with) for product in products]
    found = dict(one for piece in as_written(model, orders, params, tries=tries) for one in piece)
    return [found[place] for place in range(len(products))]


def told(product: Product, text: str) -> tuple[int, int]:
    """Return how many planned facts `text` tells, and how many are planned: each of its numbers occurs,
    and 60 % of its other words but units, which have many spellings.

    Counted by plain words, not by the judge that the writer has.
    """
    said = set(_words(text))
    facts = plan.planned(product.brief)
    n_told = 0
    for fact in facts:
        words = _words(fact.name if fact.value.strip().lower() in _YES_NO else fact.value)
        numbers = [word for word in words if word[0].isdigit()]
        others = [word for word in words if word not in numbers and not (numbers and canonical_unit(word))]
        found = sum(word in said for word in others)
        n_told += all(number in said for number in numbers) and found >= 0.6 * len(others)
    return n_told, len(facts)


def _words(text: str) -> list[str]:
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()
    return re.findall(r"\d+(?:[.,]\d+)*|[^\W\d_]+", plain)


def _up_to(texts: Sequence[str], most: int) -> list[str]:
    """Return the texts, the last cut, up to `most` words together: of more words a smaller share of pairs is new."""
    kept: list[str] = []
    for text in texts:
        words = text.split()[:most]
        most -= len(words)
        kept.append(" ".join(words))
    return kept


def figures(products: Sequence[Product], texts: Sequence[str], most_words: int) -> dict[str, Any]:
    """Return what the texts are worth; the variety of the first `most_words` words."""
    found = [
        [c for c in claims(draft_from(p.brief, t)) if c.fact is None] for p, t in zip(products, texts, strict=True)
    ]
    counts = np.array([told(p, t) for p, t in zip(products, texts, strict=True)])
    chrf = [
        max(copy_metrics.chrf(t, human) for human in p.human) for p, t in zip(products, texts, strict=True) if p.human
    ]
    return {
        "n": len(texts),
        "unsupported": sum(bool(claims_) for claims_ in found),
        "flagged": sum(any(c.severity != Severity.INFO for c in claims_) for claims_ in found),
        "told": int(counts[:, 0].sum()),
        "planned": int(counts[:, 1].sum()),
        "distinct_2": copy_metrics.distinct(_up_to(texts, most_words)),
        "words": float(np.mean([len(text.split()) for text in texts])),
        "chrf": float(np.mean(chrf)) if chrf else None,
    }


def row_of(name: str, arm: str, got: Mapping[str, Any], rate: str, n_plainly: str) -> str:
    chrf = f"{got['chrf']:.3f}" if got["chrf"] is not None else "–"
    return (
        f"| {name} | {arm} | {shown(got['unsupported'], got['n'])} | {shown(got['told'], got['planned'])} | {n_plainly} "
        f"| {got['distinct_2']:.3f} | {got['words']:.1f} | {chrf} | {rate} |"
    )


def rows_of(kept: Sequence[Mapping[str, Any]], name: str, products: Sequence[Product]) -> dict[str, dict[str, Any]]:
    """Return the figures of each arm for one set; the variety is of as many words in both."""
    by_arm = {arm: [row for row in kept if row["set"] == name and row["arm"] == arm] for arm in ARMS}
    n_words = {arm: sum(len(row["text"].split()) for row in rows) for arm, rows in by_arm.items()}
    found = {}
    for arm, rows in by_arm.items():
        got = figures(products, [row["text"] for row in rows], min(n_words.values()))
        got["plainly"] = sum(row["plainly"] for row in rows)
        got["dropped"] = sum(row["dropped"] for row in rows)
        got["seconds"] = sum(row["seconds"] for row in rows)
        found[arm] = got
    return found


def table(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Return the lines of the table."""
    lines = [
        "| set | arm | texts with a claim without a fact | planned facts told | of them in plain words | distinct-2 "
        "| words | chrF | drafts/s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, arms in found.items():
        for arm, got in arms.items():
            share = f"{got['plainly']}/{got['planned']}, {got['dropped']} sentences dropped" if ARMS[arm] else "–"
            lines.append(row_of(name, arm, got, f"{got['n'] / got['seconds']:.2f}", share))
    return lines


def read_again(kept: Sequence[Mapping[str, Any]], *, tuning: bool) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the figures of texts that were kept, by set and arm."""
    found = {}
    for name in dict.fromkeys(row["set"] for row in kept):
        n = sum(row["set"] == name and row["arm"] == "before" for row in kept)
        found[name] = rows_of(kept, name, writer_sets.half(name, tuning=tuning)[:n])
    return found


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Have both arms write, and return every text."""
    with tempfile.TemporaryDirectory() as name:
        folder, asked_with = options.model or Path(name), prompts.PROMPT_VERSION
        if not options.model:
            shipped = next(model for model in SHIPPED if model.backend == "causal_lm")
            shipped.build(folder)
            asked_with = prompts.version_for(shipped.options)
        model = CausalLM(directory=folder, options={"batch_size": BATCH})
    kept = []
    for name in options.sets.split(","):
        products = writer_sets.half(name, tuning=options.tuning)[: options.n]
        for start in range(0, len(products), BATCH):
            batch = products[start : start + BATCH]
            # In turns, so that what else the machine does falls on both.
            for arm, constraints in sorted(ARMS.items(), reverse=bool(start // BATCH % 2)):
                began = time.perf_counter()
                tries = options.tries if constraints else 1
                seed = options.seed + 1000 * start
                written = write(model, batch, constraints=constraints, tries=tries, seed=seed, asked_with=asked_with)
                share = (time.perf_counter() - began) / len(batch)
                kept += [row_kept(name, arm, *pair, share) for pair in zip(batch, written, strict=True)]
        print(f"{name}: {len(products)} products written by each arm", flush=True)
    return kept


def row_kept(name: str, arm: str, product: Product, one: Written, seconds: float) -> dict[str, Any]:
    """Return a text with all that is told of it, as it is kept for people to read."""
    return {
        "set": name,
        "arm": arm,
        "title": product.brief.title,
        "facts": [[fact.name, fact.value] for fact in product.brief.facts],
        "said": one.generation.text,
        "text": one.finished.text,
        "plainly": len(one.finished.plainly),
        "dropped": one.finished.n_dropped,
        "seconds": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20, help="products of each set")
    parser.add_argument("--tries", type=int, default=1)
    parser.add_argument("--tuning", action="store_true", help="the even rows, which were looked at")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--model", type=Path, help="a folder with the model; else it is made")
    parser.add_argument("--sets", default=",".join(writer_sets.SETS))
    parser.add_argument("--keep", type=Path, help="a file for the texts, to be read by people")
    parser.add_argument("--read", type=Path, help="such a file, to be counted again; nothing is written anew")
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    options = parser.parse_args()
    if options.read:
        kept = [json.loads(line) for line in options.read.read_text(encoding="utf-8").splitlines()]
    else:
        kept = run(options)
    if options.keep:
        options.keep.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in kept), encoding="utf-8")
    found = read_again(kept, tuning=options.tuning)
    lines = table(found)
    print("\n".join(lines))
    if options.write:
        page.write("writer", lines)
    total = {arm: {key: sum(by[arm][key] for by in found.values()) for key in SUMMED} for arm in ARMS}
    after, before = total["after"], total["before"]
    ours, reference = after["unsupported"] / after["n"], before["unsupported"] / before["n"]
    share_told = after["told"] / after["planned"]
    speed = before["seconds"] / after["seconds"]
    passed = ours <= MOST_UNSUPPORTED and share_told >= LEAST_TOLD and speed >= 1
    result = {"name": "writer", "ours": round(ours, 4), "reference": round(reference, 4)}
    extra = {"ratio": round(speed, 2), "told": round(share_told, 3), "must": MOST_UNSUPPORTED, "pass": passed}
    print(json.dumps({**result, **extra}))


if __name__ == "__main__":
    main()
