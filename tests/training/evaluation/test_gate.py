"""The gate: worse models never pass, better ones do, and every finding is told in words."""

from __future__ import annotations

import numpy as np

from training.evaluation import by_label, gate
from training.evaluation.comparison import compare
from training.evaluation.gate import Rules, as_rules, judge, worst
from training.evaluation.metrics import Answers, calibration_error


def model(right: np.ndarray, truth: np.ndarray, products: np.ndarray | None = None) -> Answers:
    """Answers that are right where `right` says so, and sure of it to 90 %."""
    said = np.where(right, truth, 1 - truth)
    rows = np.full((len(truth), 2), 0.1)
    rows[np.arange(len(truth)), said] = 0.9
    return Answers(rows, truth, products)


def pair(
    rng: np.random.Generator, n: int, *, old: float, new: float, shared: float = 0.8, per_product: int = 1
) -> tuple[Answers, Answers]:
    """Two models that are right with these chances; on a share of texts they are right or wrong together.

    Of a product's texts half share their fate.
    """
    truth, products = rng.integers(0, 2, n), np.arange(n) // per_product
    draw, own = rng.random(n), rng.random((2, n))
    together = rng.random(n) < shared
    if per_product > 1:
        first, alike = products * per_product, rng.random(n) < 0.5
        draw, own, together = (np.where(alike, one[..., first], one) for one in (draw, own, together))
    return (
        model(np.where(together, draw, own[0]) < new, truth, products),
        model(np.where(together, draw, own[1]) < old, truth, products),
    )


def groups(n: int) -> dict[str, list[str]]:
    return {"language": ["en" if i % 3 else "zh" for i in range(n)]}


def test_a_worse_model_is_rejected_in_200_of_200_cycles() -> None:
    rng, passed = np.random.default_rng(0), 0
    for _ in range(200):
        new, old = pair(rng, 500, old=0.9, new=0.87)
        passed += judge(new, old, groups=groups(500), rules=Rules()).verdict == gate.PASS
    assert passed == 0


def test_a_better_model_is_accepted_most_of_the_time() -> None:
    rng, passed = np.random.default_rng(1), 0
    for _ in range(200):
        new, old = pair(rng, 500, old=0.84, new=0.90)
        passed += judge(new, old, groups=groups(500), rules=Rules()).verdict == gate.PASS
    assert passed >= 180, "the power of the test"


def test_an_equal_model_takes_over_by_chance_alone() -> None:
    rng, passed = np.random.default_rng(2), 0
    for _ in range(400):
        new, old = pair(rng, 500, old=0.88, new=0.88)
        passed += judge(new, old, groups=groups(500), rules=Rules()).verdict == gate.PASS
    assert passed / 400 <= 0.05


def test_of_reviews_that_are_alike_too() -> None:
    rng, passed = np.random.default_rng(7), 0
    for _ in range(200):
        new, old = pair(rng, 500, old=0.88, new=0.88, per_product=10)
        passed += judge(new, old, groups=groups(500), rules=Rules()).verdict == gate.PASS
    assert passed / 200 <= 0.06


def test_where_not_worse_is_enough_an_equal_model_passes_and_a_worse_one_does_not() -> None:
    rules, passed = Rules(gain=-0.05, slice_loss=0.05), {0.88: 0, 0.80: 0}
    for new_is_right in passed:
        rng = np.random.default_rng(6)
        for _ in range(100):
            new, old = pair(rng, 1000, old=0.88, new=new_is_right)
            passed[new_is_right] += judge(new, old, groups=groups(1000), rules=rules).verdict == gate.PASS
    assert passed[0.88] >= 90
    assert passed[0.80] == 0


def test_many_reviews_of_few_products_are_no_proof() -> None:
    truth, products = np.zeros(500, dtype=int), np.repeat(np.arange(5), 100)
    new, old = np.repeat([True, True, True, False, True], 100), np.repeat([True, False, False, True, True], 100)
    answers = [model(right, truth, products) for right in (new, old)]
    assert judge(*answers, groups={}, rules=Rules()).verdict == gate.INCONCLUSIVE
    by_text = [model(right, truth) for right in (new, old)]
    assert judge(*by_text, groups={}, rules=Rules()).verdict == gate.PASS, "though as texts of their own they would be"


def test_too_few_test_texts_are_inconclusive_whatever_they_say() -> None:
    new, old = pair(np.random.default_rng(3), 60, old=0.5, new=1.0)
    verdict = judge(new, old, groups=groups(60), rules=Rules())
    assert verdict.verdict == gate.INCONCLUSIVE
    assert "60 test texts are too few" in verdict.findings[-1][1]


def test_labels_that_a_file_stated_prove_nothing_however_many() -> None:
    new, old = pair(np.random.default_rng(8), 500, old=0.7, new=0.95)
    assert judge(new, old, groups={}, rules=Rules(), stated=400).verdict == gate.PASS, "a hundred are of people"
    verdict = judge(new, old, groups={}, rules=Rules(), stated=401)
    assert verdict.verdict == gate.INCONCLUSIVE
    assert verdict.findings[-1][1] == "99 of 500 test texts labelled by people are too few to tell: 100 are needed"


def test_one_that_is_better_on_the_whole_and_worse_in_a_slice_fails() -> None:
    truth = np.zeros(600, dtype=int)
    language = ["zh" if i < 60 else "en" for i in range(600)]
    new = np.array([name == "en" for name in language])
    old = np.array([name == "zh" or i % 3 > 0 for i, name in enumerate(language)])
    verdict = judge(model(new, truth), model(old, truth), groups={"language": language}, rules=Rules())
    assert verdict.verdict == gate.FAIL
    assert any("worse where language is zh" in words for said, words in verdict.findings if said == gate.FAIL)


def test_a_condition_that_does_not_hold_fails_a_model_however_good() -> None:
    new, old = pair(np.random.default_rng(4), 500, old=0.7, new=0.95)
    verdict = judge(new, old, groups={}, rules=Rules(), facts={"it works in a fresh process": False})
    assert (verdict.verdict, verdict.findings[0]) == (gate.FAIL, (gate.FAIL, "it works in a fresh process"))


def test_a_first_model_needs_no_champion_but_has_to_be_right_and_honest() -> None:
    rng = np.random.default_rng(5)
    good, bad = pair(rng, 300, old=0.4, new=0.9)
    assert judge(good, None, groups={}, rules=Rules()).verdict == gate.PASS
    assert judge(bad, None, groups={}, rules=Rules()).verdict == gate.FAIL
    assert [said for said, _ in judge(good, None, groups={}, rules=Rules()).findings] == [gate.PASS] * 5


def marks(n: int, *wrong: range) -> np.ndarray:
    """Right on `n` texts but those."""
    return ~np.isin(np.arange(n), [i for one in wrong for i in one])


def test_a_verdict_gives_every_figure_in_words_and_the_conditions_first() -> None:
    truth = np.arange(200) % 2
    new, old = model(marks(200, range(20)), truth), model(marks(200, range(80)), truth)
    verdict = judge(new, old, groups=groups(200), rules=Rules(), facts={"it works in a fresh process": True})
    found = compare(new.right, old.right)
    zero, one = (by_label.compare(new, old, label, alike=0.0) for label in (0, 1))

    def points(figure: by_label.Figure | None) -> str:
        assert figure
        return f"99 % interval {100 * figure.gap.low:+.1f} to {100 * figure.gap.high:+.1f}"

    macro = by_label.macro_f1(new, old).gap
    assert verdict == gate.Verdict(
        gate.PASS,
        (
            (gate.PASS, "it works in a fresh process"),
            (gate.PASS, "right on 90.0% of 200 test texts (macro-F1 0.900); at least 50%"),
            (gate.PASS, "its confidence is off by 0.000 on average; at most 0.20"),
            (
                gate.PASS,
                f"+30.0 points against the champion, 95 % interval {100 * found.low:+.1f} to {100 * found.high:+.1f} "
                "(McNemar by product p < 0.001); it has to be above +0.0",
            ),
            *[
                (
                    gate.PASS,
                    f"label {label}: finds 90.0% of 100 test texts, the champion 60.0% (+30.0 points, {points(of.recall)}); "
                    "right in 90.0% of 100 times it says so, the champion in 60.0% of 100 its own "
                    f"(+30.0 points, {points(of.precision)}): a loss of 10 points is ruled out",
                )
                for label, of in enumerate((zero, one))
            ],
            (
                gate.PASS,
                f"macro-F1 0.900, the champion's 0.600: +0.300, 95 % interval {macro.low:+.3f} to {macro.high:+.3f}; "
                "it must not be below zero beyond chance",
            ),
            (gate.PASS, "worse in none of 2 slices of 30 texts or more"),
        ),
    )


def test_a_slice_in_which_it_is_worse_is_named_with_its_figures() -> None:
    truth = np.arange(600) % 2
    language = ["zh" if i < 60 else "en" for i in range(600)]
    new, old = model(marks(600, range(60)), truth), model(marks(600, range(30), range(60, 240)), truth)
    verdict = judge(new, old, groups={"language": language}, rules=Rules())
    assert verdict.findings[-1] == (gate.FAIL, "worse where language is zh: -50.0 points on 60 texts")
    assert len(verdict.findings) == 7, "of the slice in which it is better nothing is said"


def test_chances_are_told_to_three_digits_where_they_have_any() -> None:
    truth = np.zeros(200, dtype=int)
    for n_better, told in {10: "p = 0.002)", 11: "p < 0.001)"}.items():
        new, old = model(marks(200), truth), model(marks(200, range(n_better)), truth)
        (words,) = (words for _, words in judge(new, old, groups={}, rules=Rules()).findings if "against the" in words)
        assert told in words


def test_what_is_right_and_sure_enough_is_just_enough() -> None:
    truth = np.arange(100) % 2
    new = model(marks(100, range(50)), truth)
    off = calibration_error(new)
    rules = Rules(min_accuracy=0.5, max_calibration_error=off)
    assert [said for said, _ in judge(new, None, groups={}, rules=rules).findings[:2]] == [gate.PASS, gate.PASS]
    rules = Rules(min_accuracy=0.51, max_calibration_error=off - 0.001)
    assert [said for said, _ in judge(new, None, groups={}, rules=rules).findings[:2]] == [gate.FAIL, gate.FAIL]


def test_a_gain_has_to_be_beyond_what_is_asked_and_a_loss_too() -> None:
    truth = np.arange(200) % 2
    new, old = model(marks(200, range(20)), truth), model(marks(200, range(10, 60)), truth)
    found = compare(new.right, old.right)
    for gain, said in {
        found.low - 0.001: gate.PASS,
        found.low: gate.INCONCLUSIVE,
        found.high: gate.INCONCLUSIVE,
        found.high + 0.001: gate.FAIL,
    }.items():
        rules = Rules(gain=gain)
        assert judge(new, old, groups={}, rules=rules).findings[2][0] == said
        assert judge(new, old, groups={}, rules=rules).findings[2][1].endswith(f"above {100 * gain:+.1f}")


def test_a_first_model_is_measured_against_always_saying_the_commonest_label() -> None:
    truth = np.array([1] * 150 + [0] * 50)
    new = model(marks(200, range(20)), truth)
    found = compare(new.right, truth == 1)
    (words,) = (
        words for _, words in judge(new, None, groups=groups(200), rules=Rules()).findings if "against" in words
    )
    assert words.startswith(
        f"+15.0 points against always saying the commonest label, 95 % interval {100 * found.low:+.1f} to"
    )


def test_a_slice_counts_from_so_many_texts_on() -> None:
    truth = np.zeros(300, dtype=int)
    language = ["zh" if i < 30 else "en" for i in range(300)]
    new, old = model(marks(300, range(30)), truth), model(marks(300, range(30, 200)), truth)
    by = {"language": language}
    assert judge(new, old, groups=by, rules=Rules(min_slice=30)).verdict == gate.FAIL
    verdict = judge(new, old, groups=by, rules=Rules(min_slice=31))
    assert verdict.findings[-1] == (gate.PASS, "worse in none of 1 slices of 31 texts or more")


def test_a_loss_in_a_slice_has_to_be_beyond_what_is_allowed() -> None:
    truth = np.zeros(300, dtype=int)
    language = ["zh" if i < 60 else "en" for i in range(300)]
    new, old = model(marks(300, range(30)), truth), model(marks(300, range(60, 200)), truth)
    found = compare(new.right[:60], old.right[:60], level=1 - 0.05 / 2)
    assert found.high < 0
    for allowed, said in {-found.high - 0.001: gate.FAIL, -found.high: gate.PASS}.items():
        verdict = judge(new, old, groups={"language": language}, rules=Rules(slice_loss=allowed))
        assert verdict.findings[-1][0] == said


def test_the_more_slices_the_more_a_loss_in_one_has_to_show() -> None:
    truth = np.zeros(600, dtype=int)
    new, old = model(marks(600, range(8)), truth), model(marks(600, range(300, 550)), truth)
    halves = ["first" if i < 60 else "rest" for i in range(600)]
    tenths = [f"{i // 60}" for i in range(600)]
    assert judge(new, old, groups={"half": halves}, rules=Rules()).verdict == gate.FAIL
    assert judge(new, old, groups={"tenth": tenths}, rules=Rules()).verdict == gate.PASS


def test_the_worst_finding_is_the_verdict() -> None:
    findings = [(said, "words") for said in (gate.PASS, gate.INCONCLUSIVE, gate.FAIL)]
    for n, said in ((0, gate.PASS), (1, gate.PASS), (2, gate.INCONCLUSIVE), (3, gate.FAIL)):
        assert worst(findings[:n]) == gate.Verdict(said, tuple(findings[:n]))


def test_rules_come_from_the_settings_and_the_others_are_as_they_are() -> None:
    assert as_rules({"min_test": 40, "gain": -0.01}) == Rules(40, 30, 0.5, 0.2, -0.01, 0.0)
    assert Rules() == Rules(
        min_test=100, min_slice=30, min_accuracy=0.5, max_calibration_error=0.2, gain=0.0, slice_loss=0.0
    )
