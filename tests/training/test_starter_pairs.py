"""The starter pairs: what they tell is so, what they leave out is left out, and the house finds nothing in them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from functools import cache

import pytest

from moderation.drafting.screening import draft_from
from moderation.policy import base
from training.starter import material, pairs, phrasing
from training.starter.pairs import Pair

# Of the pairs as they are trained on. A change of the material or of the composing needs a new adapter.
DIGEST = "189066e23d37dbcb"


@cache
def composed() -> tuple[Pair, ...]:
    return tuple(pairs.compose())


def test_the_pairs_are_the_ones_that_the_adapter_was_trained_on() -> None:
    rows = [
        [pair.part, pair.brief.channel, pair.brief.title, pair.brief.brand, pair.brief.category]
        + [[fact.name, fact.value] for fact in pair.brief.facts]
        + [pair.text]
        for pair in composed()
    ]
    assert hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16] == DIGEST


def test_there_are_enough_of_them_in_many_categories_and_every_channel() -> None:
    train = [pair for pair in composed() if pair.part == pairs.TRAIN]
    assert len(train) >= 1500
    assert len({pair.text for pair in composed()}) == len(composed())
    assert sum(category.part == pairs.TRAIN for category in material.categories()) >= 25
    assert set(Counter(pair.brief.channel for pair in train)) == {"description", "recommendation", "ad_slogan"}


def test_no_category_is_in_two_parts() -> None:
    parts: dict[str, set[str]] = {}
    for category in material.categories():
        parts.setdefault(category.path[-1], set()).add(category.part)
    assert all(len(found) == 1 for found in parts.values())
    assert {part for found in parts.values() for part in found} == {pairs.TRAIN, pairs.DEVELOPMENT, pairs.TEST}


def test_each_told_fact_is_told_once_and_no_other_is() -> None:
    for pair in composed():
        own = pair.text.replace(pair.brief.title, "")
        for fact in pair.brief.facts:
            if fact.value not in {"yes", "no"}:
                times = len(re.findall(rf"(?<![\w.]){re.escape(fact.value)}(?!\w|\.\d)", own, re.IGNORECASE))
                assert times == (fact.name in pair.told), (fact, pair.text)


def test_a_description_tells_all_facts_and_the_others_one_or_two() -> None:
    for pair in composed():
        names = [fact.name for fact in pair.brief.facts]
        if pair.brief.channel == "description":
            assert sorted(pair.told) == sorted(names)
        else:
            assert 1 <= len(pair.told) <= 2
        assert pair.brief.title in pair.text


def test_every_sentence_begins_with_a_capital_or_the_product_and_ends() -> None:
    for pair in composed():
        assert pair.text[0] == pair.text[0].upper(), pair.text
        assert pair.text[-1] in ".?", pair.text
        assert not re.search(r"[{}]|  ", pair.text), pair.text


@pytest.mark.slow("every check of the policy reads over two thousand texts")
def test_the_checks_of_the_house_find_nothing_in_any_of_them() -> None:
    checks = base.load_checks()
    found = [
        (hit.code, hit.message, pair.text)
        for pair in composed()
        for result in base.run_checks(draft_from(pair.brief, pair.text), checks)
        for hit in result.hits
    ]
    assert found == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("oak frame", "an oak frame"),
        ("USB-C cable", "a USB-C cable"),
        ("LED light", "an LED light"),
        ("80 cm cable", "an 80 cm cable"),
        ("110 g weight", "a 110 g weight"),
        ("18 V motor", "an 18 V motor"),
        ("hour", "an hour"),
    ],
)
def test_an_article_follows_how_a_word_is_spoken(words: str, expected: str) -> None:
    assert phrasing.with_article(words) == expected


def test_verbs_agree_with_a_plural() -> None:
    assert phrasing.plural_verb("weighs 2 kg") == "weigh 2 kg"
    assert phrasing.plural_verb("reaches 8 m") == "reach 8 m"
    assert phrasing.plural_verb("has a hood") == "have a hood"


def test_a_verb_that_all_begin_with_is_said_once() -> None:
    assert phrasing.verbs_listed(["is 3 m long", "is 2 m wide"]) == "is 3 m long and 2 m wide"
    assert phrasing.verbs_listed(["has to be assembled", "has a hood"]) == "has to be assembled and has a hood"
