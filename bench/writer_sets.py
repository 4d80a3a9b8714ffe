"""Products to write copy for: the demo shop, real seller products, restaurants; tuning and reporting rows apart."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import checks, restaurants
from inference.contracts import CopyBrief, Fact

ROOT = Path(__file__).resolve().parents[1]
_IN_VALUE = 240
_ANSWERS = {True: "yes", False: "no"}


@dataclass(frozen=True)
class Product:
    """A brief, and what people wrote from just these facts; empty where the set has no such text."""

    brief: CopyBrief
    human: tuple[str, ...] = ()


def demo() -> Iterator[Product]:
    """Yield the products of the demo shop, in English."""
    for line in (ROOT / "catalog" / "demo" / "products.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        facts = tuple(Fact(name, str(_ANSWERS.get(value, value))) for name, value in row["facts"]["en"].items())
        yield Product(CopyBrief("description", "en", row["title"]["en"], row["brand"], row["category"], facts))


def amazon() -> Iterator[Product]:
    """Yield sellers' products that state at least two facts, as a feed brings them; a product once."""
    seen = set()
    for draft in checks.amazon():
        facts = []
        for fact in draft.facts:
            name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", fact.name).strip()
            value = " ".join(fact.value.split())
            if value and name not in {known.name for known in facts} and not re.search(r"https?:|\(View", value):
                facts.append(Fact(name[:60], value[:_IN_VALUE]))
        if len(facts) >= 2 and draft.title not in seen:
            seen.add(draft.title)
            yield Product(CopyBrief("description", "en", draft.title, "", draft.category, tuple(facts)))


def e2e() -> Iterator[Product]:
    """Yield restaurants with what people wrote of them."""
    for place in restaurants.load():
        facts = tuple(
            Fact(restaurants.NAMES_OF_SLOTS[slot], value) for slot, value in place.slots.items() if slot != "name"
        )
        if len(facts) >= 2:
            yield Product(CopyBrief("description", "en", place.name, facts=facts), tuple(place.texts))


SETS = {"demo shop": demo, "amazon": amazon, "e2e": e2e}


def half(name: str, *, tuning: bool) -> list[Product]:
    """Return the even rows of a set, which constraints and plan were tuned on, or the odd ones, in an order by lot."""
    rows = list(SETS[name]())[0 if tuning else 1 :: 2]
    random.Random(17).shuffle(rows)
    return rows
