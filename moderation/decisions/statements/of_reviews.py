"""The statement of reasons for the hiding of a customer review: its fields, and its text for who wrote it."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from catalog.models import HiddenReview
from moderation.decisions.statements.parts import (
    LANGUAGES,
    checked,
    content_date,
    puid_of,
    redress,
    who_decided,
    who_decided_in,
)
from moderation.decisions.statements.schema import Category, Keyword, StatementOfReasons
from moderation.decisions.statements.texts import TEXTS
from moderation.models.reviews import Decision

# Gravest first: what each reason comes under in the database's terms. Others are against our terms, and no more.
CATEGORIES: Sequence[tuple[str, Category, Sequence[Keyword]]] = (
    ("hate", "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH", ()),
    ("abuse", "STATEMENT_CATEGORY_CYBER_VIOLENCE", ()),
    (
        "personal_data",
        "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
        ("KEYWORD_MISSING_PROCESSING_GROUND",),
    ),
)
NOT_OTHERWISE: Category = "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"
RULES = "Rules for customer reviews"


def statement_for(decision: Decision, hidden: HiddenReview) -> StatementOfReasons:
    """Return the statement for the decision that `hidden` rests on. Pure: the same records give the same statement."""
    review, was_marked = hidden.review, hidden.marked
    reasons = ", ".join(hidden.reasons)
    found = [(category, keywords) for reason, category, keywords in CATEGORIES if reason in hidden.reasons]
    if set(hidden.reasons) - {reason for reason, _, _ in CATEGORIES}:
        found.append((NOT_OTHERWISE, ()))
    category, keywords = found[0]
    facts = [
        f"A customer review of a product, in {review.get_locale_display()}.",
        f"A model had marked it: {', '.join(was_marked)}." if was_marked else "No model had marked it.",
        who_decided(decision),
        f"Reasons given: {reasons}.",
    ]
    return checked(
        {
            # Its text is kept, and comes back when a later decision says so.
            "decision_visibility": ["DECISION_VISIBILITY_CONTENT_DISABLED"],
            "end_date_visibility_restriction": hidden.ended_at.date() if hidden.ended_at else None,
            "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
            "decision_ground_reference_url": settings.STATEMENTS.terms_url or None,
            "incompatible_content_ground": RULES,
            "incompatible_content_explanation": f"The text does not keep the rules for customer reviews: {reasons}.",
            "content_type": ["CONTENT_TYPE_TEXT"],
            "category": category,
            "category_addition": [other for other, _ in found[1:]],
            "category_specification": list(keywords),
            "territorial_scope": sorted(settings.STATEMENTS.territories),
            "content_language": LANGUAGES.get(review.locale),
            "content_date": content_date(review.written_at or review.created_at),
            "application_date": decision.created_at.date(),
            "decision_facts": " ".join(facts),
            "source_type": "SOURCE_VOLUNTARY",
            "automated_detection": "Yes" if was_marked else "No",
            "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
            "puid": puid_of(decision),
        }
    )


def text_for(decision: Decision, hidden: HiddenReview, *, locale: str) -> str:
    """Return the statement as plain text for who wrote the review, in `locale`, with how to appeal;
    English otherwise.
    """
    words, statement, review = TEXTS.get(locale, TEXTS["en"]), statement_for(decision, hidden), hidden.review
    url = statement.decision_ground_reference_url
    named = [words.get(f"reason_{code}", code) for code in hidden.reasons]
    marks = [words.get(f"reason_{code}", code) for code in hidden.marked]
    lines = [
        words["title"],
        "",
        words["hidden"].format(
            date=f"{statement.application_date:%Y-%m-%d}", territories=", ".join(statement.territorial_scope)
        ),
        words["review_place"].format(
            external_id=review.external_id,
            sku=review.product.sku if review.product else "–",
            language=words.get(f"language_{review.locale}", review.locale),
            written=f"{statement.content_date:%Y-%m-%d}",
        ),
        "",
        words["edited_since"] if hidden.is_edited else review.full_text,
        "",
        words["review_ground"].format(url=f" ({url})" if url else ""),
        words["reasons"].format(reasons=", ".join(named)),
        words["marked"].format(marks=", ".join(marks)) if marks else words["not_marked"],
        who_decided_in(words, decision),
        words["started"],
        "",
        *redress(decision, words),
    ]
    return "\n".join(lines) + "\n"
