"""Which words moved a model's suggestion: found by a worker for what people are asked about, and read for pages.

Kept are places in the text and never its words: who forgets a text forgets these too, and an edited text has none.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef

from core import leases, stopping
from core.exceptions import EcomsiteError
from inference import loader, resolver
from inference.contracts import Classification, TextClassifier
from inference.explanations import explain_by_parts, faithfulness, strongest
from inference.models import ModelVersion
from labeling.question import Question, asked_questions, question
from moderation.models.predictions import Prediction
from moderation.models.reviews import ReviewItem

log = logging.getLogger(__name__)
Status = ReviewItem.Status
HELD = (Status.DISPATCHED, Status.ESCALATED)
# Texts of more characters are not explained, nor those that take longer; a turn begins nothing new after so many
# seconds: what comes has to be scored meanwhile.
LONGEST, LONGEST_S, TURN_S, AT_ONCE = 4000, 10.0, 5.0, 20
# So many texts are put before the model between two looks at the clock.
PIECE = 8
# So many words are kept, for the label and against it, and shown; by less than this of its probability none counts.
KEPT, SHOWN, LEAST = 10, 5, 0.01
LONGEST_WORD = 40


@dataclass(frozen=True)
class Moved:
    """A word of the text, or Chinese signs that stand together, and what the label loses without it, 0 to 1; below 0
    what it gains.
    """

    word: str
    weight: float

    @property
    def size(self) -> float:
        """How much it moves, either way."""
        return abs(self.weight)


@dataclass(frozen=True)
class Explanation:
    """The words that speak most for what was said, and against it, strongest first.

    `holds`: whether the label loses more without those for it than without as many others by lot; None: too few words
    to tell.
    """

    words: tuple[Moved, ...]
    against: tuple[Moved, ...]
    holds: bool | None

    @property
    def in_words(self) -> str:
        """Both as one line of plain text."""
        parts = (("Moved by", self.words), ("Against it", self.against))
        said = (f"{head}: {', '.join(f'“{one.word}”' for one in words)}" for head, words in parts if words)
        return ". ".join(said)


class _Bounded(TextClassifier):
    """A classifier that raises `TimeoutError` once its time is over."""

    def __init__(self, model: TextClassifier, *, seconds: float) -> None:
        super().__init__(directory=model.directory, options=model.options)
        self.model, self.until = model, time.monotonic() + seconds

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        answers: list[Classification] = []
        for first in range(0, len(texts), PIECE):
            if time.monotonic() > self.until:
                raise TimeoutError
            answers += self.model.classify(texts[first : first + PIECE])
        return answers


def explain_asked() -> int:
    """Explain what champions said of what people are asked about now. Returns how many were explained.

    Nothing waits for it, and a failure costs nothing but the explanation. 0 where the settings switch it off.
    """
    if not settings.MODERATION.explains:
        return 0
    n, until = 0, time.monotonic() + TURN_S
    for asked in asked_questions():
        version = resolver.find(asked.name) if asked.backend else None
        said = _unexplained(asked, version) if version else []
        if not version or not said:
            continue
        try:
            model = loader.load_classifier(version)
        except EcomsiteError as exc:
            log.warning("what %s said is not explained: %s", version, exc)
            continue
        except leases.DATABASE_AWAY:
            raise
        except Exception:
            log.exception("what %s said is not explained", version)
            continue
        rows = asked.rows([one.subject for one in said])
        for one in said:
            if stopping.is_asked() or time.monotonic() > until:
                return n
            text = asked.inputs([rows[one.subject]])[0] if one.subject in rows else ""
            kept = _explained(text, model, one)
            # Said anew meanwhile, it is another row's worth: that is explained with the next turn.
            n += Prediction.objects.filter(pk=one.pk, label=one.label, explanation__isnull=True).update(
                explanation=kept
            )
    return n


def _unexplained(asked: Question, version: ModelVersion) -> list[Prediction]:
    """Some of what `version` suggests to people now and nobody has explained; what is the most urgent first."""
    said = Prediction.objects.filter(question=asked.name, model_version=version, explanation__isnull=True)
    suggested = said.filter(subject=OuterRef("about"), label=OuterRef("suggestion"))
    items = ReviewItem.objects.filter(Exists(suggested), question=asked.name, lead=None).order_by("urgent_from", "pk")
    found: list[str] = []
    for status in ((Status.WAITING,), HELD):  # each has an index
        found += items.filter(status__in=status).values_list("about", flat=True)[: AT_ONCE - len(found)]
    return list(said.filter(subject__in=found))


def _explained(text: str, model: TextClassifier, said: Prediction) -> dict[str, Any]:
    """What is kept with `said`; nothing of a text that is gone, too long, or that the model chokes on."""
    if not text or len(text) > LONGEST:
        return {}
    try:
        bounded = _Bounded(model, seconds=LONGEST_S)
        weights = explain_by_parts(text, bounded, label=said.label)
        check = faithfulness(text, bounded, weights)
    except leases.DATABASE_AWAY:
        raise
    except Exception as exc:
        log.warning("prediction %s is not explained: %s", said.pk, type(exc).__name__)
        return {}
    against = sorted((one for one in weights if one.weight < 0), key=lambda one: one.weight)[:KEPT]
    both = (*strongest(weights, KEPT), *against)
    words = [[one.start, one.end, round(one.weight, 4)] for one in both if abs(one.weight) >= LEAST]
    return {"text": _hash(text), "words": words, "holds": None if check is None else check.holds}


def explanation_of(said: Prediction) -> Explanation | None:
    """Return which words moved `said`; None where that is not known, or its text is another one since."""
    kept = said.explanation
    if not kept or not kept["words"]:
        return None
    text = question(said.question).texts([said.subject])[0] if said.question in settings.QUESTIONS else ""
    if _hash(text) != kept["text"]:
        return None
    places = [(start, end, weight) for start, end, weight in kept["words"]]
    speaks_for = [place for place in places if place[2] > 0]
    against = [place for place in places if place[2] < 0]
    return Explanation(_joined(text, speaks_for), _joined(text, against), kept["holds"])


def behind(item: ReviewItem) -> tuple[Prediction, Explanation | None] | None:
    """Return what the model said that `item`, or the item it is a seat of, suggests, and why; None without one.

    Whether a person may see it is for who asks: `moderation.queues.seats.shows_suggestion` is about that.
    """
    lead = item.leading
    if not lead.suggestion:
        return None
    made_by = {one.get("model_version") for one in item.labeling_task.predictions} if item.labeling_task else set()
    said = (
        Prediction.objects.of(lead.question, [lead.about]).filter(label=lead.suggestion).select_related("model_version")
    )
    found = next((one for one in said if str(one.model_version) in made_by), None)
    return (found, explanation_of(found)) if found else None


def _joined(text: str, places: Sequence[tuple[int, int, float]]) -> tuple[Moved, ...]:
    """The words at `places`, strongest first, each once; signs side by side are one, as strong as the strongest."""
    runs: list[tuple[int, int, float]] = []
    for start, end, weight in sorted(places):
        if runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], end, max(runs[-1][2], weight, key=abs))
        else:
            runs.append((start, end, weight))
    found: dict[str, Moved] = {}
    for start, end, weight in sorted(runs, key=lambda run: (-abs(run[2]), run[0])):
        word = text[start:end][:LONGEST_WORD]
        found.setdefault(word.casefold(), Moved(word, weight))
    return tuple(itertools.islice(found.values(), SHOWN))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
