"""Whether the ledger holds, by its own last checks: in words, with what to do."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from audit import high_water
from audit.models import LedgerCheck, LedgerEntry
from monitoring.parts import Part, in_words

LATE = dt.timedelta(hours=2)  # an idle desk notes a check an hour
WHOLE_LATE = dt.timedelta(days=2)
RUNBOOK = "Repair nothing. The runbook, “The ledger check says…”, has what to do for each."


def check() -> Part:
    """Whether the last checks of the ledger found it whole, and were not too long ago."""
    kinds = LedgerCheck.Kind
    new = LedgerCheck.objects.filter(kind=kinds.NEW).first()
    whole = LedgerCheck.objects.filter(kind=kinds.WHOLE).first()
    bad = [found for found in (new, whole) if found is not None and not found.is_intact]
    if bad:
        worst = next((found for found in bad if found.bad_seq is not None), bad[0])
        where = f"at line {worst.bad_seq:,}: {worst.words}" if worst.bad_seq is not None else worst.words
        return Part("ledger", "alarm", f"The ledger does not hold: {where}.", RUNBOOK)
    now = timezone.now()
    if new is None:
        if mark := high_water.read().last:
            words = f"The ledger does not hold: {mark.size:,} lines were verified, and the record of that is gone."
            return Part("ledger", "alarm", words, RUNBOOK)
        oldest = LedgerEntry.objects.order_by("seq").values_list("at", flat=True).first()
        if oldest and now - oldest > LATE:
            return _late("The ledger has never been checked.")
        return Part("ledger", "ok", "Nothing in the ledger has had to be checked yet.")
    if now - new.at > LATE:
        return _late(f"New lines of the ledger have not been checked for {in_words(now - new.at)}.")
    if new.words:
        return Part(
            "ledger", "busy", f"The ledger holds, but: {new.words}", "What is signed goes there once it is back."
        )
    if whole and now - whole.at > WHOLE_LATE:
        return _late(f"The whole ledger has not been verified for {in_words(now - whole.at)}.")
    words = f"The ledger holds: {new.size:,} lines, signed and kept in a second place."
    return Part("ledger", "ok", words)


def _late(words: str) -> Part:
    return Part("ledger", "busy", words, "Run `manage.py verify_ledger`. Do beat and the workers run?")
