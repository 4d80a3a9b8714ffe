"""What is known about raters, and a consensus that weighs people by it."""

from __future__ import annotations

import random

import pytest
from django.utils import timezone

from labeling import consensus, labels, raters
from labeling.models import RaterModel, Vote
from tests import factories

pytestmark = pytest.mark.django_db
KIND, NAMES = "sentiment", ("positive", "negative", "neutral")


def vote(subject: str, rater: str, label: str, purpose: str = "label") -> Vote:
    return labels.record_vote(KIND, subject, rater=rater, label=label, purpose=purpose, at=timezone.now())


@pytest.fixture
def history() -> None:
    """Two who are careful and three who guess have answered 150 things."""
    rng, rows = random.Random(3), list[Vote]()
    for number in range(150):
        truth = rng.choice(NAMES)
        for rater, right in (("user:1", 0.95), ("user:2", 0.95), ("user:3", 0.4), ("user:4", 0.4), ("user:5", 0.4)):
            wrong = rng.choice([name for name in NAMES if name != truth])
            said = truth if rng.random() < right else wrong
            rows.append(Vote(question=KIND, subject=f"s:{number}", rater=rater, label=said, voted_at=timezone.now()))
    Vote.objects.bulk_create(rows)


def test_the_careful_outvote_more_who_guess(history: None) -> None:
    for rater, said in (
        ("user:1", "negative"),
        ("user:2", "negative"),
        ("user:3", "neutral"),
        ("user:4", "neutral"),
        ("user:5", "neutral"),
    ):
        vote("s:new", rater, said)
    assert consensus.agree(KIND, "s:new", method="majority").label == "neutral"
    assert raters.fit(KIND) == 5
    assert raters.fit(KIND) == 0, "nothing is new"
    agreed = consensus.agree(KIND, "s:new", method="dawid_skene")
    assert (agreed.label, agreed.in_words()) == ("negative", "3 neutral, 2 negative")
    assert 0.7 < agreed.quality < 0.9, "the model of votes is sure to .99; nothing of what is true is known yet"
    fitted = {model.rater: model for model in RaterModel.objects.all()}
    assert fitted["user:1"].quality > 0.85 > 0.55 > fitted["user:3"].quality
    assert sum(fitted["*"].label_shares.values()) == pytest.approx(1)


def test_who_is_new_counts_as_the_usual_rater(history: None) -> None:
    raters.fit(KIND)
    vote("s:new", "user:9", "positive")
    agreed = consensus.agree(KIND, "s:new", method="dawid_skene")
    assert agreed.label == "positive"
    assert agreed.quality < 0.9


def test_before_anything_is_fitted_a_tie_stays_a_tie() -> None:
    vote("s:new", "user:1", "positive"), vote("s:new", "user:2", "negative")
    for method in ("majority", "dawid_skene", "crowdlab"):
        assert consensus.agree(KIND, "s:new", method=method).label == ""
    assert consensus.agree(KIND, "s:none", method="majority") == consensus.Agreed("", 0.0, {})
    assert raters.fit(KIND) == 0


def test_only_votes_on_the_question_itself_make_the_consensus() -> None:
    vote("s:new", "user:1", "positive"), vote("s:new", "user:2", "negative", "audit")
    assert consensus.agree(KIND, "s:new", method="majority").label == "positive"


def test_crowdlab_counts_the_models_opinion(settings) -> None:
    rng = random.Random(5)
    version = factories.model_version("sentiment")
    product, subjects = factories.product(), []
    for number in range(80):
        row = factories.customer_review(f"so so {number}", product=product)
        truth = rng.choice(NAMES)
        factories.sentiment(row, truth, confidence=0.9, version=version)
        subjects.append(f"catalog.customerreview:{row.pk}")
        for rater in ("user:1", "user:2"):
            vote(subjects[-1], rater, truth if rng.random() < 0.8 else rng.choice(NAMES))
    row = factories.customer_review("and now", product=product)
    factories.sentiment(row, "neutral", confidence=0.9, version=version)
    subject = f"catalog.customerreview:{row.pk}"
    vote(subject, "user:1", "neutral"), vote(subject, "user:2", "positive")
    assert consensus.agree(KIND, subject, method="majority").label == ""
    agreed = consensus.agree(KIND, subject, method="crowdlab")
    assert (agreed.label, agreed.votes) == ("neutral", {"neutral": 1, "positive": 1})
    assert 0.4 < agreed.quality < 1
    # Of what the model has no opinion of, the votes alone are counted.
    vote("s:new", "user:1", "positive"), vote("s:new", "user:2", "positive")
    assert consensus.agree(KIND, "s:new", method="crowdlab").label == "positive"
