"""Labels made good by several people in a real Label Studio: overlap, adjudication, and a blind second review."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User

from core.refs import ref
from labeling import issues, sync
from labeling.accounts import sync_accounts
from labeling.annotations import choices
from labeling.models import Label, LabelingTask, LabelIssue, Vote
from moderation.decisions import second_reviews, settling
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out
from tests import factories, people
from tests.label_studio_server import OTHERS, REVIEWER, SENIOR, Desk, as_person
from tests.stamped import give

pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]


class Room:
    """People who answer in Label Studio, each with their own token, and what the desk makes of it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.people = {
            people.people("Senior reviewer" if person is SENIOR else "Reviewer", email=person.email): person
            for person in (REVIEWER, *OTHERS, SENIOR)
        }
        sync_accounts()

    def of(self, email: str) -> User:
        return next(user for user in self.people if user.email == email)

    def sees(self, user: User, item: ReviewItem) -> Any:
        """The task as Label Studio gives it to `user`."""
        return as_person(self.desk.url, self.people[user].token).tasks.get(str(item.labeling_task.ls_task_id))

    def answers(self, user: User, label: str) -> ReviewItem:
        """`user` presses Next and answers in Label Studio."""
        item = handing_out.next_item(user)
        assert item is not None, "nothing waits for them"
        said = [choices("sentiment", label, to="review")]
        give(self.desk, item.labeling_task, said, by=self.people[user], lead_time=4.2)
        sync.reconcile()
        settling.settle_decisions()
        sync.push_tasks()
        item.refresh_from_db()
        return item


def test_three_people_disagree_a_senior_decides_and_a_fourth_judges_the_label_blind(
    label_studio: Desk, settings: Any
) -> None:
    rules = {"num_reviewers_per_item": 3, "min_quality": 0.7, "rereview_percent": 0, "blind_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=settings.MODERATION.queue | rules)
    room = Room(label_studio)
    one, two, three, four = (room.of(person.email) for person in (REVIEWER, *OTHERS))
    senior = room.of(SENIOR.email)
    factories.sentiment(factories.customer_review("Broke at once. Splendid."), "positive", confidence=0.4)
    settling.open_reviews()
    sync.push_tasks()
    assert LabelingTask.objects.filter(status="pushed").count() == 3, "a task for each of them"

    first = room.answers(one, "negative")
    second = handing_out.next_item(two)
    assert second is not None
    assert second != first
    assert not room.sees(two, second).annotations, "nobody sees what another person answered"
    task = room.sees(two, second)
    assert "The model suggests: positive, sure to 40%" in task.data["review_html"]
    assert not task.predictions, "beside the choices, and not ticked"
    room.answers(two, "negative")
    room.answers(three, "positive")
    assert not Decision.objects.exists(), "two of three are not sure enough here"
    adjudication = ReviewItem.objects.get(purpose="adjudication")
    task = room.sees(senior, adjudication)
    assert "2 negative, 1 positive" in task.data["review_html"]
    assert not task.predictions
    assert handing_out.next_item(four) is None, "it is for a senior"
    room.answers(senior, "negative")
    decision = Decision.objects.get()
    assert (decision.label, decision.reviewer) == ("negative", senior)
    held = Label.objects.get()
    assert (held.label, held.method) == ("negative", "adjudicated")

    issues.raise_issues(held.question, [issues.Suspicion(held.subject, "negative", "positive", 0.02, ["cleanlab"])])
    second_reviews.open_second_reviews()
    sync.push_tasks()
    for person in (one, two, three, senior):
        assert handing_out.next_item(person) is None, "who was asked before does not judge"
    flagged = handing_out.next_item(four)
    assert flagged is not None
    task = room.sees(four, flagged)
    assert (list(task.annotations), list(task.predictions)) == ([], []), "neither the label nor the suggestion"
    assert "negative" not in str(task.data)
    room.answers(four, "positive")
    assert LabelIssue.objects.get().status == "confirmed"
    assert Label.objects.get().label == "positive"
    assert Decision.objects.get(superseded_by=None).reviewer == four
    assert sorted(Vote.objects.filter(subject=ref(first.subject)).values_list("purpose", flat=True)) == [
        "adjudication",
        "label",
        "label",
        "label",
        "second_review",
    ]


def test_a_person_in_the_blind_arm_is_shown_no_suggestion(label_studio: Desk, settings: Any) -> None:
    rules = settings.MODERATION.queue | {"blind_percent": 100, "rereview_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=rules)
    room = Room(label_studio)
    factories.sentiment(factories.customer_review("Broke at once. Splendid."), "positive", confidence=0.4)
    settling.open_reviews()
    sync.push_tasks()
    user = room.of(REVIEWER.email)
    item = handing_out.next_item(user)
    assert item is not None
    assert not room.sees(user, item).predictions
    assert "suggests" not in room.sees(user, item).data["review_html"]
    room.answers(user, "negative")
    vote = Vote.objects.get()
    assert (vote.suggestion, vote.is_assisted) == ("positive", False)
    assert 0 < vote.seconds <= 4.2, "no longer than it was before them"
