"""Ledger, heads, second place and high-water mark: whichever of them are emptied or cut back together, the rest tell."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from audit import anchors, checks, heads, high_water, keys, offline_verifier, system_checks
from audit.export import export_ledger
from audit.models import LedgerCheck, LedgerEntry, TreeHead
from audit.offline_verifier import Broken
from audit.verification import verify
from monitoring import ledger as health
from tests.audit import tampering
from tests.audit.signed import ACTOR, sql, write, write_and_sign
from tests.audit.tampering import cut_file
from tests.people import PASSWORD, administrator, auditor

pytestmark = pytest.mark.django_db


def cut_database(size: int) -> None:
    """Put lines and heads back to a head of `size` lines, as an old backup would."""
    sql(f"DELETE FROM audit_ledgerentry WHERE seq > {size}", f"DELETE FROM audit_treehead WHERE size > {size}")


def cover_tracks() -> None:
    LedgerCheck.objects.all().delete()


def empty_everything() -> None:
    tables = ("audit_timestamp", "audit_treehead", "audit_ledgerentry", "audit_ledgerkey", "audit_ledgercheck")
    sql(*(f"DELETE FROM {table}" for table in tables))
    anchors.path().unlink()


def empty_everything_and_leave_the_file() -> None:
    empty_everything()
    anchors.path().write_text("")


def empty_everything_and_write_on() -> None:
    empty_everything()
    write(3)


def cut_both() -> None:
    cut_database(8)
    cut_file(anchors.path(), 8)
    cover_tracks()


def cut_both_and_write_on() -> None:
    cut_both()
    write(30)


def cut_both_as_a_backup_of_all_of_it_would() -> None:
    cut_database(8)
    cut_file(anchors.path(), 8)
    LedgerCheck.objects.filter(size__gt=8).delete()


def cut_the_second_place() -> None:
    cut_file(anchors.path(), 8)


def cut_the_second_place_and_cover_tracks() -> None:
    cut_file(anchors.path(), 8)
    cover_tracks()


def empty_the_second_place() -> None:
    anchors.path().write_text("")


def empty_the_second_place_and_cover_tracks() -> None:
    empty_the_second_place()
    cover_tracks()


def leave_the_keys_of_the_second_place() -> None:
    cut_file(anchors.path(), 0)


def leave_half_a_line_of_the_second_place() -> None:
    anchors.path().write_bytes(anchors.path().read_bytes()[:40])


def remove_the_second_place() -> None:
    anchors.path().unlink()


def remove_the_second_place_and_cover_tracks() -> None:
    anchors.path().unlink()
    cover_tracks()


def remove_the_mark() -> None:
    high_water.path().unlink()


def empty_the_mark() -> None:
    high_water.path().write_text("")


def forge_the_mark() -> None:
    """With a key of the intruder's, or none: the signature is that of another head."""
    lines = [json.loads(line) for line in high_water.path().read_text().splitlines()]
    lines[-1]["root"] = "ab" * 32
    high_water.path().write_text("\n".join(json.dumps(line) for line in lines))


# What is done, and the first bad line; None where no line is bad.
TAMPERING: list[tuple[Callable[[], None], int | None]] = [
    (empty_everything, 1),
    (empty_everything_and_leave_the_file, 1),
    (empty_everything_and_write_on, 1),
    (cut_both, 9),
    (cut_both_and_write_on, 9),
    (cut_both_as_a_backup_of_all_of_it_would, 9),
    (cut_the_second_place, None),
    (cut_the_second_place_and_cover_tracks, None),
    (empty_the_second_place, None),
    (empty_the_second_place_and_cover_tracks, None),
    (leave_the_keys_of_the_second_place, None),
    (leave_half_a_line_of_the_second_place, None),
    (remove_the_second_place, None),
    (remove_the_second_place_and_cover_tracks, None),
    (remove_the_mark, None),
    (empty_the_mark, None),
    (forge_the_mark, None),
]
each_way = pytest.mark.parametrize(("tamper", "bad"), TAMPERING, ids=[tamper.__name__ for tamper, _ in TAMPERING])


@pytest.fixture
def signed_ledger() -> None:
    write_and_sign(5, 3, 12)


@each_way
def test_every_verifier_on_the_desk_finds_it(
    signed_ledger: None, tamper: Callable[[], None], bad: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert system_checks.ledger_is_all_there(None) == []
    tamper()
    (warning,) = system_checks.ledger_is_all_there(None)
    assert warning.id == "audit.W001"
    assert verify().bad_seq == bad
    assert not verify().is_intact
    with pytest.raises(CommandError, match="does not hold" if bad is None else f"is broken at line {bad}"):
        call_command("verify_ledger")
    person, client = auditor(), Client()
    client.login(username=person.username, password=PASSWORD)
    page = client.post(reverse("console:verify_ledger")).content.decode()
    assert ("The ledger does not hold" if bad is None else f"The chain breaks at line {bad}") in page
    n_heads = TreeHead.objects.count()
    found = checks.check_new()
    assert found is not None
    assert (found.is_intact, found.bad_seq) == (False, bad)
    assert TreeHead.objects.count() == n_heads, "nothing is signed while something is wrong"
    assert health.check().state == "alarm"


@each_way
def test_the_offline_verifier_finds_it_with_copies_of_both_files(
    signed_ledger: None, tamper: Callable[[], None], bad: int | None, tmp_path: Path
) -> None:
    public = [keys.recorded()[-1].public]
    tamper()
    path = tmp_path / "ledger.jsonl"
    if not TreeHead.objects.exists():  # nothing can be exported, which is noticed as well
        assert bad == 1
        return
    export_ledger(path, actor=ACTOR)
    place, mark = str(anchors.path()), str(high_water.path())
    if "mark" in tamper.__name__ and not Path(mark).exists():
        with pytest.raises(OSError, match="No such file"):
            offline_verifier.verify(str(path), public, place, mark=mark)
        return
    if not Path(place).exists():
        with pytest.raises(OSError, match="No such file"):
            offline_verifier.verify(str(path), public, place, mark=mark)
        return
    if tamper.__name__.startswith("cut_the_second_place"):  # an older copy of it is as good as one can have
        assert offline_verifier.verify(str(path), public, place, mark=mark).n == 20
        return
    with pytest.raises(Broken) as found:
        offline_verifier.verify(str(path), public, place, mark=mark)
    assert found.value.seq == bad


def test_the_offline_verifier_says_so_on_the_command_line(signed_ledger: None, tmp_path: Path) -> None:
    path, empty = tmp_path / "ledger.jsonl", tmp_path / "anchors.jsonl"
    export_ledger(path, actor=ACTOR)
    empty.write_text("")
    command = [sys.executable, offline_verifier.__file__, str(path), "--key", keys.recorded()[-1].public]
    good = [*command, "--anchors", str(anchors.path()), "--mark", str(high_water.path())]
    assert subprocess.run(good, check=False, capture_output=True).returncode == 0
    for option in ("--anchors", "--mark"):
        done = subprocess.run([*command, option, str(empty)], check=False, capture_output=True, text=True)
        assert done.returncode == 1
        assert "it was emptied" in done.stdout


def test_both_places_back_at_any_head_are_found_and_the_first_bad_line_named(tmp_path: Path) -> None:
    rng = random.Random(14)
    write_and_sign(*(rng.randint(1, 12) for _ in range(12)))
    before, public, place = tampering.take(), [keys.recorded()[-1].public], anchors.path()
    kept, missed = place.read_bytes(), []
    for number in range(40):
        with transaction.atomic():
            done = tampering.back_in_both_places(before, rng)
            left = TreeHead.objects.order_by("-size").values_list("size", flat=True).first() or 0
            if (found := verify()).bad_seq != done.bad_seq:
                missed.append((number, done, found))
            if left:
                export_ledger(tmp_path / "ledger.jsonl", actor=ACTOR)
                with pytest.raises(Broken) as elsewhere:
                    offline_verifier.verify(
                        str(tmp_path / "ledger.jsonl"), public, str(place), mark=str(high_water.path())
                    )
                assert elsewhere.value.seq == left + 1  # an export ends with the newest head
            transaction.set_rollback(True)
        place.write_bytes(kept)
    assert not missed
    assert verify().is_intact


def test_the_mark_keeps_the_last_heads_and_follows_each_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(high_water, "KEPT", 3)
    sizes = []
    for _ in range(5):
        write_and_sign(2)
        sizes.append([head.size for head in high_water.read().heads])
    assert sizes == [[2], [2, 4], [2, 4, 6], [4, 6, 8], [6, 8, 10]]
    check = LedgerCheck.objects.filter(kind="new").latest("at")
    assert (check.marked_size, check.anchored_size) == (10, 10)
    assert verify().marked_size == 10


def test_back_beyond_what_the_mark_keeps_is_found_and_the_first_line_that_may_be_bad_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(high_water, "KEPT", 2)
    write_and_sign(5, 3, 12, 1, 1)
    cut_both()
    write(30)
    assert verify().bad_seq == 9, "line 21 is not the one that was signed; nobody vouches for 9 to 20"
    cut_database(8)
    assert verify().bad_seq == 9


def test_a_desk_of_before_the_mark_gets_one_with_its_next_check(signed_ledger: None) -> None:
    high_water.path().unlink()
    LedgerCheck.objects.update(marked_size=0)
    assert verify().is_intact
    assert checks.check_new().is_intact  # type: ignore[union-attr]
    assert [head.size for head in high_water.read().heads] == [5, 8, 20]


def test_the_mark_is_raised_once_the_second_place_has_it(signed_ledger: None, monkeypatch: pytest.MonkeyPatch) -> None:
    place = anchors.path()
    monkeypatch.setattr(settings, "LEDGER", replace(settings.LEDGER, anchor_file=place / "below a file"))
    write_and_sign(2)
    assert high_water.read().size == 20
    monkeypatch.setattr(settings, "LEDGER", replace(settings.LEDGER, anchor_file=place))
    assert checks.check_new().is_intact  # type: ignore[union-attr]
    assert [head.size for head in high_water.read().heads][-2:] == [20, 22]
    assert verify().is_intact


def test_a_mark_that_cannot_be_written_is_told_and_holds_up_nothing(
    signed_ledger: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    write(2)
    with monkeypatch.context() as patch:
        patch.setattr(high_water.secrets, "write", full)
        result = checks.check_new()
    assert result is not None
    assert result.is_intact
    assert "high-water mark cannot be written" in result.note
    assert [head.size for head in anchors.read().heads][-1] == 22


def test_a_mark_that_cannot_be_read_is_told(signed_ledger: None) -> None:
    high_water.path().unlink()
    high_water.path().mkdir()
    assert "cannot be read" in verify().reason
    assert "cannot be read" in checks.quick_problem()


def test_a_person_begins_both_anew_and_what_was_is_kept(signed_ledger: None) -> None:
    cut_both_as_a_backup_of_all_of_it_would()
    heads.restart_anchors(actor=administrator(), reason="restored the backup of the night")
    assert verify().is_intact
    assert checks.check_new().is_intact  # type: ignore[union-attr]
    assert high_water.read().size == LedgerEntry.objects.count() == 9
    assert system_checks.ledger_is_all_there(None) == []
    (old,) = high_water.path().parent.glob("high-water.json.until-*")
    assert b'"size":20' in old.read_bytes()


def test_where_nothing_was_ever_signed_the_check_does_not_look() -> None:
    with connection.execute_wrapper(lambda *args: pytest.fail("it looked")):
        assert system_checks.ledger_is_all_there(None) == []


@pytest.mark.django_db(transaction=True)
def test_no_verifier_cries_wolf_while_the_desk_writes_and_signs() -> None:
    stopping, wrong = threading.Event(), []

    def work() -> None:
        try:
            while not stopping.is_set():
                write(2)
                if (result := checks.check_new()) and not result.is_intact:
                    wrong.append(result.reason)
        finally:
            connection.close()

    write_and_sign(1)
    writer = threading.Thread(target=work)
    writer.start()
    try:
        for _ in range(60):
            wrong += [reason for reason in (verify().reason, checks.quick_problem()) if reason]
    finally:
        stopping.set()
        writer.join()
    assert wrong == []
    assert TreeHead.objects.count() > 5


def test_the_page_shows_where_the_mark_is_and_what_it_says(signed_ledger: None) -> None:
    person, client = auditor(), Client()
    client.login(username=person.username, password=PASSWORD)
    page: Any = client.get(reverse("console:verify_ledger")).content.decode()
    assert str(high_water.path()) in page
    assert "20 lines verified and in both places" in page
