"""What a queue tells of its raters and of its consensus; and that the desk, asked about one item, says the same."""

from __future__ import annotations

import random

import numpy as np
import pytest
from django.utils import timezone

from labeling import consensus, labels, raters
from labeling import votes as stored_votes
from labeling.models import RaterModel, Vote
from labeling.quality import calibration
from labeling.quality.queue_model import QueueModel, judge, learn
from labeling.quality.votes import Votes
from tests.labeling.quality import people

KIND, NAMES = "sentiment", ("positive", "negative", "neutral")
NOTHING = -1


def alike(n_items: int, *, n_raters: int = 9, hard: float = 0.4, seed: int = 0) -> tuple[Votes, np.ndarray]:
    """Votes on items of which some are hard: on those most people are led to the same wrong label."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n_items)
    seems = np.where(rng.random(n_items) < hard, (truth + 1) % 3, truth)
    items, who = np.repeat(np.arange(n_items), n_raters), np.tile(np.arange(n_raters), n_items)
    led = rng.random(len(items)) < 0.75
    said = np.where(led, seems[items], rng.integers(0, 3, len(items)))
    return Votes(items, who, said, 3), truth


def error(quality: np.ndarray, right: np.ndarray) -> float:
    """How far what is stated is from what is right, on the whole."""
    return abs(float(quality.mean() - right.mean()))


@pytest.mark.parametrize("method", ["majority", "dawid_skene"])
def test_known_answers_tell_how_far_a_consensus_can_be_believed(method: str) -> None:
    votes, truth = alike(900)
    early = votes.items < 600
    history = Votes(votes.items[early], votes.raters[early], votes.labels[early], 3)
    new = Votes(votes.items[~early] - 600, votes.raters[~early], votes.labels[~early], 3)
    known = np.where(np.arange(600) < 200, truth[:600], NOTHING)
    model = learn(history, known)
    found = judge(method, new, model)
    right = found.labels == truth[600:]
    assert error(found.quality, right) < 0.1
    raw = model.raters.posteriors(new).max(axis=1)
    assert error(raw, right) > 0.25, "what the model of votes says of itself"
    assert model.calibrations[method].n == 200


def test_nothing_known_is_what_crowds_elsewhere_tell() -> None:
    votes, truth = people.vote(n_items=200, skills=[0.8] * 5, n_labels=3)
    model = learn(votes, np.full(200, NOTHING))
    assert model.calibrations == calibration.SHIPPED
    few = learn(votes, np.where(np.arange(200) < 3, truth, NOTHING))
    for method in ("majority", "dawid_skene"):
        assert few.calibrations[method].n == 3
        assert few.calibrations[method].likeness == pytest.approx(calibration.SHIPPED[method].likeness, abs=0.5)
    assert few.calibrations["crowdlab"] == calibration.SHIPPED["crowdlab"]


@pytest.mark.parametrize("method", ["majority", "dawid_skene"])
def test_the_label_is_that_of_the_method(method: str) -> None:
    votes, truth = people.vote(n_items=300, skills=[0.95, 0.8, 0.6, 0.6, 0.2], n_labels=3, per_item=4)
    model = learn(votes, np.where(np.arange(300) < 60, truth, NOTHING))
    found = judge(method, votes, model)
    if method == "dawid_skene":
        assert (found.labels == model.raters.bounded().posteriors(votes).argmax(axis=1)).all()
    assert found.posteriors is not None
    assert found.posteriors.sum(axis=1) == pytest.approx(np.ones(300))


def test_an_item_without_votes_has_no_label_and_no_quality() -> None:
    found = judge("dawid_skene", Votes([1, 1], [0, 1], [0, 0], 2, n_items=3), QueueModel.before(2))
    assert found.labels.tolist() == [-1, 0, -1]
    assert found.quality[[0, 2]].tolist() == [0, 0]


# --- The desk and the arrays -------------------------------------------------------------------------------------


@pytest.fixture
def history() -> dict[str, str]:
    """Five people have answered 120 things; 40 of those a senior judged, and two people were tested with 30."""
    rng, truths, rows = random.Random(3), dict[str, str](), list[Vote]()

    def say(rater: str, label: str, **more: str) -> None:
        rows.append(Vote(question=KIND, subject=subject, rater=rater, label=label, voted_at=timezone.now(), **more))

    for number in range(120):
        truths[subject := f"s:{number:03}"] = truth = rng.choice(NAMES)
        for rater, right in (("user:1", 0.95), ("user:2", 0.9), ("user:3", 0.6), ("user:4", 0.5), ("user:5", 0.4)):
            say(rater, truth if rng.random() < right else rng.choice(NAMES))
        if number < 40:
            say("user:9", truth, purpose=Vote.Purpose.ADJUDICATION)
        if number >= 90:
            for rater in ("user:7", "user:8"):
                said = truth if rng.random() < 0.8 else rng.choice(NAMES)
                say(rater, said, purpose=Vote.Purpose.GOLD, expected=truth)
    Vote.objects.bulk_create(rows)
    return truths


@pytest.mark.django_db
def test_verdicts_are_known_and_no_votes_and_tests_are_items_of_their_own(history: dict[str, str]) -> None:
    table = stored_votes.load(KIND, purposes=Vote.Purpose.values)
    given, known = raters.evidence(table)
    assert len(given) == 120 * 5 + 30 * 2
    n = len(table.subjects)
    senior = table.rater_names.index("user:9")
    assert senior not in given.raters
    assert (known[:n] >= 0).sum() == 40
    assert (known[n:] >= 0).sum() == 30
    for place in np.flatnonzero(known >= 0):
        assert table.names[known[place]] == history[table.subjects[place % n]]
    # Who made an answer known is not thereby right: of tests alone the testers' votes are counted.
    assert set(given.raters[given.items >= n]) == {table.rater_names.index(name) for name in ("user:7", "user:8")}


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["majority", "dawid_skene"])
def test_the_desk_says_what_the_benchmark_measures(history: dict[str, str], method: str) -> None:
    """`consensus.agree`, from what was kept in the database, against `judge` on arrays as the benchmark runs it."""
    table = stored_votes.load(KIND, purposes=Vote.Purpose.values)
    given, known = raters.evidence(table)
    model = learn(given, known)
    assert raters.fit(KIND) == len(table.rater_names)
    panel = table.where(np.array([purpose == Vote.Purpose.LABEL for purpose in table.purposes]))
    found = judge(method, panel.votes(), model)
    for place in range(0, len(table.subjects), 7):
        agreed = consensus.agree(KIND, table.subjects[place], method=method)
        label = found.labels[place]
        assert agreed.label == ("" if label == NOTHING else table.names[label])
        assert agreed.quality == pytest.approx(found.quality[place], abs=1e-4)
    kept = RaterModel.objects.get(question=KIND, rater="*").calibrations
    assert kept[method]["n"] == 70


@pytest.mark.django_db
def test_before_anything_is_fitted_the_desk_says_what_is_assumed() -> None:
    found = judge("dawid_skene", Votes([0, 0, 0], [0, 1, 2], [0, 0, 1], 3), QueueModel.before(3))
    for rater, label in (("user:1", "positive"), ("user:2", "positive"), ("user:3", "negative")):
        labels.record_vote(KIND, "s:new", rater=rater, label=label, purpose="label", at=timezone.now())
    agreed = consensus.agree(KIND, "s:new", method="dawid_skene")
    assert (agreed.label, agreed.quality) == ("positive", pytest.approx(found.quality[0]))
