"""The gate for copywriters: a worse one never passes, a better one does, and the findings are told in words."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluation import copy_gate, gate
from training.evaluation.copy_gate import Measured, Rules, judge

RULES = Rules()


def texts(
    rng: np.random.Generator, n: int, *, claims: float, blocked: float = 0.0, distance: float = 0.5, each: int = 2
) -> Measured:
    """What a model wrote for `n` products, `each` texts a product, with so many claims without a fact on average."""
    n_texts = n * each
    return Measured(
        products=[str(place // each) for place in range(n_texts)],
        unsupported_claims=rng.poisson(claims, n_texts).astype(float),
        blocked=(rng.random(n_texts) < blocked).astype(float),
        edit_distance=np.clip(rng.normal(distance, 0.1, n_texts), 0, 1),
    )


def verdicts(seed: int, cycles: int, n: int = 60, *, old: dict[str, float], new: dict[str, float]) -> list[str]:
    rng = np.random.default_rng(seed)
    return [judge(texts(rng, n, **new), texts(rng, n, **old), rules=RULES).verdict for _ in range(cycles)]


def test_a_worse_copywriter_is_rejected_in_200_of_200_cycles() -> None:
    found = verdicts(0, 200, old={"claims": 0.4}, new={"claims": 0.7})
    assert gate.PASS not in found
    assert found.count(gate.FAIL) >= 160


def test_a_better_copywriter_is_accepted_most_of_the_time() -> None:
    assert verdicts(1, 100, old={"claims": 0.8}, new={"claims": 0.3}).count(gate.PASS) >= 90


def test_an_equal_copywriter_takes_over_by_chance_alone() -> None:
    assert verdicts(2, 200, old={"claims": 0.5}, new={"claims": 0.5}).count(gate.PASS) / 200 <= 0.06


@pytest.mark.parametrize("worse", [{"blocked": 0.4}, {"distance": 0.6}])
def test_fewer_claims_do_not_make_up_for_what_is_worse_otherwise(worse: dict[str, float]) -> None:
    assert set(verdicts(3, 50, old={"claims": 0.8}, new={"claims": 0.2, **worse})) == {gate.FAIL}


def test_one_block_more_may_be_chance_and_is_not_let_in() -> None:
    rng = np.random.default_rng(4)
    old, new = texts(rng, 60, claims=0.8), texts(rng, 60, claims=0.2)
    new.blocked[0] = 1
    found = judge(new, old, rules=RULES)
    assert found.verdict == gate.INCONCLUSIVE
    assert [verdict for verdict, words in found.findings if "blocked" in words] == [gate.INCONCLUSIVE]


def test_one_that_is_better_on_the_whole_and_worse_in_a_channel_fails() -> None:
    rng = np.random.default_rng(7)
    new, old = texts(rng, 90, claims=0.1), texts(rng, 90, claims=1.5)
    is_slogan = np.arange(180) % 2 == 1
    new.unsupported_claims[is_slogan], old.unsupported_claims[is_slogan] = 1.0, 0.0
    channels = {"channel": ["slogan" if slogan else "description" for slogan in is_slogan]}
    verdict = judge(new, old, rules=RULES, groups=channels)
    assert verdict.verdict == gate.FAIL
    assert ("fail", "more claims without a fact where channel is slogan: +1.00 a text") in verdict.findings
    assert judge(new, old, rules=RULES).verdict == gate.PASS, "on the whole it makes fewer"


def test_what_people_did_not_write_is_not_compared_with() -> None:
    rng = np.random.default_rng(9)
    # Far from a text let out as it was, which is the champion's; for a few products a person wrote one.
    new, old = texts(rng, 60, claims=0.1, distance=0.6), texts(rng, 60, claims=1.5, distance=0.1)
    assert judge(new, old, rules=RULES).verdict == gate.FAIL
    for n_fixed in (0, 1, RULES.min_slice - 1):
        new.edit_distance[2 * n_fixed :] = np.nan
        found = judge(new, old, rules=RULES)
        words = f"people wrote a text of their own for {n_fixed} products: too few to tell how far from such texts it is, 15 are needed"
        assert (copy_gate.NOTE, words) in found.findings
        assert found.verdict == gate.PASS, "who lets out all drafts as they are can have a better model, too"
        new.edit_distance[:] = 0.6
    new.edit_distance[2 * RULES.min_slice :] = np.nan
    assert judge(new, old, rules=RULES).verdict == gate.FAIL


def test_too_few_products_are_inconclusive_however_many_texts() -> None:
    rng = np.random.default_rng(5)
    found = judge(texts(rng, 29, claims=0.0, each=10), texts(rng, 29, claims=2.0, each=10), rules=RULES)
    assert found.verdict == gate.INCONCLUSIVE
    assert found.findings == (("inconclusive", "29 products are too few to tell: 30 are needed"),)


def test_a_condition_that_does_not_hold_fails_whatever_was_measured() -> None:
    rng = np.random.default_rng(6)
    found = judge(texts(rng, 60, claims=0.1), texts(rng, 60, claims=2.0), rules=RULES, facts={"it works": False})
    assert found.verdict == gate.FAIL
    assert ("fail", "it works") in found.findings


def test_without_a_champion_what_is_blocked_decides() -> None:
    rng = np.random.default_rng(7)
    assert judge(texts(rng, 60, claims=1.0), None, rules=RULES).verdict == gate.PASS
    assert judge(texts(rng, 60, claims=1.0, blocked=0.3), None, rules=RULES).verdict == gate.FAIL


def test_a_reader_is_told_the_figures() -> None:
    rng = np.random.default_rng(8)
    words = " ".join(
        words for _, words in judge(texts(rng, 60, claims=0.2), texts(rng, 60, claims=0.8), rules=RULES).findings
    )
    for said in ("claims without a fact in a text", "95 % interval", "blocked", "has to change"):
        assert said in words
