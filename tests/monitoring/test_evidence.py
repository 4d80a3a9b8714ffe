"""The evidence pack: what shoppers saw on a date, the same bytes each time, and nothing that came later."""

from __future__ import annotations

import datetime as dt
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone

from audit import checks, keys, ledger
from audit.models import LedgerEntry
from catalog.models import PublishedCopy
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.hashing import canonical_json, hash_json
from core.refs import ref
from moderation.live import marking
from moderation.models.candidates import Candidate
from moderation.models.reviews import Decision
from monitoring.evidence import pack
from monitoring.evidence.story import story_of
from tests import factories as make
from tests import people

pytestmark = pytest.mark.django_db
US = SystemActor("tests")


@pytest.fixture
def fixed() -> PublishedCopy:
    """A draft that a person fixed and let out, with a finding, a decision and its ledger lines."""
    draft = make.candidate(status="superseded", text="The best mug, holds 400 ml.", version=make.model_version())
    make.finding(draft, "400 ml", code="unsupported_number")
    fix = make.candidate(
        request=draft.request,
        parent=draft,
        origin="human",
        text="A mug, holds 350 ml. <b>",
        ordinal=7,
        status="published",
    )
    item = make.review_item(draft, status="decided")
    make.decision(item, outcome="edit", result=fix, lead_time=dt.timedelta(seconds=41), reviewer=people.reviewer())
    copy = make.published_copy(fix, text=fix.text, ai_mark=marking.mark_for(fix))
    ledger.append(
        "moderation.copy.published", subject=ref(copy), actor=US, payload={"text_hash": hash_json([copy.text])}
    )
    return copy


def test_a_pack_says_who_wrote_what_was_found_changed_and_decided(fixed: PublishedCopy) -> None:
    content = pack.collect(fixed.product.sku, actor=US).content
    [text] = content["texts"]
    assert text["text"] == fixed.text
    assert text["ai_mark_is_genuine"]
    assert text["draft"]["text"] == "The best mug, holds 400 ml."
    assert {change["kind"] for change in text["changes"]} == {"same", "out", "in"}
    assert text["decisions"][0]["seconds"] == 41
    assert text["decisions"][0]["who"].startswith("user:")
    assert [f["code"] for found in text["findings"].values() for f in found] == ["unsupported_number"]
    assert text["ledger"][-1]["action"] == "moderation.copy.published"
    assert "@example.com" not in canonical_json(content)


def test_what_an_appeal_brought_back_and_a_person_fixed_again_goes_back_to_the_model(fixed: PublishedCopy) -> None:
    fix = Candidate.objects.get(pk=fixed.candidate_ref.partition(":")[2])
    first = Decision.objects.get()
    again = make.candidate(request=fix.request, parent=fix.parent, origin="human", text=fix.text, ordinal=8)
    make.appeal(first, status="overturned", judge=people.senior(), candidate=again, decided_at=timezone.now())
    last = make.candidate(request=fix.request, parent=again, origin="human", text="A plain mug.", ordinal=9)
    item = make.review_item(again, status="decided")
    second = make.decision(item, outcome="edit", result=last, reviewer=people.reviewer())
    PublishedCopy.objects.filter(pk=fixed.pk).update(retired_at=timezone.now())
    story = story_of(make.published_copy(last, text=last.text, ai_mark=marking.mark_for(last)), at=timezone.now())
    assert fix.parent is not None
    assert story["draft"]["candidate"] == ref(fix.parent)
    assert [found["decision"] for found in story["decisions"]] == [ref(first), ref(second)]
    assert [found["status"] for found in story["appeals"]] == ["overturned"]
    assert len(story["findings"]) == 3


def test_the_same_date_gives_the_same_hash_whatever_comes_later(fixed: PublishedCopy) -> None:
    at = timezone.now()
    first = pack.collect(fixed.product.sku, at=at, actor=US)
    PublishedCopy.objects.filter(pk=fixed.pk).update(retired_at=timezone.now())
    ledger.append("moderation.copy.retired", subject=ref(fixed), actor=US)
    newer = make.candidate(
        "Newer words.", request=make.generation_request(product_=fixed.product, round=2), status="published"
    )
    make.published_copy(newer)
    assert pack.collect(fixed.product.sku, at=at, actor=US).hash == first.hash
    now = pack.collect(fixed.product.sku, actor=US)
    assert now.hash != first.hash
    assert now.content["texts"][0]["text"] == newer.text


def test_the_command_writes_json_and_a_page_that_escapes_what_a_model_wrote(
    fixed: PublishedCopy, tmp_path: Path
) -> None:
    call_command("evidence", fixed.product.sku, into=tmp_path / "out")
    content = json.loads((tmp_path / "out" / "evidence.json").read_text())
    html = (tmp_path / "out" / "evidence.html").read_text()
    assert hash_json(content) in html
    assert "holds 350 ml. &lt;b&gt;" in html
    assert "<b>" not in html
    assert LedgerEntry.objects.get(action="monitoring.evidence.collected").payload["hash"] == hash_json(content)


def _verify(folder: Path, key: str) -> subprocess.CompletedProcess[str]:
    """As somebody outside does: the script that came along, far from this project."""
    command = [sys.executable, "-I", str(folder / "verify_pack.py"), str(folder), "--key", key]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_somebody_outside_verifies_a_pack_with_the_public_key_alone(fixed: PublishedCopy, tmp_path: Path) -> None:
    assert checks.check_new() is not None
    made = pack.collect(fixed.product.sku, actor=US)
    pack.write(made, tmp_path)
    key = keys.public_of(keys.signing_key()[0])
    done = _verify(tmp_path, key)
    assert (done.returncode, "Unaltered: 1 text(s)" in done.stdout, "yet" in done.stdout) == (0, True, False), done
    assert _verify(tmp_path, "00" * 32).returncode == 1
    (tmp_path / "proofs.json").write_text("[]")
    assert "Not under a signed head yet" in _verify(tmp_path, key).stdout
    evidence = tmp_path / "evidence.json"
    evidence.write_text(evidence.read_text().replace("holds 350 ml", "holds 950 ml"))
    assert "BROKEN" in _verify(tmp_path, key).stderr


def test_a_proof_of_another_line_does_not_pass(fixed: PublishedCopy, tmp_path: Path) -> None:
    assert checks.check_new() is not None
    pack.write(pack.collect(fixed.product.sku, actor=US), tmp_path)
    proofs = json.loads((tmp_path / "proofs.json").read_text())
    proofs[0]["head"]["root"] = "00" * 32
    (tmp_path / "proofs.json").write_text(json.dumps(proofs))
    assert "does not stand under" in _verify(tmp_path, keys.public_of(keys.signing_key()[0])).stderr


def test_what_was_not_live_is_an_error_that_says_when_something_was(fixed: PublishedCopy) -> None:
    sku = fixed.product.sku
    with pytest.raises(CommandError, match="Live were"):
        call_command("evidence", sku, at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    with pytest.raises(PermanentError, match="still to come"):
        pack.collect(sku, at=timezone.now() + dt.timedelta(days=1), actor=US)
    with pytest.raises(PermanentError, match="no product"):
        pack.collect("nothing", actor=US)
    with pytest.raises(PermissionDenied):
        pack.collect(sku, actor=people.reviewer())


def test_the_console_sends_the_pack_as_a_file_that_is_the_same_twice(fixed: PublishedCopy) -> None:
    client = Client()
    client.force_login(people.auditor())
    url, at = f"/console/copy/{fixed.pk}/evidence/", f"{timezone.now():%Y-%m-%dT%H:%M:%S.%f}"
    answers = [client.post(url, {"at": at}) for _ in range(2)]
    assert answers[0].content == answers[1].content
    with zipfile.ZipFile(io.BytesIO(answers[0].content)) as archive:
        assert "evidence.html" in archive.namelist()
    assert client.post(url, {"at": "yesterday"}).status_code == 302
    client.force_login(people.reviewer())
    assert client.post(url).status_code == 403


def test_a_draft_of_a_person_has_no_model_to_write_it_again() -> None:
    from moderation.drafting.reproduction import reproduce

    draft = make.candidate()
    Candidate.objects.filter(pk=draft.pk).update(model_version=None)
    draft.refresh_from_db()
    assert "No model" in reproduce(draft).words
