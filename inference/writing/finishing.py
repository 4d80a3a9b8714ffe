"""Make a draft of what a model wrote: the end is whole, nothing unfounded stays, what was left out is told plainly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from inference.contracts import CopyBrief, Fact
from inference.prompts import sentences_of
from inference.writing.plain_words import plainly
from inference.writing.plan import planned

_ENDS: Final = tuple('.!?。！？…"”’」』)）')


class Judge(Protocol):
    """Knows what a text claims; handed in by the caller, whose rules they are."""

    def faults(self, text: str) -> Sequence[tuple[int, int]]:
        """Return where `text` claims what no fact holds."""

    def untold(self, text: str, facts: Sequence[Fact]) -> Sequence[Fact]:
        """Return those of `facts` that `text` does not tell, in their order."""


@dataclass(frozen=True)
class Finished:
    """A text, and how it came about: the names of the facts planned, and of those that the model left to plain words;
    how many of its sentences were dropped; how many claims without a fact are left.
    """

    text: str
    plan: tuple[str, ...] = ()
    plainly: tuple[str, ...] = ()
    n_dropped: int = 0
    n_faults: int = 0

    @property
    def rank(self) -> tuple[int, int, int]:
        """The lower the better: claims without a fact, sentences dropped, facts that the model did not tell."""
        return self.n_faults, self.n_dropped, len(self.plainly)


def finish(
    text: str, brief: CopyBrief, judge: Judge, *, finish_reason: Literal["stop", "length", "error"] = "stop"
) -> Finished:
    """Return the draft that comes of `text` (cleaned): it ends with a sentence, is never empty, and has the plan told.

    Sentences with a claim that no fact holds are dropped. What of the plan is then untold follows in plain words.
    """
    plan = planned(brief)
    sentences = whole_sentences(text, brief, finish_reason=finish_reason)
    kept = list(_without_faults(sentences, judge))
    gap = "" if brief.locale.startswith("zh") else " "
    if kept and kept[0] != sentences[0]:
        kept[0] = _named(kept[0], brief)
    said = gap.join(kept)
    untold = tuple(judge.untold(said, plan))
    if brief.channel != "description" and len(untold) < len(plan):
        untold = ()  # a line tells a fact or two, and a second sentence would make two of it
    if untold or not said:
        said = _completed(said, untold, brief, judge, gap)
    return Finished(
        text=said,
        plan=tuple(fact.name for fact in plan),
        plainly=tuple(fact.name for fact in untold),
        n_dropped=len(sentences) - len(kept),
        n_faults=len(judge.faults(said)),
    )


def _named(sentence: str, brief: CopyBrief) -> str:
    """Return the sentence that a text now begins with, with the product's name for the pronoun."""
    return re.sub(r"^It(?P<is>['’]s| is)? ", lambda found: f"{brief.title} {'is ' if found['is'] else ''}", sentence)


def _without_faults(sentences: Sequence[str], judge: Judge) -> Iterator[str]:
    """Yield the sentences without a fault; what goes on in small letters after a dropped one goes with it."""
    is_dropped = False
    for sentence in sentences:
        is_dropped = bool(judge.faults(sentence)) or (is_dropped and sentence[:1].islower())
        if not is_dropped:
            yield sentence


def whole_sentences(
    text: str, brief: CopyBrief, *, finish_reason: Literal["stop", "length", "error"] = "stop"
) -> list[str]:
    """Return the sentences of `text` up to its last whole one; of a line without a mark at its end, the line."""
    sentences = sentences_of(text)
    if not sentences or sentences[-1].endswith(_ENDS):
        return sentences
    if finish_reason == "length" or len(sentences) > 1:
        return sentences[:-1] if brief.channel == "description" or len(sentences) > 1 else []
    if brief.channel == "description":
        return [sentences[-1] + ("。" if brief.locale.startswith("zh") else ".")]
    return sentences


def _completed(said: str, untold: Sequence[Fact], brief: CopyBrief, judge: Judge, gap: str) -> str:
    """Return `said` with `untold` in plain words: in sentences; where the judge finds fault with those, as a list."""
    ways = [plainly(untold, brief, is_first=not said, as_list=as_list) for as_list in (False, True)]
    texts = [gap.join(filter(None, [said, way])) for way in ways]
    return min(texts, key=lambda text: len(judge.faults(text)))
