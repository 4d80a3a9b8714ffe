"""Whatever comes is answered once by each champion, for each question; what goes takes with it what was said of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from audit.models import LedgerEntry
from catalog.models import CustomerReview
from core.exceptions import PermanentError, TransientError
from core.refs import ref
from inference import loader
from inference.contracts import Classification, TextClassifier
from inference.models import ModelAlias, ModelVersion
from labeling.question import question
from moderation import scoring, tasks
from moderation.decisions import settling
from moderation.models.predictions import Prediction, ScoredQuestion, Scoring
from moderation.models.reviews import ReviewItem
from monitoring import flow
from tests import factories
from tests.backends import WordCount
from tests.questions import delivery

pytestmark = pytest.mark.django_db


class PartsQuestion(delivery.Parts):
    """Several may be said at once, and a model says them."""

    backend = "parts"


class Parts(TextClassifier):
    """Says of each choice by itself how likely it is: quality where the text says `good`, price where it says `dear`."""

    labels = ("quality", "price", "service")

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        """Return several answers for each text, or none."""
        return [
            Classification.of_several(
                self.labels, (0.9 if "good" in text else 0.2, 0.8 if "dear" in text else 0.1, 0.3)
            )
            for text in texts
        ]


@pytest.fixture
def parts(settings: Any) -> Iterator[None]:
    """The settings name a question with several answers, and a back end that gives them."""
    settings.QUESTIONS = {**settings.QUESTIONS, "parts": "tests.moderation.test_scoring.PartsQuestion"}
    backends = {**settings.INFERENCE.backends, "parts": "tests.moderation.test_scoring.Parts"}
    settings.INFERENCE = replace(settings.INFERENCE, backends=backends)
    loader.forget()
    yield
    loader.forget()


def test_each_review_is_scored_once_by_each_champion(sentiment_champion: ModelVersion) -> None:
    for text in ("good, really good", "bad", "it is a mug"):
        factories.customer_review(text)
    assert [scoring.score(), scoring.score()] == [3, 0]
    assert sorted(Prediction.objects.values_list("label", flat=True)) == ["negative", "neutral", "positive"]
    newer = factories.model_version("sentiment", backend="word_count", artifact_hash="")
    assert scoring.score() == 3
    standing = Prediction.objects.filter(question="sentiment").standing()
    assert {said.model_version for said in standing} == {newer}
    assert standing.count() == 3
    ModelAlias.objects.filter(role="sentiment", name="champion").update(version=sentiment_champion)
    assert scoring.score() == 3, "marked: what it said before stands again"
    assert Prediction.objects.count() == 6
    assert {said.model_version for said in standing.all()} == {sentiment_champion}
    told = LedgerEntry.objects.filter(action="moderation.prediction.made").values_list("payload", flat=True)
    assert list(told) == [{"question": "sentiment", "n": 3}] * 3


def test_what_comes_is_seen_in_the_transaction_that_brings_it_and_what_was_there_before_once(
    sentiment_champion: ModelVersion,
) -> None:
    there = [factories.customer_review(f"good {n}") for n in range(3)]
    assert not Scoring.objects.exists(), "no model was asked yet: nothing is kept of what waits"
    scoring.take_in(question("sentiment"))
    scoring.take_in(question("sentiment"))
    assert ScoredQuestion.objects.get().is_complete
    rows = [CustomerReview(external_id=f"more-{n}", text="bad") for n in range(3)]
    came = CustomerReview.objects.bulk_create(rows)
    with transaction.atomic():
        factories.customer_review("never was")
        transaction.set_rollback(True)
    subjects = list(Scoring.objects.order_by("pk").values_list("question", "subject"))
    assert subjects[:3] == [("sentiment", ref(review)) for review in there]
    assert set(subjects[3:]) == {("sentiment", ref(review)) for review in came}


def test_a_question_that_came_half_way_is_taken_in_to_the_end(sentiment_champion: ModelVersion) -> None:
    review = factories.customer_review("good")
    ScoredQuestion.objects.create(question="sentiment", about="catalog.customerreview")
    late = factories.customer_review("bad")
    assert Scoring.objects.get().subject == ref(late)
    assert scoring.score() == 2
    assert Prediction.objects.of("sentiment", [review, late]).count() == 2


def test_what_goes_takes_with_it_what_was_said_of_it(sentiment_champion: ModelVersion) -> None:
    going, staying = factories.customer_review("good"), factories.customer_review("bad")
    draft = factories.candidate()
    factories.validity(draft, 0.7, version=factories.model_version("validity"))
    scoring.score()
    going.delete()
    draft.request.delete()
    assert set(Prediction.objects.values_list("subject", flat=True)) == {ref(staying)}
    assert set(Scoring.objects.values_list("subject", flat=True)) == {ref(staying)}


def test_only_unsure_ones_are_asked_about_and_only_once(sentiment_champion: ModelVersion) -> None:
    for text in ("good, really good", "it is a mug"):
        factories.customer_review(text)
    scoring.score()
    settling.open_reviews()
    assert settling.open_reviews() == 0
    item = ReviewItem.objects.exclude(strategy="random").get()  # the sure one may be drawn by lot beside it
    assert (item.question, item.customer_review.text) == ("sentiment", "it is a mug")
    assert item.labeling_task.predictions


def test_without_a_champion_nothing_is_scored() -> None:
    factories.customer_review()
    assert scoring.score() == 0


def test_a_subject_that_the_model_chokes_on_holds_up_no_other_and_ends_in_quarantine(
    sentiment_champion: ModelVersion,
) -> None:
    poison = factories.customer_review("choke on this")
    for n in range(5):
        factories.customer_review(f"good {n}")
    assert scoring.score() == 5
    for _ in range(4):
        Scoring.objects.update(lease_expires_at=None)  # the rest is over
        assert scoring.score() == 0
    row = Scoring.objects.get(subject=ref(poison))
    assert row.quarantined_at
    assert row.last_error == "RuntimeError: the model chokes on this"
    assert scoring.score() == 0


def test_a_lease_that_was_lost_while_the_model_thought_writes_nothing(
    sentiment_champion: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.customer_review("good")
    load = scoring.loader.load_classifier

    def too_late(version: ModelVersion) -> Any:
        Scoring.objects.update(lease_expires_at=timezone.now())
        return load(version)

    monkeypatch.setattr(scoring.loader, "load_classifier", too_late)
    assert scoring.score() == 0
    assert not Prediction.objects.exists()
    monkeypatch.undo()
    assert scoring.score() == 1


def test_several_answers_are_kept_as_one_label_with_the_odds_of_each(parts: None, sentiment_champion: Any) -> None:
    version = factories.model_version("parts", backend="parts", artifact_hash="")
    reviews = [factories.customer_review(text) for text in ("good but dear", "dear", "late")]
    assert scoring.score() == 6, "both questions"
    said = [Prediction.objects.of("parts", [review]).get() for review in reviews]
    assert [one.label for one in said] == ["quality+price", "price", "none"]
    assert said[0].probabilities == {"quality": 0.9, "price": 0.8, "service": 0.3}
    assert said[0].confidence == pytest.approx(0.9 * 0.8 * 0.7)
    assert {one.model_version for one in said} == {version}
    assert Prediction.objects.of("sentiment", reviews).count() == 3


def test_a_model_that_has_the_answers_in_another_order_says_the_same_label(
    parts: None, sentiment_champion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.model_version("parts", backend="parts", artifact_hash="")
    review = factories.customer_review("good but dear")

    def other_way_round(self: Any, texts: Sequence[str]) -> list[Classification]:
        return [Classification.of_several(("service", "price", "quality"), (0.1, 0.9, 0.9)) for _ in texts]

    monkeypatch.setattr(Parts, "classify", other_way_round)
    scoring.score()
    assert Prediction.objects.of("parts", [review]).get().label == "quality+price"


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), PermanentError("the artefact is damaged")])
def test_a_model_that_cannot_be_loaded_costs_no_attempt_and_holds_up_no_other_question(
    parts: None, sentiment_champion: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    factories.model_version("parts", backend="parts", artifact_hash="")
    review = factories.customer_review("good")
    load = scoring.loader.load_classifier

    def break_down(version: ModelVersion) -> Any:
        if version.role == "parts":
            raise error
        return load(version)

    monkeypatch.setattr(scoring.loader, "load_classifier", break_down)
    assert scoring.score() == 1
    for _ in range(6):
        Scoring.objects.update(lease_expires_at=None)  # the rest is over
        assert scoring.score() == 0
    assert Prediction.objects.get().subject == ref(review)
    row = Scoring.objects.get(question="parts")
    assert (row.n_attempts, row.quarantined_at, row.lease_token) == (0, None, None)
    assert str(error.args[0]) in row.last_error
    monkeypatch.undo()
    Scoring.objects.update(lease_expires_at=None)
    assert scoring.score() == 1


def test_an_endpoint_that_does_not_answer_costs_no_attempt(
    sentiment_champion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.customer_review("good")

    def no_answer(self: Any, texts: Sequence[str]) -> list[Classification]:
        raise TransientError("no endpoint")

    monkeypatch.setattr(WordCount, "classify", no_answer)
    assert scoring.score() == 0
    row = Scoring.objects.get()
    assert (row.n_attempts, row.last_error) == (0, "no endpoint")


@pytest.mark.django_db(transaction=True)
def test_who_writes_rows_while_a_question_is_taken_in_is_waited_for(sentiment_champion: ModelVersion) -> None:
    def take_in() -> None:
        scoring.take_in(question("sentiment"))
        connection.close()

    taking = threading.Thread(target=take_in)
    with transaction.atomic():
        review = factories.customer_review("good")  # its trigger knew of no question yet, and nobody else sees it
        taking.start()
        taking.join(0.5)
        assert taking.is_alive()
    taking.join(20)
    assert not taking.is_alive()
    assert Scoring.objects.get().subject == ref(review)


def test_the_flow_shows_what_waits_for_a_models_answer(sentiment_champion: ModelVersion) -> None:
    factories.customer_review("good")
    scoring.take_in(question("sentiment"))
    waits = next(stage for stage in flow.stages() if stage.key == "unscored")
    assert (waits.depth, waits.left_hour) == (1, 0)
    scoring.score()
    waits = next(stage for stage in flow.stages() if stage.key == "unscored")
    assert (waits.depth, waits.left_hour) == (0, 1)


def test_what_waits_is_counted_before_the_scorer_has_a_turn(sentiment_champion: ModelVersion) -> None:
    factories.customer_review("it works")
    tasks.open_reviews()
    assert Scoring.objects.filter(question="sentiment", scored_with=None).count() == 1
    assert Prediction.objects.count() == 0
