"""Votes in coordinate form: what is taken and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from labeling.quality.votes import Votes


def test_counts_have_a_row_for_every_item_also_without_votes() -> None:
    votes = Votes([0, 0, 2], [0, 1, 0], [1, 1, 0], 2, n_items=4, n_raters=3)
    assert votes.counts().tolist() == [[0, 2], [0, 0], [1, 0], [0, 0]]
    assert (len(votes), votes.n_items, votes.n_raters) == (3, 4, 3)


def test_pairs_are_all_two_votes_on_one_item_smaller_rater_first() -> None:
    votes = Votes([1, 0, 1, 1], [2, 0, 0, 1], [0, 0, 0, 0], 1)
    first, second = votes.pairs()
    found = {(int(votes.raters[a]), int(votes.raters[b])) for a, b in zip(first, second, strict=True)}
    assert len(first) == 3
    assert found == {(0, 1), (0, 2), (1, 2)}


def test_one_more_rater_joins_where_somebody_voted() -> None:
    votes = Votes([0, 2], [0, 0], [1, 1], 2, n_items=4, n_raters=2)
    joined = votes.joined_by([0, 1, -1, 1])
    assert (joined.items.tolist(), joined.raters.tolist(), joined.labels.tolist()) == ([0, 2, 0], [0, 0, 2], [1, 1, 0])
    assert (joined.n_items, joined.n_raters) == (4, 3)


@pytest.mark.parametrize(
    ("items", "raters", "labels"),
    [
        ([0, 0], [0, 0], [0, 1]),  # one rater twice
        ([0, 1], [0, 0], [0, 2]),  # no such label
        ([0, -1], [0, 1], [0, 1]),
        ([0, 1], [0, 1], [0]),
        ([0.5], [0], [0]),
        ([[0]], [[0]], [[0]]),
    ],
)
def test_what_are_no_votes_is_refused(items: list, raters: list, labels: list) -> None:
    with pytest.raises(ValueError, match=r"numbers|length|more than one|needed"):
        Votes(np.array(items), np.array(raters), np.array(labels), 2)
