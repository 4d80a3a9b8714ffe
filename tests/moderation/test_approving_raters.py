"""Who a file calls a rater is nobody until another person answers for them: what they say decides nothing before."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from audit.models import LedgerEntry
from audit.verification import verify
from catalog.models import CustomerReview, ImportRun
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.refs import ref
from labeling import approvals, consensus, labels
from labeling.models import Label, Vote
from moderation.label_exchange.approving import approve_raters, is_approved, withdraw_approval
from moderation.label_exchange.importing import File, import_labels, source_of
from tests import factories, people
from training import curation, snapshots

pytestmark = pytest.mark.django_db
ACTOR = SystemActor("tests")
KIND = "review_sentiment"


def bring(path: Path, rows: list[dict[str, Any]], *, actor: Any = ACTOR) -> ImportRun:
    """Import `rows`."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return import_labels(File(path), actor=actor)


def said(n: int, *raters: str, label: str = "negative") -> list[dict[str, Any]]:
    """What `raters` say of `n` reviews."""
    return [{"text": f"Review {i}", "label": label, "rater": rater} for i in range(n) for rater in raters]


def stated() -> set[bool]:
    """Whether the examples to learn from count as stated by a file."""
    return {item.is_stated for item in curation.collect("sentiment") if isinstance(item, curation.Example)}


def test_raters_of_a_file_are_no_people_until_somebody_answers_for_them(tmp_path: Path) -> None:
    run = bring(tmp_path / "x.jsonl", said(3, "gpt-4o"))
    assert stated() == {True}
    assert approve_raters(run, reason="our support team", actor=people.senior()) == 1
    assert stated() == {False}
    withdraw_approval(run, reason="it was a model", actor=people.ml_engineer())
    assert stated() == {True}
    actions = ["labeling.raters.approved", "labeling.raters.withdrawn"]
    lines = list(LedgerEntry.objects.filter(action__in=actions).order_by("seq"))
    assert [(line.action, line.subject, line.payload["n_raters"]) for line in lines] == [
        (action, ref(run), 1) for action in actions
    ]
    assert "support" not in json.dumps([line.payload for line in lines]), "what was typed is sealed"
    assert verify().is_intact


def test_a_label_that_names_no_rater_is_nobodys_whoever_answers(tmp_path: Path) -> None:
    run = bring(tmp_path / "x.jsonl", [*said(2, "ann"), {"text": "Bare", "label": "neutral"}])
    approve_raters(run, reason="Ann is one of us", actor=people.senior())
    assert stated() == {True, False}
    only = bring(tmp_path / "y.jsonl", [{"text": "Barer", "label": "neutral"}])
    with pytest.raises(PermanentError, match="no votes"):
        approve_raters(only, reason="x", actor=people.senior())


def test_one_unknown_vote_makes_a_label_a_files_word(tmp_path: Path) -> None:
    known = bring(tmp_path / "x.jsonl", said(3, "ann", "bob"))
    approve_raters(known, reason="Ann and Bob", actor=people.senior())
    bring(tmp_path / "y.jsonl", said(1, "gpt-4o", "gpt-5", "gpt-6", label="positive"))
    assert Label.objects.get(label="positive").n_votes == 5
    assert {i.is_stated: i.fields["label"] for i in curation.collect("sentiment") if isinstance(i, curation.Example)} == {
        True: "positive", False: "negative"}  # fmt: skip
    bring(tmp_path / "z.jsonl", said(3, "ann"))
    assert stated() == {True, False}, "the same again under another import changes nothing"


def test_what_an_approved_rater_is_made_to_say_by_another_file_is_not_approved(tmp_path: Path) -> None:
    approve_raters(bring(tmp_path / "x.jsonl", said(3, "ann")), reason="Ann", actor=people.senior())
    bring(tmp_path / "y.jsonl", said(3, "ann", label="positive"))
    assert set(Label.objects.values_list("label", flat=True)) == {"positive"}
    assert stated() == {True}


def test_votes_of_a_file_do_not_outvote_those_who_were_asked(tmp_path: Path) -> None:
    review = factories.customer_review("Review 0", external_id="r-1")
    rows = [{"external_id": "r-1", "label": "positive", "rater": f"gpt-{n}"} for n in range(3)]
    run = bring(tmp_path / "x.jsonl", rows)
    for rater in ("user:71", "user:72"):
        labels.record_vote(KIND, ref(review), rater=rater, label="negative", purpose="label", at=review.created_at)
    for method in ("majority", "dawid_skene", "crowdlab"):
        agreed = consensus.agree(KIND, ref(review), method=method)
        assert (agreed.label, agreed.votes) == ("negative", {"negative": 2})
    approve_raters(run, reason="they are people", actor=people.senior())
    assert consensus.agree(KIND, ref(review), method="majority").label == "positive"


def test_flipped_labels_under_made_up_raters_are_counted_as_a_files_in_a_snapshot(tmp_path: Path) -> None:
    bring(tmp_path / "x.jsonl", said(60, "ann", "bob", label="positive"))
    snapshot = snapshots.freeze("sentiment", actor=people.ml_engineer())
    assert snapshots.n_stated(snapshot) == snapshot.n_test > 0


def test_who_brought_a_file_in_does_not_answer_for_it(tmp_path: Path) -> None:
    engineer = people.ml_engineer()
    run = bring(tmp_path / "x.jsonl", said(1, "ann"), actor=engineer)
    with pytest.raises(PermanentError, match="somebody else"):
        approve_raters(run, reason="Ann", actor=engineer)
    assert not is_approved(run)
    approve_raters(run, reason="Ann", actor=people.ml_engineer())
    approve_raters(run, reason="Ann, again", actor=people.senior())
    assert approvals.approved_sources() == {source_of(run)}
    assert LedgerEntry.objects.filter(action=approvals.APPROVED).count() == 1, "twice is once"


def test_a_person_with_the_permission_and_a_reason_answers_for_a_finished_import(tmp_path: Path) -> None:
    run = bring(tmp_path / "x.jsonl", said(1, "ann"))
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
    path.write_text(json.dumps(said(1, "ann")[0]))
    call_command("import_labels", str(path), stdout=out)
    run = ImportRun.objects.get()
    assert f"approve_raters {run.pk} --by" in out.getvalue()
    for wrong in (
        ["--reason", "Ann"],
        ["--by", senior.username],
        ["--by", people.reviewer().username, "--reason", "x"],
    ):
        with pytest.raises(CommandError):
            call_command("approve_raters", str(run.pk), *wrong)
    with pytest.raises(CommandError, match="no import"):
        call_command("approve_raters", "0", "--by", senior.username, "--reason", "x")
    call_command("approve_raters", str(run.pk), "--by", senior.username, "--reason", "Ann", stdout=out)
    assert "1 raters of x.jsonl count as people." in out.getvalue()
    call_command("approve_raters", str(run.pk), "--by", senior.username, "--reason", "no", "--withdraw", stdout=out)
    assert (stated(), Vote.objects.count(), CustomerReview.objects.count()) == ({True}, 1, 1)
