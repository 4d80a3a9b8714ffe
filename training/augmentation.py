"""More training rows out of those there are: a copy of some, a little changed. Never of validation or test rows.

Beside dropping words, any callable of `settings.TRAINING.augmenters` may change a text: synonyms, back-translation by
a model of yours. It gets the text and a random generator, and returns the changed text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

from django.conf import settings
from django.utils.module_loading import import_string

from training.trainers.contracts import Rows

Augmenter = Callable[[str, random.Random], str]
DROPPED = 0.1
_WORD = re.compile(r"\s+")


def augment(rows: Rows, *, share: float, seed: int) -> Rows:
    """Return `rows` and a changed copy of `share` of them; the same seed changes the same."""
    if not share or not len(rows):
        return rows
    rng = random.Random(seed)  # noqa: S311
    augmenters: list[Augmenter] = [import_string(path) for path in settings.TRAINING.augmenters]
    texts, labels = list(rows.texts), list(rows.labels)
    for i in rng.sample(range(len(rows)), round(share * len(rows))):
        changed = rng.choice(augmenters)(texts[i], rng)
        if changed.strip() and changed != texts[i]:
            texts.append(changed)
            labels.append(labels[i])
    return replace(rows, texts=texts, labels=labels)


def drop_words(text: str, rng: random.Random) -> str:
    """Return `text` without a tenth of its words, in Chinese of its characters."""
    words = _WORD.split(text.strip())
    if len(words) < 4:
        return "".join(char for char in text if rng.random() >= DROPPED)
    return " ".join(word for word in words if rng.random() >= DROPPED)


def replace_synonyms(text: str, rng: random.Random) -> str:
    """Return `text` with one word or more replaced by one of the same meaning, from a short list of shop talk."""
    words = _WORD.split(text.strip())
    places = [i for i, word in enumerate(words) if word.lower() in SYNONYMS]
    for i in rng.sample(places, min(len(places), 2)):
        words[i] = rng.choice(SYNONYMS[words[i].lower()])
    return " ".join(words)


_GROUPS = (
    ("good", "fine", "nice"),
    ("great", "excellent", "superb"),
    ("bad", "poor"),
    ("terrible", "awful", "dreadful"),
    ("buy", "purchase"),
    ("bought", "purchased"),
    ("cheap", "inexpensive"),
    ("broken", "damaged"),
    ("quick", "fast"),
    ("quickly", "fast"),
    ("delivery", "shipping"),
    ("arrived", "came"),
    ("small", "little"),
    ("big", "large"),
    ("love", "adore"),
    ("hate", "detest"),
    ("happy", "pleased"),
    ("disappointed", "unhappy"),
    ("sturdy", "solid"),
    ("comfortable", "comfy"),
    ("beautiful", "lovely"),
    ("item", "product"),
    ("return", "refund"),
    ("works", "functions"),
)
SYNONYMS = {word: [other for other in group if other != word] for group in _GROUPS for word in group}
