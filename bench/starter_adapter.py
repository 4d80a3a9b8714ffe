"""The starter adapter with the short prompt against its base with worked examples: claims, facts told, length, speed.

Texts are kept in var/bench/NAME, so a run that was interrupted goes on. `--write` refreshes the page.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import django  # noqa: E402
import numpy as np  # noqa: E402

django.setup()

from bench import page  # noqa: E402
from bench.checks import amazon, e2e, wilson  # noqa: E402
from inference import prompts  # noqa: E402
from inference.contracts import CopyBrief, Fact  # noqa: E402
from moderation.drafting.screening import draft_from  # noqa: E402
from moderation.policy.base import Severity  # noqa: E402
from moderation.policy.grounding import GroundingCheck  # noqa: E402
from training.evaluation import copy_metrics  # noqa: E402
from training.starter import adapter, pairs  # noqa: E402

KEPT = ROOT / "var" / "bench"
SIDES = {"base": prompts.PROMPT_VERSION, "adapter": prompts.SHORT_PROMPT_VERSION}
WORDS = {"base": "base, with examples", "adapter": "adapter, without"}
SEED, MOST_FACTS = 11, 8
# Lines of a seller's specification that are about the shop and not about the product.
_SHOP = re.compile(r"shipping|asin|upc|rank|reviews|technical details", re.I)


@dataclass(frozen=True)
class Case:
    """A brief to write for: which set it is from, and which half of it."""

    group: str
    half: str
    brief: CopyBrief


def held_out(n: int) -> Iterator[Case]:
    """Yield pairs of categories that were not trained on: development is for choosing, test is reported."""
    for part, half in ((pairs.DEVELOPMENT, "even"), (pairs.TEST, "odd")):
        for channel in pairs.PAIRS:
            found = (pair for pair in adapter.parts()[part] if pair.brief.channel == channel)
            for pair in islice(found, n // 2):
                yield Case(f"held-out categories, {channel}", half, pair.brief)


def demo(n: int) -> Iterator[Case]:
    lines = (ROOT / "catalog" / "demo" / "products.jsonl").read_text(encoding="utf-8").splitlines()
    for number, row in enumerate(islice(map(json.loads, lines), n)):
        facts = [Fact(name, _shown(value)) for name, value in row["facts"]["en"].items()]
        brief = CopyBrief("description", "en", row["title"]["en"], row["brand"], row["category"], facts=facts)
        yield Case("demo shop", ("even", "odd")[number % 2], brief)


def _shown(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def sellers(n: int) -> Iterator[Case]:
    number = 0
    for draft in amazon():
        facts = [Fact(" ".join(fact.name.split()), " ".join(fact.value.split())) for fact in draft.facts]
        kept = {fact.value: fact for fact in facts if 0 < len(fact.value) <= 60 and not _SHOP.search(fact.name)}
        if len(kept) < 3 or number >= n:
            continue
        brief = CopyBrief(
            "description",
            "en",
            draft.title,
            category=draft.category.rsplit("|", 1)[-1].strip(),
            facts=list(kept.values())[:MOST_FACTS],
        )
        yield Case("amazon_products_1k", ("even", "odd")[number % 2], brief)
        number += 1


def restaurants(n: int) -> Iterator[Case]:
    seen: set[str] = set()
    for draft in e2e():
        facts = tuple(Fact(fact.name, fact.value) for fact in draft.facts if fact.name != "name")
        if len(seen) < n and repr(facts) + draft.title not in seen:
            yield Case(
                "e2e_nlg", ("even", "odd")[len(seen) % 2], CopyBrief("description", "en", draft.title, facts=facts)
            )
            seen.add(repr(facts) + draft.title)


def cases(n: int) -> list[Case]:
    return [*held_out(n), *demo(n), *sellers(n), *restaurants(n)]


def model_of(side: str, folder: Path) -> Path:
    """Return the model of a side, built where it is not there."""
    from training import preparation

    made = folder / side / "model"
    if not (made / "config.json").exists():
        made.mkdir(parents=True, exist_ok=True)
        preparation.build_base(made)
        if side == "adapter":
            adapter.merge_into(made)
    return made


def written(side: str, found: Sequence[Case], folder: Path) -> dict[str, Any]:
    """Return what a side writes for the cases with the settings of serving, prompt tokens and seconds of processor."""
    from inference.backends.causal_lm import CausalLM

    known = folder / side / "texts.json"
    if known.exists():
        kept: dict[str, Any] = json.loads(known.read_text(encoding="utf-8"))
        return kept
    backend = CausalLM(directory=model_of(side, folder), options={"batch_size": 16})
    rows: dict[int, dict[str, Any]] = {}
    seconds: dict[str, float] = {}
    for channel in sorted({case.brief.channel for case in found}):
        places = [i for i, case in enumerate(found) if case.brief.channel == channel]
        asked = [prompts.render(found[i].brief, version=SIDES[side]) for i in places]
        began = time.process_time()
        answers = backend.generate(asked, prompts.params_for(channel, seed=SEED))
        seconds[channel] = time.process_time() - began
        for i, one in zip(places, answers, strict=True):
            text = prompts.clean(one.text, channel=channel, locale="en", finish_reason=one.finish_reason)
            rows[i] = {"text": text, "prompt_tokens": one.prompt_tokens}
        print(f"{side} {channel}: {len(places)} in {seconds[channel]:.0f} s", flush=True)
    kept = {"rows": [rows[i] for i in range(len(found))], "seconds": seconds}
    known.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
    return kept


def told(brief: CopyBrief, text: str) -> float:
    """Return the share of the facts whose value stands in `text`; of yes and no, whether the name's words do."""
    low = " ".join(text.lower().split())
    found = []
    for fact in brief.facts:
        if fact.value in {"yes", "no"}:
            words = re.findall(r"[a-z]{4,}", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", fact.name).lower())
            found.append(all(word[:5] in low for word in words))
        else:
            found.append(bool(re.search(rf"(?<![\w.]){re.escape(fact.value.lower())}(?!\w)", low)))
    return sum(found) / len(found)


def figures(found: Sequence[Case], texts: Sequence[str]) -> dict[str, Any]:
    """Return counts and means of one set: texts with a claim without a fact, facts told, word pairs, words."""
    drafts = [draft_from(case.brief, text) for case, text in zip(found, texts, strict=True)]
    hits = [[hit for hit in GroundingCheck().find(draft) if hit.severity != Severity.INFO] for draft in drafts]
    return {
        "n": len(found),
        "unsupported": sum(copy_metrics.unsupported(draft) > 0 for draft in drafts),
        "flagged": sum(bool(one) for one in hits),
        "told": float(np.mean([told(case.brief, text) for case, text in zip(found, texts, strict=True)])),
        "distinct_2": copy_metrics.distinct(list(texts)),
        "words": float(np.mean([len(text.split()) for text in texts])),
    }


def row_of(name: str, half: str, side: str, about: dict[str, Any]) -> str:
    low, high = wilson(about["unsupported"], about["n"])
    cells = [
        name,
        half,
        WORDS[side],
        f"{about['unsupported']}/{about['n']} [{low:.0%}, {high:.0%}]",
        f"{about['flagged']}/{about['n']}",
        f"{about['told']:.2f}",
        f"{about['distinct_2']:.2f}",
        f"{about['words']:.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


def report(found: Sequence[Case], sides: dict[str, dict[str, Any]]) -> tuple[list[str], dict[str, float]]:
    """Return the table, and each side's share of texts with an unsupported claim over the reported halves."""
    heads = "set | half | model | texts with an unsupported claim | flagged | facts told | distinct-2 | words"
    lines, reported = [f"| {heads} |", "|" + " --- |" * 8], {side: [0, 0] for side in sides}
    for name in dict.fromkeys(case.group for case in found):
        for half in ("even", "odd"):
            places = [i for i, case in enumerate(found) if (case.group, case.half) == (name, half)]
            for side, kept in sides.items():
                about = figures([found[i] for i in places], [kept["rows"][i]["text"] for i in places])
                lines.append(row_of(name, half, side, about))
                if half == "odd":
                    reported[side][0] += about["unsupported"]
                    reported[side][1] += about["n"]
    for side, kept in sides.items():
        tokens = np.mean([row["prompt_tokens"] for row in kept["rows"]])
        pace = len(kept["rows"]) / sum(kept["seconds"].values())
        lines += [
            "",
            f"{WORDS[side]}: {tokens:.0f} tokens to a prompt, {pace:.2f} drafts to a second of processor time.",
        ]
    odd = [i for i, case in enumerate(found) if case.half == "odd"]
    for what, kept_of in (("texts with an unsupported claim", _unsupported), ("facts told, descriptions", told)):
        places = [i for i in odd if kept_of is _unsupported or found[i].brief.channel == "description"]
        each = {
            side: np.array([float(kept_of(found[i].brief, kept["rows"][i]["text"])) for i in places])
            for side, kept in sides.items()
        }
        value, low, high = _interval(each["adapter"] - each["base"])
        lines += ["", f"Reported halves, {what}, adapter − base: {value:+.3f} [{low:+.3f}, {high:+.3f}]."]
    shares = {side: hits / max(n, 1) for side, (hits, n) in reported.items()}
    ratio = shares["adapter"] / max(shares["base"], 1e-9)
    counts = ", ".join(f"{WORDS[side]} {hits}/{n}" for side, (hits, n) in reported.items())
    lines += ["", f"Over the reported halves: {counts}; ratio **{ratio:.2f}**."]
    return lines, shares


def _unsupported(brief: CopyBrief, text: str) -> bool:
    return copy_metrics.unsupported(draft_from(brief, text)) > 0


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of paired differences with its 95 % interval, products drawn again 10,000 times."""
    draws = np.random.default_rng(0).integers(0, len(values), size=(10_000, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), (2.5, 97.5))
    return float(values.mean()), float(low), float(high)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=40, help="products of each set")
    parser.add_argument("--name", default="starter_adapter", help="folder of what is kept")
    parser.add_argument("--side", choices=[*SIDES], action="append", help="write with these alone")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    found, folder = cases(options.n), KEPT / options.name
    sides = {side: written(side, found, folder) for side in options.side or SIDES}
    if len(sides) < len(SIDES):
        return 0
    lines, shares = report(found, sides)
    ours, reference = shares["adapter"], shares["base"]
    said = {"name": "starter_adapter", "ours": round(ours, 3), "reference": round(reference, 3)}
    ratio = ours / max(reference, 1e-9)
    print("\n".join(lines))
    print(json.dumps({**said, "ratio": round(ratio, 3), "must": 1.0, "pass": ratio <= 1.0}))
    if options.write:
        page.write("starter_adapter", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
