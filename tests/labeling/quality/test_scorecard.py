"""Scorecards: gold, the consensus of the others, speed, and who has too few."""

from __future__ import annotations

import numpy as np
import pytest

from labeling.quality.intervals import share
from labeling.quality.scorecard import score_raters
from labeling.quality.votes import Votes
from tests.labeling.quality import people

SKILLS = [0.95, 0.9, 0.9, 0.2]


def test_agreement_is_with_the_others_alone() -> None:
    votes, _ = people.vote(n_items=80, skills=SKILLS, n_labels=3)
    table = people.table_of(votes)
    for card in score_raters(votes):
        others = np.delete(table, card.rater, axis=1)
        n = n_agreed = 0
        for row, own in zip(others, table[:, card.rater], strict=True):
            counts = np.bincount(row, minlength=3)
            if (counts == counts.max()).sum() == 1:
                n += 1
                n_agreed += counts.argmax() == own
        assert card.agreement == share(int(n_agreed), n)


def test_gold_counts_only_what_is_known() -> None:
    votes, truth = people.vote(n_items=200, skills=SKILLS, n_labels=2, per_item=2)
    known = np.where(np.arange(200) < 100, truth, -1)
    cards = score_raters(votes, known=known)
    for card in cards:
        mine = (votes.raters == card.rater) & (votes.items < 100)
        assert card.gold == share(int((votes.labels == truth[votes.items])[mine].sum()), int(mine.sum()))
    assert cards[0].gold.value > 0.85 > 0.75 > cards[3].gold.value


def test_speed_is_the_median_of_the_raters_own() -> None:
    votes, _ = people.vote(n_items=40, skills=SKILLS, n_labels=2)
    seconds = np.where(votes.items < 30, 10.0 * (votes.raters + 1) + votes.items / 10, np.nan)
    cards = score_raters(votes, seconds=seconds)
    assert [card.seconds.value for card in cards] == pytest.approx([11.45, 21.45, 31.45, 41.45])
    assert {card.seconds.n for card in cards} == {30}
    assert cards[0].seconds.low < 11.45 < cards[0].seconds.high


def test_who_has_too_few_is_said_to() -> None:
    votes, _ = people.vote(n_items=30, skills=SKILLS, n_labels=2)
    kept = (votes.raters != 3) | (votes.items < 19)
    cards = score_raters(
        Votes(votes.items[kept], votes.raters[kept], votes.labels[kept], 2, n_raters=5), seconds=np.ones(kept.sum())
    )
    assert [card.is_too_few for card in cards] == [False, False, False, True, True]
    assert (cards[3].n_votes, cards[3].agreement.value, cards[3].seconds.value) == (19, None, None)
    assert cards[4].n_votes == cards[4].agreement.n == 0
    # Enough votes, but no gold.
    assert (cards[0].gold.n, cards[0].gold.value) == (0, None)


def test_alone_on_an_item_there_are_no_others() -> None:
    votes = Votes(np.arange(30), np.zeros(30, dtype=int), np.zeros(30, dtype=int), 2)
    (card,) = score_raters(votes)
    assert (card.n_votes, card.agreement.n, card.agreement.value) == (30, 0, None)


def test_nobody_has_no_scorecard() -> None:
    empty = np.empty(0, dtype=int)
    assert score_raters(Votes(empty, empty, empty, 2)) == []
