"""Which claims a draft makes: a model answers, and learns from the findings that reviewers confirm or dismiss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType
from typing import Any

from django.db.models import CharField, Model, QuerySet, Value
from django.db.models.functions import Cast, Concat

from core.refs import ref_to
from labeling.examples import Example, Excluded
from labeling.models import Label
from labeling.question import Choice, Question, Said
from labeling.subject import subject_of
from moderation.judging.findings import judged_findings
from moderation.models.candidates import Candidate
from moderation.policy.claim_kinds import KINDS, POLICY_CLAIMS
from questions.copy_verdict.question import CopyVerdict
from questions.policy_claims import examples, written
from questions.policy_claims.reading import parts_of, together


class PolicyClaims(Question):
    """Which claims does this draft make? Asked of a model alone, sentence by sentence.

    What it says puts a draft further forward among those that wait for people, and does nothing else.
    """

    name = POLICY_CLAIMS
    title = "Judge of claims"
    icon = "balance"
    choices = tuple(Choice(kind, title, tone="bad") for kind, title in KINDS.items())
    is_multiple = True
    about = "draft"
    backend = "sequence_classifier"
    has_page = False
    recipe = MappingProxyType({"class_weights": True})  # of each claim there are few among many sentences
    source = "findings that reviewers confirmed or dismissed, and the written sentences that the first model learnt"
    taught_by = CopyVerdict.name

    @property
    def subject_model(self) -> type[Model]:
        return subject_of(self.about).model

    def rows(self, subjects: Sequence[str]) -> dict[str, Any]:
        return subject_of(self.about).rows(subjects)

    def inputs(self, subjects: Sequence[Any]) -> list[str]:
        return [draft.text for draft in subjects]

    def asked_of(self, classify: Callable[[list[str]], list[Said]], subjects: Sequence[Any]) -> list[Said]:
        """Have each sentence read by itself; of each claim the likeliest counts: one sentence makes it."""
        parts = [parts_of(text) for text in self.inputs(subjects)]
        answers = iter(classify([part for of_draft in parts for part in of_draft]))
        return [together([next(answers) for _ in of_draft]) for of_draft in parts]

    def teaching(self, labels: QuerySet[Label]) -> QuerySet[Label]:
        """Narrow to the labels of drafts of which a finding was judged that is about a claim."""
        subject = Concat(Value(ref_to(Candidate, "")), Cast("candidate_id", CharField()))
        return labels.filter(subject__in=judged_findings().order_by().values_list(subject))

    def examples(self) -> Iterator[Example | Excluded]:
        """What reviewers said of findings, and what the first model learnt, so that nothing of that is forgotten.

        What reviewers said of a sentence goes before what is written of it.
        """
        said = set()
        for item in examples.of_findings():
            said |= {item.key()} if isinstance(item, Example) else set()
            yield item
        yield from (item for item in written.written() if item.key() not in said)
