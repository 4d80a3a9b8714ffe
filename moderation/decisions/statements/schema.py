"""The shape of a statement of reasons in the EU's DSA Transparency Database, version 2 of its API, as a strict schema.

After https://transparency.dsa.ec.europa.eu/page/api-documentation (in force since 1 July 2025): attributes,
enumerations and limits are the documentation's. What cannot be true of copy (accounts, payments, services) is left out:
such a statement is refused here.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Visibility = Literal[
    "DECISION_VISIBILITY_CONTENT_REMOVED",
    "DECISION_VISIBILITY_CONTENT_DISABLED",
    "DECISION_VISIBILITY_CONTENT_DEMOTED",
    "DECISION_VISIBILITY_CONTENT_AGE_RESTRICTED",
    "DECISION_VISIBILITY_CONTENT_INTERACTION_RESTRICTED",
    "DECISION_VISIBILITY_CONTENT_LABELLED",
    "DECISION_VISIBILITY_OTHER",
]
Ground = Literal["DECISION_GROUND_ILLEGAL_CONTENT", "DECISION_GROUND_INCOMPATIBLE_CONTENT"]
ContentType = Literal[
    "CONTENT_TYPE_APP",
    "CONTENT_TYPE_AUDIO",
    "CONTENT_TYPE_IMAGE",
    "CONTENT_TYPE_PRODUCT",
    "CONTENT_TYPE_SYNTHETIC_MEDIA",
    "CONTENT_TYPE_TEXT",
    "CONTENT_TYPE_VIDEO",
    "CONTENT_TYPE_OTHER",
]
Category = Literal[
    "STATEMENT_CATEGORY_ANIMAL_WELFARE",
    "STATEMENT_CATEGORY_CONSUMER_INFORMATION",
    "STATEMENT_CATEGORY_CYBER_VIOLENCE",
    "STATEMENT_CATEGORY_CYBER_VIOLENCE_AGAINST_WOMEN",
    "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
    "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH",
    "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS",
    "STATEMENT_CATEGORY_NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
    "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE",
    "STATEMENT_CATEGORY_OTHER_VIOLATION_TC",
    "STATEMENT_CATEGORY_PROTECTION_OF_MINORS",
    "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY",
    "STATEMENT_CATEGORY_SCAMS_AND_FRAUD",
    "STATEMENT_CATEGORY_SELF_HARM",
    "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS",
    "STATEMENT_CATEGORY_VIOLENCE",
]
# Of its many keywords those that copy for products can come under.
Keyword = Literal[
    "KEYWORD_DATA_FALSIFICATION",
    "KEYWORD_HIDDEN_ADVERTISEMENT",
    "KEYWORD_INAUTHENTIC_LISTINGS",
    "KEYWORD_INAUTHENTIC_USER_REVIEWS",
    "KEYWORD_LANGUAGE_REQUIREMENTS",
    "KEYWORD_MISLEADING_INFO_CONSUMER_RIGHTS",
    "KEYWORD_MISLEADING_INFO_GOODS_SERVICES",
    "KEYWORD_MISSING_PROCESSING_GROUND",
    "KEYWORD_NONCOMPLIANCE_PRICING",
    "KEYWORD_OTHER",
    "KEYWORD_PROHIBITED_PRODUCTS",
    "KEYWORD_RISK_PUBLIC_HEALTH",
    "KEYWORD_UNSAFE_PRODUCTS",
]
Source = Literal["SOURCE_ARTICLE_16", "SOURCE_TRUSTED_FLAGGER", "SOURCE_TYPE_OTHER_NOTIFICATION", "SOURCE_VOLUNTARY"]
Automated = Literal["AUTOMATED_DECISION_FULLY", "AUTOMATED_DECISION_PARTIALLY", "AUTOMATED_DECISION_NOT_AUTOMATED"]
Territory = Literal[
    "AT",
    "BE",
    "BG",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GR",
    "HR",
    "HU",
    "IE",
    "IS",
    "IT",
    "LI",
    "LT",
    "LU",
    "LV",
    "MT",
    "NL",
    "NO",
    "PL",
    "PT",
    "RO",
    "SE",
    "SI",
    "SK",
]
YesNo = Literal["Yes", "No"]
Text500 = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Text2000 = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Text5000 = Annotated[str, StringConstraints(min_length=1, max_length=5000)]
EARLIEST_CONTENT, EARLIEST_APPLICATION = dt.date(2000, 1, 1), dt.date(2020, 1, 1)


class StatementOfReasons(BaseModel):
    """One statement, as POST /api/v1/statement of the database takes it. Unknown fields and values are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    decision_visibility: Annotated[list[Visibility], Field(min_length=1)]
    decision_visibility_other: Text500 | None = None
    decision_ground: Ground
    decision_ground_reference_url: Text500 | None = None
    illegal_content_legal_ground: Text500 | None = None
    illegal_content_explanation: Text2000 | None = None
    incompatible_content_ground: Text500 | None = None
    incompatible_content_explanation: Text2000 | None = None
    incompatible_content_illegal: YesNo | None = None
    content_type: Annotated[list[ContentType], Field(min_length=1)]
    content_type_other: Text500 | None = None
    category: Category
    category_addition: list[Category] = []
    category_specification: list[Keyword] = []
    category_specification_other: Text500 | None = None
    territorial_scope: Annotated[list[Territory], Field(min_length=1)]
    content_language: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    content_date: dt.date
    application_date: dt.date
    end_date_visibility_restriction: dt.date | None = None
    decision_facts: Text5000
    source_type: Source
    source_identity: Text500 | None = None
    automated_detection: YesNo
    automated_decision: Automated
    puid: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[A-Za-z0-9_-]+$")]

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        illegal = self.decision_ground == "DECISION_GROUND_ILLEGAL_CONTENT"
        required = (
            ("illegal_content_legal_ground", "illegal_content_explanation")
            if illegal
            else ("incompatible_content_ground", "incompatible_content_explanation")
        )
        if lacking := [name for name in required if not getattr(self, name)]:
            raise ValueError(f"{self.decision_ground} needs {', '.join(lacking)}")
        for chosen, other in (
            ("DECISION_VISIBILITY_OTHER" in self.decision_visibility, "decision_visibility_other"),
            ("CONTENT_TYPE_OTHER" in self.content_type, "content_type_other"),
        ):
            if chosen != bool(getattr(self, other)):
                raise ValueError(f"{other} goes with the value “other”, and only with it")
        if self.content_date < EARLIEST_CONTENT or self.application_date < EARLIEST_APPLICATION:
            raise ValueError("the database takes no date so early")
        end = self.end_date_visibility_restriction
        if end and end < self.application_date:
            raise ValueError("the restriction ends before it begins")
        return self

    def as_json(self) -> dict[str, object]:
        """Return what the database's API takes: dates as YYYY-MM-DD, what is empty left out."""
        return {name: value for name, value in self.model_dump(mode="json").items() if value not in (None, [])}
