"""Blind second reviews of labels that look wrong, blind re-reviews, and known answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from catalog.models import CustomerReview
from core.actors import SystemActor
from core.exceptions import PermanentError
from core.refs import ref
from labeling import issues, labels
from labeling.models import Consensus, Label, LabelingTask, LabelIssue, Vote
from moderation.decisions import second_reviews, settling
from moderation.live import history
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import back_pressure, handing_out
from monitoring import dashboard, flow, sla
from tests import factories, people
from tests.moderation.test_panels import push

pytestmark = pytest.mark.django_db
Answer = Callable[..., Consensus]


@pytest.fixture
def decided(rules: Any, answer: Answer) -> ReviewItem:
    """A customer review that one person called negative."""
    item = factories.review_item(factories.customer_review("bad and good"))
    answer(item, people.reviewer(), sentiment="negative")
    settling.settle_decisions()
    item.refresh_from_db()
    return item


def suspect(item: ReviewItem, *, score: float = 0.1, suggested: str = "positive") -> LabelIssue:
    subject = ref(item.subject)
    issues.raise_issues(item.question, [issues.Suspicion(subject, "negative", suggested, score, ["cleanlab", "loss"])])
    return LabelIssue.objects.get(subject=subject)


def test_a_flag_is_judged_by_another_person_who_sees_neither_the_label_nor_the_suggestion(
    decided: ReviewItem, answer: Answer
) -> None:
    first = decided.assignee
    issue = suspect(decided)
    assert second_reviews.open_second_reviews() == 1
    assert second_reviews.open_second_reviews() == 0, "once"
    seat = decided.seats.get()
    assert (seat.purpose, seat.labeling_task.shows_predictions) == ("second_review", False)
    assert seat.labeling_task.payload == decided.labeling_task.payload, "it looks like any other"
    push()
    assert not handing_out.waiting_for(first).exists(), "who gave the label does not judge it"
    second = people.reviewer()
    assert handing_out.next_item(second) == seat
    answer(seat, second, sentiment="positive")
    assert settling.settle_decisions() == 1
    issue.refresh_from_db()
    assert (issue.status, issue.verdict) == ("confirmed", "positive")
    assert (Label.objects.get().label, Label.objects.get().method) == ("positive", "second_review")
    now, before = Decision.objects.order_by("-created_at")
    assert (now.label, now.reviewer, now.supersedes) == ("positive", second, before)


def test_a_flag_that_the_second_person_does_not_share_changes_nothing_and_is_not_raised_again(
    decided: ReviewItem, answer: Answer
) -> None:
    issue = suspect(decided)
    second_reviews.open_second_reviews()
    answer(decided.seats.get(), people.reviewer(), sentiment="negative")
    assert settling.settle_decisions() == 0
    issue.refresh_from_db()
    assert issue.status == "dismissed"
    assert (Label.objects.get().label, Decision.objects.count()) == ("negative", 1)
    again = issues.raise_issues(
        decided.question, [issues.Suspicion(ref(decided.subject), "negative", "positive", 0.01, ["cleanlab"])]
    )
    assert again == 0


def test_the_precision_of_each_method_is_what_second_reviews_confirmed(decided: ReviewItem) -> None:
    now = timezone.now()
    for number in range(40):
        LabelIssue.objects.create(
            question=decided.question,
            subject=f"s:{number}",
            given="negative",
            score=0.1,
            judged_at=now,
            methods=["cleanlab", "loss"] if number % 2 else ["cleanlab"],
            status="confirmed" if number % 4 else "dismissed",
        )
    found = issues.precision(decided.question)
    assert (found["cleanlab"].value, found["cleanlab"].n) == (0.75, 40)
    assert (found["loss"].value, found["loss"].n) == (1.0, 20)
    assert found["cleanlab"].low < 0.75 < found["cleanlab"].high


def test_a_label_that_changed_meanwhile_makes_its_issue_stale(decided: ReviewItem) -> None:
    issue = suspect(decided)
    labels.record_label(
        decided.question,
        ref(decided.subject),
        label="positive",
        method="adjudicated",
        quality=None,
        n_votes=2,
        at=timezone.now(),
    )
    issue.refresh_from_db()
    assert issue.status == "stale"
    assert second_reviews.open_second_reviews() == 0


def test_a_label_that_an_import_brought_is_judged_too(rules: Any, answer: Answer) -> None:
    imported = factories.customer_review("bad, bad, bad")
    Label.objects.create(
        question="sentiment",
        subject=ref(imported),
        label="positive",
        method="import",
        source="import:1",
        labelled_at=timezone.now(),
    )
    issues.raise_issues("sentiment", [issues.Suspicion(ref(imported), "positive", "negative", 0.05, ["cleanlab"])])
    assert second_reviews.open_second_reviews() == 1
    answer(ReviewItem.objects.get(), people.reviewer(), sentiment="negative")
    assert settling.settle_decisions() == 1
    assert (Label.objects.get().label, Label.objects.get().source) == ("negative", "label_studio")
    assert Decision.objects.get().label == "negative"


def test_an_issue_about_something_that_is_gone_is_dropped(rules: Any) -> None:
    gone = factories.customer_review("soon gone")
    issues.raise_issues("sentiment", [issues.Suspicion(ref(gone), "positive", "negative", 0.05, ["cleanlab"])])
    CustomerReview.objects.all().delete()
    assert second_reviews.open_second_reviews() == 0
    assert LabelIssue.objects.get().status == "stale"


def test_only_so_many_second_reviews_wait_at_a_time(rules: Any) -> None:
    for number in range(60):
        row = factories.customer_review(f"so so {number}")
        issues.raise_issues("sentiment", [issues.Suspicion(ref(row), "positive", "negative", number / 100, ["loss"])])
    assert second_reviews.open_second_reviews() == second_reviews.AT_ONCE
    assert second_reviews.open_second_reviews() == 0
    assert LabelIssue.objects.filter(status="open").count() == 10
    assert min(LabelIssue.objects.filter(status="open").values_list("score", flat=True)) == 0.5, "the worst went first"


def test_a_share_of_what_is_decided_is_reviewed_again_blind(rules: Any, answer: Answer) -> None:
    rules(rereview_percent=100)
    item = factories.review_item(factories.customer_review("bad and good"))
    answer(item, people.reviewer(), sentiment="negative")
    settling.settle_decisions()
    seat = item.seats.get()
    assert (seat.purpose, seat.labeling_task.shows_predictions) == ("audit", False)
    answer(seat, people.reviewer(), sentiment="positive")
    settling.settle_decisions()
    assert Label.objects.get().label == "negative", "a re-review measures; it changes nothing by itself"
    assert LabelIssue.objects.get().methods == ["rereview"]
    assert second_reviews.open_second_reviews() == 1, "a third person judges"
    assert Vote.objects.filter(purpose="audit").count() == 1


def test_a_known_answer_is_mixed_in_and_measures_the_person(decided: ReviewItem, rules: Any, answer: Answer) -> None:
    with pytest.raises(PermissionDenied):
        second_reviews.set_gold(decided, label="negative", actor=people.reviewer())
    with pytest.raises(PermanentError):
        second_reviews.set_gold(decided, label="splendid", actor=people.senior())
    second_reviews.set_gold(decided, label="negative", actor=people.senior())
    assert second_reviews.keep_gold_ready() == 0, "the queue tests nobody"
    rules(gold_percent=50)
    assert second_reviews.keep_gold_ready() == 1
    assert second_reviews.keep_gold_ready() == 0, "one of each waits"
    push()
    person, gold = people.reviewer(), decided.seats.get()
    assert not handing_out.waiting_for(person).exists(), "it is not ordinary work"
    for _ in range(50):
        if handing_out.next_item(person):
            break
    gold.refresh_from_db()
    assert gold.assignee == person
    answer(gold, person, sentiment="positive")
    settling.settle_decisions()
    vote = Vote.objects.get(purpose="gold")
    assert (vote.label, vote.expected, vote.rater) == ("positive", "negative", f"user:{person.pk}")
    assert (Label.objects.get().label, Decision.objects.count()) == ("negative", 1), "a test changes no label"
    assert second_reviews.keep_gold_ready() == 1, "the next one is ready"
    assert LabelingTask.objects.count() == 3


def test_a_flag_keeps_whoever_raised_it_and_speaks_of_todays_label(decided: ReviewItem) -> None:
    subject = ref(decided.subject)
    issue = suspect(decided, score=0.2)
    issues.differs(decided.question, subject, said="neutral")
    issue.refresh_from_db()
    assert (issue.methods, issue.score, issue.suggested) == (["cleanlab", "loss", "rereview"], 0.2, "positive")
    Label.objects.update(label="neutral")  # an import
    issues.raise_issues(decided.question, [issues.Suspicion(subject, "neutral", "positive", 0.1, ["loss"])])
    issue.refresh_from_db()
    assert (issue.given, issue.score, issue.methods) == ("neutral", 0.1, ["cleanlab", "loss", "rereview"])


def test_known_answers_that_wait_are_no_backlog(decided: ReviewItem, rules: Any) -> None:
    rules(gold_percent=50, max_waiting=1)
    second_reviews.set_gold(decided, label="negative", actor=people.senior())
    second_reviews.keep_gold_ready()
    push()
    assert back_pressure.count_waiting(decided.question, limit=10) == 0
    assert not any(queue.waiting for queue in dashboard.queues())
    assert all(stage.depth == 0 for stage in flow.stages() if stage.key == decided.question)
    assert all(report.n_open == 0 for report in sla.reports(window=timezone.timedelta(days=1)))


def test_the_story_of_a_candidate_tells_of_everybody_who_was_asked(rules: Any, answer: Answer) -> None:
    rules(num_reviewers_per_item=2)
    candidate = factories.candidate(status="in_review", rank=1)
    settling.open_reviews()
    seat = ReviewItem.objects.exclude(lead=None).get()
    answer(seat, people.reviewer(), verdict="accept")
    settling.settle_decisions()
    assert "moderation.item.answered" in {
        entry.action for entry in history.timeline(candidate, reader=SystemActor("tests"))
    }
