"""Copy after training: SmolLM2-135M as it ships, after imitation of human texts, and after DPO on fixes of what it got wrong.

Restaurants whose names were not seen, written greedily with the prompts of serving. Texts and models are kept in
var/bench/NAME, so a run that was interrupted goes on. `--write` refreshes the page.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import django  # noqa: E402
import numpy as np  # noqa: E402

django.setup()

from bench import page, restaurants  # noqa: E402
from bench.restaurants import Restaurant  # noqa: E402
from inference import prompts  # noqa: E402
from inference.contracts import CopyBrief, Fact  # noqa: E402
from moderation.policy.base import Draft  # noqa: E402
from moderation.policy.base import Fact as Stated  # noqa: E402
from training.evaluation import copy_metrics  # noqa: E402
from training.recipes import CopyRecipe  # noqa: E402

KEPT = ROOT / "var" / "bench"
ROUNDS = 10_000
STAGES = {"base": "as it ships", "imitation": "after imitation", "preference": "after DPO"}


class Parts:
    """Restaurants to imitate, to choose when to stop, whose drafts are fixed, and to test; the last with names of their own."""

    def __init__(self, options: argparse.Namespace) -> None:
        everything, rng = restaurants.load(), random.Random(options.seed)
        names = sorted({place.name for place in everything})
        self.places = sorted({*names, *(place.slots["near"] for place in everything if "near" in place.slots)})
        rng.shuffle(names)
        aside: set[str] = set()
        while sum(place.name in aside for place in everything) < options.tests:
            aside.add(names.pop())
        tests = [place for place in everything if place.name in aside]
        others = [place for place in everything if place.name not in aside]
        rng.shuffle(tests)
        rng.shuffle(others)
        self.tests, self.names = tests[: options.tests], sorted(aside)
        cuts = [0, *np.cumsum([options.texts, options.validation]), len(others)]
        self.train, self.validation, self.fixed = (others[a:b] for a, b in pairwise(cuts))


def brief_of(place: Restaurant) -> CopyBrief:
    facts = tuple(
        Fact(restaurants.NAMES_OF_SLOTS[slot], value) for slot, value in place.slots.items() if slot != "name"
    )
    return CopyBrief("description", "en", place.name, facts=facts)


def let_out(place: Restaurant, names: Sequence[str]) -> str:
    """Return the text that a reviewer who checks facts would let out: no wrong value, the most facts; the shortest of those."""

    def rank(text: str) -> tuple[int, float, int]:
        told, wrong = restaurants.judged(place, text, places=names)
        return wrong, -told, len(text)

    return min(place.texts, key=rank)


def prompt_of(place: Restaurant) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": turn.content} for turn in prompts.render(brief_of(place))]


def write(model: Path, places: Sequence[Restaurant], options: argparse.Namespace, **drawn: Any) -> list[str]:
    """Return what a model writes for `places`, greedily unless `drawn` otherwise, cleaned as a draft is."""
    from inference.backends.causal_lm import CausalLM

    backend = CausalLM(directory=model, options={"batch_size": 20})
    seed, asked = drawn.pop("seed", 0), {"temperature": 0, "max_new_tokens": options.tokens, **drawn}
    params = prompts.params_for("description", seed=seed, overrides=asked)
    answers = backend.generate([prompts.render(brief_of(place)) for place in places], params)
    return [
        prompts.clean(row.text, channel="description", locale="en", finish_reason=row.finish_reason) for row in answers
    ]


def judged(place: Restaurant, text: str, names: Sequence[str]) -> tuple[float, int, int]:
    """Return the share of the facts that are told, how many values are wrong, and how many claims have no fact."""
    brief = brief_of(place)
    facts = tuple(Stated(fact.name, fact.value) for fact in brief.facts)
    told, wrong = restaurants.judged(place, text, places=names)
    return told, wrong, copy_metrics.unsupported(Draft(text, brief.channel, brief.locale, brief.title, facts=facts))


def fixes(model: Path, places: Sequence[Restaurant], names: Sequence[str], options: argparse.Namespace) -> list[Any]:
    """Return pairs of a draft in which something is wrong, and what it was made of.

    Drafts are drawn at the temperature of serving. A fix leaves as it was what it can: it is the text without a fault that
    people wrote from the same facts and that is nearest to the draft.
    """
    pairs: dict[tuple[str, str], dict[str, Any]] = {}
    warm = prompts.params_for("description", seed=0).temperature
    for seed in range(1, options.drafts + 1):
        for place, text in zip(places, write(model, places, options, seed=seed, temperature=warm), strict=True):
            sound = [one for one in place.texts if not any(judged(place, one, names)[1:])]
            if text and sound and any(judged(place, text, names)[1:]):
                prompt = prompt_of(place)
                pairs[str(prompt), text] = {
                    "prompt": prompt,
                    "rejected": text,
                    "chosen": min(sound, key=partial(copy_metrics.edit_distance, text)),
                }
    return list(pairs.values())


def measure(places: Sequence[Restaurant], texts: Sequence[str], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return figures of each text; texts of other people of the same restaurant are what it is compared with."""
    known = {word for place in restaurants.load() for text in place.texts for word in restaurants.words_of(text)}
    rows = []
    for place, text in zip(places, texts, strict=True):
        told, wrong, unbacked = judged(place, text, names)
        others = [other for other in place.texts if other != text] or list(place.texts)
        rows.append(
            {
                "unsupported": float(wrong + unbacked > 0),
                "wrong": float(wrong > 0),
                "unbacked": float(unbacked > 0),
                "told": told,
                "strange": float(
                    len({*restaurants.words_of(text)} - known - {*restaurants.words_of(str(dict(place.slots)))})
                ),
                "distance": min(copy_metrics.edit_distance(text, other) for other in others),
                "words": float(len(text.split())),
            }
        )
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def stage(name: str, work: Any, kept: Path) -> tuple[Path, dict[str, Any]]:
    """Return the model of a stage and what was noted of it; `work(folder)` makes it where it is not there."""
    folder, done = kept / name / "model", kept / name / "noted.json"
    if not done.exists():
        began = time.process_time()
        noted = work(folder) or {}
        done.write_text(json.dumps({**noted, "seconds": round(time.process_time() - began)}), encoding="utf-8")
    return folder, json.loads(done.read_text(encoding="utf-8"))


def build_base(folder: Path) -> None:
    from training import preparation

    folder.mkdir(parents=True, exist_ok=True)
    preparation.build_base(folder)


def train(parts: Parts, options: argparse.Namespace) -> dict[str, tuple[Path, dict[str, Any]]]:
    from training.trainers import copywriter

    recipe = CopyRecipe(
        epochs=options.epochs,
        learning_rate=options.rate,
        batch_size=options.batch,
        accumulate=1,
        patience=6,
        preference_epochs=options.preference_epochs,
        preference_rate=options.preference_rate,
    )
    kept = KEPT / options.name
    made = {"base": stage("base", build_base, kept)}

    def imitated(places: Sequence[Restaurant]) -> list[dict[str, Any]]:
        return [{"prompt": prompt_of(place), "completion": let_out(place, parts.places)} for place in places]

    def imitate(folder: Path) -> dict[str, Any]:
        return copywriter.imitate(
            imitated(parts.train),
            imitated(parts.validation),
            recipe=recipe,
            base=made["base"][0],
            work=folder.parent / "work",
            into=folder,
            watch=tell,
        )

    made["imitation"] = stage("imitation", imitate, kept)

    def prefer(folder: Path) -> dict[str, Any]:
        n_held_out = max(8, len(parts.fixed) // 8)
        held_out, learnt = parts.fixed[:n_held_out], parts.fixed[n_held_out:]
        train, validation = (fixes(made["imitation"][0], part, parts.places, options) for part in (learnt, held_out))
        print(
            f"{len(train)} fixes to learn from, {len(validation)} held out, of {options.drafts} drafts of each of {len(parts.fixed)}",
            flush=True,
        )
        found = copywriter.prefer(
            train[: options.pairs],
            validation[: options.validation],
            recipe=recipe.model_copy(update={"batch_size": 4}),
            base=made["imitation"][0],
            work=folder.parent / "work",
            into=folder,
            watch=tell,
        )
        return {**found, "n_fixes": len(train)}

    made["preference"] = stage("preference", prefer, kept)
    return made


def tell(done: int, of: int, figures: Any) -> None:
    if figures:
        print(
            f"  step {done} of {of}: " + ", ".join(f"{name} {value:.4g}" for name, value in figures.items()), flush=True
        )


def interval(values: np.ndarray) -> tuple[float, float, float]:
    draws = np.random.default_rng(0).integers(0, len(values), size=(ROUNDS, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), (2.5, 97.5))
    return float(values.mean()), float(low), float(high)


def ratio(new: np.ndarray, old: np.ndarray) -> tuple[float, float, float]:
    """Return the ratio of two means on the same texts with its interval."""
    draws = np.random.default_rng(0).integers(0, len(new), size=(ROUNDS, len(new)))
    before = old[draws].mean(axis=1)
    drawn = new[draws].mean(axis=1)[before > 0] / before[before > 0]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(new.mean() / old.mean()), float(low), float(high)


def table(found: dict[str, dict[str, np.ndarray]]) -> list[str]:
    heads = {
        "unsupported": "texts with an unsupported claim",
        "wrong": "… a wrong value",
        "unbacked": "… found by the grounding check",
        "strange": "words that no person used",
        "told": "facts realised",
        "distance": "edit distance",
        "words": "words",
    }
    lines = ["| model | " + " | ".join(heads.values()) + " |", "| --- " * (len(heads) + 1) + "|"]
    for name, figures in found.items():
        cells = []
        for figure in heads:
            value, low, high = interval(figures[figure])
            digits = 1 if figure == "words" else 3
            cells.append(f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (
        ("texts", 240),
        ("validation", 8),
        ("pairs", 64),
        ("drafts", 4),
        ("tests", 100),
        ("tokens", 60),
        ("batch", 4),
        ("seed", 2),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, number in (("epochs", 1.25), ("rate", 1e-3), ("preference-rate", 1e-4), ("preference-epochs", 1.0)):
        parser.add_argument(f"--{name}", type=float, default=number)
    parser.add_argument("--name", default="copywriter", help="folder of what is kept")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    parts = Parts(options)
    made = train(parts, options)
    found, seconds = {}, {}
    for name, (folder, noted) in made.items():
        texts_at = KEPT / options.name / name / "texts.json"
        if not texts_at.exists():
            texts_at.write_text(
                json.dumps(write(folder, parts.tests, options), ensure_ascii=False, indent=1), encoding="utf-8"
            )
        found[STAGES[name]] = measure(parts.tests, json.loads(texts_at.read_text(encoding="utf-8")), parts.places)
        seconds[name] = noted["seconds"]
    found["people"] = measure(parts.tests, [place.texts[0] for place in parts.tests], parts.places)
    lines = table(found)
    before, last = found[STAGES["base"]]["unsupported"], found[STAGES["preference"]]["unsupported"]
    value, low, high = ratio(last, before)
    lines += [
        "",
        f"Texts with an unsupported claim, after DPO ÷ as it ships: **{value:.2f}** [{low:.2f}, {high:.2f}] (at most 0.5). "
        f"Tested on {len(parts.tests)} restaurants called {', '.join(parts.names)}; seconds: {seconds}.",
    ]
    print("\n".join(lines))
    print(json.dumps({"name": "copywriter", "ratio": round(value, 3), "must": 0.5, "pass": value <= 0.5}))
    if options.write:
        page.write("copywriter", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
