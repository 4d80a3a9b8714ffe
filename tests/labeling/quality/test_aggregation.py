"""Aggregation: Dawid and Skene as crowd-kit has it, CROWDLAB as cleanlab has it, and what is asked of each method."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from cleanlab.multiannotator import get_label_quality_multiannotator
from crowdkit.aggregation import DawidSkene as CrowdKit

from labeling.quality import dawid_skene
from labeling.quality.aggregation import METHODS, TIE, aggregate
from labeling.quality.votes import Votes
from tests.labeling.quality import people

SKILLS = [0.95, 0.8, 0.6, 0.6, 0.2]


def guesses(truth: np.ndarray, n_labels: int, *, seed: int = 0) -> np.ndarray:
    """Probabilities of a model that is right most of the time."""
    rng = np.random.default_rng(seed)
    scores = rng.random((len(truth), n_labels))
    scores[np.arange(len(truth)), truth] += 0.7
    return scores / scores.sum(axis=1, keepdims=True)


def options_of(method: str, truth: np.ndarray, n_labels: int) -> dict[str, np.ndarray]:
    return {"probabilities": guesses(truth, n_labels)} if method == "crowdlab" else {}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("seed", range(4))
def test_dawid_skene_is_that_of_crowd_kit_where_nothing_is_assumed_beforehand(seed: int) -> None:
    votes, _ = people.vote(n_items=300, skills=SKILLS, n_labels=3, per_item=4, seed=seed)
    # Step for step: after as many steps of each, for neither may end at once.
    theirs = CrowdKit(n_iter=25, tol=-1).fit(
        pd.DataFrame({"task": votes.items, "worker": votes.raters, "label": votes.labels})
    )
    fitted, before = (
        dawid_skene.fit(votes, strength=1e-12, least_gain=-np.inf, n_steps=n_steps) for n_steps in (25, 24)
    )
    assert fitted.priors == pytest.approx(theirs.priors_.loc[range(3)].to_numpy(), abs=1e-6)
    confusion = theirs.errors_.loc[list(np.ndindex(5, 3)), range(3)].to_numpy().reshape(5, 3, 3)
    assert fitted.confusion == pytest.approx(confusion.transpose(0, 2, 1), abs=1e-6)
    assert before.posteriors(votes) == pytest.approx(theirs.probas_.loc[range(300), range(3)].to_numpy(), abs=1e-6)


@pytest.mark.parametrize("n_labels", [2, 4])
def test_crowdlab_is_that_of_cleanlab(n_labels: int) -> None:
    votes, truth = people.vote(n_items=200, skills=SKILLS, n_labels=n_labels, per_item=3)
    probabilities = guesses(truth, n_labels)
    table = people.table_of(votes).astype(float)
    theirs = get_label_quality_multiannotator(np.where(table < 0, np.nan, table), probabilities, verbose=False)
    ours = aggregate("crowdlab", votes, probabilities=probabilities)
    assert ours.labels.tolist() == theirs["label_quality"]["consensus_label"].tolist()
    assert ours.quality == pytest.approx(theirs["label_quality"]["consensus_quality_score"].to_numpy())
    assert ours.rater_quality == pytest.approx(
        theirs["annotator_stats"].loc[range(len(SKILLS)), "annotator_quality"].to_numpy()
    )


def test_crowdlab_passes_over_items_and_raters_without_votes() -> None:
    votes, truth = people.vote(n_items=100, skills=SKILLS, n_labels=3, per_item=3)
    wider = Votes(votes.items * 2, votes.raters + 1, votes.labels, 3, n_items=201, n_raters=7)
    probabilities = guesses(np.append(np.repeat(truth, 2), 0), 3)
    found = aggregate("crowdlab", wider, probabilities=probabilities)
    same = aggregate("crowdlab", votes, probabilities=probabilities[:200:2])
    assert found.labels[::2][:100].tolist() == same.labels.tolist()
    assert (found.labels[1::2] == TIE).all()
    assert np.isnan(found.rater_quality[[0, 6]]).all()
    assert found.rater_quality[1:6] == pytest.approx(same.rater_quality)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_labels_and_ranks_the_raters(method: str) -> None:
    votes, truth = people.vote(n_items=500, skills=SKILLS, n_labels=3, per_item=4, seed=2)
    found = aggregate(method, votes, **options_of(method, truth, 3))
    assert (found.labels == truth)[found.labels != TIE].mean() > 0.88
    assert found.labels.shape == found.quality.shape == (500,)
    assert ((found.quality >= 0) & (found.quality <= 1)).all()
    assert found.rater_quality.argmax() == 0
    assert found.rater_quality.argmin() == 4
    right = found.labels == truth
    assert found.quality[right].mean() > found.quality[~right].mean() + 0.1


@pytest.mark.parametrize("method", METHODS)
def test_numbers_and_order_do_not_matter(method: str) -> None:
    votes, truth = people.vote(n_items=120, skills=SKILLS, n_labels=3, per_item=3, seed=1)
    rng = np.random.default_rng(0)
    items, raters, labels = (rng.permutation(n) for n in (120, 5, 3))
    other = people.shuffled(votes, seed=0)
    options, others = options_of(method, truth, 3), {}
    if options:
        moved = np.empty_like(options["probabilities"])
        moved[np.ix_(items, labels)] = options["probabilities"]
        others = {"probabilities": moved}
    before, after = aggregate(method, votes, **options), aggregate(method, other, **others)
    assert after.quality[items] == pytest.approx(before.quality, abs=1e-6)
    assert after.rater_quality[raters] == pytest.approx(before.rater_quality, abs=1e-6)
    renamed = np.where(before.labels == TIE, TIE, labels[before.labels])
    assert after.labels[items].tolist() == renamed.tolist()


@pytest.mark.parametrize("method", METHODS)
def test_where_all_agree_there_is_nothing_to_decide(method: str) -> None:
    votes, truth = people.vote(n_items=60, skills=[1, 1, 1], n_labels=3)
    found = aggregate(method, votes, **options_of(method, truth, 3))
    assert found.labels.tolist() == truth.tolist()
    assert found.quality.min() > 0.7


def test_a_majority_says_ties_and_items_without_votes() -> None:
    votes = Votes([0, 0, 1, 1, 1, 3], [0, 1, 0, 1, 2, 2], [0, 1, 0, 1, 1, 0], 2, n_items=4, n_raters=4)
    found = aggregate("majority", votes)
    assert found.labels.tolist() == [TIE, 1, TIE, 0]
    assert found.quality.tolist() == pytest.approx([0.5, 2 / 3, 0, 1])
    assert found.rater_votes.tolist() == [1, 1, 2, 0]
    assert found.rater_quality[:3].tolist() == [0, 1, 1]
    assert np.isnan(found.rater_quality[3])


def test_dawid_skene_says_ties_where_nothing_tells_two_raters_apart() -> None:
    votes = Votes([0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0], 2, n_items=3)
    found = aggregate("dawid_skene", votes)
    assert found.labels.tolist() == [TIE, TIE, TIE]
    assert found.quality.tolist() == pytest.approx([0.5, 0.5, 0])


def test_what_is_known_is_kept_and_tells_of_the_raters() -> None:
    # Two against one, and the two are wrong: only gold can tell.
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    said = np.column_stack([truth, 1 - truth, 1 - truth])
    said = np.where(rng.random(said.shape) < 0.1, 1 - said, said)
    items, raters = np.nonzero(np.ones((200, 3)))
    votes = Votes(items, raters, said[items, raters], 2)
    known = np.where(np.arange(200) < 40, truth, -1)
    without, found = aggregate("dawid_skene", votes), aggregate("dawid_skene", votes, known=known)
    assert (without.labels == truth).mean() < 0.2
    assert (found.labels == truth).mean() > 0.9
    assert (found.labels[:40] == truth[:40]).all()
    assert found.quality[:40].tolist() == [1] * 40
    assert found.rater_quality[0] > 0.8 > 0.2 > found.rater_quality[1]


def test_stored_parameters_judge_new_items_and_new_raters() -> None:
    votes, truth = people.vote(n_items=600, skills=SKILLS, n_labels=3, seed=3)
    early = votes.items < 400
    fitted = aggregate("dawid_skene", Votes(votes.items[early], votes.raters[early], votes.labels[early], 3)).model
    new = Votes(votes.items[~early] - 400, votes.raters[~early], votes.labels[~early], 3)
    found = aggregate("dawid_skene", new, model=fitted)
    assert (found.labels == truth[400:]).mean() > 0.93
    assert (found.labels == aggregate("dawid_skene", votes).labels[400:]).mean() > 0.97
    # Somebody never seen is taken for the usual rater.
    stranger = aggregate("dawid_skene", Votes([0], [9], [1], 3), model=fitted)
    assert stranger.labels.tolist() == [1]
    assert fitted.usual[1, 1] - 0.1 < stranger.quality[0] < fitted.usual[1, 1] + 0.1


def test_a_model_helps_as_one_more_rater() -> None:
    votes, truth = people.vote(n_items=2000, skills=[0.7] * 8, n_labels=3, per_item=2, seed=4)
    alone = aggregate("dawid_skene", votes)
    helped = aggregate("dawid_skene", votes.joined_by(guesses(truth, 3).argmax(axis=1)))
    assert (helped.labels == truth).mean() > (alone.labels == truth).mean() + 0.05


def test_the_rare_rater_is_taken_for_the_usual_one() -> None:
    votes, _ = people.vote(n_items=300, skills=[0.8, 0.8, 0.8], n_labels=2)
    once = Votes(
        np.append(votes.items, 300), np.append(votes.raters, 3), np.append(votes.labels, 0), 2, n_items=301, n_raters=4
    )
    model = dawid_skene.fit(once, strength=5.0)
    assert model.confusion[3, 0] == pytest.approx(model.usual[0], abs=0.1)
    assert model.confusion[3].min() > 0.01
    assert np.allclose(model.confusion.sum(axis=2), 1)
    assert model.priors.sum() == pytest.approx(1)


def test_another_method_and_no_votes_are_refused() -> None:
    votes, _ = people.vote(n_items=5, skills=SKILLS, n_labels=2)
    with pytest.raises(ValueError, match="majority, dawid_skene, crowdlab"):
        aggregate("guess", votes)
    empty = np.empty(0, dtype=int)
    with pytest.raises(ValueError, match="no votes"):
        aggregate("dawid_skene", Votes(empty, empty, empty, 2, n_items=3))


def test_a_hundred_thousand_votes_take_seconds() -> None:
    votes, truth = people.vote(n_items=33_334, skills=np.linspace(0.5, 0.95, 50), n_labels=6, per_item=3)
    started = time.process_time()
    found = aggregate("dawid_skene", votes)
    assert time.process_time() - started < 5
    assert (found.labels == truth).mean() > 0.85
