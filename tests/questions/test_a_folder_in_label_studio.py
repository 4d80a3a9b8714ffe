"""Questions of one folder or file, all the way through a real Label Studio: asked, answered, decided, labelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from core.refs import ref
from inference import artifacts, loader
from labeling import sync
from labeling.accounts import sync_accounts
from labeling.annotations import choices
from labeling.models import Consensus, Label, LabelingTask, Vote
from labeling.presentation import as_seen
from labeling.question import question
from moderation import explaining, scoring
from moderation.decisions import settling
from moderation.models.predictions import Prediction
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out
from questions.models import QuestionVersion
from questions.review_safety import first_scorer
from tests import factories, people
from tests.label_studio_server import OTHERS, REVIEWER, Desk, as_person
from tests.questions.delivery import Delivery
from tests.questions.safety import KIND as SAFETY
from tests.questions.safety import is_hidden
from tests.questions.test_declared import DAMAGE
from tests.stamped import give

pytestmark = [pytest.mark.label_studio, pytest.mark.django_db(transaction=True)]
PEOPLE = (REVIEWER, OTHERS[0])
# What a person ticks in Label Studio → the label that has to come of it.
TICKS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "delivery": (("late",), "late"),
    "damage": (("broken",), "broken"),
    # In the order of the choices, however they were ticked.
    "review_topics": (("price", "quality"), "quality+price"),
    SAFETY: (("spam", "abuse"), "abuse+spam"),
}


@pytest.fixture(autouse=True)
def known(tmp_path: Path, settings: Any) -> None:
    """A folder, two files and the model that ships for one question; everything is asked, nothing by chance."""
    settings.QUESTIONS_DIR = str(tmp_path)
    (tmp_path / "damage.yaml").write_text(DAMAGE)
    settings.QUESTIONS = {
        **settings.QUESTIONS,
        "delivery": "tests.questions.delivery.Delivery",
        "damage": "questions.declared.damage",
        "review_topics": "questions.declared.review_topics",
    }
    rules = {"rereview_percent": 0, "blind_percent": 0, "random_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=settings.MODERATION.queue | rules)
    Delivery.acted.clear()
    loader.forget()


def _serves_safety(folder: Path) -> None:
    folder.mkdir()
    first_scorer.build(folder)
    factories.model_version(SAFETY, backend="safety_words", artifact_hash=artifacts.store_directory(folder))


def _answer(desk: Desk, user: User, token: str) -> dict[str, Any]:
    """Have `user` answer all that is handed to them, in Label Studio; returns the data that they saw of each kind."""
    saw: dict[str, Any] = {}
    while (item := handing_out.next_item(user)) is not None:
        task = item.labeling_task
        assert task is not None
        saw[item.question] = as_person(desk.url, token).tasks.get(str(task.ls_task_id)).data
        ticked = TICKS[item.question][0]
        by = next(person for person in PEOPLE if person.token == token)
        give(desk, task, [choices(item.question, *ticked, to="review")], by=by, lead_time=3.1)
        sync.reconcile()
        settling.settle_decisions()
    return saw


def test_each_is_asked_answered_and_decided_in_a_real_label_studio(label_studio: Desk, tmp_path: Path) -> None:
    call_command("questions", "load", "damage", "--by", people.administrator().username, "--yes", stdout=StringIO())
    assert QuestionVersion.objects.get().name == "damage"
    _serves_safety(tmp_path / "words")
    users = {people.people("Reviewer", email=person.email): person for person in PEOPLE}
    sync_accounts()
    review = factories.customer_review(
        "Arrived late and broken, cheap stuff. The seller is a filthy liar, I will kill you."
    )
    while scoring.score():
        pass
    assert Prediction.objects.get(question=SAFETY).label == "abuse"

    settling.open_reviews()
    asked = dict(ReviewItem.objects.filter(lead=None).values_list("question", "strategy"))
    assert asked == {"delivery": "random", "damage": "random", "review_topics": "random", SAFETY: "marked"}
    sync.push_tasks()
    assert not LabelingTask.objects.exclude(status="pushed").exists()
    # What moved the model is found after the task went out, and is seen through the door alone: the answers count.
    assert explaining.explain_asked() == 1
    seen_there = as_seen(LabelingTask.objects.get(project__question=SAFETY), question(SAFETY))["data"]["review_html"]
    assert "The model suggests: abuse" in seen_there
    assert "Moved by: “" in seen_there

    seen = {
        name: data for user, person in users.items() for name, data in _answer(label_studio, user, person.token).items()
    }
    assert set(seen) == set(TICKS)
    assert "filthy liar" in seen["delivery"]["review_html"]
    assert "suggests" not in seen["delivery"]["review_html"], "no model answers it"
    assert "The model suggests: abuse" in seen[SAFETY]["review_html"]

    labels = {label.question: label for label in Label.objects.all()}
    assert {name: label.label for name, label in labels.items()} == {name: label for name, (_, label) in TICKS.items()}
    assert {label.subject for label in labels.values()} == {ref(review)}
    assert labels["damage"].n_votes == 2, "its file asks two people"
    assert Vote.objects.filter(question="damage", label="broken").count() == 2
    for name, (ticked, label) in TICKS.items():
        assert Decision.objects.get(item__question=name, superseded_by=None).label == label
        said = Consensus.objects.filter(task__project__question=name).latest("pk").answer
        assert question(name).label_of(said) == label
        assert set(said[name] if question(name).is_multiple else [said[name]]) == set(ticked)
    assert Delivery.acted == [Decision.objects.get(item__question="delivery").pk]
    assert is_hidden(review), "what people ticked hides it"
