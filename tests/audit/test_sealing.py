"""What people type is sealed in the ledger, shown to who may read it, and gone when they are erased."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from audit import anchors, erasure, ledger, sealing
from audit.export import export_ledger
from audit.models import LedgerEntry, SubjectKey
from audit.verification import verify
from core.actors import COMMAND_LINE, SystemActor
from core.exceptions import PermanentError
from moderation.drafting import screening
from moderation.live import history, publication
from moderation.models.candidates import Candidate
from moderation.queues import seats
from tests import factories as make
from tests.audit.signed import write_and_sign
from tests.people import PASSWORD, administrator, auditor, ml_engineer, people, senior
from training.models import Approval

pytestmark = pytest.mark.django_db
WORDS = "Frau Müller from 12 Rose Lane called about this: 13800138000"


def say(user: User, words: str = WORDS) -> LedgerEntry:
    with transaction.atomic():
        return ledger.append(
            "test.said", subject="thing:1", actor=user, payload={"reason": ledger.typed(words, by=user)}
        )


def read(entry: LedgerEntry, reader: User | SystemActor) -> object:
    entry.refresh_from_db()
    return sealing.opened([entry.payload], reader=reader)[0]["reason"]


def test_typed_words_are_sealed_and_read_by_who_may() -> None:
    entry = say(senior())
    assert entry.payload["reason"].keys() == {"sealed"}
    assert read(entry, auditor()) == read(entry, senior()) == read(entry, SystemActor("tests")) == WORDS
    assert read(entry, ml_engineer()) == "sealed"
    assert verify().is_intact


def test_what_a_part_of_the_system_says_stays_plain_and_the_command_line_is_a_person() -> None:
    assert ledger.typed("replaced", by=SystemActor("moderation.review")) == "replaced"
    assert isinstance(ledger.typed("why", by=COMMAND_LINE), ledger.Sealed)


def test_a_person_has_one_key_and_equal_words_look_different() -> None:
    person = senior()
    first, second = say(person), say(person)
    assert SubjectKey.objects.count() == 1
    assert first.payload != second.payload


def test_the_wrapping_key_is_outside_of_the_database_and_for_its_owner_alone() -> None:
    say(senior())
    path: Path = settings.LEDGER.sealing_key_file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.unlink()
    entry = LedgerEntry.objects.get()
    assert read(entry, auditor()) == "sealed, and its key is not at hand"
    with pytest.raises(PermanentError, match="missing"):
        say(senior())


def test_words_moved_to_another_key_do_not_open() -> None:
    one, two = say(senior()), say(senior(), "other words")
    key = two.payload["reason"]["sealed"].partition(".")[0]
    moved = {"reason": {"sealed": f"{key}.{one.payload['reason']['sealed'].partition('.')[2]}"}}
    assert sealing.opened([moved], reader=auditor())[0]["reason"] == "sealed, and its key is not at hand"


ABSENT = "8f14e45f-ceea-467f-a0e6-6a5b1c0d1a11"


@pytest.mark.parametrize("odd", ["", "x", f"{ABSENT}.", f"{ABSENT}.!!", "not-a-key.AAAA"])
def test_odd_tokens_do_no_harm(odd: str) -> None:
    assert isinstance(sealing.opened([{"reason": {"sealed": odd}}], reader=auditor())[0]["reason"], str | dict)


def test_an_erased_person_leaves_an_intact_chain_and_no_words() -> None:
    person, other = senior(), senior()
    entry, others = say(person), say(other)
    write_and_sign(3)
    result = erasure.erase_person(person, actor=administrator(), reason="they asked for it on 3 March")
    assert result.person == f"user:{person.pk}"
    assert read(entry, auditor()) == read(entry, administrator()) == "erased"
    assert read(others, auditor()) == WORDS
    assert verify().is_intact
    person.refresh_from_db()
    assert (person.username, person.email, person.get_full_name()) == (f"erased-{person.pk}", "", "")
    assert not (person.is_active)
    assert not (person.has_usable_password())
    assert not (person.groups.exists())
    assert read(say(person, "later words"), auditor()) == "later words"
    assert read(entry, auditor()) == "erased"


def test_reasons_in_other_tables_go_with_the_person() -> None:
    person = senior()
    live = make.published_copy()
    publication.retire(live, actor=person, reason=WORDS)
    item = make.lease(make.review_item(), person)
    with transaction.atomic():
        seats.pass_to_senior(item, reason=WORDS, actor=person)
    version = make.model_version()
    Approval.objects.create(version=version, approver=person, reason=WORDS)
    result = erasure.erase_person(person, actor=administrator(), reason="asked")
    live.refresh_from_db()
    item.refresh_from_db()
    assert live.retired_reason == item.escalated_reason == Approval.objects.get().reason == "erased"
    assert "2 of their reasons were emptied on items, decisions, appeals and published copy." in result.done
    assert "1 of their reasons were emptied on training runs and approvals." in result.done
    assert verify().is_intact


def test_only_who_may_erases_and_nobody_themselves() -> None:
    person, admin = senior(), administrator()
    for actor in (auditor(), senior(), person):
        with pytest.raises(PermissionDenied):
            erasure.erase_person(person, actor=actor, reason="because")
    with pytest.raises(PermanentError):
        erasure.erase_person(person, actor=admin, reason=" ")
    with pytest.raises(PermanentError):
        erasure.erase_person(admin, actor=admin, reason="because")


def test_the_command_erases_and_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    person, admin = senior(), administrator()
    say(person)
    with pytest.raises(CommandError, match="lacks the permission"):
        call_command("erase_person", person.username, reason="asked", yes=True, by=auditor().username)
    call_command("erase_person", person.username, reason="asked", yes=True, by=admin.username)
    said = capsys.readouterr().out
    assert f"user:{person.pk} is erased" in said
    assert "backups" in said


def test_keys_in_old_backups_open_nothing_once_all_are_wrapped_anew() -> None:
    person = senior()
    entry = say(person)
    old_rows, old_key = list(SubjectKey.objects.all()), settings.LEDGER.sealing_key_file.read_text()
    assert sealing.rewrap(actor=administrator()) == 1
    assert settings.LEDGER.sealing_key_file.read_text() != old_key
    assert read(entry, auditor()) == WORDS
    SubjectKey.objects.all().delete()
    SubjectKey.objects.bulk_create(old_rows)
    assert read(entry, auditor()) == "sealed, and its key is not at hand"


def test_no_plain_words_anywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Through the real acts of the desk: overruling a block, publishing, taking down; then ledger, logs and export."""
    caplog.set_level(logging.DEBUG)
    person = people("Senior reviewer", email="erika.mustermann@example.com")
    User.objects.filter(pk=person.pk).update(first_name="Erika", last_name="Mustermann")
    blocked = make.candidate("Heals everything.", status="blocked")
    screening.overrule_block(blocked, actor=person, reason=WORDS)
    live = make.published_copy()
    publication.retire(live, actor=person, reason=WORDS)
    write_and_sign(2)
    export_ledger(tmp_path / "ledger.jsonl", actor=auditor())
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM audit_ledgerentry e")
        in_ledger = "\n".join(row[0] for row in cursor.fetchall())
    places = {
        "ledger": in_ledger,
        "logs": caplog.text,
        "export": (tmp_path / "ledger.jsonl").read_text(),
        "second place": anchors.path().read_text(),
    }
    for place, text in places.items():
        for secret in (WORDS, "Müller", "M\\u00fcller", "Rose Lane", "13800138000", "Mustermann", "erika"):
            assert secret not in text, f"{secret} in {place}"
    assert f"user:{person.pk}" in in_ledger


def test_the_console_shows_words_to_who_may_read_them_and_erased_afterwards() -> None:
    author = senior()
    blocked = make.candidate("Heals everything.", status="blocked")
    screening.overrule_block(blocked, actor=author, reason=WORDS)
    line = LedgerEntry.objects.get(action="moderation.candidate.overruled")
    pages = [
        reverse("console:candidate", args=[blocked.pk]),
        reverse("admin:audit_ledgerentry_changelist"),
        reverse("admin:audit_ledgerentry_change", args=[line.pk]),
    ]
    client, reader = Client(), auditor()
    client.login(username=reader.username, password=PASSWORD)
    assert all("Rose Lane" in client.get(address).content.decode() for address in pages)
    other = Client()
    other.login(username=ml_engineer().username, password=PASSWORD)
    assert all("Rose Lane" not in other.get(address).content.decode() for address in pages)
    erasure.erase_person(author, actor=administrator(), reason="they asked for it")
    for address in pages:
        shown = client.get(address).content.decode()
        assert "Rose Lane" not in shown, address
        assert "erased" in shown, address
    (moment,) = [
        entry for entry in history.timeline(Candidate.objects.get(pk=blocked.pk), reader=reader) if entry.seq == line.pk
    ]
    assert moment.payload["reason"] == "erased"
