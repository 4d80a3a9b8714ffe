"""The statement of reasons for a rejection, a taking down or a hiding, for a database of them and whom it affects.

The database is the DSA's Transparency Database. Made from the records alone: codes, dates and the policy's version,
never a person's own words nor the text itself, so it holds no personal data. Of our own drafts the law asks for none of
this (docs/compliance.md); a platform that moderates sellers' texts with this desk has to give it (DSA, Art. 17).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog.models import HiddenReview
from core.exceptions import PermanentError
from core.refs import ref_in_sql
from moderation.decisions import appeals
from moderation.decisions.statements import of_reviews
from moderation.decisions.statements.parts import (
    LANGUAGES,
    PREFIX,
    checked,
    puid_of,
    redress,
    who_decided,
    who_decided_in,
)
from moderation.decisions.statements.schema import Category, Keyword, StatementOfReasons
from moderation.decisions.statements.texts import TEXTS
from moderation.live.hidden_reviews import hidden_by
from moderation.models.candidates import Candidate, Finding
from moderation.models.reviews import Decision
from moderation.reason_codes import REASONS

__all__ = ["PREFIX", "has_statement", "locale_of", "puid_of", "statement_for", "text_for", "with_statements"]
Outcome = Decision.Outcome
OF = (Outcome.REJECT, Outcome.RETIRE)
# A model wrote every text of this desk, or what a person made it from.
CONTENT_TYPES = ("CONTENT_TYPE_PRODUCT", "CONTENT_TYPE_SYNTHETIC_MEDIA", "CONTENT_TYPE_TEXT")
# Gravest first: what the reason of a person, or the code of a finding, comes under in the database's terms.
CATEGORIES: Sequence[tuple[Sequence[str], Category, Sequence[Keyword]]] = (
    (
        ("email", "phone", "personal", "card_number", "iban"),
        "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
        ("KEYWORD_MISSING_PROCESSING_GROUND",),
    ),
    (
        ("medical", "health"),
        "STATEMENT_CATEGORY_CONSUMER_INFORMATION",
        ("KEYWORD_MISLEADING_INFO_GOODS_SERVICES", "KEYWORD_RISK_PUBLIC_HEALTH"),
    ),
    (("price",), "STATEMENT_CATEGORY_CONSUMER_INFORMATION", ("KEYWORD_NONCOMPLIANCE_PRICING",)),
    (("testimonial",), "STATEMENT_CATEGORY_CONSUMER_INFORMATION", ("KEYWORD_INAUTHENTIC_USER_REVIEWS",)),
    (
        ("unsupported_", "wrong_fact", "legal_risk", "absolute_claim", "guarantee", "environmental"),
        "STATEMENT_CATEGORY_CONSUMER_INFORMATION",
        ("KEYWORD_MISLEADING_INFO_GOODS_SERVICES",),
    ),
)
NOT_OTHERWISE: Category = "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"


def has_statement(decision: Decision) -> bool:
    """Whether `decision` rejected, took down or hid something."""
    return decision.outcome in OF or hidden_by(decision) is not None


def with_statements() -> QuerySet[Decision]:
    """Return the decisions that have a statement, the earliest first."""
    hid = HiddenReview.objects.filter(decision_ref=ref_in_sql(Decision, OuterRef("pk")))
    return Decision.objects.filter(Q(outcome__in=OF) | Exists(hid)).order_by("created_at", "pk")


def locale_of(decision: Decision) -> str:
    """Return the language of the text that a decision rejected, took down or hid."""
    hidden = hidden_by(decision)
    return hidden.review.locale if hidden else appeals.text_of(decision).locale


def statement_for(decision: Decision) -> StatementOfReasons:
    """Return the statement of reasons for a rejection, a taking down or the hiding of a customer review.

    Pure: the same records give the same statement. Raises `PermanentError` for any other decision.
    """
    if hidden := hidden_by(decision):
        return of_reviews.statement_for(decision, hidden)
    if decision.outcome not in OF:
        raise PermanentError("A statement of reasons is about a rejection, a taking down or a hidden review.")
    text = appeals.text_of(decision)
    findings = _standing(text)
    category, keywords = _category([*decision.reason_codes, *(finding.code for finding in findings)])
    is_retired, reasons = decision.outcome == Outcome.RETIRE, ", ".join(_reasons(decision))
    return checked(
        {
            "decision_visibility": [
                "DECISION_VISIBILITY_CONTENT_REMOVED" if is_retired else "DECISION_VISIBILITY_OTHER"
            ],
            "decision_visibility_other": None if is_retired else "Refused before publication",
            "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
            "decision_ground_reference_url": settings.STATEMENTS.terms_url or None,
            "incompatible_content_ground": f"House rules for product copy, version "
            f"{decision.policy_version or 'unknown'}",
            "incompatible_content_explanation": f"The text does not keep the rules for product copy: {reasons}."[:2000],
            "content_type": list(CONTENT_TYPES),
            "category": category,
            "category_specification": list(keywords),
            "territorial_scope": sorted(settings.STATEMENTS.territories),
            "content_language": LANGUAGES.get(text.locale),
            "content_date": text.created_at.date(),
            "application_date": decision.created_at.date(),
            "decision_facts": _facts(decision, text, findings),
            "source_type": "SOURCE_VOLUNTARY",
            "automated_detection": "Yes" if findings else "No",
            "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED"
            if decision.reviewer_id
            else "AUTOMATED_DECISION_FULLY",
            "puid": puid_of(decision),
        }
    )


def _reasons(decision: Decision) -> list[str]:
    return [REASONS.get(code, code).lower() for code in decision.reason_codes] or ["no reason was recorded"]


def _category(codes: Iterable[str]) -> tuple[Category, Sequence[Keyword]]:
    held = list(codes)
    for parts, category, keywords in CATEGORIES:
        if any(part in code for part in parts for code in held):
            return category, keywords
    return NOT_OTHERWISE, ()


def _facts(decision: Decision, text: Candidate, findings: Sequence[Finding]) -> str:
    """What was found and who looked, in the words of codes: neither the text nor anybody's comment is quoted."""
    found = ", ".join(sorted({f"{finding.code} ({finding.severity})" for finding in findings}))
    parts = [
        f"A text for the place “{text.get_channel_display()}” of a product page, in {text.get_locale_display()}.",
        f"Automatic checks found: {found}." if found else "Automatic checks found nothing.",
        who_decided(decision),
        f"Reasons given: {', '.join(_reasons(decision))}.",
    ]
    return " ".join(parts)[:5000]


def text_for(decision: Decision, *, locale: str) -> str:
    """Return the statement as plain text for whom it affects, in `locale`, with how to appeal.

    English where we have no other.

    It says what DSA Art. 17(3) asks for: the measure and its scope, the facts, automated means, the ground, and the
    ways of redress.
    """
    if hidden := hidden_by(decision):
        return of_reviews.text_for(decision, hidden, locale=locale)
    words, statement, text = TEXTS.get(locale, TEXTS["en"]), statement_for(decision), appeals.text_of(decision)
    found = ", ".join(sorted({finding.code for finding in _standing(text)}))
    url = statement.decision_ground_reference_url
    territories = ", ".join(statement.territorial_scope)
    reasons = [words.get(code, code) for code in decision.reason_codes] or [words["no_reason"]]
    date = f"{statement.application_date:%Y-%m-%d}"
    lines = [
        words["title"],
        "",
        words["retired" if decision.outcome == Outcome.RETIRE else "rejected"].format(
            date=date, territories=territories
        ),
        words["place"].format(
            channel=words.get(f"channel_{text.channel}", text.channel),
            sku=text.product.sku,
            language=words.get(f"language_{text.locale}", text.locale),
            written=f"{statement.content_date:%Y-%m-%d}",
        ),
        "",
        text.text,
        "",
        words["ground"].format(version=decision.policy_version or "–", url=f" ({url})" if url else ""),
        words["reasons"].format(reasons=", ".join(reasons)),
        words["found"].format(found=found) if found else words["found_nothing"],
        who_decided_in(words, decision),
        words["started"],
        "",
        *redress(decision, words),
    ]
    return "\n".join(lines) + "\n"


def _standing(text: Candidate) -> list[Finding]:
    """The findings that nobody called a false alarm."""
    return [finding for finding in text.findings.all() if finding.verdict != Finding.Verdict.DISMISSED]
