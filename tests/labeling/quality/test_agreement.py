"""Agreement: equal to scikit-learn, statsmodels, nltk and published examples, and sound at the ends."""

from __future__ import annotations

import time

import numpy as np
import pytest
from nltk.metrics.agreement import AnnotationTask
from nltk.metrics.distance import jaccard_distance, masi_distance
from statsmodels.stats.inter_rater import fleiss_kappa

from labeling.quality.agreement import measure_agreement, measure_agreement_by, measure_agreement_by_label
from labeling.quality.distances import encode_sets, jaccard, masi
from labeling.quality.votes import Votes
from tests.labeling.quality import people

NONE = -1
# Krippendorff (2011), "Computing Krippendorff's alpha-reliability", C: 4 observers, 12 units, missing data.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
        [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
    ]
).T
# Fleiss (1971): 6 psychiatrists, patients 1 to 15 of the 30, counts of 5 diagnoses; "distrib_6raters" of irrCAC 0.4.4.
PSYCHIATRISTS = np.array(
    [
        [0, 0, 0, 6, 0],
        [0, 3, 0, 0, 3],
        [0, 1, 4, 0, 1],
        [0, 0, 0, 0, 6],
        [0, 3, 0, 3, 0],
        [2, 0, 4, 0, 0],
        [0, 0, 4, 0, 2],
        [2, 0, 3, 1, 0],
        [2, 0, 0, 4, 0],
        [0, 0, 0, 0, 6],
        [1, 0, 0, 5, 0],
        [1, 1, 0, 4, 0],
        [0, 3, 3, 0, 0],
        [1, 0, 0, 5, 0],
        [0, 2, 0, 3, 1],
    ]
)


def votes_of(table: np.ndarray, n_labels: int) -> Votes:
    """Votes from (items, raters), labels from 1, `NONE` for none."""
    items, raters = np.nonzero(table != NONE)
    return Votes(items, raters, table[items, raters] - 1, n_labels)


def in_nltk(votes: Votes, answers: list[object] | None = None, **options: object) -> AnnotationTask:
    rows = zip(votes.raters.tolist(), votes.items.tolist(), votes.labels.tolist(), strict=True)
    said = answers or list(range(votes.n_labels))
    return AnnotationTask([(str(rater), str(item), said[label]) for rater, item, label in rows], **options)


@pytest.mark.parametrize("seed", range(5))
def test_fleiss_kappa_is_that_of_statsmodels(seed: int) -> None:
    votes, _ = people.vote(n_items=70, skills=[0.9, 0.6, 0.5, 0.2], n_labels=5, seed=seed)
    assert measure_agreement(votes).fleiss_kappa.value == pytest.approx(fleiss_kappa(votes.counts()), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_alpha_is_that_of_nltk_with_votes_missing(seed: int) -> None:
    votes, _ = people.vote(n_items=70, skills=[0.9, 0.6, 0.5, 0.2, 0.7], n_labels=4, seed=seed)
    kept = np.random.default_rng(seed).random(len(votes)) < 0.5
    votes = Votes(votes.items[kept], votes.raters[kept], votes.labels[kept], 4, n_items=70)
    # nltk cannot have items with one vote; ours leaves them out.
    paired = np.bincount(votes.items, minlength=70)[votes.items] > 1
    theirs = in_nltk(Votes(votes.items[paired], votes.raters[paired], votes.labels[paired], 4)).alpha()
    assert measure_agreement(votes).krippendorff_alpha.value == pytest.approx(theirs, abs=1e-9)


def test_alpha_is_that_of_krippendorffs_example() -> None:
    found = measure_agreement(votes_of(KRIPPENDORFF, 5), minimum=1)
    assert found.krippendorff_alpha.value == pytest.approx(0.743, abs=5e-4)
    # R's and Python's irrCAC, unit 12 (one vote) left out: 0.7624831309 and 0.7434210526.
    assert found.fleiss_kappa.value == pytest.approx(0.7624831309, abs=1e-9)
    assert found.krippendorff_alpha.value == pytest.approx(0.7434210526, abs=1e-9)
    assert found.krippendorff_alpha.n == 11


def test_ac1_is_that_of_gwets_example() -> None:
    # Gwet (2002), "Kappa statistic is not satisfactory …": 118 + / +, 5 + / -, 2 - / +, 0 - / -; AC1 0.9408, κ -0.0234.
    a = np.repeat([1, 1, 2, 2], [118, 5, 2, 0])
    b = np.repeat([1, 2, 1, 2], [118, 5, 2, 0])
    assert measure_agreement(votes_of(np.column_stack([a, b]), 2)).gwet_ac1.value == pytest.approx(0.9408, abs=5e-5)
    # irrCAC 0.4.4 computed these of the psychiatrists.
    table = np.array([np.repeat(np.arange(1, 6), row) for row in PSYCHIATRISTS])
    found = measure_agreement(votes_of(table, 5), minimum=1)
    assert found.gwet_ac1.value == pytest.approx(0.4448007329, abs=1e-9)
    assert found.fleiss_kappa.value == pytest.approx(0.413926499, abs=1e-9)
    assert found.krippendorff_alpha.value == pytest.approx(0.4204384268, abs=1e-9)


@pytest.mark.parametrize(("ours", "theirs"), [(jaccard, jaccard_distance), (masi, masi_distance)])
def test_alpha_of_sets_is_that_of_nltk(ours: object, theirs: object) -> None:
    rng = np.random.default_rng(4)
    truth = rng.random((50, 1, 5)) < 0.4
    said = np.where(rng.random((50, 3, 5)) < 0.8, truth, rng.random((50, 3, 5)) < 0.5)
    said[..., 0] |= ~said.any(axis=-1)  # nltk knows no empty sets
    answers = [frozenset(np.flatnonzero(row).tolist()) for row in said.reshape(-1, 5)]
    codes, members = encode_sets(answers, 5)
    items, raters = np.repeat(np.arange(50), 3), np.tile(np.arange(3), 50)
    votes = Votes(items, raters, codes, len(members))
    sets = [frozenset(np.flatnonzero(row).tolist()) for row in members]
    task = in_nltk(votes, sets, distance=theirs)
    found = measure_agreement(votes, distance=ours(members)).krippendorff_alpha
    assert found.value == pytest.approx(task.alpha(), abs=1e-9)
    assert found.low < found.value < found.high


def test_two_empty_sets_are_equal() -> None:
    _, members = encode_sets([[], [1], [0, 1]], 2)
    assert jaccard(members).tolist() == [[0, 1, 1], [1, 0, 0.5], [1, 0.5, 0]]
    assert masi(members) == pytest.approx(np.array([[0, 1, 1], [1, 0, 2 / 3], [1, 2 / 3, 0]]))


@pytest.mark.parametrize("seed", range(3))
def test_numbers_and_order_do_not_matter(seed: int) -> None:
    votes, _ = people.vote(n_items=60, skills=[0.9, 0.7, 0.5, 0.3], n_labels=3, per_item=3, seed=seed)
    before, after = measure_agreement(votes), measure_agreement(people.shuffled(votes, seed=seed))
    for name in ("percent", "fleiss_kappa", "krippendorff_alpha", "gwet_ac1"):
        assert getattr(after, name).value == pytest.approx(getattr(before, name).value, abs=1e-12)


def test_perfect_agreement_is_one_with_a_lower_end_below() -> None:
    votes, _ = people.vote(n_items=40, skills=[1, 1, 1], n_labels=3)
    found = measure_agreement(votes)
    for figure in (found.percent, found.fleiss_kappa, found.krippendorff_alpha, found.gwet_ac1):
        assert (figure.value, figure.high) == (1, 1)
        assert 0.8 < figure.low < 0.95


def test_answers_at_random_agree_by_chance() -> None:
    votes, _ = people.vote(n_items=4000, skills=[0, 0, 0], n_labels=3)
    found = measure_agreement(votes)
    assert found.percent.value == pytest.approx(1 / 3, abs=0.02)
    for figure in (found.fleiss_kappa, found.krippendorff_alpha, found.gwet_ac1):
        assert abs(figure.value) < 0.03
        assert figure.low < 0 < figure.high


def test_where_all_say_the_same_label_chance_explains_everything() -> None:
    votes = votes_of(np.ones((30, 2), dtype=int), 2)
    found = measure_agreement(votes)
    assert found.percent.value == 1
    assert found.gwet_ac1.value == 1
    assert found.fleiss_kappa.value is None
    assert found.krippendorff_alpha.value is None


def test_items_with_one_vote_say_nothing() -> None:
    votes, _ = people.vote(n_items=60, skills=[0.9, 0.7], n_labels=3)
    more = Votes(
        np.append(votes.items, [60, 61]),
        np.append(votes.raters, [0, 1]),
        np.append(votes.labels, [2, 2]),
        votes.n_labels,
    )
    assert measure_agreement(more) == measure_agreement(votes)


def test_nobody_and_too_few_have_no_figure() -> None:
    empty = np.empty(0, dtype=int)
    assert measure_agreement(Votes(empty, empty, empty, 2)).percent.value is None
    votes, _ = people.vote(n_items=19, skills=[0.9, 0.9], n_labels=2)
    found = measure_agreement(votes)
    assert (found.n_votes, found.fleiss_kappa.n, found.fleiss_kappa.value) == (38, 19, None)


def test_the_interval_covers_the_figure_of_many_items() -> None:
    whole, _ = people.vote(n_items=20_000, skills=[0.8, 0.7, 0.6], n_labels=3, seed=9)
    truth = measure_agreement(whole).fleiss_kappa.value
    n_covered = 0
    for seed in range(100):
        votes, _ = people.vote(n_items=100, skills=[0.8, 0.7, 0.6], n_labels=3, seed=seed)
        found = measure_agreement(votes, n_rounds=300).fleiss_kappa
        n_covered += found.low <= truth <= found.high
    assert n_covered >= 88


def test_groups_of_items_are_measured_apart() -> None:
    good, _ = people.vote(n_items=50, skills=[0.95, 0.95], n_labels=3, seed=1)
    bad, _ = people.vote(n_items=50, skills=[0.3, 0.3], n_labels=3, seed=2)
    both = Votes(
        np.append(good.items, bad.items + 50), np.append(good.raters, bad.raters), np.append(good.labels, bad.labels), 3
    )
    weeks = np.repeat([0, 2], 50)
    found = measure_agreement_by(both, weeks)
    assert found[0] == measure_agreement(good)
    assert found[1].percent.n == 0
    assert found[2] == measure_agreement(bad)


def test_a_label_that_is_often_mistaken_stands_out() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 300)
    table = np.repeat(truth[:, None], 3, axis=1)
    unsure = (table == 2) & (rng.random(table.shape) < 0.4)
    table[unsure] = 1
    votes = votes_of(table + 1, 4)
    sure, mixed, mistaken, never = measure_agreement_by_label(votes)
    assert sure.kappa.value == sure.specific.value == 1
    assert mistaken.specific.value == pytest.approx(0.6, abs=0.08)
    assert mistaken.kappa.value < mixed.kappa.value < 1
    assert (never.n_votes, never.specific.value, never.kappa.value) == (0, None, None)
    # A label's κ is Fleiss' of "this or another".
    counts = votes.counts()[:, 2]
    assert mistaken.kappa.value == pytest.approx(fleiss_kappa(np.column_stack([counts, 3 - counts])), abs=1e-9)
    assert mistaken.kappa.n == int((counts > 0).sum())


def test_a_hundred_thousand_votes_take_less_than_a_second() -> None:
    votes, _ = people.vote(n_items=33_334, skills=np.linspace(0.5, 0.95, 50), n_labels=6, per_item=3)
    started = time.process_time()
    measure_agreement(votes)
    assert time.process_time() - started < 1
