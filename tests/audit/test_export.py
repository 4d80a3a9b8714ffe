"""An export verifies elsewhere, with the export and the public key alone; and every change of it is named."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.management import call_command

from audit import anchors, keys, offline_verifier
from audit.export import export_ledger
from audit.models import LedgerKey
from audit.offline_verifier import Broken, entry_hash, verify
from core.exceptions import PermanentError
from tests.audit.signed import ACTOR, sql, write, write_and_sign
from tests.people import auditor, reviewer

pytestmark = pytest.mark.django_db
Lines = list[dict[str, Any]]


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    write_and_sign(6, 1, 13)
    path = tmp_path / "ledger.jsonl"
    export_ledger(path, actor=auditor())
    return path


def public() -> list[str]:
    return [LedgerKey.objects.earliest("at").public_key]


def test_the_verifier_needs_nothing_but_python_and_cryptography(exported: Path, tmp_path: Path) -> None:
    script = tmp_path / "elsewhere" / "verifier.py"
    script.parent.mkdir()
    script.write_text(Path(offline_verifier.__file__).read_text())
    command = [sys.executable, "-I", str(script), str(exported), "--key", public()[0], "--anchors", str(anchors.path())]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=script.parent, env={})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OK: 20 lines without a gap, 3 signed heads" in done.stdout
    exported.write_text(exported.read_text().replace("thing:9", "thing:8"))
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=script.parent, env={})
    assert done.returncode == 1
    assert "first bad line" in done.stdout


def test_the_same_ledger_gives_the_same_file_however_often(exported: Path, tmp_path: Path) -> None:
    again = export_ledger(tmp_path / "again.jsonl", actor=ACTOR)
    assert (tmp_path / "again.jsonl").read_bytes() == exported.read_bytes()
    write_and_sign(5)
    later = export_ledger(tmp_path / "later.jsonl", actor=ACTOR, up_to=20)
    assert later.file_hash == again.file_hash
    with pytest.raises(PermanentError, match="no such signed head"):
        export_ledger(tmp_path / "later.jsonl", actor=ACTOR, up_to=19)


def test_only_who_may_verify_takes_the_ledger_out(tmp_path: Path) -> None:
    write_and_sign(3)
    with pytest.raises(PermissionDenied):
        export_ledger(tmp_path / "ledger.jsonl", actor=reviewer())


def entries(lines: Lines) -> Lines:
    return [line for line in lines if line["type"] == "entry"]


def _edit(lines: Lines) -> None:
    entries(lines)[8]["actor"] = "user:1"


def _edit_and_hash(lines: Lines) -> None:
    entry = entries(lines)[8]
    entry["actor"] = "user:1"
    entry["hash"] = entry_hash(entry)


def _hash_all_again(lines: Lines) -> None:
    _edit(lines)
    before = None
    for entry in entries(lines):
        entry["prev"] = before or entry["prev"]
        before = entry["hash"] = entry_hash(entry)


def _delete(lines: Lines) -> None:
    lines.remove(entries(lines)[8])


def _swap(lines: Lines) -> None:
    a, b = lines.index(entries(lines)[8]), lines.index(entries(lines)[11])
    lines[a], lines[b] = lines[b], lines[a]


def _insert(lines: Lines) -> None:
    lines.insert(lines.index(entries(lines)[8]), {**entries(lines)[8]})


TAMPERING: list[tuple[Callable[[Lines], None], int]] = [
    (_edit, 9),
    (_edit_and_hash, 9),
    (_hash_all_again, 9),
    (_delete, 9),
    (_swap, 9),
    (_insert, 9),
]


@pytest.mark.parametrize(("tamper", "bad"), TAMPERING, ids=[tamper.__name__ for tamper, _ in TAMPERING])
def test_a_change_of_the_export_is_named(exported: Path, tamper: Callable[[Lines], None], bad: int) -> None:
    lines = [json.loads(line) for line in exported.read_text().splitlines()]
    tamper(lines)
    exported.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(Broken) as found:
        verify(str(exported), public())
    # a copy before its original is told by the original, which is the one that is not in its place
    assert found.value.seq == bad


def test_a_tail_that_was_cut_off_is_named(exported: Path) -> None:
    lines = exported.read_text().splitlines(keepends=True)
    exported.write_text("".join(lines[:-4]))
    with pytest.raises(Broken) as found:
        verify(str(exported), public())
    assert found.value.seq == 17


def test_an_export_from_an_older_backup_is_found_against_the_second_place(exported: Path, tmp_path: Path) -> None:
    kept = anchors.path().read_bytes()
    sql("DELETE FROM audit_ledgerentry WHERE seq > 7", "DELETE FROM audit_treehead WHERE size > 7")
    older, place = tmp_path / "older.jsonl", tmp_path / "anchors.jsonl"
    place.write_bytes(kept)
    export_ledger(older, actor=ACTOR)
    assert verify(str(older), public()).n == 7
    with pytest.raises(Broken) as found:
        verify(str(older), public(), str(place))
    assert found.value.seq == 8
    assert verify(str(older), public(), str(place), partial=True).n == 7


def test_heads_by_another_key_do_not_count(exported: Path) -> None:
    with pytest.raises(Broken, match="do not lead to"):
        verify(str(exported), ["00" * 32])


def test_a_forged_record_of_a_head_does_not_count(exported: Path) -> None:
    lines = [json.loads(line) for line in exported.read_text().splitlines()]
    head = next(line for line in lines if line["type"] == "head")
    head["leaves"] = base64.b64encode(b"x" * 48).decode()
    exported.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(Broken, match="not valid"):
        verify(str(exported), public())


def test_who_holds_the_first_key_can_verify_what_later_ones_signed(tmp_path: Path) -> None:
    write_and_sign(4)
    first = public()
    keys.rotate(actor=ACTOR, reason="a yearly change")
    write_and_sign(5)
    keys.rotate(actor=ACTOR, reason="another one")
    write_and_sign(6)
    path = tmp_path / "ledger.jsonl"
    export_ledger(path, actor=ACTOR)
    newest = keys.recorded()[-1].public
    for given in (first, [newest]):
        assert verify(str(path), given, str(anchors.path())).n_heads == 3


def test_a_lost_key_is_not_believed_on_the_word_of_the_new_one_going_forward(tmp_path: Path) -> None:
    write_and_sign(4)
    first = public()
    settings.LEDGER.key_file.unlink()
    keys.rotate(actor=ACTOR, reason="the disk died", is_lost=True)
    write_and_sign(5)
    path = tmp_path / "ledger.jsonl"
    export_ledger(path, actor=ACTOR)
    with pytest.raises(Broken, match="do not lead to"):
        verify(str(path), first)
    assert verify(str(path), [keys.recorded()[-1].public]).n_heads == 2


def test_the_commands_say_what_they_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(5)
    call_command("ledger", "sign")
    call_command("ledger", "key")
    call_command("export_ledger", str(tmp_path / "ledger.jsonl"))
    call_command("verify_ledger")
    call_command("ledger", "prove", "3")
    call_command("ledger", "consistent", "5")
    said = capsys.readouterr().out
    assert "5 lines are signed" in said
    assert public()[0] in said
    assert "5 lines exported under 1 signed heads" in said
    assert "5 lines verified" in said
