"""Where several answers may hold people agree or differ in each: votes, how people err, and what they come to."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.utils import timezone

from core import label_sets
from labeling import consensus, labels, raters, votes
from labeling.models import RaterModel, Vote

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("parts")]
KIND, CHOICES = "parts", ("quality", "price", "service")
METHODS = ("majority", "dawid_skene", "crowdlab")


@pytest.fixture
def parts(settings: Any) -> None:
    settings.QUESTIONS = {**settings.QUESTIONS, KIND: "tests.questions.delivery.Parts"}


def vote(subject: str, rater: str, label: str, **more: Any) -> Vote:
    return labels.record_vote(KIND, subject, rater=rater, label=label, purpose="label", at=timezone.now(), **more)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("label", ["quality+price", "none", "service"])
def test_what_all_say_is_what_they_agree_on(method: str, label: str) -> None:
    vote("s:1", "user:1", label), vote("s:1", "user:2", label)
    agreed = consensus.agree(KIND, "s:1", method=method)
    assert (agreed.label, agreed.votes) == (label, {label: 2})
    assert agreed.quality > 0.6


@pytest.mark.parametrize("method", METHODS)
def test_each_answer_has_its_own_majority(method: str) -> None:
    for rater, label in (("user:1", "quality+price"), ("user:2", "quality+price"), ("user:3", "quality")):
        vote("s:1", rater, label)
    agreed = consensus.agree(KIND, "s:1", method=method)
    assert agreed.label == "quality+price"
    assert agreed.in_words() == "2 quality+price, 1 quality"
    unanimous = consensus.agree(KIND, "s:2", method=method)
    assert (unanimous.label, unanimous.quality) == ("", 0.0), "nobody was asked"


@pytest.mark.parametrize("method", METHODS)
def test_a_tie_in_one_answer_is_a_tie(method: str) -> None:
    vote("s:1", "user:1", "quality+price"), vote("s:1", "user:2", "quality")
    agreed = consensus.agree(KIND, "s:1", method=method)
    assert (agreed.label, agreed.quality) == ("", 0.0)
    assert agreed.votes == {"quality+price": 1, "quality": 1}


def test_three_who_each_see_another_pair_come_to_what_nobody_said() -> None:
    for rater, label in (("user:1", "quality+price"), ("user:2", "quality+service"), ("user:3", "price+service")):
        vote("s:1", rater, label)
    assert consensus.agree(KIND, "s:1", method="majority").label == "quality+price+service"


def test_who_guesses_about_one_answer_counts_for_less_in_that_one() -> None:
    rng, rows, now = random.Random(3), list[Vote](), timezone.now()
    for number in range(120):
        truth = {name for name in CHOICES if rng.random() < 0.5}
        for rater, right in (("user:1", 0.95), ("user:2", 0.95), ("user:3", 0.5), ("user:4", 0.5), ("user:5", 0.5)):
            said = truth ^ {name for name in CHOICES if rng.random() > (right if name == "price" else 0.9)}
            rows.append(
                Vote(
                    question=KIND,
                    subject=f"s:{number}",
                    rater=rater,
                    label=label_sets.join(said, CHOICES),
                    voted_at=now,
                )
            )
    Vote.objects.bulk_create(rows)
    assert raters.fit(KIND) == 5
    assert raters.fit(KIND) == 0, "nothing is new"
    kept = {(model.question, model.rater): model.quality for model in RaterModel.objects.all()}
    assert {question for question, _ in kept} == {f"parts/{name}" for name in CHOICES}
    assert kept["parts/price", "user:1"] > 0.85 > 0.65 > kept["parts/price", "user:3"]
    assert kept["parts/quality", "user:3"] > 0.8
    for rater in ("user:1", "user:2"):
        vote("s:new", rater, "quality+price")
    for rater in ("user:3", "user:4", "user:5"):
        vote("s:new", rater, "quality")
    assert consensus.agree(KIND, "s:new", method="majority").label == "quality"
    assert consensus.agree(KIND, "s:new", method="dawid_skene").label == "quality+price"
    assert raters.n_known(KIND, "dawid_skene") == 0


def test_votes_are_read_whole_and_by_answer() -> None:
    vote("s:1", "user:1", "quality+price", suggestion="price", expected="none")
    vote("s:1", "user:2", "none"), vote("s:1", "user:3", "price+colour")  # an answer that is gone
    table = votes.load(KIND)
    assert list(table.names) == ["none", "price", "quality+price"]
    assert len(table) == 2
    price = table.yes_or_no("price")
    assert price.names == votes.NO_OR_YES
    said = dict(zip((table.rater_names[i] for i in table.raters), price.labels.tolist(), strict=True))
    assert said == {"user:1": 1, "user:2": 0}
    assert sorted(price.suggestions.tolist()) == [-1, 1]
    assert sorted(price.expected.tolist()) == [-1, 0]
    assert len(price.where(price.labels == 1)) == 1
    assert price.where(price.labels == 1).answer == "price"
