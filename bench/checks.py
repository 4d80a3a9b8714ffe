"""Policy checks on real copy: drafts per second, false alarms on human copy, and planted errors caught.

The reference is the naive check of the prototypes: a number in the output that is not in the input.
"""

from __future__ import annotations

import csv
import json
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")

from bench import page  # noqa: E402
from moderation.policy.base import Draft, Fact, load_checks, run_checks  # noqa: E402
from moderation.policy.grounding import GroundingCheck  # noqa: E402

DATA = Path(os.environ.get("ECOMSITE_DATA_DIR", ROOT.parent / "shared" / "data"))
MUST = 1.5

Span = tuple[int, int]


@dataclass(frozen=True)
class Planted:
    """A human draft, and the same with one error at `span`."""

    kind: str
    before: Draft
    after: Draft
    span: Span


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share."""
    if total == 0:
        return 0.0, 1.0
    z, share = 1.959964, hits / total
    middle = share + z * z / (2 * total)
    spread = z * ((share * (1 - share) + z * z / (4 * total)) / total) ** 0.5
    return max(0.0, (middle - spread) / (1 + z * z / total)), min(1.0, (middle + spread) / (1 + z * z / total))


def shown(hits: int, total: int) -> str:
    """Return a share with its interval."""
    low, high = wilson(hits, total)
    return f"{hits}/{total} = {hits / max(total, 1):.1%} [{low:.1%}, {high:.1%}]"


# --- Real copy ----------------------------------------------------------------------------------------------------
def rows(path: str) -> list[dict[str, str]]:
    with (DATA / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def e2e() -> Iterator[Draft]:
    for row in rows("e2e_nlg/devset.csv"):
        facts = [Fact(name.strip(), value) for name, value in re.findall(r"([^\[\],]+)\[([^\]]*)\]", row["mr"])]
        name = next(fact.value for fact in facts if fact.name == "name")
        yield Draft(row["ref"], "description", "en", name, facts=facts)


def advertisegen() -> Iterator[Draft]:
    for row in rows("advertisegen/adcopy.csv"):
        facts = [Fact(*pair.split("#", 1)) for pair in row["attributes"].split("*") if "#" in pair]
        title = next((fact.value for fact in facts if fact.name == "类型"), "")
        yield Draft(row["ad_copy"].replace("<UNK>", ""), "description", "zh-Hans", title, facts=facts)


def amazon() -> Iterator[Draft]:
    for row in rows("amazon_products_1k/products.csv"):
        specification = row["Product Specification"].replace("inches", " inches").replace("ounces", " ounces")
        specification = specification.replace("pounds", " pounds")
        facts = [Fact(*part.split(":", 1)) for part in specification.split("|") if ":" in part and "(View" not in part]
        facts += [
            Fact(name, row[name]) for name in ("Technical Details", "Product Dimensions", "Model Number") if row[name]
        ]
        text = row["About Product"].replace("Make sure this fits by entering your model number. | ", "")
        if text:
            yield Draft(text, "description", "en", row["Product Name"], category=row["Category"], facts=facts)


# --- The reference ------------------------------------------------------------------------------------------------
def naive_spans(draft: Draft) -> list[Span]:
    """Return the numbers of the text that are not among those of the input."""
    known = set(re.findall(r"\d+(?:\.\d+)?", " ".join((draft.title, *(fact.value for fact in draft.facts)))))
    return [match.span() for match in re.finditer(r"\d+(?:\.\d+)?", draft.text) if match[0] not in known]


def our_spans(draft: Draft) -> list[Span]:
    return [
        (hit.start, hit.end) for hit in GroundingCheck().find(draft) if hit.start is not None and hit.end is not None
    ]


# --- Planted errors: chosen by plain patterns, not by the reader under test ---------------------------------------
UNITS = {
    "inches": ["cm", "feet"],
    "inch": ["cm", "foot"],
    "ounces": ["grams", "pounds"],
    "oz": ["g", "lb"],
    "pounds": ["kg", "ounces"],
    "lbs": ["kg", "oz"],
    "feet": ["inches", "meters"],
    "cm": ["mm", "inches"],
    "mm": ["cm", "inches"],
    "ml": ["oz", "l"],
    "minutes": ["hours"],
    "hours": ["minutes"],
}
MATERIALS = [
    "cotton",
    "polyester",
    "nylon",
    "leather",
    "wool",
    "silk",
    "plastic",
    "metal",
    "steel",
    "wood",
    "bamboo",
    "rubber",
    "silicone",
    "glass",
    "ceramic",
]
COLOURS = ["black", "white", "red", "blue", "green", "yellow", "purple", "pink", "brown", "grey"]


def swapped(draft: Draft, start: int, end: int, by: str, kind: str) -> Planted:
    after = replace(draft, text=draft.text[:start] + by + draft.text[end:])
    return Planted(kind, draft, after, (start, start + len(by)))


def plant(drafts: list[Draft], rng: random.Random) -> Iterator[Planted]:
    """Yield one error of each kind for each draft that has a place for it: a value the input says too."""
    zh_values = {
        name: sorted({fact.value for draft in drafts for fact in draft.facts if fact.name == name})
        for name in ("颜色", "材质")
    }
    for draft in drafts:
        source = " ".join((draft.title, *(f"{fact.name} {fact.value}" for fact in draft.facts)))
        low = source.lower()
        numbers = [
            match
            for match in re.finditer(r"(?<![\w.,])\d{1,4}(?:\.\d)?(?![\w.,]*\d)", draft.text)
            if re.search(rf"(?<![\d.]){re.escape(match[0])}(?![\d.])", source)
        ]
        if numbers:
            match = rng.choice(numbers)
            value = float(match[0])
            by = next(
                text
                for factor in (rng.choice((2, 3)), 5, 7, 11)
                if not re.search(rf"(?<![\d.]){re.escape(text := f'{value * factor + 1:g}')}(?![\d.])", source)
            )
            yield swapped(draft, *match.span(), by, "number")
        measured = [
            match
            for match in numbers
            if (unit := re.match(r"[ -]?([a-z]+)\b", draft.text[match.end() :])) and unit[1] in UNITS
        ]
        if measured:
            match = rng.choice(measured)
            unit = re.match(r"[ -]?([a-z]+)\b", draft.text[match.end() :])
            assert unit
            start = match.end() + unit.start(1)
            plan = swapped(draft, start, start + len(unit[1]), rng.choice(UNITS[unit[1]]), "unit")
            yield replace(plan, span=(match.start(), plan.span[1]))
        for kind, words in (("material", MATERIALS), ("colour", COLOURS)):
            places = [
                match
                for word in words
                if re.search(rf"\b{word}\b", low)
                for match in re.finditer(rf"\b{word}\b", draft.text, re.I)
            ]
            if places:
                match = rng.choice(places)
                others = [word for word in words if word not in low]
                yield swapped(draft, *match.span(), rng.choice(others), kind)
        for kind, name in (("colour", "颜色"), ("material", "材质")):
            values = [fact.value for fact in draft.facts if fact.name == name and fact.value in draft.text]
            others = [
                value
                for value in zh_values[name]
                if len(value) > 1 and value not in source and value[:-1] not in source
            ]
            if values and others:
                start = draft.text.index(values[0])
                yield swapped(draft, start, start + len(values[0]), rng.choice(others), kind)


def overlaps(spans: list[Span], span: Span) -> bool:
    return any(start < span[1] and end > span[0] for start, end in spans)


def caught(planted: list[Planted], find: Callable[[Draft], list[Span]]) -> list[bool]:
    return [overlaps(find(item.after), item.span) for item in planted]


def main() -> None:
    if not DATA.is_dir():
        raise SystemExit(f"no data at {DATA}: set ECOMSITE_DATA_DIR")
    corpora = {"e2e_nlg": list(e2e()), "advertisegen": list(advertisegen()), "amazon": list(amazon())}
    lines = ["| what | measured |", "| --- | --- |"]

    checks = load_checks()
    for name, drafts in corpora.items():
        start = time.perf_counter()
        blocked = sum(
            any(hit.severity == "block" for result in run_checks(draft, checks) for hit in result.hits)
            for draft in drafts
        )
        speed = len(drafts) / (time.perf_counter() - start)
        lines.append(f"| all checks, {name}: drafts/s, one core | {speed:,.0f} |")
        lines.append(f"| all checks, {name}: human copy blocked | {shown(blocked, len(drafts))} |")

    for name in ("e2e_nlg", "advertisegen"):
        drafts = corpora[name]
        ours = sum(any(hit.severity != "info" for hit in GroundingCheck().find(draft)) for draft in drafts)
        naive = sum(bool(naive_spans(draft)) for draft in drafts)
        numeric = sum(
            any(
                hit.severity != "info" and hit.evidence["kind"] in ("number", "quantity")
                for hit in GroundingCheck().find(draft)
            )
            for draft in drafts
        )
        lines.append(
            f"| grounding, {name}: drafts with a warning (upper bound of false alarms) | {shown(ours, len(drafts))} |"
        )
        lines.append(f"| … of these about numbers and units | {shown(numeric, len(drafts))} |")
        lines.append(f"| naive number check, {name}: drafts with a warning | {shown(naive, len(drafts))} |")

    rng = random.Random(20)
    drawn = [item for drafts in corpora.values() for item in plant(drafts, rng)]
    # An error planted where a check complained before shows nothing about the check.
    planted = [
        item
        for item in drawn
        if not overlaps(our_spans(item.before), item.span) and not overlaps(naive_spans(item.before), item.span)
    ]
    planted = [item for kind in ("number", "unit", "material", "colour") for item in _sample(planted, kind, rng)]
    ours_caught, naive_caught = caught(planted, our_spans), caught(planted, naive_spans)
    for kind in ("number", "unit", "material", "colour"):
        mine = [hit for item, hit in zip(planted, ours_caught, strict=True) if item.kind == kind]
        naives = [hit for item, hit in zip(planted, naive_caught, strict=True) if item.kind == kind]
        lines.append(f"| planted {kind} errors caught: ours | {shown(sum(mine), len(mine))} |")
        lines.append(f"| planted {kind} errors caught: naive | {shown(sum(naives), len(naives))} |")
    ours_recall = sum(ours_caught) / len(planted)
    naive_recall = sum(naive_caught) / len(planted)
    lines.append(f"| all planted errors caught: ours | {shown(sum(ours_caught), len(planted))} |")
    lines.append(f"| all planted errors caught: naive | {shown(sum(naive_caught), len(planted))} |")

    print("\n".join(lines))
    if "--write" in sys.argv:
        page.write("checks", lines)
    ratio = ours_recall / naive_recall
    print(
        json.dumps(
            {
                "name": "checks",
                "ours": round(ours_recall, 4),
                "reference": round(naive_recall, 4),
                "ratio": round(ratio, 3),
                "must": MUST,
                "pass": ratio >= MUST,
            }
        )
    )


def _sample(planted: list[Planted], kind: str, rng: random.Random) -> list[Planted]:
    """At most 300 of a kind, so that no kind drowns the others in the total."""
    of_kind = [item for item in planted if item.kind == kind]
    return rng.sample(of_kind, min(300, len(of_kind)))


if __name__ == "__main__":
    main()
