"""Whether people would accept a draft as it is. A model answers it; it learns from the verdicts of people on copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Model

from labeling.examples import OPEN_ISSUE, Example, Excluded
from labeling.question import Choice, Question
from labeling.subject import subject_of
from moderation.decisions.outcomes import VERDICTS
from moderation.models.reviews import Decision
from questions.copy_verdict import examples as verdicts
from questions.copy_verdict.question import CopyVerdict
from questions.eligibility import clean

VALID, INVALID = "valid", "invalid"


class Validity(Question):
    """Is this description valid for this product? Asked of a model alone."""

    name = "validity"
    title = "Judge of descriptions"
    choices = (Choice(VALID, "Valid", tone="good"), Choice(INVALID, "Invalid", tone="bad"))
    about = "draft"
    backend = "sequence_classifier"
    has_page = False
    reads_tokens = 256
    source = "standing decisions on drafts: approved as it was, or not"
    taught_by = CopyVerdict.name

    @property
    def subject_model(self) -> type[Model]:
        return subject_of(self.about).model

    def rows(self, subjects: Sequence[str]) -> dict[str, Any]:
        return subject_of(self.about).rows(subjects)

    def inputs(self, subjects: Sequence[Any]) -> list[str]:
        about = subject_of(self.about)
        return [about.text(draft) for draft in subjects]

    def examples(self) -> Iterator[Example | Excluded]:
        """Drafts as they were judged, last of all by a second review."""
        for decision, outcome, doubt in verdicts.standing_decisions(*VERDICTS.values()):
            draft = decision.item.candidate
            if draft is None:
                continue
            found = verdicts.prompted(draft, decision, "")
            if isinstance(found, Example):
                label = VALID if outcome == Decision.Outcome.APPROVE else INVALID
                (text,) = self.inputs([draft])
                found = replace(found, fields={"text": clean(text), "label": label}, is_doubted=doubt == OPEN_ISSUE)
            yield found
