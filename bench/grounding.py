"""Grounding: exchanged quantities and swapped values flagged, and human copy flagged; on a half that was not tuned on."""

from __future__ import annotations

import hashlib
import json
import random
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's

from bench import exchanged, page  # noqa: E402
from bench.checks import DATA, advertisegen, amazon, e2e, shown  # noqa: E402
from moderation.policy.base import Draft, Fact, Severity  # noqa: E402
from moderation.policy.folding import fold  # noqa: E402
from moderation.policy.grounding import GroundingCheck  # noqa: E402

MUST_EXCHANGED, MUST_FLAG, MAY_FLAG = 0.90, 0.93, 0.10
# 类型: copy names other garments to wear with this one. eatType has one value in the file; nothing to swap it for.
NOT_SWAPPED = {"advertisegen": {"类型"}, "e2e_nlg": {"eatType"}}
FAMILY = re.compile(r"(?:famil(?:y|ies)|child(?:ren)?|kids?)\b", re.I)
CHECK = GroundingCheck()
Span = tuple[int, int]


@dataclass(frozen=True)
class Swap:
    """A human draft in which one value stands for another: `in_text` in the copy, else in its facts."""

    attribute: str
    in_text: bool
    draft: Draft
    spans: Sequence[Span]
    was: str
    by: str


def half_of(draft: Draft) -> str:
    """Return which half a draft belongs to; all texts of the same facts go together."""
    facts = "|".join(f"{fact.name}={fact.value}" for fact in draft.facts)
    return "tune" if int(hashlib.sha256(facts.encode()).hexdigest(), 16) % 2 == 0 else "held out"


def spans_of(value: str, text: str) -> list[Span]:
    """Return where `value` stands in `text`; Latin letters as whole words."""
    low = fold(value).text
    edge = r"(?<![a-z0-9£]){}(?![a-z0-9])" if low.isascii() or "£" in low else "{}"
    folded = fold(text)
    return [folded.span(*match.span()) for match in re.finditer(edge.format(re.escape(low)), folded.text)]


def swaps(drafts: Sequence[Draft], values: dict[str, list[str]], left_out: set[str], seed: int) -> Iterator[Swap]:
    """Yield, for each fact whose value stands in the copy, the copy with another value and the facts with another."""
    rng = random.Random(seed)
    for draft in drafts:
        said = fold(" ".join((draft.text, draft.title, *(fact.value for fact in draft.facts)))).text
        for index, fact in enumerate(draft.facts):
            others = [item.value for at, item in enumerate(draft.facts) if at != index and item.name != "name"]
            others += [draft.title] if fact.name != "name" else []
            free = [
                v for v in values[fact.name] if fold(v).text not in said and fold(fact.value).text not in fold(v).text
            ]
            if fact.name in left_out or not free or any(spans_of(fact.value, other) for other in others):
                continue
            if fact.name == "familyFriendly":
                spans = [match.span() for match in FAMILY.finditer(draft.text)]
                if spans:  # yes and no do not stand in the copy, so only the fact can be swapped
                    yield from_fact(draft, index, "no" if fact.value == "yes" else "yes", spans)
                continue
            spans = spans_of(fact.value, draft.text)
            if spans:
                by = rng.choice(free)
                yield in_text(draft, fact, by, spans)
                yield from_fact(draft, index, rng.choice(free), spans)


def in_text(draft: Draft, fact: Fact, by: str, spans: Sequence[Span]) -> Swap:
    """Return the swap that writes `by` wherever the copy said the value of `fact`."""
    pieces, new, position, length = [], [], 0, 0
    for start, end in spans:
        pieces += [draft.text[position:start], by]
        length += start - position + len(by)
        new.append((length - len(by), length))
        position = end
    text = "".join((*pieces, draft.text[position:]))
    return Swap(fact.name, True, replace(draft, text=text), new, fact.value, by)


def from_fact(draft: Draft, index: int, by: str, spans: Sequence[Span]) -> Swap:
    """Return the swap that leaves the copy and gives the fact another value."""
    fact = draft.facts[index]
    facts = [replace(item, value=by) if at == index else item for at, item in enumerate(draft.facts)]
    title = by if fact.name == "name" else draft.title
    return Swap(fact.name, False, replace(draft, facts=facts, title=title), spans, fact.value, by)


def warned(draft: Draft) -> list[Span]:
    """Return the spans that a person is asked about."""
    return [(hit.start or 0, hit.end or 0) for hit in CHECK.find(draft) if hit.severity != Severity.INFO]


def is_flagged(swap: Swap) -> bool:
    """Return whether a warning lies on the swapped value itself; one elsewhere in the copy does not count."""
    warnings = warned(swap.draft)
    return any(_is_on(span, warnings) for span in swap.spans)


def measure(name: str, drafts: list[Draft], half: str, lines: list[str]) -> tuple[float, float, list[Swap]]:
    """Add the lines of one data set; return the share of swaps flagged, of human copy flagged, and the misses."""
    values: dict[str, set[str]] = defaultdict(set)
    for draft in drafts:
        for fact in draft.facts:
            values[fact.name].add(fact.value)
    own = [draft for draft in drafts if half_of(draft) == half]
    if half == "tune" and len(own) > 1000:
        own = own[::4]  # for a quick look
    made = list(swaps(own, {key: sorted(found) for key, found in values.items()}, NOT_SWAPPED[name], seed=6))
    result = [(swap, is_flagged(swap)) for swap in made]
    human = sum(bool(warned(draft)) for draft in own)
    lines.append(f"| {name}: human copy with a warning | {shown(human, len(own))} |")
    for kind, in_copy in (("the copy", True), ("the facts", False)):
        hits = [flagged for swap, flagged in result if swap.in_text == in_copy]
        lines.append(f"| **{name}: value swapped in {kind}, flagged** | {shown(sum(hits), len(hits))} |")
    attributes = sorted({swap.attribute for swap in made})
    for attribute in attributes:
        cells = []
        for in_copy in (True, False):
            hits = [flagged for swap, flagged in result if swap.attribute == attribute and swap.in_text == in_copy]
            cells.append(shown(sum(hits), len(hits)) if hits else "–")
        lines.append(f"| {name}: {attribute}, in the copy · in the facts | {cells[0]} · {cells[1]} |")
    flagged = sum(hit for _, hit in result) / len(result)
    return flagged, human / len(own), [swap for swap, hit in result if not hit]


def measure_exchanged(half: str, lines: list[str]) -> float:
    """Add the lines of exchanged quantities; return the smaller share flagged, of written and of real copy.

    Two values that changed places are flagged where a warning lies on either; that each has one is told beside it.
    """
    shares = []
    for name, cases in (("written", list(exchanged.written(half))), ("seller copy", list(exchanged.real(half)))):
        seen = [[_is_on(span, warned(case.exchanged)) for span in case.spans] for case in cases]
        true = sum(any(_is_on(span, warned(case.true)) for span in case.spans) for case in cases)
        flagged = sum(map(any, seen))
        lines.append(f"| **quantities exchanged, {name}: flagged** | {shown(flagged, len(cases))} |")
        lines.append(f"| … both of them | {shown(sum(map(all, seen)), len(cases))} |")
        lines.append(f"| … the same before they were exchanged, with a warning | {shown(true, len(cases))} |")
        shares.append(flagged / len(cases))
        if half == "tune":
            for case, hits in zip(cases, seen, strict=True):
                if not any(hits):
                    print("exchanged", [(fact.name, fact.value) for fact in case.true.facts], repr(case.exchanged.text))
    return min(shares)


def _is_on(span: Span, warnings: Sequence[Span]) -> bool:
    return any(low < span[1] and high > span[0] for low, high in warnings)


def measure_sellers(half: str, lines: list[str]) -> None:
    """Add the share of real seller copy that sends a person to work: its feed has few facts, and the copy says much."""
    own = [draft for draft in amazon() if exchanged.half_of(draft.title) == half]
    found = [{hit.evidence["kind"] for hit in CHECK.find(draft) if hit.severity != Severity.INFO} for draft in own]
    lines.append(f"| amazon: seller copy with a warning | {shown(sum(map(bool, found)), len(own))} |")
    numeric = sum(bool(kinds & {"number", "quantity"}) for kinds in found)
    lines.append(f"| … of a number | {shown(numeric, len(own))} |")


def main() -> None:
    if not DATA.is_dir():
        raise SystemExit(f"no data at {DATA}: set ECOMSITE_DATA_DIR")
    half = "tune" if "--tune" in sys.argv else "held out"
    lines = [f"| what ({half} half) | measured |", "| --- | --- |"]
    share = measure_exchanged(half, lines)
    passes, shares = share >= MUST_EXCHANGED, []
    for name, drafts in (("e2e_nlg", list(e2e())), ("advertisegen", list(advertisegen()))):
        flagged, human, missed = measure(name, drafts, half, lines)
        passes &= flagged >= MUST_FLAG and human <= MAY_FLAG
        shares.append(flagged)
        if half == "tune":  # never shown for the half that is reported
            for swap in missed:
                place = "copy" if swap.in_text else "fact"
                print(place, swap.attribute, f"{swap.was}→{swap.by}", "|", swap.draft.text[:160])
    measure_sellers(half, lines)
    print("\n".join(lines))
    if "--write" in sys.argv and half == "held out":
        page.write("grounding", lines)
    worst = min(shares)
    verdict = {"ratio": round(worst / MUST_FLAG, 3), "must": MUST_FLAG, "pass": passes}
    print(json.dumps({"name": "grounding", "ours": round(worst, 4), "reference": MUST_FLAG, **verdict}))


if __name__ == "__main__":
    main()
