"""What the judge of claims learns from people: sentences with findings that they confirmed or dismissed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby

from core import label_sets
from core.refs import ref
from labeling import issues
from labeling.examples import GONE, LICENCE, PERSONAL_DATA, Example, Excluded
from moderation.judging.findings import Verdict, judged_findings
from moderation.models.candidates import Candidate, Finding
from moderation.models.reviews import COPY_VERDICT
from moderation.policy.claim_kinds import KINDS, kind_of
from questions.eligibility import clean, holds_personal_data, is_barred
from questions.policy_claims.reading import sentence_at

BATCH = 500


def of_findings() -> Iterator[Example | Excluded]:
    """Yield the sentences of drafts of which people judged a finding: the kinds that they confirmed, or none.

    A sentence with a confirmed finding and a dismissed one of another kind makes the first claim alone.
    """
    doubted = issues.doubted(COPY_VERDICT)
    found = judged_findings().select_related("candidate__product").order_by("candidate_id", "pk")
    for _, group in groupby(found.iterator(chunk_size=BATCH), key=lambda finding: finding.candidate_id):
        findings = list(group)
        yield from _of_draft(findings[0].candidate, findings, is_doubted=ref(findings[0].candidate) in doubted)


def _of_draft(draft: Candidate, findings: Sequence[Finding], *, is_doubted: bool) -> Iterator[Example | Excluded]:
    said: dict[tuple[int, int], set[str]] = defaultdict(set)
    for finding in findings:
        kinds = said[sentence_at(draft.text, finding.start, finding.end)]
        if finding.verdict == Verdict.CONFIRMED:
            kinds.add(kind_of(finding.evidence))
    for (start, end), kinds in sorted(said.items()):
        subject, text = f"{ref(draft)}#{start}", clean(draft.text[start:end])
        if not text:
            yield Excluded(subject, GONE)
        elif is_barred(draft.product):
            yield Excluded(subject, LICENCE)
        elif holds_personal_data(draft.text):  # a cut may go through an address
            yield Excluded(subject, PERSONAL_DATA)
        else:
            yield Example(
                subject,
                group=draft.product.sku,
                locale=draft.locale,
                category=draft.product.category,
                fields={"text": text, "label": label_sets.join(kinds, tuple(KINDS))},
                is_doubted=is_doubted,
            )
