"""What the health page says about the ledger."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.conf import settings
from django.utils import timezone

from audit import anchors, checks
from audit.models import LedgerCheck
from core.actors import SystemActor
from monitoring import ledger
from tests.audit.signed import sql, write, write_and_sign

pytestmark = pytest.mark.django_db


def later(hours: int, kind: str = "new") -> None:
    LedgerCheck.objects.filter(kind=kind).update(at=timezone.now() - dt.timedelta(hours=hours))


def test_a_ledger_that_holds_is_fine() -> None:
    assert ledger.check().state == "ok"
    write_and_sign(1234)
    part = ledger.check()
    assert part.state == "ok"
    assert "1,234 lines" in part.words


def test_a_broken_ledger_is_told_with_its_line_and_what_to_do() -> None:
    write_and_sign(20)
    sql("DELETE FROM audit_ledgerentry WHERE seq > 15")
    checks.check_new()
    part = ledger.check()
    assert (part.state, part.is_ok) == ("alarm", True), "the shop is served all the same"
    assert "line 16" in part.words
    assert "runbook" in part.hint


def test_it_stays_told_until_a_check_of_the_same_kind_is_good() -> None:
    write_and_sign(20)
    sql("UPDATE audit_ledgerentry SET actor = 'x' WHERE seq = 3")
    checks.verify_now(actor=SystemActor("tests"))
    checks.check_new()
    assert "line 3" in ledger.check().words
    sql("UPDATE audit_ledgerentry SET actor = 'system:tests' WHERE seq = 3")
    checks.verify_now(actor=SystemActor("tests"))
    assert ledger.check().state == "ok"


def test_a_wrong_hash_that_somebody_typed_is_no_alarm() -> None:
    write_and_sign(3)
    assert not checks.verify_now(actor=SystemActor("tests"), expected_head="f" * 64).is_intact
    assert ledger.check().state == "ok"
    assert LedgerCheck.objects.filter(kind="hash", is_intact=False).exists()


def test_checks_that_stopped_are_told() -> None:
    write_and_sign(3)
    later(3)
    assert "not been checked for 3 hours" in ledger.check().words


def test_a_ledger_that_was_never_checked_is_told() -> None:
    write(3)
    assert ledger.check().state == "ok"
    sql("UPDATE audit_ledgerentry SET at = now() - interval '3 hours'")
    assert "never been checked" in ledger.check().words


def test_a_whole_verification_that_is_overdue_is_told() -> None:
    write_and_sign(3)
    checks.verify_now(actor=SystemActor("tests"))
    later(50, "whole")
    assert "2 days" in ledger.check().words


def test_a_second_place_that_is_out_of_reach_is_told_until_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    write_and_sign(3)
    place = anchors.path()
    monkeypatch.setattr(settings, "LEDGER", replace(settings.LEDGER, anchor_file=place / "below a file"))
    write(2)
    checks.check_new()
    part = ledger.check()
    assert (part.state, "second place" in part.words) == ("busy", True)
    monkeypatch.setattr(settings, "LEDGER", replace(settings.LEDGER, anchor_file=place))
    checks.check_new()
    assert ledger.check().state == "ok"
    assert [head.size for head in anchors.read().heads] == [3, 5]
