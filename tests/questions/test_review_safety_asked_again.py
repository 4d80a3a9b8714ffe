"""Asking again when an import changes the words of a review, and asking several people about one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from audit.verification import verify
from catalog.importing import import_reviews
from catalog.models import CustomerReview
from core.actors import SystemActor
from labeling.examples import EDITED, Example, Excluded
from labeling.models import Label, Vote
from labeling.question import question
from moderation.decisions import asking_again, settling
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out, seats
from tests import factories, people
from tests.questions.safety import KIND, asked, is_hidden, says

pytestmark = pytest.mark.django_db
ACTOR = SystemActor("tests")
FILTHY = "You filthy liar."


@pytest.fixture(autouse=True)
def nobody_is_asked_again(settings: Any) -> None:
    """No review is asked about a second time by lot."""
    queue = {**settings.MODERATION.queue, "rereview_percent": 0, "blind_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=queue)


@pytest.fixture
def item() -> ReviewItem:
    """An item about a review of a product."""
    return asked(factories.customer_review(FILTHY, product=factories.product(sku="M-1")))


@pytest.fixture
def edit(tmp_path: Path) -> Callable[[str], None]:
    """Return a function that imports the review `r1` with another text."""

    def again(text: str) -> None:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl"
        path.write_text(json.dumps({"external_id": "r1", "text": text}))
        import_reviews(path, actor=ACTOR)
        CustomerReview.objects.filter(edited_at__isnull=False).update(edited_at=timezone.now())

    return again


@pytest.mark.parametrize("ticked", [[], ["abuse"]])
def test_when_its_words_change_people_are_asked_again(ticked: list[str], edit: Callable[[str], None]) -> None:
    edit(FILTHY)
    item = asked(CustomerReview.objects.get())
    first = says(item, *ticked)
    assert asking_again.ask_again_about_edited() == 0
    edit("Lovely mug.")
    assert asking_again.ask_again_about_edited() == 1
    assert asking_again.ask_again_about_edited() == 0
    item.refresh_from_db()
    assert (item.status, item.assignee, is_hidden(item.subject)) == ("waiting", None, bool(ticked))
    assert "Lovely mug." in item.labeling_task.payload["review_html"]
    assert not Label.objects.filter(question=KIND).exists()
    assert not Vote.objects.filter(question=KIND).exists()
    factories.push_tasks()
    person = first.reviewer
    assert handing_out.next_item(person) == item, "also who answered before"
    second = says(item, by=person)
    assert (second.supersedes, is_hidden(item.subject)) == (first, False)
    assert verify().is_intact


def test_what_waits_is_asked_with_the_new_words_at_once(edit: Callable[[str], None]) -> None:
    edit(FILTHY)
    item = asked(CustomerReview.objects.get())
    ReviewItem.objects.update(suggestion="abuse")
    before = item.labeling_task
    edit("Lovely mug.")
    assert asking_again.ask_again_about_edited() == 1
    item.refresh_from_db()
    before.refresh_from_db()
    assert (item.suggestion, before.status) == ("", "withdrawn")
    assert item.labeling_task.payload["text"] == "Lovely mug."


def test_words_that_came_while_the_task_was_made_are_asked_about(edit: Callable[[str], None]) -> None:
    edit(FILTHY)
    read_before = CustomerReview.objects.get()
    edit("Lovely mug.")
    item = asked(read_before)
    assert item.labeling_task.payload["text"] == FILTHY
    assert asking_again.ask_again_about_edited() == 1
    assert asking_again.ask_again_about_edited() == 0
    item.refresh_from_db()
    assert item.labeling_task.payload["text"] == "Lovely mug."


def test_an_answer_about_the_words_before_is_asked_for_anew(edit: Callable[[str], None]) -> None:
    edit(FILTHY)
    item = asked(CustomerReview.objects.get())
    person = people.reviewer()
    factories.lease(item, person)
    edit("Lovely mug.")
    assert asking_again.ask_again_about_edited() == 0, "whoever has it in hand is not interrupted"
    says(item, "abuse", by=person)
    assert is_hidden(item.subject)
    assert asking_again.ask_again_about_edited() == 1
    factories.push_tasks()
    says(item)
    assert not is_hidden(item.subject)


def test_a_whole_panel_is_asked_again(settings: Any, edit: Callable[[str], None]) -> None:
    edit(FILTHY)
    item = asked(CustomerReview.objects.get())
    seats.add_seat(item)
    factories.push_tasks()
    panel = list(seats.panel_of(item))
    for seat in panel:
        says_of = people.reviewer()
        factories.answer(seat, says_of, review_safety=["abuse"])
        settling.settle_decisions()
    assert is_hidden(item.subject)
    edit("Lovely mug.")
    assert asking_again.ask_again_about_edited() == 1
    factories.push_tasks()
    for seat in seats.panel_of(item):
        assert seat.status == "waiting"
        factories.answer(seat, people.reviewer(), review_safety=[])
        settling.settle_decisions()
    assert not is_hidden(item.subject)
    assert Decision.objects.filter(item=item).count() == 2


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ([["abuse"], ["abuse", "spam"], ["abuse", "spam"]], "abuse+spam"),
        ([["abuse"], [], []], "none"),
        ([["abuse", "spam"], ["abuse"], ["hate", "abuse"]], "abuse"),
        ([["abuse", "spam"], ["abuse", "sexual"], ["abuse", "hate"]], ""),
        ([["abuse"], []], ""),
    ],
)
def test_a_panel_comes_to_what_most_of_it_ticked_and_goes_to_a_senior_otherwise(
    item: ReviewItem, said: list[list[str]], label: str
) -> None:
    for _ in said[1:]:
        seats.add_seat(item)
    factories.push_tasks()
    for seat, ticked in zip(seats.panel_of(item), said, strict=True):
        factories.answer(seat, people.reviewer(), review_safety=ticked)
        settling.settle_decisions()
    decision = Decision.objects.filter(item=item).first()
    assert (decision.label if decision else "") == label
    assert is_hidden(item.subject) == (label not in ("", "none"))
    assert (decision is None) == ReviewItem.objects.filter(lead=item, purpose="adjudication").exists()


def test_other_questions_about_it_are_not_asked_again(edit: Callable[[str], None]) -> None:
    edit(FILTHY)
    item = factories.review_item(CustomerReview.objects.get())
    factories.answer(item, people.reviewer(), sentiment="negative")
    settling.settle_decisions()
    edit("Lovely mug.")
    assert asking_again.ask_again_about_edited() == 0


def test_what_was_said_of_other_words_is_not_learnt_from(edit: Callable[[str], None]) -> None:
    edit(FILTHY)
    item = asked(CustomerReview.objects.get())
    says(item, "abuse")
    (learnt,) = question(KIND).examples()
    assert isinstance(learnt, Example)
    edit("Lovely mug.")  # nobody has been asked again yet
    assert list(question(KIND).examples()) == [Excluded(item.about, EDITED)]
    asking_again.ask_again_about_edited()
    factories.push_tasks()
    item.refresh_from_db()
    says(item)
    (learnt,) = question(KIND).examples()
    assert isinstance(learnt, Example)
    assert (learnt.fields["text"], learnt.fields["label"]) == ("Lovely mug.", "none")
