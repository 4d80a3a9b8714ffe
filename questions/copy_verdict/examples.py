"""What people said of drafts, as examples: for who writes, for who prefers, and for who judges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace

from django.db.models import QuerySet

from core.refs import ref
from inference import prompts, resolver
from labeling import issues
from labeling.examples import GONE, LICENCE, OPEN_ISSUE, OUTDATED, OVERRULED, PERSONAL_DATA, Example, Excluded
from labeling.models import Label, Vote
from moderation.decisions.outcomes import VERDICTS
from moderation.drafting.screening import brief_of
from moderation.drafting.writing import messages_for
from moderation.models.appeals import Appeal
from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision
from questions.copy_verdict.question import CopyVerdict
from questions.eligibility import clean, holds_personal_data, is_barred

BATCH = 500
NAME = CopyVerdict.name


def copy() -> Iterator[Example | Excluded]:
    """Accepted and fixed copy with the prompt it answers, as the one renderer writes it;
    a fix with the draft it fixed.
    """
    asked_with = resolver.prompt_in_force()
    for decision, _, doubt in standing_decisions(Decision.Outcome.APPROVE, Decision.Outcome.EDIT):
        if decision.result is not None:
            found, rejected = prompted(decision.result, decision, doubt, asked_with=asked_with), _fixed_draft(decision)
            if isinstance(found, Example) and rejected:
                found = replace(
                    found, fields={**found.fields, "rejected": rejected, "reasons": list(decision.reason_codes)}
                )
            yield found


def _fixed_draft(decision: Decision) -> str:
    """Return the draft that a decision fixed; empty where it fixed none, or one that is not to be learnt from."""
    fix, draft = decision.result, decision.item.candidate
    if decision.outcome != Decision.Outcome.EDIT or fix is None or draft is None:
        return ""
    text = clean(draft.text)
    return "" if text == clean(fix.text) or holds_personal_data(text) else text


def preferences() -> Iterator[Example | Excluded]:
    """Fixes, each with the draft that was fixed and why."""
    asked_with = resolver.prompt_in_force()
    for decision, _, doubt in standing_decisions(Decision.Outcome.EDIT):
        rejected = _fixed_draft(decision)
        if decision.result is None or not rejected:
            continue
        found = prompted(decision.result, decision, doubt, asked_with=asked_with)
        if isinstance(found, Example):
            fields = {
                "prompt": found.fields["prompt"],
                "chosen": found.fields["completion"],
                "rejected": rejected,
                "reasons": list(decision.reason_codes),
            }
            found = replace(found, fields=fields)
        yield found


def decisions_on_copy(*outcomes: str) -> QuerySet[Decision]:
    """Return the decisions about copy that stand: people's, not superseded by a later one,
    nor overturned by an appeal.
    """
    stand = Decision.objects.filter(item__question=NAME, superseded_by=None, outcome__in=outcomes)
    return stand.exclude(decided_by=Decision.DecidedBy.AUTOMATIC).exclude(appeal__status=Appeal.Status.OVERTURNED)


def standing_decisions(*outcomes: str) -> Iterator[tuple[Decision, str, str]]:
    """Yield the decisions about copy that stand, oldest first, each with the outcome it should have had and its doubt.

    The outcome is a second review's where there was one: that changes the draft's label, never the decision
    (`moderation.decisions.deciding.relabel`). The doubt is why what was let out is not learnt from; empty where it is.
    """
    doubted = issues.doubted(NAME)
    labels = Label.objects.filter(question=NAME, method=Vote.Purpose.SECOND_REVIEW, label__in=VERDICTS)
    second = dict(labels.values_list("subject", "label"))
    needed = ("item__candidate__product", "item__labeling_task", "result__product")
    rows = decisions_on_copy(*outcomes).select_related(*needed).order_by("created_at", "pk")
    for decision in rows.iterator(chunk_size=BATCH):
        draft = ref(decision.item.candidate) if decision.item.candidate else ""
        outcome = VERDICTS[second[draft]] if draft in second else decision.outcome
        doubt = OVERRULED if outcome != decision.outcome else ""
        yield decision, outcome, OPEN_ISSUE if draft in doubted else doubt


def prompted(
    candidate: Candidate, decision: Decision, doubt: str, *, asked_with: str = prompts.PROMPT_VERSION
) -> Example | Excluded:
    """Return the text of `candidate` with the prompt that asks for it, and what the checks see of the product:
    `brief`. `asked_with`: the version of the prompt.
    """
    subject, text, product = ref(candidate), clean(candidate.text), candidate.product
    if doubt:
        return Excluded(subject, doubt)
    if not text:
        return Excluded(subject, GONE)
    if is_barred(product):
        return Excluded(subject, LICENCE)
    if candidate.facts_hash != product.facts_hash:
        return Excluded(subject, OUTDATED)
    if holds_personal_data(text):
        return Excluded(subject, PERSONAL_DATA)
    brief = brief_of(candidate)
    prompt = [{"role": turn.role, "content": turn.content} for turn in messages_for(brief, asked_with=asked_with)]
    # How the brand speaks is told by the prompt; the rows of all snapshots have the same columns.
    seen = {name: value for name, value in asdict(brief).items() if name != "voice"}
    shown = decision.item.labeling_task.shows_predictions if decision.item.labeling_task else None
    return Example(
        subject,
        group=product.sku,
        locale=candidate.locale,
        category=product.category,
        fields={"prompt": prompt, "completion": text, "brief": seen},
        is_blind=None if shown is None else not shown,
    )
