"""Agreement two by two: equal to scikit-learn and statsmodels; texts in English and Chinese."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from labeling.quality.distances import chrf_distances, edit_distances
from labeling.quality.pairs import measure_pairs, measure_texts
from labeling.quality.votes import Votes
from tests.labeling.quality import people

SKILLS = [0.9, 0.7, 0.7, 0.4, 0.1]


def in_common(votes: Votes, a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
    table = people.table_of(votes)
    both = (table[:, a] >= 0) & (table[:, b] >= 0)
    return table[both, a], table[both, b]


@pytest.mark.parametrize("seed", range(3))
def test_every_pair_has_the_kappa_of_scikit_learn_and_the_interval_of_statsmodels(seed: int) -> None:
    votes, _ = people.vote(n_items=150, skills=SKILLS, n_labels=4, per_item=3, seed=seed)
    found = measure_pairs(votes)
    for a in range(len(SKILLS)):
        for b in range(len(SKILLS)):
            if a == b:
                assert np.isnan(found.kappa[a, b])
                continue
            ours, theirs = in_common(votes, a, b)
            assert found.n[a, b] == len(ours)
            assert found.percent[a, b] == pytest.approx((ours == theirs).mean(), abs=1e-12)
            assert found.kappa[a, b] == pytest.approx(cohen_kappa_score(ours, theirs), abs=1e-9)
            crossed = np.zeros((4, 4))
            np.add.at(crossed, (ours, theirs), 1)
            interval = cohens_kappa(crossed)
            assert found.low[a, b] == pytest.approx(max(interval.kappa_low, -1), abs=1e-6)
            assert found.high[a, b] == pytest.approx(min(interval.kappa_upp, 1), abs=1e-6)


def test_a_pair_needs_the_minimum_and_its_own_votes_stand_on_the_diagonal() -> None:
    votes, _ = people.vote(n_items=30, skills=SKILLS, n_labels=3, per_item=2)
    found = measure_pairs(votes, minimum=31)
    assert np.isnan(found.kappa).all()
    assert found.n.diagonal().sum() == 60
    assert (found.n == found.n.T).all()


def test_two_who_never_disagree_are_not_certain_to_agree() -> None:
    votes, _ = people.vote(n_items=40, skills=[1, 1], n_labels=2)
    found = measure_pairs(votes)
    assert (found.kappa[0, 1], found.high[0, 1]) == (1, 1)
    assert 0.7 < found.low[0, 1] < 0.95


def test_two_who_only_say_one_label_have_no_kappa() -> None:
    items, raters = np.repeat(np.arange(30), 2), np.tile([0, 1], 30)
    found = measure_pairs(Votes(items, raters, np.zeros(60, dtype=int), 2))
    assert found.percent[0, 1] == 1
    assert np.isnan(found.kappa[0, 1])


def test_without_votes_there_are_no_pairs() -> None:
    empty = np.empty(0, dtype=int)
    assert np.isnan(measure_pairs(Votes(empty, empty, empty, 2, n_raters=3)).kappa).all()


def test_distances_of_texts_work_letter_by_letter() -> None:
    assert edit_distances(["杯子很好", "mug", ""], ["杯子不好", "mugs", ""]).tolist() == [0.25, 0.25, 0]
    same, near, far = chrf_distances(
        ["这款杯子很好", "这款杯子很好", "这款杯子很好"], ["这款杯子很好", "这款杯子不好", "马克"]
    )
    assert (same, far) == (0, 1)
    assert 0.4 < near < 0.8
    assert chrf_distances(["a cup of tea"], ["tea"]) == pytest.approx(chrf_distances(["tea"], ["a cup of tea"]))


@pytest.mark.parametrize("distances", [edit_distances, chrf_distances])
def test_texts_of_one_item_are_compared_with_each_other(distances: object) -> None:
    items = np.repeat(np.arange(30), 3)
    texts = [text for i in range(30) for text in (f"Mug no. {i}, blue.", f"Mug no. {i}, blue.", f"Mug no. {i}, green.")]
    found = measure_texts(items, texts, distances=distances)
    expected = 1 - 2 / 3 * distances(["Mug no. 11, blue."], ["Mug no. 11, green."])[0]
    assert found.n == 30
    assert found.value == pytest.approx(expected, abs=0.02)
    assert found.low <= found.value <= found.high


def test_texts_without_company_have_no_figure() -> None:
    assert measure_texts(np.arange(30), ["x"] * 30).value is None
    assert measure_texts(np.empty(0, dtype=int), []).value is None
