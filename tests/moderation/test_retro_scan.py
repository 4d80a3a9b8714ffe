"""A policy tried on everything live: what it finds, what is taken down for it, and what comes back."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from audit.models import LedgerEntry
from catalog.models import PublishedCopy
from core.exceptions import PermanentError, StaleState
from core.refs import ref
from moderation import policy_versions
from moderation.live import publication, retro_scan
from moderation.models.candidates import Candidate
from moderation.models.policies import PolicyVersion
from moderation.models.retro_scans import RetroHit, RetroScan
from moderation.models.reviews import Decision
from tests import factories
from tests.moderation.test_policies import changed
from tests.people import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def kim() -> User:
    return people("Administrator")


@pytest.fixture
def sam() -> User:
    return people("Senior reviewer")


@pytest.fixture
def stricter(kim: User) -> PolicyVersion:
    """A version that blocks a word which the policy in force does not know."""
    return policy_versions.store_version(changed(), actor=kim)[0]


def live(text: str, **findings: Any) -> PublishedCopy:
    """A live text with the decision that let it out."""
    draft = factories.candidate(text, status="published")
    item = factories.review_item(draft, status="decided")
    Decision.objects.create(item=item, outcome="approve", result=draft, decided_by="human_single", policy_version="x")
    return factories.published_copy(draft)


def scanned(version: PolicyVersion, actor: User, **options: Any) -> RetroScan:
    scan = retro_scan.start(version, actor=actor, reason="A word nobody likes.", **options)
    work(scan)
    return scan


def work(scan: RetroScan) -> None:
    while retro_scan.run_next(scan):
        pass
    scan.refresh_from_db()


def test_a_dry_run_counts_and_changes_nothing(stricter: PolicyVersion, kim: User) -> None:
    bad, good = live("A snazzy mug for tea."), live("A plain mug for tea.")
    scan = scanned(stricter, kim)
    assert (scan.status, scan.n_seen, scan.counts) == ("scanned", 2, {"house_word": 1})
    (hit,) = scan.hits.all()
    assert (hit.published_copy, hit.severity, hit.codes) == (bad, "block", ["house_word"])
    assert hit.findings[0]["start"] == 2
    for copy in (bad, good):
        copy.refresh_from_db()
        assert copy.retired_at is None


def test_what_a_person_has_seen_and_let_out_is_not_found_again(stricter: PolicyVersion, kim: User) -> None:
    copy = live("A snazzy mug for tea.")
    draft = Candidate.objects.get(pk=copy.candidate_ref.partition(":")[2])
    factories.finding(draft, "snazzy", severity="block", code="house_word")
    assert scanned(stricter, kim).hits.count() == 0


def test_a_finding_that_got_graver_is_found(stricter: PolicyVersion, kim: User) -> None:
    copy = live("A snazzy mug for tea.")
    draft = Candidate.objects.get(pk=copy.candidate_ref.partition(":")[2])
    factories.finding(draft, "snazzy", severity="warn", code="house_word")
    assert scanned(stricter, kim).hits.count() == 1


def test_warnings_count_when_they_are_asked_for(kim: User) -> None:
    version, _ = policy_versions.store_version(changed(severity="warn"), actor=kim)
    live("A snazzy mug for tea, and it has a handle.")
    assert scanned(version, kim).counts == {}
    assert scanned(version, kim, severity="warn").counts["house_word"] == 1


def test_a_recall_takes_down_what_was_found_with_the_reason(stricter: PolicyVersion, kim: User) -> None:
    bad, good = live("A snazzy mug for tea."), live("A plain mug for tea.")
    scan = scanned(stricter, kim)
    retro_scan.recall(scan, actor=kim, reason="Legal said so.")
    work(scan)
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (scan.status, good.retired_at) == ("recalled", None)
    assert bad.retired_reason == f"policy {stricter.number} (house_word): Legal said so."
    assert LedgerEntry.objects.filter(action="moderation.copy.retired", subject=ref(bad)).count() == 1
    (end,) = LedgerEntry.objects.filter(action="moderation.retroscan.recalled")
    assert (end.actor, end.payload) == (f"user:{kim.pk}", {"from": "recalling", "recalled": 1})


def test_an_undo_puts_back_and_records_a_decision(stricter: PolicyVersion, kim: User, sam: User) -> None:
    bad = live("A snazzy mug for tea.")
    scan = scanned(stricter, kim)
    retro_scan.recall(scan, actor=kim, reason="Legal said so.")
    work(scan)
    retro_scan.undo(scan, actor=sam, reason="Legal was wrong.")
    work(scan)
    bad.refresh_from_db()
    back = PublishedCopy.objects.get(candidate_ref=bad.candidate_ref, retired_at=None)
    assert scan.status == "undone"
    # What shoppers saw when: the old row keeps its end, the new one has its own beginning.
    assert bad.retired_at is not None
    assert back.published_at > bad.retired_at
    assert (back.text, back.ai_mark, back.provenance["restores"]) == (bad.text, bad.ai_mark, ref(bad))
    decision = Decision.objects.get(superseded_by=None)
    assert (decision.reviewer, decision.rationale) == (sam, "Legal was wrong.")
    assert decision.policy_version == policy_versions.policy_in_force().version.content_hash
    assert Candidate.objects.get(pk=decision.result_id).status == "published"
    assert LedgerEntry.objects.filter(action="moderation.copy.restored", subject=ref(back)).count() == 1


def test_what_has_been_replaced_stays_down(stricter: PolicyVersion, kim: User, sam: User) -> None:
    bad = live("A snazzy mug for tea.")
    scan = scanned(stricter, kim)
    retro_scan.recall(scan, actor=kim, reason="Legal said so.")
    work(scan)
    newer = factories.published_copy(
        factories.candidate(
            "A mug.", request=factories.generation_request(product_=bad.product, round=2), status="published"
        )
    )
    retro_scan.undo(scan, actor=sam, reason="Legal was wrong.")
    work(scan)
    (hit,) = scan.hits.all()
    assert (hit.status, hit.note) == ("left", "something newer is live in its place")
    assert PublishedCopy.objects.get(product=bad.product, retired_at=None) == newer


def test_a_text_that_went_down_meanwhile_is_passed_over(stricter: PolicyVersion, kim: User) -> None:
    bad = live("A snazzy mug for tea.")
    scan = scanned(stricter, kim)
    publication.retire(bad, actor=kim, reason="Sold out.")
    retro_scan.recall(scan, actor=kim, reason="Legal said so.")
    work(scan)
    bad.refresh_from_db()
    assert (scan.hits.get().status, bad.retired_reason) == ("gone", "Sold out.")


def test_a_text_recalled_twice_and_put_back_twice_has_four_times(stricter: PolicyVersion, kim: User, sam: User) -> None:
    bad = live("A snazzy mug for tea.")
    for _ in range(2):
        scan = scanned(stricter, kim)
        retro_scan.recall(scan, actor=kim, reason="Down.")
        work(scan)
        retro_scan.undo(scan, actor=sam, reason="Up.")
        work(scan)
    rows = PublishedCopy.objects.filter(candidate_ref=bad.candidate_ref).order_by("published_at")
    assert [row.retired_at is None for row in rows] == [False, False, True]


def test_each_step_needs_its_permission(stricter: PolicyVersion, kim: User, sam: User) -> None:
    live("A snazzy mug for tea.")
    for role in ("Reviewer", "Senior reviewer", "Auditor"):
        with pytest.raises(PermissionDenied):
            retro_scan.start(stricter, actor=people(role), reason="why not")
    scan = scanned(stricter, kim)
    for role in ("Reviewer", "Auditor"):
        with pytest.raises(PermissionDenied):
            retro_scan.recall(scan, actor=people(role), reason="why not")
    retro_scan.recall(scan, actor=kim, reason="Down.")
    work(scan)
    with pytest.raises(PermissionDenied):
        retro_scan.undo(scan, actor=kim, reason="Up.")  # taking down is an administrator's, letting out a senior's
    retro_scan.undo(scan, actor=sam, reason="Up.")


def test_who_lost_the_permission_meanwhile_recalls_nothing_more(stricter: PolicyVersion, kim: User) -> None:
    bad = live("A snazzy mug for tea.")
    scan = scanned(stricter, kim)
    retro_scan.recall(scan, actor=kim, reason="Down.")
    kim.groups.clear()
    assert retro_scan.run_next(scan)
    scan.refresh_from_db()
    bad.refresh_from_db()
    assert (scan.status, bad.retired_at) == ("recalling", None)
    assert "PermissionDenied" in scan.last_error


def test_reasons_and_order_are_kept(stricter: PolicyVersion, kim: User, sam: User) -> None:
    with pytest.raises(PermanentError, match="reason"):
        retro_scan.start(stricter, actor=kim, reason=" ")
    scan = scanned(stricter, kim)
    with pytest.raises(PermanentError, match="reason"):
        retro_scan.recall(scan, actor=kim, reason="")
    with pytest.raises(StaleState):
        retro_scan.undo(scan, actor=sam, reason="too early")
    retro_scan.recall(scan, actor=kim, reason="Down.")
    with pytest.raises(StaleState):
        retro_scan.recall(RetroScan.objects.get(pk=scan.pk), actor=kim, reason="twice")


def test_a_turn_that_ends_early_goes_on_at_the_next(stricter: PolicyVersion, kim: User, monkeypatch: Any) -> None:
    for n in range(5):
        live(f"A snazzy mug, number {n}.")
    monkeypatch.setattr(retro_scan, "BATCH", 2)
    scan = retro_scan.start(stricter, actor=kim, reason="try")
    seen = []
    while retro_scan.run_next(scan, turn_s=0):
        scan.refresh_from_db()
        seen.append(scan.n_seen)
    assert seen == [2, 4, 5, 5]
    assert scan.hits.count() == 5


def test_the_command_tells_counts_and_examples(stricter: PolicyVersion, kim: User, sam: User, capsys: Any) -> None:
    live("A snazzy mug for tea.")
    call_command("retro_scan", policy=stricter.number, by=kim.username, reason="try")
    scan = RetroScan.objects.get()
    told = capsys.readouterr().out
    assert "1 texts looked at, 1 fail" in told
    assert "“snazzy” Not in this house." in told
    assert f"--recall {scan.pk}" in told
    call_command("retro_scan", recall=scan.pk, by=kim.username, reason="down")
    assert RetroHit.objects.get().status == "recalled"
    call_command("retro_scan", undo=scan.pk, by=sam.username, reason="up")
    assert RetroHit.objects.get().status == "restored"
    call_command("retro_scan", resume=True)
    assert "Nothing was interrupted." in capsys.readouterr().out
    with pytest.raises(CommandError, match="--by"):
        call_command("retro_scan", reason="try")
