"""What a question can be about: how rows of it are read, shown to people, put before a model, and kept together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from catalog.models import CustomerReview, Product
from core.exceptions import PermanentError
from core.refs import keys_of, ref
from moderation import markup
from moderation.models.candidates import Candidate


@dataclass(frozen=True)
class Subject:
    """One sort of thing to ask about. `noun`: several of them, in words.

    `shows`: a row as HTML that is safe to show.
    """

    model: type[Model]
    noun: str
    related: tuple[str, ...]
    text: Callable[[Any], str]
    shows: Callable[[Any], str]
    product: Callable[[Any], Product | None]
    locale: Callable[[Any], str]

    def rows(self, references: Sequence[str]) -> dict[str, Any]:
        """Return the row of each of `references`; nothing for one that is gone."""
        found = self.model._default_manager.filter(pk__in=keys_of(references, self.model))
        return {ref(row): row for row in found.select_related(*self.related)}


def text_of_draft(draft: Candidate) -> str:
    """Return the text of `draft`, then what it may be about: whatever is too long for the model is lost from
    the facts.
    """
    facts = "; ".join(f"{fact['name']}: {fact['value']}" for fact in draft.facts)
    return f"{draft.text}\n\n{draft.product.title_for(draft.locale)}. {facts}"


def _shown_review(review: CustomerReview) -> str:
    product = review.product.title if review.product else ""
    rating = None if review.rating is None else float(review.rating)
    return markup.review_html(review.title, review.text, product, rating, review.locale)


_SUBJECTS: Mapping[str, Subject] = {
    "review": Subject(
        CustomerReview,
        "reviews",
        ("product",),
        lambda row: str(row.full_text),
        _shown_review,
        lambda row: row.product,
        lambda row: str(row.locale),
    ),
    "draft": Subject(
        Candidate,
        "drafts",
        ("product",),
        text_of_draft,
        lambda row: markup.draft_html(
            row.text, (), channel=row.get_channel_display(), locale=row.locale, grounding=row.grounding
        ),
        lambda row: row.product,
        lambda row: str(row.locale),
    ),
}


def subject_of(about: str) -> Subject:
    """Return the sort of thing that `about` names. Raises `PermanentError` for one that cannot be asked about yet."""
    if about not in _SUBJECTS:
        raise PermanentError(f"Nothing can be asked about a {about} yet.", hint=f"There are {', '.join(_SUBJECTS)}.")
    return _SUBJECTS[about]


def group_of(product: Product | None, text: str) -> str:
    """Return what must not be split: all that is about one product; without a product, the text itself."""
    return product.sku if product else f"text:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
