"""Copy in which two quantities of one kind are exchanged: real seller copy, and sentences written for it in two languages."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

from bench.checks import amazon
from moderation.policy.base import Draft, Fact

Span = tuple[int, int]


@dataclass(frozen=True)
class Exchange:
    """Copy that tells its facts truly, the same with two values exchanged, and where those stand then."""

    source: str
    true: Draft
    exchanged: Draft
    spans: Sequence[Span]


def half_of(key: str) -> str:
    """Return which half a case belongs to: what was looked at while the check was made, or not."""
    return "tune" if int(hashlib.sha256(key.encode()).hexdigest(), 16) % 2 == 0 else "held out"


# --- Real copy: sizes that sellers name in words, read by a plain pattern and not by the reader under test ------------
_NAMED = re.compile(
    r"(?<![\d/.-])(?P<value>\d{1,3}(?:\.\d{1,2})?)(?P<unit>\s?\"|”|-? ?(?:inch(?:es)?|in|cm|mm|feet|ft)\b\.?)[ -]?"
    r"(?P<of>wide|tall|high|long|deep|thick|in (?:width|height|length|diameter)|diameter|[WHLD]\b)",
    re.I,
)
_NAMES = {
    "wide": "Width",
    "w": "Width",
    "width": "Width",
    "tall": "Height",
    "high": "Height",
    "h": "Height",
    "height": "Height",
    "long": "Length",
    "l": "Length",
    "length": "Length",
    "deep": "Depth",
    "d": "Depth",
    "thick": "Thickness",
    "diameter": "Diameter",
}


def real(half: str) -> Iterator[Exchange]:
    """Yield each two sizes of one unit that stand within 60 characters in seller copy, exchanged."""
    for draft in amazon():
        if half_of(draft.title) != half:
            continue
        named = list(_NAMED.finditer(draft.text))
        for one, other in pairwise(named):
            of = [_NAMES[match["of"].lower().split()[-1]] for match in (one, other)]
            units = {match["unit"].strip(" -.").lower() for match in (one, other)}
            if of[0] == of[1] or len(units) > 1 or one["value"] == other["value"] or other.start() - one.end() > 60:
                continue
            text = draft.text[max(0, one.start() - 40) : other.end() + 20]
            shift = max(0, one.start() - 40)
            values = [match.span("value") for match in (one, other)]
            spans = [(start - shift, end - shift) for start, end in values]
            unit = one["unit"].strip(" -.").replace('"', "in").replace("”", "in")
            facts = [Fact(name, f"{match['value']} {unit}") for name, match in zip(of, (one, other), strict=True)]
            true = replace(draft, text=text, title="Thing", facts=facts)
            yield _exchange("seller copy", true, spans)


def _exchange(source: str, true: Draft, spans: Sequence[Span]) -> Exchange:
    (a, b), (c, d) = spans
    first, second = true.text[a:b], true.text[c:d]
    text = true.text[:a] + second + true.text[b:c] + first + true.text[d:]
    grown = len(second) - len(first)
    return Exchange(source, true, replace(true, text=text), [(a, a + len(second)), (c + grown, c + grown + len(first))])


# --- Written: what merchants state, and how copy tells it; {0} and {1} are values of the two facts --------------------
_CM, _KG, _H, _ZH_CM, _ZH_KG, _ZH_H = "cm", "kg", "hours", "厘米", "公斤", "小时"
FRAMES: Sequence[tuple[str, str, str, str]] = (
    (_CM, "Width", "Height", "At {0} wide and {1} tall, it tucks neatly beside the sofa."),
    (_CM, "Item width", "Item height", "The cabinet is {1} high and only {0} wide."),
    (_CM, "Overall Width", "Overall Depth", "With a width of {0} and a depth of {1} it suits small halls."),
    (_CM, "Height", "Diameter", "The vase stands {0} tall and has a diameter of {1}."),
    (_CM, "Length", "Width", "Measuring {0} long by {1} wide, the runner fits most tables."),
    (_CM, "Length", "Thickness", "A board {0} long and {1} thick, ready to be oiled."),
    (_CM, "Seat height", "Height", "The seat is {0} high; the whole chair is {1} tall."),
    (_CM, "Cable length", "Length", "It is {1} long and comes with a cord that is {0} long."),
    (_CM, "Depth", "Height", "Depth {0}, height {1}: room for a row of paperbacks."),
    (_CM, "Width", "Height", "Width: {0}\nHeight: {1}"),
    (_CM, "Width", "Length", "It is {1} in length and {0} in width."),
    (_CM, "Diameter", "Height", "The {0} diameter pan has walls that are {1} high."),
    (_CM, "Width", "Height", "Its {0} width and {1} height make it easy to place."),
    (_CM, "Folded height", "Height", "Set up it is {1} tall, and folded it is just {0} tall."),
    (_KG, "Weight", "Maximum load", "It weighs {0} and has a weight capacity of {1}."),
    (_KG, "Weight", "Breaking strength", "A breaking strength of {1} at a weight of just {0}."),
    (_KG, "Item weight", "Shipping weight", "The lamp weighs {0}; its shipping weight is {1}."),
    (_KG, "Net weight", "Load capacity", "Net weight {0}, load capacity {1}."),
    (_KG, "Weight", "Max load", "Although it weighs only {0}, the maximum load is {1}."),
    (_KG, "Weight", "Capacity", "Weighing {0}, the bag holds up to {1} of groceries."),
    (_H, "Battery life", "Charging time", "Enjoy {0} of battery life after a charging time of {1}."),
    (_H, "Battery life", "Charging time", "It charges in {1} and lasts {0}."),
    (_H, "Playtime", "Charge time", "Up to {0} of playtime; charge time is about {1}."),
    (_H, "Hot", "Cold", "Keeps tea hot for {0} and water cold for {1}."),
    (_H, "Run time", "Recharge time", "The run time is {0} and the recharge time {1}."),
    (_H, "Battery life", "Charging time", "The battery lasts up to {0} and fully charges in just {1}."),
    ("pieces", "Forks", "Spoons", "The set has {0} forks and {1} spoons."),
    ("pieces", "Drawers", "Shelves", "Storage comes from {0} wide drawers and {1} adjustable shelves."),
    ("pieces", "Seats", "Pockets", "It has {1} pockets and {0} seats."),
    ("GB", "Memory", "Storage", "With {0} of memory and {1} of storage it opens large files."),
    ("mm", "Thickness", "Width", "The strap is {1} wide and {0} thick."),
    ("W", "Power", "Standby power", "A power of {0}, and a standby power of {1}."),
    (_ZH_CM, "宽度", "高度", "柜体宽{0}，高{1}，放在玄关刚刚好。"),
    (_ZH_CM, "长度", "宽度", "桌面长度{0}、宽度{1}，四个人用餐也不挤。"),
    (_ZH_CM, "高度", "直径", "花瓶高约{0}，直径约{1}，插几枝干花就很好看。"),
    (_ZH_CM, "宽", "深", "{0}宽，{1}深，小户型也放得下。"),
    (_ZH_CM, "长", "厚度", "整块砧板长{0}，厚度为{1}。"),
    (_ZH_CM, "座高", "高度", "座高{0}，整椅高度{1}，坐着不累腰。"),
    (_ZH_CM, "深度", "高度", "抽屉深度可达{0}，高度只有{1}。"),
    (_ZH_CM, "宽度", "长度", "长{1}宽{0}的尺寸，铺在床尾正合适。"),
    (_ZH_KG, "净重", "承重", "净重仅{0}，最大承重{1}。"),
    (_ZH_KG, "重量", "承重", "整车重量{0}，承重可达{1}。"),
    (_ZH_KG, "自重", "载重", "自重{0}，载重{1}，一个人就能推着走。"),
    (_ZH_H, "续航时间", "充电时间", "续航时间{0}，充电时间只要{1}。"),
    (_ZH_H, "续航", "充电时间", "充电时间约{1}，续航可达{0}。"),
    (_ZH_H, "播放时间", "充电时间", "播放时间长达{0}，充电时间{1}。"),
    (_ZH_H, "保温", "保冷", "保温{0}，保冷{1}，四季都用得上。"),
    ("个", "口袋", "隔层", "包内有{0}口袋和{1}隔层，分类放东西。"),
    ("支", "铅笔", "彩笔", "套装里有{0}铅笔、{1}彩笔。"),
    ("毫米", "厚度", "宽度", "表带宽度{1}，厚度仅{0}。"),
)
_VALUES = ("2", "3", "6", "8", "12", "18", "24", "32", "45", "75", "120", "180")


def written(half: str, *, per_frame: int = 8, seed: int = 17) -> Iterator[Exchange]:
    """Yield sentences of the frames of one half with drawn values."""
    rng = random.Random(seed)
    pairs = list(combinations(_VALUES, 2))
    for unit, first, second, frame in FRAMES:
        drawn = rng.sample(pairs, per_frame)
        if half_of(frame) != half:
            continue
        for values in drawn:
            told = [_told(value, unit) for value in values]
            facts = [Fact(name, _told(value, unit)) for name, value in zip((first, second), values, strict=True)]
            locale = "en" if frame.isascii() else "zh-Hans"
            marked = frame.format(f"\1{told[0]}\2", f"\1{told[1]}\2")
            text, spans = _unmarked(marked)
            yield _exchange("written", Draft(text, "description", locale, "Thing", facts=facts), spans)


def _told(value: str, unit: str) -> str:
    return value if unit == "pieces" else f"{value} {unit}" if unit.isascii() else f"{value}{unit}"


def _unmarked(marked: str) -> tuple[str, list[Span]]:
    text, spans, start = "", [], 0
    for char in marked:
        if char == "\1":
            start = len(text)
        elif char == "\2":
            spans.append((start, len(text)))
        else:
            text += char
    return text, spans
