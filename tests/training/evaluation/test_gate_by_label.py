"""The gate judges each label: who loses one is not let in, whatever it gains elsewhere, and of a rare one people decide."""

from __future__ import annotations

import numpy as np
import pytest
from django.core.exceptions import ImproperlyConfigured

from bench.gate import BEFORE, BY_ITSELF, OLD, TO_PEOPLE, judged, labelled_pair, worse_on_one
from ecomsite import env
from training.evaluation import by_label, gate, metrics
from training.evaluation.comparison import difference, of_shares
from training.evaluation.gate import Rules, judge
from training.evaluation.metrics import Answers
from training.models import runs

NAMES = ("positive", "negative")


def said(truth: np.ndarray, predicted: np.ndarray, n_labels: int = 2, sure: float = 0.9) -> Answers:
    """Answers that say `predicted`, and are so sure of it."""
    rows = np.full((len(truth), n_labels), (1 - sure) / (n_labels - 1))
    rows[np.arange(len(truth)), predicted] = sure
    return Answers(rows, truth)


def finding(verdict: gate.Verdict, beginning: str) -> tuple[str, str]:
    """The one finding whose words begin so."""
    (found,) = (one for one in verdict.findings if one[1].startswith(beginning))
    return found


def of_negative(n: int, *, old: int, new: int, rules: Rules = Rules()) -> tuple[str, str]:  # noqa: B008
    """What is found of `n` negative texts among 1,000, of which the models find so many; the new one is better on the others."""
    truth = (np.arange(1000) < n).astype(int)
    mine, theirs = np.zeros(1000, dtype=int), (np.arange(1000) >= 800).astype(int)
    mine[:new], theirs[:n] = 1, (np.arange(n) < old).astype(int)
    return finding(judge(said(truth, mine), said(truth, theirs), groups={}, rules=rules, labels=NAMES), "negative")


def test_a_model_that_never_says_a_label_fails_though_it_is_right_far_more_often() -> None:
    truth = (np.arange(500) % 20 == 0).astype(int)  # one in twenty is negative
    theirs = np.where(np.arange(500) % 8 == 7, 1 - truth, truth)
    verdict = judge(said(truth, np.zeros(500, dtype=int)), said(truth, theirs), groups={}, rules=Rules(), labels=NAMES)
    assert finding(verdict, "+")[0] == gate.PASS, "of accuracy alone nothing is to be seen"
    assert verdict.verdict == gate.FAIL
    assert finding(verdict, "negative")[0] == gate.FAIL
    assert finding(verdict, "macro-F1")[0] == gate.FAIL


@pytest.mark.parametrize(
    ("frequency", "n", "per_product"), [(0.02, 2000, 1), (0.05, 500, 1), (0.2, 500, 1), (0.2, 2000, 5)]
)
def test_a_loss_on_one_label_as_large_as_its_margin_is_let_in_once_in_a_hundred_at_most(
    frequency: float, n: int, per_product: int
) -> None:
    """The long form is `bench/gate.py labels`."""
    found = judged(n, per_product, frequency, worse_on_one(frequency, 0.1), 200)
    assert found[BY_ITSELF] <= 4
    assert found[BEFORE] >= 60, "for what it gains elsewhere it would be"


def test_who_is_better_on_all_labels_is_let_in_as_before_or_put_before_people() -> None:
    found = judged(500, 1, 0.2, [OLD + 0.06] * 3, 100)
    assert found[BY_ITSELF] >= 0.9 * found[BEFORE] >= 60
    found = judged(500, 1, 0.02, [OLD + 0.06] * 3, 100)
    assert found[BY_ITSELF] <= 5, "of ten texts nobody can tell"
    assert found[TO_PEOPLE] + found[BY_ITSELF] >= 0.95 * found[BEFORE]


def test_of_a_label_with_too_few_texts_people_decide_unless_it_is_lost_for_certain() -> None:
    assert of_negative(15, old=13, new=14)[0] == gate.PEOPLE
    verdict, words = of_negative(15, old=13, new=13)
    assert (verdict, "too few to rule out a loss of 10 points, so people decide" in words) == (gate.PEOPLE, True)
    assert of_negative(15, old=13, new=0)[0] == gate.FAIL
    assert of_negative(10, old=6, new=0)[0] == gate.INCONCLUSIVE, "not for people either"
    assert of_negative(400, old=360, new=300)[0] == gate.FAIL
    assert of_negative(400, old=360, new=358)[0] == gate.PASS
    verdict, words = of_negative(400, old=360, new=326)
    assert verdict == gate.INCONCLUSIVE, "worse for certain is not for people to overlook"
    assert "worse beyond chance, and a loss of 10 points is not ruled out" in words


def test_a_margin_may_be_a_labels_own() -> None:
    assert of_negative(400, old=360, new=340)[0] == gate.PASS
    assert of_negative(400, old=360, new=340, rules=Rules(label_margins={"negative": 0.04}))[0] != gate.PASS
    assert of_negative(400, old=360, new=340, rules=Rules(label_margins={"positive": 0.04}))[0] == gate.PASS
    assert of_negative(400, old=360, new=300, rules=Rules(label_margin=0.3))[0] == gate.PASS


def test_precision_is_judged_like_recall() -> None:
    truth = (np.arange(1000) < 300).astype(int)
    theirs = np.where(np.arange(1000) < 250, 1, 0)
    often = np.where(np.arange(1000) < 300, 1, 0) | (np.arange(1000) >= 950)
    few, many = (
        judge(said(truth, one), said(truth, theirs), groups={}, rules=Rules(), labels=NAMES)
        for one in (np.where(np.arange(1000) < 300, 1, 0) | (np.arange(1000) >= 990), often)
    )
    assert finding(few, "negative")[0] == gate.PASS
    verdict, words = finding(many, "negative")
    assert verdict != gate.PASS
    assert "right in 85.7% of 350 times it says so, the champion in 100.0% of 250 its own (-14.3 points" in words


def test_a_label_that_no_test_text_has_is_for_people() -> None:
    truth = np.arange(400) % 2
    new, old = said(truth, truth, 3), said(truth, np.where(np.arange(400) < 100, 1 - truth, truth), 3)
    verdict = judge(new, old, groups={}, rules=Rules(), labels=("positive", "negative", "neutral"))
    assert (verdict.verdict, finding(verdict, "neutral")[0]) == (gate.INCONCLUSIVE, gate.PEOPLE)
    assert {said for said, _ in verdict.findings} == {gate.PASS, gate.PEOPLE}
    assert judge(new, old, groups={}, rules=Rules()).verdict == gate.PASS, "of nobody knows what nothing is asked"


def test_a_first_model_has_to_find_each_label() -> None:
    truth = (np.arange(400) < 60).astype(int)
    verdict = judge(said(truth, truth), None, groups={}, rules=Rules(), labels=NAMES)
    assert verdict.verdict == gate.PASS
    always = np.zeros(400, dtype=int)
    verdict = judge(said(truth, always), None, groups={}, rules=Rules(), labels=NAMES)
    assert finding(verdict, "negative") == (
        gate.FAIL,
        "negative: finds 0.0% of 60 test texts: it never says it where it is true",
    )
    rare = (np.arange(400) < 6).astype(int)
    verdict = judge(said(rare, always), None, groups={}, rules=Rules(), labels=NAMES)
    assert finding(verdict, "negative")[0] == gate.PEOPLE


def test_where_an_error_on_a_label_costs_more_the_gain_is_in_cost() -> None:
    truth = (np.arange(1000) < 200).astype(int)
    mine = np.where(np.arange(1000) < 190, 1, 0) | (np.arange(1000) >= 920)  # 10 missed, 80 false alarms
    theirs = np.where(np.arange(1000) < 150, 1, 0) | (np.arange(1000) >= 970)  # 50 missed, 30 false alarms
    new, old = said(truth, mine), said(truth, theirs)
    rules = Rules(label_margin=0.5)
    assert finding(judge(new, old, groups={}, rules=rules, labels=NAMES), "-1.0 points")[0] == gate.INCONCLUSIVE
    dear = Rules(label_margin=0.5, label_costs={"negative": 5.0})
    verdict, words = finding(judge(new, old, groups={}, rules=dear, labels=NAMES), "its errors cost 0.130 a text")
    assert (verdict, "the champion's 0.280: +0.150 is saved" in words, "(-1.0 points of accuracy)" in words) == (
        gate.PASS,
        True,
        True,
    )
    cheap = Rules(label_margin=0.5, label_costs={"negative": 0.1})
    assert finding(judge(new, old, groups={}, rules=cheap, labels=NAMES), "its errors cost")[0] == gate.FAIL


def test_with_a_unit_for_each_error_cost_is_accuracy() -> None:
    new, old = labelled_pair(np.random.default_rng(3), 500, frequency=0.1, right=[0.9] * 3, per_product=5)
    found = by_label.cost(new, old, np.ones(3))
    accuracy = difference(new.right.astype(float) - old.right, new.products)
    assert found.gap == accuracy


def test_macro_f1_is_over_the_labels_of_the_texts_for_both_models() -> None:
    truth = np.arange(300) % 2
    theirs = np.where(np.arange(300) < 30, 2, truth)  # the old one says a label that no text has
    new, old = said(truth, truth, 3), said(truth, theirs, 3)
    found = by_label.macro_f1(new, old)
    assert (found.new, found.old) == (metrics.macro_f1(new), pytest.approx(metrics.macro_f1(old)))
    assert (found.new, found.old) == (1.0, pytest.approx(2 * 135 / (135 + 150)))


def test_the_interval_of_macro_f1_covers() -> None:
    rng, hits = np.random.default_rng(11), 0
    right = [0.8, 0.9, 0.88]
    new, old = labelled_pair(rng, 200_000, frequency=0.1, right=right, per_product=1)
    truly = by_label.macro_f1(new, old).gap.value
    for _ in range(300):
        found = by_label.macro_f1(*labelled_pair(rng, 600, frequency=0.1, right=right, per_product=1))
        hits += found.gap.low <= truly <= found.gap.high
    assert 0.92 <= hits / 300 <= 0.98


@pytest.mark.parametrize("per_product", [1, 6])
def test_the_interval_of_a_difference_in_precision_covers(per_product: int) -> None:
    rng, hits = np.random.default_rng(12), 0
    right = [0.8, 0.9, 0.88]
    new, old = labelled_pair(rng, 200_000, frequency=0.1, right=right, per_product=1)
    truly = float((new.truth == 0)[new.predicted == 0].mean() - (old.truth == 0)[old.predicted == 0].mean())
    for _ in range(300):
        new, old = labelled_pair(rng, 900, frequency=0.1, right=right, per_product=per_product)
        found = of_shares(new.predicted == 0, old.predicted == 0, new.truth == 0, new.products, level=0.95)
        hits += found.low <= truly <= found.high
    assert hits / 300 >= 0.93


def test_who_said_nothing_has_no_share() -> None:
    none, some = np.zeros(50, dtype=bool), np.arange(50) < 20
    assert of_shares(none, some, some) == of_shares(some, none, some)
    assert of_shares(some, some, some, np.zeros(50, dtype=int)).low == -1


def test_findings_are_called_as_the_report_reads_them() -> None:
    assert (
        runs.PEOPLE,
        *(
            str(verdict)
            for verdict in (
                runs.EvaluationReport.Verdict.PASSED,
                runs.EvaluationReport.Verdict.FAILED,
                runs.EvaluationReport.Verdict.INCONCLUSIVE,
            )
        ),
    ) == (gate.PEOPLE, gate.PASS, gate.FAIL, gate.INCONCLUSIVE)


def test_margins_and_costs_come_from_the_environment_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATE_LABEL_MARGINS", "negative=5, neutral=12.5")
    assert env.numbers("GATE_LABEL_MARGINS", minimum=1, maximum=100) == {"negative": 5, "neutral": 12.5}
    for wrong in ("negative", "negative=", "=5", "negative=often", "negative=nan", "negative=0", "negative=101"):
        monkeypatch.setenv("GATE_LABEL_MARGINS", wrong)
        with pytest.raises(ImproperlyConfigured, match="must be numbers from 1 to 100 by name"):
            env.numbers("GATE_LABEL_MARGINS", minimum=1, maximum=100)
