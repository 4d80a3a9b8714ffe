"""Words of several lists that stand together in one sentence: an ailment, and that it goes away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from moderation.policy.folding import Folded
from moderation.policy.stance import SENTENCE_END

# So many characters may lie between two of them. Chinese says in ten what English says in forty.
APART: Final = 45
APART_IN_CHINESE: Final = 12
_HAN: Final = re.compile("[\u3400-\u9fff]")


def stand_together(reading: Folded, lists: Sequence[re.Pattern[str]]) -> Iterator[tuple[tuple[int, int], ...]]:
    """Yield the spans of one word of each of `lists`, near each other in one sentence, in the order of the lists.

    A word of the first list is told once. Takes time linear in the text.
    """
    text = reading.text
    others = [[match.span() for match in pattern.finditer(text)] for pattern in lists[1:]]
    if not all(others):
        return
    at = [0] * len(others)
    for match in lists[0].finditer(text):
        if reading.is_cut_out(*match.span()):
            continue
        found = [match.span()]
        for number, spans in enumerate(others):
            while at[number] < len(spans) and spans[at[number]][1] + APART < match.start():
                at[number] += 1
            near = (span for span in spans[at[number] : at[number] + 6] if _are_near(reading, match.span(), span))
            if span := next(near, None):
                found.append(span)
        if len(found) == len(lists):
            yield tuple(found)


def _are_near(reading: Folded, one: tuple[int, int], other: tuple[int, int]) -> bool:
    first, last = sorted((one, other))
    between = reading.text[first[1] : last[0]]
    if first[1] > last[0] or len(between) > (APART_IN_CHINESE if _HAN.search(between) else APART):
        return False
    return not SENTENCE_END.search(between) and not reading.is_cut_out(*other)
