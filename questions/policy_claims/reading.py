"""How the judge of claims reads a draft: sentence by sentence, and of each claim the likeliest counts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core import label_sets
from inference.contracts import Classification
from inference.prompts import sentences_of

# So many sentences of a draft are read; what stands behind them is read as one.
MOST_SENTENCES = 40


def parts_of(text: str) -> list[str]:
    """Return what is read of `text`, each part by itself; the text itself where it has no sentence."""
    found = sentences_of(text) or [text]
    return [*found[:MOST_SENTENCES], *([" ".join(found[MOST_SENTENCES:])] if found[MOST_SENTENCES:] else [])]


def together(answers: Sequence[Any]) -> Any:
    """Return what `answers` about the sentences of one draft come to: of each claim the likeliest, and all that any
    says.
    """
    labels = tuple(answers[0].probabilities)
    said = {label for answer in answers for label in label_sets.split(answer.label)}
    odds = {label: max(answer.probabilities[label] for answer in answers) for label in labels}
    return Classification(label_sets.join(said, labels), odds, is_several=True)


def sentence_at(text: str, start: int | None, end: int | None) -> tuple[int, int]:
    """Return first and last place of the sentences that a finding stands in; the whole text where it names no place."""
    if start is None or end is None:
        return 0, len(text)
    spans, place = [], 0
    for sentence in sentences_of(text):
        first = text.index(sentence, place)
        place = first + len(sentence)
        if first < end and start < place:
            spans.append((first, place))
    return (spans[0][0], spans[-1][1]) if spans else (0, len(text))
