"""Which words moved a classifier's answer: each is taken away, and what the label loses by it is its weight. Pure.

Occlusion (Zeiler & Fergus 2014, ECCV; Li, J. et al. 2016, arXiv:1612.08220): it asks nothing of the model but answers,
so every back end can be explained. Whether the words named are those that count is checked by deletion (DeYoung, J. et
al. 2020, ERASER, ACL): without them the label must lose more than without as many others drawn by lot.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from inference.contracts import TextClassifier

# Of a longer text the first so many words are weighed: each is a text for the model.
MOST_WORDS = 200
# Of more than twice so many words, so many parts are weighed first, and then the words of the parts that move most.
PARTS, OPENED = 16, 3
ROUNDS = 10
# A word of Latin script or digits, or one Chinese sign.
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+(?:['’-][^\W\u3400-\u9fff]+)*")


@dataclass(frozen=True)
class WordWeight:
    """A word, where it stands in the text, and by how much the label's probability falls without it (below 0:
    it rises).
    """

    word: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Faithfulness:
    """What the label loses without the `n` words named, and on average without `n` others by lot; 0…1."""

    n: int
    named: float
    random: float

    @property
    def holds(self) -> bool:
        return self.named > self.random


def words_of(text: str) -> list[tuple[int, int]]:
    """Return where the words of `text` begin and end, at most MOST_WORDS."""
    return [found.span() for found in _WORD.finditer(text)][:MOST_WORDS]


def explain(text: str, classifier: TextClassifier, *, label: str = "") -> list[WordWeight]:
    """Return the words of `text`, in order, with what each adds to `label`, by default the one the classifier gives.

    All the texts without a word are one call to the classifier, which batches them. A text without words gives nothing.
    """
    spans = words_of(text)
    if not spans:
        return []
    whole, *without = classifier.classify([text, *(_without(text, [span]) for span in spans)])
    of = label or whole.label
    return [
        WordWeight(text[start:end], start, end, whole.probability_of(of) - answer.probability_of(of))
        for (start, end), answer in zip(spans, without, strict=True)
    ]


def explain_by_parts(text: str, classifier: TextClassifier, *, label: str = "") -> list[WordWeight]:
    """Return what `explain` does, having the classifier read 56 texts at most.

    First parts of the text are taken away, then each word of those that move the label most, either way. The other
    words weigh 0: none of them was tried by itself.
    """
    spans = words_of(text)
    if len(spans) <= 2 * PARTS:
        return explain(text, classifier, label=label)
    size = math.ceil(len(spans) / PARTS)
    parts = [spans[first : first + size] for first in range(0, len(spans), size)]
    whole, *without = classifier.classify([text, *(_without(text, part) for part in parts)])
    of = label or whole.label
    before = whole.probability_of(of)
    moved = [abs(before - answer.probability_of(of)) for answer in without]
    opened = sorted(range(len(parts)), key=lambda i: -moved[i])[:OPENED]
    tried = [span for i in opened for span in parts[i]]
    answers = classifier.classify([_without(text, [span]) for span in tried])
    weights = {span: before - answer.probability_of(of) for span, answer in zip(tried, answers, strict=True)}
    return [WordWeight(text[start:end], start, end, weights.get((start, end), 0.0)) for start, end in spans]


def strongest(weights: Sequence[WordWeight], n: int) -> list[WordWeight]:
    """Return the `n` words that speak for the label most, strongest first; none that speaks against it."""
    return sorted((word for word in weights if word.weight > 0), key=lambda word: -word.weight)[:n]


def faithfulness(
    text: str, classifier: TextClassifier, weights: Sequence[WordWeight], *, n: int = 3, seed: int = 0
) -> Faithfulness | None:
    """Return whether the `n` strongest words count for more than `n` by lot;
    None where there are not twice as many words.
    """
    named = strongest(weights, n)
    if not named or len(weights) < 2 * len(named):
        return None
    rng = random.Random(seed)  # noqa: S311
    chosen = {word.start for word in named}
    others = [word for word in weights if word.start not in chosen]
    drawn = [rng.sample(others, len(named)) for _ in range(ROUNDS)]
    texts = [_without(text, [(word.start, word.end) for word in words]) for words in (named, *drawn)]
    whole, of_named, *of_drawn = classifier.classify([text, *texts])
    before = whole.confidence
    lost = [before - answer.probability_of(whole.label) for answer in of_drawn]
    return Faithfulness(len(named), before - of_named.probability_of(whole.label), sum(lost) / len(lost))


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + text[end:]
    return text
