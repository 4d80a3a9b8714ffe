"""What people said, as examples to learn from, and what is left out with the reason.

Nothing is stored here: a snapshot asks for examples when it freezes them, so what was erased or is in doubt by then is
not among them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from catalog.models import CustomerReview, Product
from core.refs import keys_of, ref
from inference import prompts
from inference.models import Role
from labeling import approvals, issues
from labeling.label_config import load_interface
from labeling.models import Label, Vote
from moderation import validity
from moderation.decisions.outcomes import VERDICTS
from moderation.drafting.screening import brief_of
from moderation.models.appeals import Appeal
from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision, ReviewItem
from moderation.policy import identifiers
from moderation.policy.folding import fold
from training.examples import (
    CONFLICT,
    DUPLICATE,
    GONE,
    LICENCE,
    OPEN_ISSUE,
    OUTDATED,
    OVERRULED,
    PERSONAL_DATA,
    Example,
    Excluded,
)
from training.models import datasets

Task = datasets.Task
BATCH = 500
# Who is told apart in customers' words: what a review holds of these is left out of training altogether.
PERSONAL = {"email", "phone", "credit_card", "iban", "cn_resident_id", "us_ssn"}
# Which model a task makes better.
ROLE_OF: Mapping[str, Role] = {
    Task.SENTIMENT: Role.SENTIMENT,
    Task.COPY: Role.COPYWRITER,
    Task.PREFERENCE: Role.COPYWRITER,
    Task.VALIDITY: Role.VALIDITY,
}


def collect(task: str) -> Iterator[Example | Excluded]:
    """Yield everything that was learnt about `task`, in the order of its subjects. Equal texts come once."""
    seen: set[str] = set()
    found = sorted(_SOURCES[task](), key=lambda item: item.subject)
    contested = _contested(found)
    certain = {item.key() for item in found if isinstance(item, Example) and not item.is_doubted}
    for item in found:
        if isinstance(item, Excluded):
            yield item
            continue
        key = item.key()
        if item.is_doubted and key in certain:
            yield Excluded(item.subject, OPEN_ISSUE)
        elif key in contested:
            yield Excluded(item.subject, CONFLICT)
        elif key in seen:
            yield Excluded(item.subject, DUPLICATE)
        else:
            seen.add(key)
            yield item


def _contested(found: Iterable[Example | Excluded]) -> set[str]:
    """Return the keys of equal texts that were labelled differently: one of the labels is wrong, and nobody knows which."""
    labels: dict[str, set[Any]] = {}
    for item in found:
        if isinstance(item, Example) and "label" in item.fields and not item.is_doubted:
            labels.setdefault(item.key(), set()).add(item.fields["label"])
    return {key for key, seen in labels.items() if len(seen) > 1}


def clean(text: str) -> str:
    """Return `text` composed, without control characters and runs of spaces: as it is read when it is scored, no more."""
    composed = unicodedata.normalize("NFC", text)
    visible = "".join(" " if unicodedata.category(char) in {"Cc", "Cs"} and char != "\n" else char for char in composed)
    return re.sub(r"[ \t]+", " ", visible).strip()


def holds_personal_data(text: str) -> bool:
    """Return whether an address, a phone or an account number stands in `text`."""
    return any(found.kind in PERSONAL for found in identifiers.find_identifiers(fold(text).text))


# --- Sentiment ---------------------------------------------------------------------------------------------------


def _sentiment() -> Iterator[Example | Excluded]:
    kind = ReviewItem.Kind.SENTIMENT
    names = load_interface(kind).labels
    doubted = issues.doubted(kind)
    rows = Label.objects.filter(kind=kind, label__in=names).order_by("subject").iterator(chunk_size=BATCH)
    while batch := list(islice(rows, BATCH)):
        yield from _labelled_reviews(batch, doubted)


def _labelled_reviews(labels: list[Label], doubted: set[str]) -> Iterator[Example | Excluded]:
    reviews = {
        ref(row): row
        for row in CustomerReview.objects.filter(
            pk__in=keys_of([label.subject for label in labels], CustomerReview)
        ).select_related("product")
    }
    blind = _blind(ReviewItem.Kind.SENTIMENT, [label.subject for label in labels])
    stated = approvals.stated(ReviewItem.Kind.SENTIMENT, labels)
    files = approvals.files_behind(ReviewItem.Kind.SENTIMENT, labels)
    for label in labels:
        review = reviews.get(label.subject)
        text = clean(review.full_text) if review else ""
        if review is None or not text:
            yield Excluded(label.subject, GONE)
        elif _is_barred(review.product):
            yield Excluded(label.subject, LICENCE)
        elif holds_personal_data(text):
            yield Excluded(label.subject, PERSONAL_DATA)
        else:
            yield Example(
                label.subject, group=_group(review.product, text), locale=review.locale,
                fields={"text": text, "label": label.label}, category=review.product.category if review.product else "",
                is_blind=blind.get(label.subject), is_stated=label.subject in stated, is_doubted=label.subject in doubted,
                file=approvals.file_of(label), files=files.get(label.subject, frozenset()),
            )  # fmt: skip


def _group(product: Product | None, text: str) -> str:
    """Return what must not be split: all that is about one product; without a product, the text itself."""
    return product.sku if product else f"text:{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _is_barred(product: Product | None) -> bool:
    """Return whether a product came with a feed whose licence does not allow to train on it: TRAINING["BARRED_FEEDS"]."""
    return product is not None and product.source in settings.TRAINING["BARRED_FEEDS"]


def _blind(kind: str, subjects: list[str]) -> dict[str, bool]:
    """Return for each subject whether nobody who labelled it saw a suggestion; nothing where it is not known."""
    found: dict[str, bool] = {}
    votes = Vote.objects.filter(kind=kind, subject__in=subjects).exclude(is_assisted=None)
    for subject, is_assisted in votes.values_list("subject", "is_assisted"):
        found[subject] = found.get(subject, True) and not is_assisted
    return found


# --- Copy --------------------------------------------------------------------------------------------------------


def _copy() -> Iterator[Example | Excluded]:
    """Accepted and fixed copy with the prompt it answers, as the one renderer writes it; a fix with the draft it fixed."""
    for decision, _, doubt in _decisions(Decision.Outcome.APPROVE, Decision.Outcome.EDIT):
        if decision.result is not None:
            found, rejected = _prompted(decision.result, decision, doubt), _fixed_draft(decision)
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


def _preference() -> Iterator[Example | Excluded]:
    """Fixes, each with the draft that was fixed and why."""
    for decision, _, doubt in _decisions(Decision.Outcome.EDIT):
        rejected = _fixed_draft(decision)
        if decision.result is None or not rejected:
            continue
        found = _prompted(decision.result, decision, doubt)
        if isinstance(found, Example):
            fields = {"prompt": found.fields["prompt"], "chosen": found.fields["completion"],
                      "rejected": rejected, "reasons": list(decision.reason_codes)}  # fmt: skip
            found = replace(found, fields=fields)
        yield found


def _validity() -> Iterator[Example | Excluded]:
    """Drafts as they were judged, last of all by a second review: is this description valid for this product?"""
    for decision, outcome, doubt in _decisions(*VERDICTS.values()):
        draft = decision.item.candidate
        if draft is None:
            continue
        found = _prompted(draft, decision, "")
        if isinstance(found, Example):
            label = validity.VALID if outcome == Decision.Outcome.APPROVE else validity.INVALID
            found = replace(found, fields={"text": clean(validity.text_of(draft)), "label": label})
            found = replace(found, is_doubted=doubt == OPEN_ISSUE)
        yield found


def decisions_on_copy(*outcomes: str) -> QuerySet[Decision]:
    """Return the decisions about copy that stand: people's, not superseded by a later one, nor overturned by an appeal."""
    stand = Decision.objects.filter(item__kind=ReviewItem.Kind.COPY, superseded_by=None, outcome__in=outcomes)
    return stand.exclude(decided_by=Decision.DecidedBy.AUTOMATIC).exclude(appeal__status=Appeal.Status.OVERTURNED)


def _decisions(*outcomes: str) -> Iterator[tuple[Decision, str, str]]:
    """Yield the decisions about copy that stand, oldest first, each with the outcome it should have had and its doubt.

    The outcome is a second review's where there was one: that changes the draft's label, never the decision
    (`moderation.decisions.deciding.relabel`). The doubt is why what was let out is not learnt from; empty where it is.
    """
    kind = ReviewItem.Kind.COPY
    doubted = issues.doubted(kind)
    labels = Label.objects.filter(kind=kind, method=Vote.Purpose.SECOND_REVIEW, label__in=VERDICTS)
    second = dict(labels.values_list("subject", "label"))
    needed = ("item__candidate__product", "item__labeling_task", "result__product")
    rows = decisions_on_copy(*outcomes).select_related(*needed).order_by("created_at", "pk")
    for decision in rows.iterator(chunk_size=BATCH):
        draft = ref(decision.item.candidate) if decision.item.candidate else ""
        outcome = VERDICTS[second[draft]] if draft in second else decision.outcome
        doubt = OVERRULED if outcome != decision.outcome else ""
        yield decision, outcome, OPEN_ISSUE if draft in doubted else doubt


def _prompted(candidate: Candidate, decision: Decision, doubt: str) -> Example | Excluded:
    """Return the text of `candidate` with the prompt that asks for it, and what the checks see of the product: `brief`."""
    subject, text, product = ref(candidate), clean(candidate.text), candidate.product
    if doubt:
        return Excluded(subject, doubt)
    if not text:
        return Excluded(subject, GONE)
    if _is_barred(product):
        return Excluded(subject, LICENCE)
    if candidate.facts_hash != product.facts_hash:
        return Excluded(subject, OUTDATED)
    if holds_personal_data(text):
        return Excluded(subject, PERSONAL_DATA)
    brief = brief_of(candidate)
    prompt = [{"role": turn.role, "content": turn.content} for turn in prompts.render(brief)]
    shown = decision.item.labeling_task.shows_predictions if decision.item.labeling_task else None
    return Example(
        subject, group=product.sku, locale=candidate.locale, category=product.category,
        fields={"prompt": prompt, "completion": text, "brief": asdict(brief)},
        is_blind=None if shown is None else not shown,
    )  # fmt: skip


_SOURCES: Mapping[str, Callable[[], Iterable[Example | Excluded]]] = {
    Task.SENTIMENT: _sentiment,
    Task.COPY: _copy,
    Task.PREFERENCE: _preference,
    Task.VALIDITY: _validity,
}
