"""What the champions say of drafts: their tone, whether people would accept them, and which claims they make."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core import leases
from core.refs import ref
from inference import loader, resolver
from inference.contracts import Classification
from inference.models import ModelVersion
from labeling.question import question
from moderation.models.candidates import Candidate
from moderation.models.predictions import Prediction, fields_of
from moderation.policy.claim_kinds import POLICY_CLAIMS

log = logging.getLogger(__name__)
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
    """Return what the champions think of the texts; nothing of a question that has no champion yet.

    Nor of a judge of claims that fails: it only ever adds attention, and people look at every draft without it.
    """
    found = [_opinion(name, version, drafts) for name in (TONE, VALIDITY) if (version := resolver.find(name))]
    judge = resolver.find(POLICY_CLAIMS)
    if judge is not None:
        try:
            found.append(_opinion(POLICY_CLAIMS, judge, drafts))
        except leases.DATABASE_AWAY:
            raise
        except Exception:
            log.exception("the judge of claims %s says nothing of %s drafts", judge, len(drafts))
    return found


def _opinion(name: str, version: ModelVersion, drafts: Sequence[Candidate]) -> Opinion:
    asked, model = question(name), loader.load_classifier(version)
    # A question about something else is asked of the draft's words alone.
    if asked.about == "draft":
        answers = asked.asked_of(model.classify, drafts)
    else:
        answers = model.classify([draft.text for draft in drafts])
    opinion = Opinion(name, version, {draft.pk: answer for draft, answer in zip(drafts, answers, strict=True)})
    list(opinion.of(drafts))  # what is no probability is told before anything is written
    return opinion


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
