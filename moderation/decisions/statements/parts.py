"""What every statement of reasons has, whatever it is about: its number, its check, and how many people decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from pydantic import ValidationError

from core.exceptions import PermanentError
from moderation.decisions import appeals
from moderation.decisions.statements.schema import EARLIEST_CONTENT, StatementOfReasons
from moderation.decisions.statements.texts import Texts
from moderation.models.reviews import Decision

PREFIX = "ecomsite-"
LANGUAGES = {"en": "EN", "zh-Hans": "ZH"}


def puid_of(decision: Decision) -> str:
    """Return the identifier of the statement about `decision`, unique for ever: a decision has one,
    and never changes.
    """
    return f"{PREFIX}{decision.pk}"


def n_people(decision: Decision) -> int:
    """Return how many people made `decision`: 0 for a part of the system; who confirmed it counts too."""
    if decision.reviewer_id is None:
        return 0
    n, agreed = 1, decision.consensus
    if agreed and decision.decided_by == Decision.DecidedBy.HUMAN_CONSENSUS:
        n = max(agreed.annotations.values("annotator").distinct().count(), 2)
    return n + (decision.checker_id is not None)


def who_decided(decision: Decision) -> str:
    """Return a sentence that says how many people decided."""
    n = n_people(decision)
    few = ("Decided by automatic means.", "Decided by one person.", "Decided by two persons.")
    return few[n] if n < len(few) else f"Decided by {n} persons."


def who_decided_in(words: Texts, decision: Decision) -> str:
    """Return that sentence in the language of `words`."""
    n = n_people(decision)
    return words[f"people_{n}"] if n <= 2 else words["people_more"].format(n=n)


def content_date(written: dt.datetime) -> dt.date:
    """Return the day something was written, no earlier than the database takes one."""
    return max(written.date(), EARLIEST_CONTENT)


def checked(fields: Mapping[str, Any]) -> StatementOfReasons:
    """Return the statement with these `fields`. Raises `PermanentError` for one that the database would not take."""
    try:
        return StatementOfReasons.model_validate(fields)
    except ValidationError as exc:
        where = ", ".join(".".join(map(str, error["loc"])) or error["msg"] for error in exc.errors())
        raise PermanentError(
            f"The database would not take this statement: {where}.",
            hint="See STATEMENT_TERRITORIES in docs/settings.md.",
        ) from exc


def redress(decision: Decision, words: Texts) -> list[str]:
    """Return the last lines of the text for whom it affects: how to appeal, where else to turn, and the number."""
    contact, why_not = settings.STATEMENTS.appeal_contact, appeals.why_not(decision)
    return [
        words["no_appeal"].format(why=why_not)
        if why_not
        else words["appeal"].format(
            until=f"{appeals.deadline(decision):%Y-%m-%d}",
            address=f"{settings.SITE_URL}/api/v1/appeals",
            contact=f"{words['or']}{contact}" if contact else "",
        ),
        words["courts"],
        words["number"].format(puid=puid_of(decision)),
    ]
