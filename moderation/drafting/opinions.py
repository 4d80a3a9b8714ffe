"""What the champions say of drafts: their tone, and whether people would accept them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.refs import ref
from inference import loader, resolver
from inference.contracts import Classification
from inference.models import ModelVersion
from labeling.question import question
from moderation.models.candidates import Candidate
from moderation.models.predictions import Prediction, fields_of

TONE, VALIDITY = "sentiment", "validity"


@dataclass(frozen=True)
class Opinion:
    """What the champion of a question says of drafts: candidate → its answer."""

    question: str
    version: ModelVersion
    answers: Mapping[uuid.UUID, Classification]

    def of(self, drafts: Sequence[Candidate]) -> Iterator[Prediction]:
        """Yield what it says of `drafts`, to be saved."""
        order = question(self.question).labels
        for draft in drafts:
            if (answer := self.answers.get(draft.pk)) is not None:
                yield Prediction(
                    question=self.question, subject=ref(draft), model_version=self.version, **fields_of(answer, order)
                )


def opinions_on(drafts: Sequence[Candidate]) -> list[Opinion]:
    """Return what the champions think of the texts; nothing of a question that has no champion yet."""
    found = []
    for name in (TONE, VALIDITY):
        if (version := resolver.find(name)) is not None:
            # A question about something else is asked of the draft's words alone.
            asked = question(name)
            texts = asked.inputs(drafts) if asked.about == "draft" else [draft.text for draft in drafts]
            answers = loader.load_classifier(version).classify(texts)
            found.append(Opinion(name, version, {d.pk: a for d, a in zip(drafts, answers, strict=True)}))
    return found


def save(opinions: Sequence[Opinion], drafts: Sequence[Candidate]) -> None:
    """Keep what was said of `drafts`: screening twice leaves one answer of each version."""
    for opinion in opinions:
        Prediction.objects.keep(opinion.of(drafts))


def acceptance(opinions: Sequence[Opinion], draft: Candidate) -> float:
    """Return how likely people would accept `draft`, 0 to 1; 0 while no model says."""
    for opinion in opinions:
        if opinion.question == VALIDITY and draft.pk in opinion.answers:
            return opinion.answers[draft.pk].probabilities.get("valid", 0.0)
    return 0.0
