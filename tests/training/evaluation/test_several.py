"""Several answers to a text: measured and judged each as a yes or no, and all together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.training.evaluation.test_gate_by_label import finding
from training.evaluation import gate, several_metrics, stress
from training.evaluation.gate import Rules
from training.evaluation.metrics import Answers, calibration_error
from training.evaluation.several_gate import judge
from training.evaluation.several_metrics import SeveralAnswers, coded, describe

NAMES = ("price", "quality", "delivery")
SHARES = (0.5, 0.4, 0.08)


def truth_of(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.random((n, 3)) < np.array(SHARES)


def said(
    truth: np.ndarray, flips: np.ndarray, *, sure: float = 0.9, products: np.ndarray | None = None
) -> SeveralAnswers:
    """Answers that are wrong where `flips` says so, and sure of it to 90 %."""
    says = truth ^ flips
    return SeveralAnswers(np.where(says, sure, 1 - sure), says, truth, products)


def pair(n: int = 600, *, new: float = 0.03, old: float = 0.12, seed: int = 0) -> tuple[SeveralAnswers, SeveralAnswers]:
    """Two models that are wrong about each choice with these chances."""
    rng = np.random.default_rng(seed)
    truth = truth_of(rng, n)
    return said(truth, rng.random((n, 3)) < new), said(truth, rng.random((n, 3)) < old)


def test_a_better_model_passes_and_a_worse_one_does_not() -> None:
    new, old = pair(2000)
    verdict = judge(new, old, groups={"language": ["en"] * 2000}, rules=Rules(), labels=NAMES)
    assert verdict.verdict == gate.PASS, verdict.findings
    assert judge(old, new, groups={}, rules=Rules(), labels=NAMES).verdict == gate.FAIL


def test_a_rare_choice_that_is_lost_fails_though_texts_are_right_more_often() -> None:
    new, old = pair(2000, old=0.2)
    says = new.said.copy()
    says[:, 2] = False  # the new one never says delivery
    lost = SeveralAnswers(np.where(says, 0.9, 0.1), says, new.truth)
    verdict = judge(lost, old, groups={}, rules=Rules(), labels=NAMES)
    assert finding(verdict, "+")[0] == gate.PASS, "more texts are wholly right"
    assert finding(verdict, "delivery")[0] == gate.FAIL
    assert finding(verdict, "price")[0] == gate.PASS
    assert verdict.verdict == gate.FAIL


def test_a_choice_with_too_few_texts_is_for_people() -> None:
    new, old = pair(400)
    truth = new.truth.copy()
    truth[:, 2] = np.arange(400) < 3
    rare, before = (said(truth, one.said != one.truth) for one in (new, old))
    verdict = judge(rare, before, groups={}, rules=Rules(), labels=NAMES)
    assert finding(verdict, "delivery")[0] == gate.PEOPLE
    truth[:, 2] = False
    none, before = (said(truth, one.said != one.truth) for one in (new, old))
    assert "no test text" in finding(judge(none, before, groups={}, rules=Rules(), labels=NAMES), "delivery")[1]


def test_a_first_model_has_to_beat_the_commonest_answers_and_find_each_choice() -> None:
    new, _ = pair(600)
    assert judge(new, None, groups={}, rules=Rules(), labels=NAMES).verdict == gate.PASS
    says = new.said.copy()
    says[:, 2] = False
    verdict = judge(
        SeveralAnswers(np.where(says, 0.9, 0.1), says, new.truth), None, groups={}, rules=Rules(), labels=NAMES
    )
    assert finding(verdict, "delivery") == (gate.FAIL, finding(verdict, "delivery")[1])
    ignorant = SeveralAnswers(np.full(new.truth.shape, 0.4), np.zeros_like(new.truth), new.truth)
    verdict = judge(ignorant, None, groups={}, rules=Rules(), labels=NAMES)
    assert finding(verdict, "macro-F1 0.000")[0] == gate.FAIL


def test_few_texts_and_facts_and_calibration_are_told() -> None:
    new, old = pair(50)
    assert judge(new, old, groups={}, rules=Rules(), labels=NAMES).verdict == gate.INCONCLUSIVE
    new, old = pair(600)
    assert judge(new, old, groups={}, rules=Rules(), labels=NAMES, facts={"it works": False}).verdict == gate.FAIL
    told = judge(new, old, groups={}, rules=Rules(), labels=NAMES, stated=590)
    assert "10 of 600 test texts labelled by people" in told.findings[0][1]
    unsure = SeveralAnswers(np.where(new.said, 0.51, 0.49), new.said, new.truth)
    verdict = judge(unsure, old, groups={}, rules=Rules(), labels=NAMES)
    assert finding(verdict, "its confidence is off")[0] == gate.FAIL


def test_a_costly_miss_weighs_more_than_many_cheap_errors() -> None:
    rng = np.random.default_rng(3)
    truth = truth_of(rng, 1500)
    flips = rng.random((1500, 3)) < np.array([0.12, 0.12, 0.0])
    misses = truth & (rng.random((1500, 3)) < np.array([0, 0, 0.5]))  # the old one overlooks half of the deliveries
    new, old = said(truth, flips), said(truth, misses)
    usual = judge(new, old, groups={}, rules=Rules(), labels=NAMES)
    assert finding(usual, "-")[0] == gate.FAIL
    costly = judge(new, old, groups={}, rules=Rules(label_costs={"delivery": 10}), labels=NAMES)
    assert finding(costly, "its errors cost")[0] == gate.PASS


def test_the_report_says_how_much_of_each_choice_is_found() -> None:
    new, _ = pair(400)
    found = describe(new, NAMES)
    assert found["is_several"]
    assert (
        found["accuracy"]["low"]
        < found["accuracy"]["value"]
        == round(float(new.right.mean()), 4)
        < found["accuracy"]["high"]
    )
    row = found["labels"][2]
    hits = int((new.said & new.truth)[:, 2].sum())
    assert (row["label"], row["n"]) == ("delivery", int(new.truth[:, 2].sum()))
    assert row["recall"] == round(hits / row["n"], 4)
    assert row["intervals"]["recall"][0] <= row["recall"] <= row["intervals"]["recall"][1]
    f1 = [2 * (new.said & new.truth)[:, i].sum() / (new.said[:, i].sum() + new.truth[:, i].sum()) for i in range(3)]
    assert found["macro_f1"]["value"] == round(float(np.mean(f1)), 4)
    assert several_metrics.macro_f1(new) == pytest.approx(np.mean(f1))
    assert describe(SeveralAnswers(*(np.zeros((0, 3)) for _ in range(3))), NAMES) == {"n": 0, "is_several": True}


def test_texts_of_one_product_say_nothing_by_themselves() -> None:
    rng = np.random.default_rng(0)
    truth = truth_of(rng, 60)
    found = describe(said(truth, rng.random((60, 3)) < 0.1, products=np.zeros(60, dtype=np.int64)), NAMES)
    assert (found["accuracy"]["low"], found["accuracy"]["high"]) == (0.0, 1.0)


def test_a_bound_below_one_half_is_what_counts() -> None:
    answers = SeveralAnswers(np.array([[0.3], [0.2]]), np.array([[True], [False]]), np.array([[True], [False]]))
    one = answers.choice(0)
    assert one.predicted.tolist() == [1, 0]
    assert one.right.all()
    assert one.of(np.array([0])).predicted.tolist() == [1]
    # It says yes at 0.3, and no at 0.8: of what was said the probability is meant.
    assert calibration_error(one) == pytest.approx((0.7 + 0.2) / 2)


def test_equal_sets_of_choices_have_equal_numbers() -> None:
    ticks = np.array([[1, 0, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]], dtype=bool)
    assert coded(ticks).tolist() == [5, 5, 2, 0]


def test_changed_texts_are_judged_by_all_their_answers() -> None:
    """The stress part takes numbers of what was said as well as probabilities, and comes to the same."""
    texts = [f"the good mug {number} is for women and is very cheap" for number in range(40)]
    truth = np.arange(40) % 2
    rows = np.eye(2)[truth]

    def says(asked: Sequence[str]) -> np.ndarray:
        return np.array([[float(len(text) % 2 == 0), float(len(text) % 2)] for text in asked])

    by_row = stress.judge(texts, Answers(rows, truth), Answers(rows, truth), says=says, rival=says, rules=Rules())
    whole = Answers(np.zeros((40, 0)), truth, None, truth)
    by_number = stress.judge(
        texts,
        whole,
        whole,
        says=lambda asked: says(asked).argmax(axis=1),
        rival=lambda asked: says(asked).argmax(axis=1),
        rules=Rules(),
    )
    assert by_row == by_number
