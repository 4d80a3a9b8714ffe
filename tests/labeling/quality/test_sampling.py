"""What to ask people about next."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from labeling.quality import sampling
from labeling.quality.sampling import Strategy, choose


def pool(n: int = 500, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 8))
    return rng.random(n), features / np.linalg.norm(features, axis=1, keepdims=True)


def test_a_share_is_always_drawn_by_lot_and_the_rest_is_unsure_or_unlike() -> None:
    unsure, features = pool()
    chosen = choose(50, uncertainty=unsure, features=features, n_labelled=1000, seed=3)
    assert len({row for row, _ in chosen}) == 50
    why = Counter(reason for _, reason in chosen)
    assert why["random"] == 10
    assert set(why) == {"random", "uncertain", "diverse"}
    picked = np.mean([unsure[row] for row, reason in chosen if reason != "random"])
    assert picked > unsure.mean()
    assert chosen == choose(50, uncertainty=unsure, features=features, n_labelled=1000, seed=3)
    assert chosen != choose(50, uncertainty=unsure, features=features, n_labelled=1000, seed=4)


def test_with_few_labels_everything_is_drawn_by_lot() -> None:
    unsure, features = pool()
    chosen = choose(40, uncertainty=unsure, features=features, n_labelled=10, seed=3)
    assert {reason for _, reason in chosen} == {"cold_start"}


def test_the_most_urgent_go_first_without_diversity() -> None:
    unsure, _ = pool()
    strategy = Strategy(random_share=0, wide=1)
    chosen = choose(20, uncertainty=unsure, n_labelled=1000, seed=3, strategy=strategy)
    assert [row for row, _ in chosen] == np.argsort(-unsure, kind="stable")[:20].tolist()


@pytest.mark.parametrize("name", ["risk", "disagreement", "value"])
def test_what_else_makes_one_urgent_counts_by_its_weight(name: str) -> None:
    unsure, other = np.zeros(100), np.arange(100) / 100
    strategy = Strategy(random_share=0, wide=1, **{name: 1.0})
    chosen = choose(5, uncertainty=unsure, n_labelled=1000, seed=3, strategy=strategy, **{name: other})
    assert [row for row, _ in chosen] == [99, 98, 97, 96, 95]


def test_copies_of_what_was_asked_are_passed_over() -> None:
    features = np.vstack([np.tile([[1.0, 0.0]], (50, 1)), np.tile([[0.0, 1.0]], (5, 1))])
    unsure = np.full(55, 0.5)
    chosen = choose(
        4,
        uncertainty=unsure,
        features=features,
        asked=np.array([[1.0, 0.0]]),
        n_labelled=1000,
        seed=1,
        strategy=Strategy(random_share=0, wide=20),
    )
    assert chosen[0][0] >= 50, "the first is unlike what was asked before"


def test_a_small_pool_is_taken_whole() -> None:
    assert len(choose(10, uncertainty=np.array([0.1, 0.2]), n_labelled=1000, seed=1)) == 2
    assert choose(10, uncertainty=np.array([]), n_labelled=0, seed=1) == []


def test_uncertainty_is_between_certain_and_a_guess() -> None:
    rows = np.array([[1.0, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 0]])
    assert sampling.entropy(rows) == pytest.approx([0, 1, np.log(2) / np.log(3)], abs=1e-6)
    assert sampling.margin(rows) == pytest.approx([0, 1, 1])


def test_characters_tell_texts_apart_in_any_language() -> None:
    features = sampling.hashed(["物流很快，包装完好", "物流很快，包装不错", "The lid leaks"])
    near, far = (features[0] @ features[i].T for i in (1, 2))
    assert near.toarray()[0, 0] > 0.3 > far.toarray()[0, 0]
