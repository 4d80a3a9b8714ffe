"""Who a file calls a rater is nobody until others answer for them by name: what they say decides nothing before."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from audit import ledger
from audit.models import LedgerEntry
from audit.verification import verify
from catalog.models import CustomerReview, ImportRun
from core.exceptions import PermanentError
from core.refs import ref
from labeling import approvals, consensus, examples, labels
from labeling.models import Label, Vote
from moderation.label_exchange.approving import approve_raters, withdraw_approval
from moderation.label_exchange.importing import rater_of, source_of
from tests import factories, people
from tests.moderation.imported_raters import ACTOR, ALL, KIND, answer_ourselves, bring, is_approved, said, truth
from training import curation, snapshots

pytestmark = pytest.mark.django_db


def stated() -> set[bool]:
    """Whether the examples to learn from count as stated by a file."""
    return {item.is_stated for item in curation.collect("sentiment") if isinstance(item, examples.Example)}


def known(path: Path, *raters: str, **more: Any) -> ImportRun:
    """An import whose raters were measured against our own people, and agree with them."""
    run = bring(path, said(ALL, *raters), **more)
    answer_ourselves()
    return run


def test_raters_of_a_file_are_no_people_until_somebody_answers_for_them(tmp_path: Path) -> None:
    run = known(tmp_path / "x.jsonl", "gpt-4o")
    assert stated() == {True}
    assert approve_raters(run, reason="our support team", actor=people.senior()).n_raters == 1
    assert stated() == {False}
    withdraw_approval(run, reason="it was a model", actor=people.ml_engineer())
    assert stated() == {True}
    actions = ["labeling.raters.approved", "labeling.raters.withdrawn"]
    lines = list(LedgerEntry.objects.filter(action__in=actions).order_by("seq"))
    assert [(line.action, line.subject, line.payload["raters"]) for line in lines] == [
        (action, ref(run), [rater_of("gpt-4o")]) for action in actions
    ]
    assert "support" not in json.dumps([line.payload for line in lines]), "what was typed is sealed"
    assert verify().is_intact


def test_each_rater_is_answered_for_by_name(tmp_path: Path) -> None:
    run = known(tmp_path / "x.jsonl", "ann")
    bring(tmp_path / "y.jsonl", said(6, "gpt-4o", first=100))
    both = bring(tmp_path / "z.jsonl", [*said(ALL, "bob"), *said(6, "gpt-5", first=200)])
    answer_ourselves()
    approve_raters(run, reason="Ann", actor=people.senior())
    approve_raters(both, raters=[rater_of("bob")], reason="Bob, not the other", actor=people.senior())
    assert approvals.approved_raters() == {(source_of(run), rater_of("ann")), (source_of(both), rater_of("bob"))}
    assert not is_approved(both)
    told = {
        item.fields["text"]: item.is_stated
        for item in curation.collect("sentiment")
        if isinstance(item, examples.Example)
    }
    assert {text for text, is_stated in told.items() if is_stated} == {
        f"Review {i}" for i in (*range(100, 106), *range(200, 206))
    }
    withdraw_approval(both, raters=[rater_of("bob")], reason="not Bob", actor=people.senior())
    assert approvals.approved_raters() == {(source_of(run), rater_of("ann"))}
    with pytest.raises(PermanentError, match="has no rater"):
        approve_raters(run, raters=["import:0"], reason="x", actor=people.senior())


def test_a_line_from_before_raters_were_named_is_about_all_of_the_file(tmp_path: Path) -> None:
    run = bring(tmp_path / "x.jsonl", said(3, "ann", "bob"))
    payload = {"source": source_of(run), "n_raters": 2, "reason": "we know them"}
    ledger.append(approvals.APPROVED, subject=ref(run), actor=people.senior(), payload=payload)
    assert is_approved(run)
    withdraw_approval(run, raters=[rater_of("bob")], reason="not Bob", actor=people.senior())
    assert approvals.approved_raters() == {(source_of(run), rater_of("ann"))}


def test_a_label_that_names_no_rater_is_nobodys_whoever_answers(tmp_path: Path) -> None:
    run = bring(tmp_path / "x.jsonl", [*said(ALL, "ann"), {"text": "Bare", "label": "neutral"}])
    answer_ourselves()
    approve_raters(run, reason="Ann is one of us", actor=people.senior())
    assert stated() == {True, False}
    only = bring(tmp_path / "y.jsonl", [{"text": "Barer", "label": "neutral"}])
    with pytest.raises(PermanentError, match="no votes"):
        approve_raters(only, reason="x", actor=people.senior())


def test_one_unknown_vote_makes_a_label_a_files_word(tmp_path: Path) -> None:
    approve_raters(known(tmp_path / "x.jsonl", "ann", "bob"), reason="Ann and Bob", actor=people.senior())
    bring(tmp_path / "y.jsonl", said(1, "gpt-4o", "gpt-5", "gpt-6", label="neutral"))
    assert Label.objects.get(subject=ref(CustomerReview.objects.get(text="Review 0"))).n_votes == 5
    told = {i.fields["text"]: i.is_stated for i in curation.collect("sentiment") if isinstance(i, examples.Example)}
    assert [text for text, is_stated in told.items() if is_stated] == ["Review 0"]
    bring(tmp_path / "z.jsonl", said(ALL, "ann"))
    assert stated() == {True, False}, "the same again under another import changes nothing"


def test_what_an_approved_rater_is_made_to_say_by_another_file_is_not_approved(tmp_path: Path) -> None:
    approve_raters(known(tmp_path / "x.jsonl", "ann"), reason="Ann", actor=people.senior())
    bring(tmp_path / "y.jsonl", said(ALL, "ann", label="positive"))
    told = {
        (i.fields["text"], i.fields["label"]): i.is_stated
        for i in curation.collect("sentiment")
        if isinstance(i, examples.Example)
    }
    assert told == {(f"Review {i}", "positive"): truth(i) != "positive" for i in range(ALL)}, (
        "what was positive all along is as it was"
    )


def test_votes_of_a_file_do_not_outvote_those_who_were_asked(tmp_path: Path) -> None:
    review = factories.customer_review("A review of our own", external_id="r-1")
    rows = [{"external_id": "r-1", "label": "positive", "rater": f"gpt-{n}"} for n in range(3)]
    run = bring(tmp_path / "x.jsonl", [*rows, *said(ALL, "gpt-0", "gpt-1", "gpt-2")])
    answer_ourselves()
    for rater in ("user:900000071", "user:900000072"):
        labels.record_vote(KIND, ref(review), rater=rater, label="negative", purpose="label", at=review.created_at)
    for method in ("majority", "dawid_skene", "crowdlab"):
        agreed = consensus.agree(KIND, ref(review), method=method)
        assert (agreed.label, agreed.votes) == ("negative", {"negative": 2})
    approve_raters(run, reason="they are people", actor=people.senior())
    assert consensus.agree(KIND, ref(review), method="majority").label == "positive"


def test_flipped_labels_under_made_up_raters_are_counted_as_a_files_in_a_snapshot(tmp_path: Path) -> None:
    bring(tmp_path / "x.jsonl", said(60, "ann", "bob", label="positive"))
    snapshot = snapshots.freeze("sentiment", actor=people.ml_engineer())
    assert snapshot.n_stated == snapshot.n_test > 0


# --- Four eyes ---------------------------------------------------------------------------------------------------


def test_who_brought_a_file_in_does_not_answer_for_it(tmp_path: Path) -> None:
    engineer = people.ml_engineer()
    run = known(tmp_path / "x.jsonl", "ann", actor=engineer)
    other_account = people.people("ML engineer", email=engineer.email.replace("@", "+second@"))
    for actor in (engineer, other_account):
        with pytest.raises(PermanentError, match="somebody else"):
            approve_raters(run, reason="Ann", actor=actor)
    assert not is_approved(run)
    approve_raters(run, reason="Ann", actor=people.ml_engineer())
    approve_raters(run, reason="Ann, again", actor=people.senior())
    assert approvals.approved_raters() == {(source_of(run), rater_of("ann"))}
    assert LedgerEntry.objects.filter(action=approvals.APPROVED).count() == 1, "twice is once"


def test_where_nobody_is_named_who_brought_it_in_two_people_answer(tmp_path: Path) -> None:
    run, one, two = known(tmp_path / "x.jsonl", "ann", "bob", actor=ACTOR), people.ml_engineer(), people.senior()
    assert approve_raters(run, reason="mine", actor=one).n_lacking == 1
    assert stated() == {True}
    with pytest.raises(PermanentError, match="already"):
        approve_raters(run, reason="mine, as I said", actor=one)
    again = people.people("Senior reviewer", email=one.email.replace("@", "+second@"))
    with pytest.raises(PermanentError, match="Somebody else"):
        approve_raters(run, reason="and I", actor=again)
    assert approve_raters(run, raters=[rater_of("bob")], reason="I know Bob", actor=two).n_lacking == 0
    assert approvals.approved_raters() == {(source_of(run), rater_of("bob"))}
    assert not approve_raters(run, reason="and Ann", actor=two).n_lacking
    assert is_approved(run)
    withdraw_approval(run, reason="no", actor=one)
    assert approve_raters(run, reason="once more", actor=one).n_lacking == 1, "a word that was withdrawn is not kept"


def test_a_person_with_the_permission_and_a_reason_answers_for_a_finished_import(tmp_path: Path) -> None:
    run = known(tmp_path / "x.jsonl", "ann")
    for nobody in (people.reviewer(), people.auditor(), User.objects.create(username="x")):
        with pytest.raises(PermissionDenied):
            approve_raters(run, reason="Ann", actor=nobody)
    with pytest.raises(PermanentError, match="--by"):
        approve_raters(run, reason="Ann", actor=ACTOR)
    with pytest.raises(PermanentError, match="reason"):
        approve_raters(run, reason=" ", actor=people.senior())
    ImportRun.objects.update(status="interrupted")
    run.refresh_from_db()
    with pytest.raises(PermanentError, match="no finished import"):
        approve_raters(run, reason="Ann", actor=people.senior())


def test_the_commands_say_whose_word_it_is(tmp_path: Path) -> None:
    out, senior = io.StringIO(), people.senior()
    path = tmp_path / "x.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in said(ALL, "ann", "bob")))
    call_command("import_labels", str(path), stdout=out)
    run = ImportRun.objects.get()
    assert f"approve_raters {run.pk} --by" in out.getvalue()
    assert "two people answer for them" in out.getvalue()
    call_command("approve_raters", str(run.pk), stdout=out)
    assert "our own people answered 0 of its texts since it came in, and 20 are needed" in out.getvalue()
    with pytest.raises(CommandError, match="--ask 60"):
        call_command("approve_raters", str(run.pk), "--by", senior.username, "--reason", "Ann", stdout=out)
    call_command("approve_raters", str(run.pk), "--by", senior.username, "--ask", "3", stdout=out)
    assert "asked about 3 texts of x.jsonl" in out.getvalue()
    answer_ourselves()
    for wrong in (
        ["--by", people.reviewer().username, "--reason", "x"],
        ["--reason", "Ann"],
        ["--withdraw", "--by", senior.username],
        ["--ask", "0", "--by", senior.username],
        ["--rater", "carol", "--reason", "x", "--by", senior.username],
    ):
        with pytest.raises(CommandError):
            call_command("approve_raters", str(run.pk), *wrong)
    with pytest.raises(CommandError, match="no import"):
        call_command("approve_raters", "0", "--by", senior.username, "--reason", "x")
    call_command("approve_raters", str(run.pk), stdout=out)
    assert "With our own people: 100% [86%, 100%] of 24, κ 1.00" in out.getvalue()
    by = ["--rater", "ann", "--reason", "Ann"]
    call_command("approve_raters", str(run.pk), "--by", senior.username, *by, stdout=out)
    assert "1 more person answers for 1 raters" in out.getvalue()
    call_command("approve_raters", str(run.pk), "--by", people.ml_engineer().username, *by, stdout=out)
    assert "1 raters of x.jsonl count as people." in out.getvalue()
    assert approvals.approved_raters() == {(source_of(run), rater_of("ann"))}
    call_command("approve_raters", str(run.pk), "--by", senior.username, "--reason", "no", "--withdraw", stdout=out)
    assert (stated(), Vote.objects.filter(source=source_of(run)).count()) == ({True}, 2 * ALL)
