"""Changed texts in the gate: what falls under them, or answers by the group named, does not pass; too few tell nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from training.evaluation import fairness, perturbations, stress
from training.evaluation.gate import Rules
from training.evaluation.metrics import Answers

TEXTS = [
    f"This {word} mug number {i} is a good item to buy and the delivery came quickly"
    for i in range(60)
    for word in ("plain", "cracked")
]
TRUTH = np.array([i % 2 for i in range(len(TEXTS))])
Judge = Callable[[str], int]


def says(judge: Judge) -> stress.Says:
    return lambda texts: np.array([np.eye(2)[judge(text)] for text in texts]).reshape(-1, 2)


def judged(new: Judge, old: Judge | None, texts: Sequence[str] = TEXTS, **rules: object) -> dict[str, list[str]]:
    truth = TRUTH[: len(texts)]
    answers = Answers(says(new)(texts), truth)
    champion = Answers(says(old)(texts), truth) if old else None
    _, findings = stress.judge(
        texts, answers, champion, says=says(new), rival=says(old) if old else None, rules=Rules(**rules)
    )  # type: ignore[arg-type]
    return {verdict: [words for said, words in findings if said == verdict] for verdict, _ in findings}


def sturdy(text: str) -> int:
    """Sees through look-alikes and spaces, and swapped letters of a word by its other end."""
    plain = "".join(text.translate(str.maketrans("асеорхуі", "aceopxyi")).split()).lower()
    return int("cra" in plain or "ked" in plain)


def brittle(text: str) -> int:
    return int("cracked" in text or "awful" in text)


def test_a_candidate_that_falls_under_changed_texts_does_not_pass() -> None:
    found = judged(brittle, sturdy)
    assert any(words.startswith("with look-alikes") for words in found["fail"])
    assert any(words.startswith("with paraphrase") for words in found["pass"])
    assert "fail" not in judged(sturdy, brittle)


def test_without_a_champion_it_is_measured_and_nothing_is_found() -> None:
    measured, findings = stress.judge(
        TEXTS, Answers(says(brittle)(TEXTS), TRUTH), None, says=says(brittle), rival=None, rules=Rules()
    )
    assert findings == []
    assert {row["kind"] for row in measured["robustness"]} == set(perturbations.KINDS)
    assert measured["robustness"][0]["accuracy"] < measured["robustness"][0]["unchanged"] == 1


def test_changes_are_the_same_for_the_same_seed_and_leave_the_rest() -> None:
    once, again = perturbations.sets(TEXTS, seed=3), perturbations.sets(TEXTS, seed=3)
    assert once == again
    for part in once:
        assert all(text != TEXTS[row] for row, text in zip(part.rows, part.texts, strict=True))
    spaced = next(part for part in once if part.name == "spacing")
    assert "".join(spaced.texts[0].split()) == "".join(TEXTS[spaced.rows[0]].split())


@pytest.mark.parametrize(
    ("text", "named", "swapped"),
    [
        ("My husband loves it", {"gender: men"}, "My wife loves it"),
        ("妈妈很喜欢", {"gender: women"}, "儿子很喜欢"),
        ("A human shape", set(), None),
    ],
)
def test_groups_are_found_as_whole_words_and_swapped(text: str, named: set[str], swapped: str | None) -> None:
    assert fairness.groups_in(text) == named
    texts = fairness.swaps([text]).texts
    if swapped is None:
        assert texts == []
    else:
        assert len(texts) == 1
        assert fairness.groups_in(texts[0])
        assert not fairness.groups_in(texts[0]) & named


PEOPLE = [f"The {('woman', 'man')[i % 4 // 2]} said it is {('lovely', 'awful')[i % 2]}, number {i}" for i in range(120)]


def by_group(text: str) -> int:
    """Calls whatever names a woman bad."""
    return int("awful" in text or "woman" in text)


def test_an_answer_that_hangs_on_the_group_named_does_not_pass() -> None:
    found = judged(by_group, brittle, PEOPLE)
    assert any(words.startswith("another group named") for words in found["fail"])
    assert any("gender: women" in words for words in found["fail"])
    assert any("gender: men" in words for words in found["pass"])
    measured, _ = stress.judge(
        PEOPLE, Answers(says(by_group)(PEOPLE), TRUTH), None, says=says(by_group), rival=None, rules=Rules()
    )
    errors = {row["group"]: row["errors"] for row in measured["fairness"]["groups"]}
    assert errors == {"gender: men": 0, "gender: women": 0.5}


def test_too_few_texts_that_name_a_group_are_a_note_or_where_it_is_required_inconclusive() -> None:
    assert any("too few" in words for words in judged(brittle, brittle)["note"])
    assert any("too few" in words for words in judged(brittle, brittle, identity_required=True)["inconclusive"])
