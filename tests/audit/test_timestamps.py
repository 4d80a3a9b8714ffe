"""Time stamps from a real authority on this machine; one that is away or lies delays the stamp and nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from audit import tasks, timestamps
from audit.models import TimeStamp
from audit.verification import verify
from core.exceptions import PermanentError, TransientError
from tests.audit.signed import sql, write_and_sign
from tests.audit.tsa import Authority, authority, needs_openssl

pytestmark = [pytest.mark.django_db, needs_openssl]


@pytest.fixture
def tsa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    with authority(tmp_path / "tsa") as running:
        monkeypatch.setattr(settings, "LEDGER", replace(settings.LEDGER, tsa_url=running.url))
        monkeypatch.setattr(settings, "LEDGER", replace(settings.LEDGER, tsa_roots=running.roots))
        yield running


def test_a_head_is_stamped_and_the_stamp_verifies_against_the_roots(tsa: Authority) -> None:
    write_and_sign(5)
    stamp = timestamps.stamp_if_due()
    assert stamp is not None
    assert abs(stamp.at - timezone.now()) < dt.timedelta(minutes=1)
    assert verify().is_intact
    assert timestamps.stamp_if_due() is None, "this head has one"
    write_and_sign(3)
    assert timestamps.stamp_if_due() is None, "one an hour is enough"
    assert tsa.n_asked == 1


def test_a_stamp_of_another_head_is_noticed(tsa: Authority) -> None:
    write_and_sign(5)
    timestamps.stamp_if_due()
    write_and_sign(5)
    sql("UPDATE audit_timestamp SET head_id = 10")
    assert "the time stamp on the head of 10 lines does not hold" in verify().reason


def test_a_stamp_by_an_authority_that_the_roots_do_not_vouch_for_is_refused(
    tsa: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_and_sign(5)
    with authority(tmp_path / "other") as other:
        monkeypatch.setattr(settings, "LEDGER", replace(settings.LEDGER, tsa_roots=other.roots))
    with pytest.raises(PermanentError, match="gave no good time stamp"):
        timestamps.stamp_if_due()
    assert not TimeStamp.objects.exists()


def test_an_old_answer_to_another_question_is_refused(tsa: Authority) -> None:
    write_and_sign(5)
    stamp = timestamps.stamp_if_due()
    assert stamp is not None
    write_and_sign(5)
    sql("UPDATE audit_timestamp SET at = at - interval '2 hours'")
    tsa.say = bytes(stamp.response)
    with pytest.raises(PermanentError, match="another question"):
        timestamps.stamp_if_due()


@pytest.mark.parametrize("nonsense", [b"x", b"<html>", b"\x30\x03\x02\x01\x02"])
def test_nonsense_is_refused_and_the_task_goes_on(tsa: Authority, nonsense: bytes) -> None:
    write_and_sign(5)
    tsa.say = nonsense
    with pytest.raises(PermanentError):
        timestamps.stamp_if_due()
    tasks.stamp_head()
    assert not TimeStamp.objects.exists()


def test_an_authority_that_is_away_delays_only_the_stamp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LEDGER", replace(settings.LEDGER, tsa_url="http://127.0.0.1:9"))
    write_and_sign(5)
    with pytest.raises(TransientError, match="cannot be reached"):
        timestamps.stamp_if_due()
    tasks.stamp_head()
    write_and_sign(5)
    assert verify().is_intact


def test_without_an_authority_nobody_is_asked() -> None:
    write_and_sign(5)
    assert timestamps.stamp_if_due() is None
