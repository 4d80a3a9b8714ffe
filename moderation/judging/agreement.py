"""How far a judge of claims agrees with people, measured on the findings that they confirmed or dismissed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.conf import settings

from core.refs import ref_to
from inference.judging import JUDGE_PROMPT_VERSION
from inference.models import ModelVersion
from moderation.judging.findings import judged_findings, verdicts_on
from moderation.judging.said import claims_in
from moderation.models.candidates import Candidate
from moderation.models.judging import answers_of, hash_of
from moderation.models.predictions import Prediction
from moderation.policy.claim_kinds import POLICY_CLAIMS

if TYPE_CHECKING:
    from labeling.quality.intervals import Estimate

# Of so many findings at most, the latest: a judge is measured by what it says of what is written now.
LATEST = 5000
# Of either word of people so many have to be there: who always says the same is right about one of them.
FEWEST_OF_EITHER = 10


@dataclass(frozen=True)
class Agreement:
    """Of what people confirmed and dismissed, a draft's kind of claim each: how much of it the judge says too."""

    n_confirmed: int
    n_seen: int  # of these the judge says the claim too
    n_dismissed: int
    n_unseen: int  # of these the judge says no such claim either

    @property
    def n(self) -> int:
        return self.n_confirmed + self.n_dismissed

    @cached_property
    def of_confirmed(self) -> Estimate:
        return _share(self.n_seen, self.n_confirmed)

    @cached_property
    def of_dismissed(self) -> Estimate:
        return _share(self.n_unseen, self.n_dismissed)

    @property
    def value(self) -> float | None:
        """The mean of both shares, 0 to 1: always saying the same comes to a half; None without either."""
        yes, no = self.of_confirmed.value, self.of_dismissed.value
        return None if yes is None or no is None else (yes + no) / 2

    @property
    def counts(self) -> bool:
        """Whether it is measured on enough answers, and good enough, for what the judge says to count."""
        rules = settings.JUDGE
        enough = self.n >= rules.fewest_answers and min(self.n_confirmed, self.n_dismissed) >= FEWEST_OF_EITHER
        return enough and self.value is not None and self.value >= rules.least_agreement

    @property
    def in_words(self) -> str:
        """Say it in a sentence."""
        if self.value is None:
            return f"Its agreement with people is not known yet: {self.n} answers on both sides."
        parts = [
            f"{said} {hits} of {n} that people {word} ({found.low:.0%} to {found.high:.0%})"
            for said, hits, n, word, found in (
                ("it sees", self.n_seen, self.n_confirmed, "confirmed", self.of_confirmed),
                ("it does not see", self.n_unseen, self.n_dismissed, "dismissed", self.of_dismissed),
            )
        ]
        return f"It agrees with people to {self.value:.0%}: {' and '.join(parts)}."


def _share(hits: int, n: int) -> Estimate:
    from labeling.quality.intervals import share  # numpy: not before somebody looks

    return share(hits, n, minimum=1)


def of_chat(version: ModelVersion) -> Agreement:
    """Return how far a chat model agrees with people, on texts that it gave an answer about."""
    said = answers_of(version, JUDGE_PROMPT_VERSION).exclude(claims=None)
    drafts = Candidate.objects.annotate(said_hash=hash_of("text")).filter(said_hash__in=said.values("text_hash"))
    by_hash = dict(said.values_list("text_hash", "claims"))
    judged = judged_findings().filter(candidate__in=drafts.values("pk")).order_by("-pk")[:LATEST]
    verdicts = verdicts_on(judged)
    hashes = Candidate.objects.filter(pk__in={key for key, _ in verdicts}).annotate(said_hash=hash_of("text"))
    claims = {str(pk): by_hash.get(one) or [] for pk, one in hashes.values_list("pk", "said_hash")}
    return _compared(verdicts, claims)


def of_model(version: ModelVersion) -> Agreement:
    """Return how far a version of the question's own model agrees with people; what it learnt from is among that."""
    verdicts = verdicts_on(judged_findings().order_by("-pk")[:LATEST])
    subjects = {ref_to(Candidate, key): key for key, _ in verdicts}
    said = Prediction.objects.of(POLICY_CLAIMS, list(subjects)).filter(model_version=version)
    return _compared(verdicts, {subjects[one.subject]: claims_in(one) for one in said})


def _compared(verdicts: Mapping[tuple[str, str], bool], claims: Mapping[str, Collection[Any]]) -> Agreement:
    pairs = [(holds, kind in claims[key]) for (key, kind), holds in verdicts.items() if key in claims]
    confirmed, dismissed = ([saw for holds, saw in pairs if holds is wanted] for wanted in (True, False))
    return Agreement(len(confirmed), sum(confirmed), len(dismissed), len(dismissed) - sum(dismissed))
