"""What people said becomes files that never change, split so that nothing leaks."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from audit.models import LedgerEntry
from catalog.models import CustomerReview
from core.exceptions import PermanentError
from core.refs import ref
from inference import artifacts, prompts
from labeling import examples, labels
from labeling.models import Label, LabelIssue
from tests import factories, people
from tests.training.shop import KIND, WORDS, label_reviews
from training import curation, near_copies, partition, snapshots
from training.splits import SPLITS, split_of

pytestmark = pytest.mark.django_db


def excluded() -> dict[str, int]:
    return snapshots.freeze("sentiment", actor=people.ml_engineer()).manifest["excluded"]


@given(st.text(max_size=30))
def test_a_product_is_always_in_the_same_part(group: str) -> None:
    assert split_of(group) == split_of(group)
    assert split_of(group) in SPLITS


def test_parts_have_their_shares() -> None:
    parts = [split_of(f"SKU-{n}") for n in range(10_000)]
    assert [round(parts.count(part) / 10_000, 1) for part in SPLITS] == [0.7, 0.1, 0.2]


def test_the_same_labels_give_the_same_snapshot_and_no_product_is_in_two_parts() -> None:
    label_reviews(200)
    first = snapshots.freeze("sentiment", actor=people.ml_engineer())
    again = snapshots.freeze("sentiment", actor=people.ml_engineer())
    assert again == first
    assert first.n_train + first.n_validation + first.n_test == 200
    groups = {part: {row.group for row in snapshots.read(first, part)} for part in SPLITS}
    assert not groups["train"] & groups["test"]
    assert not groups["train"] & groups["validation"]
    assert LedgerEntry.objects.filter(action="training.snapshot.frozen").count() == 1
    label_reviews(5, seed=2)
    later = snapshots.freeze("sentiment", actor=people.ml_engineer())
    assert (later.artifact_hash != first.artifact_hash, later.parent) == (True, first)
    kept = {row.subject for row in snapshots.read(first, "test")}
    assert kept <= {row.subject for row in snapshots.read(later, "test")}, "what is in the test part stays there"


def test_what_is_in_doubt_doubled_erased_or_personal_is_left_out_with_the_reason() -> None:
    label_reviews(60)
    learnt = [row.subject for row in snapshots.read(snapshots.freeze("sentiment", actor=people.ml_engineer()), "train")]
    LabelIssue.objects.create(question=KIND, subject=learnt[0], given="positive", score=0.1, methods=["loss"])
    CustomerReview.objects.filter(pk=learnt[1].partition(":")[2]).delete()
    twin, other, contact = (
        factories.customer_review(text) for text in ("So so.", " SO so. ", "Call 202-555-0147, it leaks.")
    )
    fight = factories.customer_review("lovely lovely")
    against = factories.customer_review("Lovely  lovely")
    for review, label in (
        (twin, "neutral"),
        (other, "neutral"),
        (contact, "negative"),
        (fight, "positive"),
        (against, "negative"),
    ):
        labels.record_label(
            KIND, ref(review), label=label, method="single", quality=None, n_votes=1, at=review.created_at
        )
    assert excluded() == {
        examples.OPEN_ISSUE: 1,
        examples.GONE: 1,
        examples.DUPLICATE: 1,
        examples.PERSONAL_DATA: 1,
        examples.CONFLICT: 2,
    }
    LabelIssue.objects.update(status="dismissed")
    assert examples.OPEN_ISSUE not in excluded(), "once it was judged it is learnt from"


def test_a_label_in_doubt_is_tested_on_and_not_learnt_from_until_a_person_looked() -> None:
    label_reviews(200)
    before = snapshots.freeze("sentiment", actor=people.ml_engineer())
    doubted = {part: snapshots.read(before, part)[0] for part in ("train", "validation", "test")}
    for row in doubted.values():
        LabelIssue.objects.create(question=KIND, subject=row.subject, given=row.label, score=0.1, methods=["loss"])
    snapshot = snapshots.freeze("sentiment", actor=people.ml_engineer())
    assert snapshot.manifest["excluded"] == {examples.OPEN_ISSUE: 2}
    assert (snapshot.n_test, snapshot.manifest["test_in_doubt"]) == (before.n_test, 1)
    assert doubted["test"].subject in {row.subject for row in snapshots.read(snapshot, "test")}
    assert snapshots.left_out_today(before) == {examples.OPEN_ISSUE: 2}
    LabelIssue.objects.update(status="confirmed")
    looked_at = snapshots.freeze("sentiment", actor=people.ml_engineer())
    assert (looked_at.manifest["excluded"], looked_at.manifest["test_in_doubt"]) == ({}, 0)


def test_a_text_in_doubt_that_somebody_else_wrote_too_takes_no_certain_label_with_it() -> None:
    label_reviews(40)
    said = [factories.customer_review(text) for text in ("It broke at once.", "it broke at  once.")]
    for review, label in zip(said, ("positive", "negative"), strict=True):
        labels.record_label(
            KIND, ref(review), label=label, method="single", quality=None, n_votes=1, at=review.created_at
        )
    assert excluded() == {examples.CONFLICT: 2}
    LabelIssue.objects.create(question=KIND, subject=ref(said[0]), given="positive", score=0.1, methods=["loss"])
    assert excluded() == {examples.OPEN_ISSUE: 1}


def test_near_copies_of_reviews_of_other_products_are_in_one_part_and_those_that_say_little_in_the_test_part_alone() -> (
    None
):
    at, rng = timezone.now(), random.Random(2)
    names = [name for words in WORDS.values() for name in words]
    for number in range(60):
        text = " ".join(f"{name}{rng.randrange(9)}" for name in rng.sample(names, 9))
        for place, said in enumerate((text, f"{text.upper()} !", "Very good", f"very good{'.' * (number % 5 + 1)}")):
            review = factories.customer_review(said, product=factories.product(sku=f"SHOP-{number}-{place}"))
            labels.record_label(KIND, ref(review), label="positive", method="single", quality=None, n_votes=1, at=at)
    snapshot = snapshots.freeze("sentiment", actor=people.ml_engineer())
    rows = {part: snapshots.read(snapshot, part) for part in SPLITS}
    parts: dict[bytes, set[str]] = {}
    for part, found in rows.items():
        for row in found:
            parts.setdefault(near_copies.letters(row.text), set()).add(part)
    assert len(parts) == 61
    assert all(len(found) == 1 for found in parts.values())
    assert parts[b"verygood"] == {"test"}
    assert set(snapshot.manifest["excluded"]) == {examples.DUPLICATE, examples.NEAR_COPY}
    assert sum(map(len, rows.values())) == 120 + sum(
        near_copies.letters(row.text) == b"verygood" for row in rows["test"]
    )
    closest = snapshot.manifest["closest"]
    assert closest is None or closest["similarity"] < near_copies.ALIKE
    assert closest == partition.closest(snapshot.task, snapshots.read_all(snapshot))


def test_with_enough_labels_given_without_a_suggestion_these_alone_are_the_test(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(partition, "FEWEST_BLIND", 5)
    subjects = label_reviews(150)
    # One of three saw no suggestion: what the three agree on leans to the model all the same.
    labels.record_vote(
        KIND,
        subjects[0],
        rater="b",
        label="positive",
        purpose="label",
        at=Label.objects.first().labelled_at,
        suggestion="",
        is_assisted=False,
        seconds=3,
    )
    for number, subject in enumerate(subjects):
        labels.record_vote(
            KIND,
            subject,
            rater="a",
            label="positive",
            purpose="label",
            at=Label.objects.first().labelled_at,
            suggestion="positive",
            is_assisted=number % 2 == 0,
            seconds=3,
        )
    snapshot = snapshots.freeze("sentiment", actor=people.ml_engineer())
    assert snapshot.manifest["test_labels"] == {"blind": snapshot.n_test}
    assert snapshot.manifest["excluded"][examples.ASSISTED] > 5
    assert all(row.fields["blind"] for row in snapshots.read(snapshot, "test"))
    everything = [row for part in SPLITS for row in snapshots.read(snapshot, part)]
    assert not any(row.fields["blind"] for row in everything if row.subject == subjects[0])
    assert {row.fields["blind"] for row in snapshots.read(snapshot, "train")} == {True, False}


def test_with_enough_labels_of_people_what_a_file_stated_is_not_tested_on(settings: Any) -> None:
    subjects = label_reviews(200)
    Label.objects.filter(subject__in=subjects[::2]).update(method="import", source="import:stars")
    settings.TRAINING = replace(settings.TRAINING, gate={"min_test": 10_000})
    few = snapshots.freeze("sentiment", actor=people.ml_engineer())
    n = few.n_stated
    assert few.manifest["test_labels"] == {"stated": n, "unknown": few.n_test - n}
    assert n > 0, "better than nothing, and said"
    settings.TRAINING = replace(settings.TRAINING, gate={"min_test": 10})
    enough = snapshots.freeze("sentiment", actor=people.ml_engineer())
    assert (enough.n_stated, enough.n_test) == (0, few.n_test - n)
    assert enough.manifest["excluded"][examples.STATED] == n
    assert enough.n_train == few.n_train, "to learn from it is good enough"


def test_a_snapshot_that_was_changed_is_not_read() -> None:
    label_reviews(50)
    snapshot = snapshots.freeze("sentiment", actor=people.ml_engineer())
    folder = artifacts.path_for(snapshot.artifact_hash)
    (folder / "train.jsonl").write_text("{}\n")
    artifacts._verified.discard(folder)
    with pytest.raises(PermanentError, match="was changed"):
        snapshots.read(snapshot, "train")


def test_decisions_about_copy_become_examples_with_the_prompt_of_serving() -> None:
    people.reviewer()
    approved = factories.candidate("A mug.", status="approved")
    factories.decision(factories.review_item(approved), "approve", result=approved)
    draft = factories.candidate("A golden mug.", status="rejected")
    fix = factories.candidate(
        "A sea green mug.", request=draft.request, origin="human", parent=draft, model_version=None
    )
    factories.decision(factories.review_item(draft), "edit", result=fix, reasons=["unsupported_claim"])
    rejected = factories.candidate("The best mug.", status="rejected")
    factories.decision(factories.review_item(rejected), "reject")

    copy = {item.subject: item for item in curation.collect("copy") if isinstance(item, examples.Example)}
    assert {item.fields["completion"] for item in copy.values()} == {"A mug.", "A sea green mug."}
    (pair,) = curation.collect("preference")
    assert isinstance(pair, examples.Example)
    assert (pair.fields["chosen"], pair.fields["rejected"], pair.fields["reasons"]) == (
        "A sea green mug.",
        "A golden mug.",
        ["unsupported_claim"],
    )
    verdicts = sorted(
        item.fields["label"] for item in curation.collect("validity") if isinstance(item, examples.Example)
    )
    assert verdicts == ["invalid", "invalid", "valid"]
    prompt = copy[ref(approved)].fields["prompt"]
    brief = next(iter([item for item in prompt if item["role"] == "user"][-1:]))
    assert approved.product.title in brief["content"]
    assert prompt[0]["content"] == prompts.render(_brief(approved))[0].content
    approved.product.__class__.objects.filter(pk=approved.product.pk).update(facts_hash="other")
    assert examples.Excluded(ref(approved), examples.OUTDATED) in list(curation.collect("copy"))


def test_of_copy_what_is_in_doubt_or_was_judged_otherwise_is_not_written_like() -> None:
    people.reviewer()
    approved = factories.candidate("A mug.", status="approved")
    factories.decision(factories.review_item(approved), "approve", result=approved)
    draft = factories.candidate("A golden mug.", status="rejected")
    fix = factories.candidate("A blue mug.", request=draft.request, origin="human", parent=draft, model_version=None)
    factories.decision(factories.review_item(draft), "edit", result=fix)
    of = {approved: "accept", draft: "fix"}

    def hold(method: str) -> None:
        for one, label in of.items():
            labels.record_label(
                "copy_verdict", ref(one), label=label, method=method, quality=None, n_votes=1, at=one.created_at
            )

    def found(task: str) -> dict[str, str]:
        return {
            item.subject: item.reason
            if isinstance(item, examples.Excluded)
            else examples.OPEN_ISSUE
            if item.is_doubted
            else str(item.fields.get("label", "learnt"))
            for item in curation.collect(task)
        }

    hold("single")
    for one, label in of.items():
        LabelIssue.objects.create(question="copy_verdict", subject=ref(one), given=label, score=0.1, methods=["loss"])
    doubt = examples.OPEN_ISSUE
    assert found("copy") == {ref(approved): doubt, ref(fix): doubt}
    assert found("preference") == {ref(fix): doubt}
    assert found("validity") == {ref(approved): doubt, ref(draft): doubt}
    # A second person comes to another verdict on both, which changes the labels and not the decisions.
    LabelIssue.objects.update(status="confirmed")
    of = {approved: "reject", draft: "accept"}
    hold("second_review")
    wrong = examples.OVERRULED
    assert found("copy") == {ref(approved): wrong, ref(fix): wrong}
    assert found("preference") == {ref(fix): wrong}
    assert found("validity") == {ref(approved): "invalid", ref(draft): "valid"}


def test_second_reviews_of_copy_are_looked_up_once() -> None:
    def decide() -> int:
        draft = factories.candidate("A mug.", status="approved")
        factories.decision(factories.review_item(draft), "approve", result=draft)
        with CaptureQueriesContext(connection) as asked:
            list(curation.collect("copy"))
        return sum("labeling_" in query["sql"] for query in asked)

    assert decide() == decide()


def _brief(candidate: Any) -> Any:
    from catalog.slots import Slot
    from moderation.drafting.generation import brief_for

    return brief_for(Slot.of(candidate))


def test_nothing_to_freeze_says_where_examples_come_from() -> None:
    with pytest.raises(PermanentError, match="nothing to learn review sentiment from"):
        snapshots.freeze("sentiment", actor=people.ml_engineer())
    with pytest.raises(PermissionDenied):
        snapshots.freeze("sentiment", actor=people.reviewer())


def test_what_came_with_a_feed_that_may_not_be_learnt_from_is_left_out(settings: Any) -> None:
    subjects = label_reviews(10)
    bought = factories.product(source="wholesaler.csv")
    CustomerReview.objects.filter(pk=subjects[3].partition(":")[2]).update(product=bought)
    draft = factories.candidate("A mug.", status="approved", request=factories.generation_request(product_=bought))
    factories.decision(factories.review_item(draft), "approve", result=draft)
    assert excluded() == {}
    settings.TRAINING = replace(settings.TRAINING, barred_feeds=["wholesaler.csv"])
    assert excluded() == {examples.LICENCE: 1}
    assert list(curation.collect("copy")) == [examples.Excluded(ref(draft), examples.LICENCE)]
