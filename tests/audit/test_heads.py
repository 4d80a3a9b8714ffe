"""Signed heads and the second place: made by themselves, and evident when anybody rewrites what they vouch for."""

from __future__ import annotations

import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction

from audit import anchors, checks, heads, high_water, keys, merkle, proofs
from audit.ledger import entry_hash
from audit.models import LedgerCheck, LedgerEntry, LedgerKey, TreeHead
from audit.verification import verify
from core.exceptions import PermanentError
from tests.audit.signed import ACTOR, sql, write, write_and_sign
from tests.people import administrator, auditor, reviewer

pytestmark = pytest.mark.django_db


def test_a_head_is_signed_over_new_lines_and_brought_to_the_second_place() -> None:
    write_and_sign(7, 1, 30)
    assert list(TreeHead.objects.values_list("size", flat=True)) == [7, 8, 38]
    leaves = [bytes.fromhex(one) for one in LedgerEntry.objects.order_by("seq").values_list("entry_hash", flat=True)]
    assert TreeHead.objects.get(size=38).root_hash == merkle.root_of(leaves).hex()
    assert [head.size for head in anchors.read().heads] == [7, 8, 38]
    result = verify()
    assert (result.is_intact, result.n_entries, result.n_heads, result.anchored_size) == (True, 38, 3, 38)


def test_nothing_is_signed_when_nothing_is_new() -> None:
    write_and_sign(3)
    for _ in range(3):
        assert checks.check_new().is_intact  # type: ignore[union-attr]
    assert TreeHead.objects.count() == LedgerCheck.objects.count() == 1


def test_the_key_is_outside_of_the_database_and_for_its_owner_alone() -> None:
    write_and_sign(3)
    path: Path = settings.LEDGER.key_file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert LedgerKey.objects.get().public_key not in path.read_text()


@pytest.mark.parametrize("table", ["audit_treehead", "audit_ledgerkey"])
@pytest.mark.parametrize("act", ["DELETE FROM {}", "UPDATE {} SET at = now()", "TRUNCATE {} CASCADE"])
def test_the_database_refuses_to_change_heads_and_keys(table: str, act: str) -> None:
    write_and_sign(2)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(act.format(table))


def test_a_cut_tail_is_found_by_the_next_turn_and_named() -> None:
    write_and_sign(10, 5)
    sql("DELETE FROM audit_ledgerentry WHERE seq > 12")
    result = checks.check_new()
    assert (result.is_intact, result.bad_seq) == (False, 13)  # type: ignore[union-attr]
    assert verify().bad_seq == 13


def test_a_backup_that_was_put_back_is_found_even_when_the_desk_goes_on_writing() -> None:
    write_and_sign(10)
    write_and_sign(5, 5)
    sql("DELETE FROM audit_ledgerentry WHERE seq > 10", "DELETE FROM audit_treehead WHERE size > 10")
    result = checks.check_new()
    assert (result.is_intact, result.bad_seq) == (False, 11)  # type: ignore[union-attr]
    write(30)
    found = verify()
    assert found.bad_seq == 11
    assert "signed" in found.reason
    assert not checks.check_new().is_intact  # type: ignore[union-attr]
    assert TreeHead.objects.count() == 1, "nothing is signed while something is wrong"


def test_a_chain_that_was_hashed_again_is_found_and_its_first_line_named() -> None:
    write_and_sign(10, 10)
    sql("DELETE FROM audit_ledgerentry WHERE seq >= 7")
    write(20)
    assert verify().bad_seq == 7
    sql("DELETE FROM audit_treehead")
    assert verify().bad_seq == 7, "the second place still knows"


def test_a_line_that_only_joins_a_gap_is_found_at_the_line_itself() -> None:
    """Edited and hashed again, so that only the line after it does not follow."""
    write_and_sign(10)
    entry = LedgerEntry.objects.get(seq=4)
    forged = entry_hash(
        seq=4,
        at=entry.at,
        actor="user:9",
        action=entry.action,
        subject=entry.subject,
        payload=entry.payload,
        prev_hash=entry.prev_hash,
    )
    sql(f"UPDATE audit_ledgerentry SET actor = 'user:9', entry_hash = '{forged}' WHERE seq = 4")
    assert verify().bad_seq == 4


def test_a_forged_head_does_not_count() -> None:
    write_and_sign(10)
    sql("UPDATE audit_treehead SET root_hash = repeat('a', 64)")
    result = verify()
    assert not result.is_intact
    assert "signature" in result.reason
    assert not checks.check_new().is_intact  # type: ignore[union-attr]


def test_a_head_by_a_key_that_nobody_vouches_for_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_and_sign(10)
    sql("DELETE FROM audit_ledgerentry WHERE seq >= 5", "DELETE FROM audit_treehead", "DELETE FROM audit_ledgerkey")
    real, mark = settings.LEDGER.key_file, settings.LEDGER.mark_file
    files = {name: tmp_path / "intruder" / name for name in ("key_file", "anchor_file", "mark_file")}
    # An intruder's desk of their own, over the same database.
    monkeypatch.setattr(settings, "LEDGER", replace(settings.LEDGER, **files))
    LedgerCheck.objects.all().delete()
    write_and_sign(6)
    monkeypatch.setattr(settings, "LEDGER", replace(settings.LEDGER, key_file=real))
    result = verify()
    assert "nobody vouches for" in result.reason
    monkeypatch.setattr(settings, "LEDGER", replace(settings.LEDGER, mark_file=mark))
    assert verify().bad_seq == 5, "the high-water mark knows what was signed, without either place"


def test_a_second_place_that_is_gone_is_noticed_and_begun_anew_by_a_person() -> None:
    write_and_sign(10, 5)
    anchors.path().unlink()
    assert "second place is gone" in verify().reason
    assert "second place is gone" in checks.check_new().reason  # type: ignore[union-attr]
    with pytest.raises(PermissionDenied):
        heads.restart_anchors(actor=auditor(), reason="it was on a disk that died")
    with pytest.raises(PermanentError):
        heads.restart_anchors(actor=administrator(), reason=" ")
    assert heads.restart_anchors(actor=administrator(), reason="it was on a disk that died") == 2
    assert checks.check_new().is_intact  # type: ignore[union-attr]
    assert verify().is_intact
    assert LedgerEntry.objects.filter(action="audit.anchors.restarted").exists()


def test_after_a_restore_a_person_begins_a_new_second_place_and_the_old_one_is_kept() -> None:
    write_and_sign(10, 5)
    sql("DELETE FROM audit_ledgerentry WHERE seq > 10", "DELETE FROM audit_treehead WHERE size > 10")
    heads.restart_anchors(actor=administrator(), reason="restored from the backup of the night")
    assert checks.check_new().is_intact  # type: ignore[union-attr]
    assert verify().is_intact
    (old,) = anchors.path().parent.glob("anchors.jsonl.until-*")
    assert b'"size":15' in old.read_bytes()


@pytest.mark.parametrize("damage", [b"}{\n", b'{"type":"head","size":1}\n', b"\xff\n"])
def test_a_damaged_second_place_is_noticed(damage: bytes) -> None:
    write_and_sign(10)
    with anchors.path().open("ab") as stream:
        stream.write(damage)
    assert not verify().is_intact


def test_half_a_line_left_by_a_process_that_died_is_no_damage() -> None:
    write_and_sign(10)
    with anchors.path().open("ab") as stream:
        stream.write(b'{"at":"2026-')
    assert verify().is_intact
    write_and_sign(5)
    assert [head.size for head in anchors.read().heads] == [10, 15]


@pytest.mark.parametrize("died_at", [(heads, "bring_to_second_place"), (high_water, "raise_to")], ids=lambda at: at[1])
def test_what_a_check_that_died_left_undone_the_next_one_does(
    monkeypatch: pytest.MonkeyPatch, died_at: tuple[Any, str]
) -> None:
    write_and_sign(10)
    write(5)
    with monkeypatch.context() as dying:
        dying.setattr(*died_at, lambda *args: sys.exit("killed"))
        with pytest.raises(SystemExit):
            checks.check_new()
    assert TreeHead.objects.filter(size=15).exists()
    assert verify().is_intact
    assert checks.check_new().is_intact  # type: ignore[union-attr]
    assert [head.size for head in anchors.read().heads] == [10, 15]
    assert high_water.read().size == 15


def test_a_second_place_that_cannot_be_written_holds_up_nothing() -> None:
    write_and_sign(10)
    place = anchors.path()
    place.chmod(0o444)
    place.parent.chmod(0o555)
    try:
        write(5)
        result = checks.check_new()
    finally:
        place.parent.chmod(0o755)
        place.chmod(0o644)
    assert result is not None
    assert result.is_intact


def test_a_key_that_was_replaced_still_verifies_and_signs_no_more() -> None:
    write_and_sign(10)
    old = settings.LEDGER.key_file.read_text()
    made = keys.rotate(actor=administrator(), reason="a yearly change")
    assert settings.LEDGER.key_file.read_text() != old
    write_and_sign(5)
    assert {row.key_id for row in TreeHead.objects.all()} == {made.predecessor, made.key_id}
    assert verify().is_intact
    settings.LEDGER.key_file.write_text(old)
    write(3)
    assert "recorded last" in checks.check_new().reason  # type: ignore[union-attr]


def test_a_lost_key_is_replaced_and_what_it_signed_is_vouched_for_by_the_new_one() -> None:
    write_and_sign(10)
    settings.LEDGER.key_file.unlink()
    write(2)
    assert "missing" in checks.check_new().reason  # type: ignore[union-attr]
    made = keys.rotate(actor=ACTOR, reason="the disk died", is_lost=True)
    assert made.by_predecessor == ""
    write_and_sign(5)
    assert verify().is_intact


def test_only_who_may_replaces_the_key() -> None:
    write_and_sign(1)
    with pytest.raises(PermissionDenied):
        keys.rotate(actor=auditor(), reason="because")


def test_a_key_in_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Ed25519PrivateKey.generate()
    monkeypatch.setattr(settings, "LEDGER", replace(settings.LEDGER, key=keys._pem(key).replace("\n", "\\n")))
    write_and_sign(3)
    assert LedgerKey.objects.get().public_key == keys.public_of(key)
    assert not settings.LEDGER.key_file.exists()
    with pytest.raises(PermanentError, match="environment"):
        keys.rotate(actor=ACTOR, reason="a yearly change")


def test_proofs_hold_against_the_signed_roots() -> None:
    write_and_sign(10, 7, 20)
    proof = proofs.inclusion(13)
    path = [bytes.fromhex(node) for node in proof["path"]]
    leaf, root = bytes.fromhex(proof["entry_hash"]), bytes.fromhex(proof["head"]["root"])
    assert merkle.is_included(leaf, index=12, size=17, root=root, path=path)
    both = proofs.consistency(10)
    assert merkle.is_consistent(
        10,
        bytes.fromhex(both["old"]["root"]),
        37,
        bytes.fromhex(both["new"]["root"]),
        [bytes.fromhex(node) for node in both["path"]],
    )
    with pytest.raises(PermanentError, match="No signed head"):
        proofs.inclusion(38)


def test_who_checked_is_recorded() -> None:
    write_and_sign(4)
    person = auditor()
    checks.verify_now(actor=person)
    check = LedgerCheck.objects.filter(kind="whole").get()
    assert (check.by, check.size, check.is_intact, check.anchored_size) == (f"user:{person.pk}", 4, True, 4)
    with pytest.raises(PermissionDenied):
        checks.verify_now(actor=reviewer())


def test_the_whole_is_verified_once_a_day() -> None:
    write_and_sign(4)
    assert checks.verify_if_due()
    assert not checks.verify_if_due()
