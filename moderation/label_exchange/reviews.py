"""What a row of labels is about: found by our reference or its key; a review also by its content, or made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from catalog.cleaning import clean_text
from catalog.feeds.base import ReviewRecord
from catalog.import_writes import add_reviews
from catalog.models import CustomerReview
from core.bulk import in_array
from core.refs import keys_of, ref_to
from labeling.question import Question
from labeling.subject import Subject, subject_of
from moderation.label_exchange.columns import REVIEW
from moderation.label_exchange.records import LabelRecord


@dataclass(frozen=True)
class Found:
    """What records are about: `LabelRecord.key_of_subject` → subject. `texts` are those that can differ."""

    subjects: Mapping[str, str]
    texts: Mapping[str, str]
    n_made: int
    noun: str = "customer review"
    others: Collection[str] = ()  # references that mean another row here than the file does

    def problem_with(self, record: LabelRecord) -> str:
        """Return why `record` cannot be taken; empty when it can."""
        key = record.key_of_subject
        if key in self.others:
            return f"{key} is another {self.noun} here than the row says: leave its subject out, or what it says of it"
        if key not in self.subjects:
            return f"there is no {self.noun} {key[:120]}"
        held = self.texts.get(key)
        # What a row says has been cleaned; what is stored may have come before we did that, or another way.
        if record.review and held is not None and record.review.text not in (held, clean_text(held)):
            return f"the customer review {key} has another text"
        return ""


def find_subjects(asked: Question, records: Sequence[LabelRecord], *, make: bool = False) -> Found:
    """Return what `records`, answers to `asked`, are about. With `make`, a review that is missing is made."""
    if asked.about == REVIEW:
        return find_reviews(records, make=make)
    about = subject_of(asked.about)
    model, rows = about.model, about.model._default_manager
    pks = keys_of([record.external_id for record in records if not record.has_own_id], model)
    named = {
        reference: reference
        for pk in rows.filter(pk__in=pks).values_list("pk", flat=True)
        if (reference := ref_to(model, pk))
    }
    others = _others(about, records, named)
    keys = {record.external_id for record in records if record.has_own_id}
    if keys:
        found = rows.filter(**{f"{about.key}__in": keys}).values_list(about.key, "pk")
        named |= {str(key): ref_to(model, pk) for key, pk in found}
    return Found({key: named[key] for key in named if key not in others}, {}, 0, about.name, others)


def _others(about: Subject, records: Sequence[LabelRecord], there: Collection[str]) -> set[str]:
    """Return the references in `records` that mean another row here: those of a file of another installation do."""
    said = [record for record in records if record.stated and record.external_id in there]
    rows = about.rows([record.external_id for record in said]) if said else {}
    return {
        record.external_id
        for record in said
        if record.external_id in rows and not about.is_meant(rows[record.external_id], dict(record.stated))
    }


def find_reviews(records: Sequence[LabelRecord], *, make: bool = False) -> Found:
    """Return the reviews that `records` are about. With `make`, one that is missing is made where its text is given."""
    pks = {record.pk for record in records if record.pk}
    rows = CustomerReview.objects.filter(pk__in=in_array(pks, "uuid")).values_list("pk", "text") if pks else ()
    by_pk = dict(rows)
    subjects = {str(pk): ref_to(CustomerReview, pk) for pk in by_pk}
    texts = {str(pk): text for pk, text in by_pk.items()}
    # A reference of another installation means nothing here: the text is as good as new.
    others = [record for record in records if record.pk not in by_pk]
    known = _by_external_id({record.external_id for record in others})
    own = {record.external_id for record in others if record.has_own_id and record.external_id in known}
    held = (
        dict(CustomerReview.objects.filter(external_id__in=in_array(own)).values_list("external_id", "text"))
        if own
        else {}
    )
    new: dict[str, ReviewRecord] = {}
    for record in others:
        if record.review and record.external_id not in known:
            new.setdefault(record.external_id, record.review)
    n_made = add_reviews(new) if make and new else 0
    if n_made:
        known |= _by_external_id(new)
    held |= {external_id: review.text for external_id, review in new.items()}
    for record in others:
        if record.external_id in known:
            subjects[record.key_of_subject] = ref_to(CustomerReview, known[record.external_id])
            if record.external_id in held:
                texts[record.key_of_subject] = held[record.external_id]
    return Found(subjects, texts, n_made)


def _by_external_id(external_ids: Iterable[str]) -> dict[str, UUID]:
    return dict(CustomerReview.objects.filter(external_id__in=in_array(external_ids)).values_list("external_id", "pk"))
