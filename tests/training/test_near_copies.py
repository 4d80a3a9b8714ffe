"""Near copies share a group, texts that say little put nothing together, and what still crosses is told."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from training import near_copies
from training.near_copies import ALIKE, LARGEST_ROWS, crossing, grouped, letters, similarity
from training.splits import split_of

WORDS = [
    "kettle",
    "handle",
    "morning",
    "quickly",
    "arrived",
    "plastic",
    "warranty",
    "seller",
    "yellow",
    "broken",
    "because",
    "husband",
    "kitchen",
    "twice",
    "returned",
    "colour",
    "perfect",
    "cheaper",
    "another",
    "noisy",
    "button",
    "weeks",
]
SIGNS = [*"!?.…,;:~*#)(“”-", " ", "\n", "\u200b", "👍", "😀", "❤️", "！", "。"]
CHANGES: dict[str, Callable[[str, random.Random], str]] = {
    "sign appended": lambda text, rng: text + rng.choice(SIGNS),
    "sign put before": lambda text, rng: rng.choice(SIGNS) + text,
    "capitals": lambda text, rng: text.upper(),
    "some capitals": lambda text, rng: "".join(rng.choice([sign, sign.upper()]) for sign in text),
    "spaces": lambda text, rng: text.replace(" ", rng.choice(["  ", "\t", "\u3000", ""])),
    "emoji in between": lambda text, rng: text.replace(" ", f" {rng.choice(SIGNS[-5:])} ", 2),
    "punctuation": lambda text, rng: "".join(sign + (rng.choice(SIGNS) if rng.random() < 0.2 else "") for sign in text),
    "full width": lambda text, rng: "".join(chr(ord(sign) + 0xFEE0) if "a" <= sign <= "z" else sign for sign in text),
}
SAYINGS = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=60).map(" ".join),
    st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=80),
)


def test_what_is_not_said_in_letters_makes_no_other_text() -> None:
    assert letters("Great, mug! 10/10 👍") == letters("ＧＲＥＡＴ mug 1010") == b"greatmug1010"
    assert letters("👍 👍") == letters("👍👍") != letters("👎👎")
    assert letters("  ") == b""
    assert letters("\ud800 a") == b"a"


@given(said=SAYINGS, change=st.sampled_from(sorted(CHANGES)), seed=st.integers(0, 999))
def test_a_copy_with_other_signs_is_never_learnt_from_and_tested_on(said: str, change: str, seed: int) -> None:
    copy = CHANGES[change](said, random.Random(seed))
    found = crossing(["something else", copy], [said])
    assert found.learnt == [1]
    assert found.closest is not None
    assert (found.closest.similarity, found.closest.learnt, found.closest.tested) == (1.0, 1, 0)
    if near_copies.is_telling(letters(said)):
        one, other = grouped([said, copy], ["SKU-1", "SKU-2"])
        assert one == other, "across products"


@given(said=st.lists(st.sampled_from(WORDS), min_size=10, max_size=80), seed=st.integers(0, 999))
def test_a_text_of_ten_words_with_one_swapped_is_found(said: list[str], seed: int) -> None:
    changed = list(said)
    changed[random.Random(seed).randrange(len(said))] = "other"
    text, copy = " ".join(said), " ".join(changed)
    assume(near_copies.is_telling(letters(text)) and near_copies.is_telling(letters(copy)))  # not one word ten times
    assume(similarity(letters(text), letters(copy)) >= ALIKE)  # nor two
    assert len(set(grouped([text, copy], ["SKU-1", "SKU-2"]))) == 1
    assert crossing([copy], [text]).learnt == [0]


@given(st.lists(st.tuples(SAYINGS, st.integers(0, 9)), max_size=40))
def test_a_product_is_never_in_two_groups_and_a_group_has_the_name_of_a_product_of_its_own(
    rows: list[tuple[str, int]],
) -> None:
    texts, products = [text for text, _ in rows], [f"SKU-{product}" for _, product in rows]
    groups = grouped(texts, products)
    found: dict[str, set[str]] = {}
    for product, group in zip(products, groups, strict=True):
        found.setdefault(group, set()).add(product)
    assert all(group in members for group, members in found.items())
    assert sum(map(len, found.values())) == len(set(products))
    assert dict(zip(rows, groups, strict=True)) == dict(
        zip(rows[::-1], grouped(texts[::-1], products[::-1]), strict=True)
    ), "in whatever order they come"


def test_texts_without_near_copies_keep_their_product_as_their_group() -> None:
    rng = random.Random(1)
    texts = [" ".join(rng.choices(WORDS, k=30)) for _ in range(200)]
    products = [f"SKU-{number // 4}" for number in range(200)]
    assert grouped(texts, products) == products


def test_short_texts_that_everybody_writes_put_nothing_together_and_are_told_where_they_cross() -> None:
    said = ["good", "Good!", "very good quality", "GOOD", "Very good quality.", "很好", "很好！"]
    texts, products = [said[number % 7] for number in range(700)], [f"SKU-{number}" for number in range(700)]
    assert grouped(texts, products) == products
    assert crossing(["good", "bad", "Very, good quality"], ["Good 👍", "very good quality"]).learnt == [0, 2]


def test_what_is_said_of_everything_does_not_put_everything_together() -> None:
    rng = random.Random(2)
    everywhere = "Thank you for this purchase, we hope that you are happy with your order and come back soon"
    texts = [
        everywhere + "!" * (number % 3) if number % 4 else " ".join(rng.choices(WORDS, k=20)) for number in range(2000)
    ]
    products = [f"SKU-{number // 2}" for number in range(2000)]
    sizes = Counter(grouped(texts, products))
    assert LARGEST_ROWS < max(sizes.values()) <= 0.05 * 2000
    learnt, tested = texts[:1000], texts[1000:]
    assert len(crossing(learnt, tested).learnt) == 750


def test_a_group_stays_in_the_test_part_when_near_copies_join_it() -> None:
    tested = next(f"SKU-{number}" for number in range(99) if split_of(f"SKU-{number}") == "test")
    others = [f"SKU-{number}" for number in range(99) if split_of(f"SKU-{number}") == "train"][:8]
    said = " ".join(WORDS)
    assert set(grouped([said] * 9, [*others, tested])) == {tested}


def test_the_closest_pair_is_told_where_nothing_crosses() -> None:
    rng = random.Random(3)
    texts = [" ".join(f"{word}{rng.randrange(99)}" for word in rng.sample(WORDS, 20)) for _ in range(40)]
    half = " ".join([*texts[7].split()[:9], "entirely", "different", "things", "follow", "here", "afterwards"])
    found = crossing(texts[:20], [*texts[20:], half])
    assert found.learnt == []
    assert found.closest is not None
    assert (found.closest.learnt, found.closest.tested) == (7, 20)
    assert found.closest.similarity == pytest.approx(similarity(letters(texts[7]), letters(half)))
    assert crossing([], ["a"]) == crossing(["a"], []) == near_copies.Crossing([], None)


def test_thousands_of_copies_of_one_tested_text_are_found_at_once() -> None:
    said = "this says the same of the cleaner and its battery every single time that anybody writes of it, order"
    texts = [f"{said} {number * 7919:08d}" for number in range(3_000)]
    tested, learnt = [texts[1_500]], texts[:1_500] + texts[1_501:]
    found = set(near_copies.crossing(learnt, tested).learnt)
    assert len(found) > 0.99 * len(learnt), "not a few at a time, each time through all there is"
    rest = [text for place, text in enumerate(learnt) if place not in found]
    assert len(near_copies.crossing(rest, tested).learnt) == len(rest)


def test_texts_of_a_hundred_thousand_signs_and_of_one_sign_over_and_over_are_read_in_no_time() -> None:
    began = time.process_time()
    long = ["".join(random.Random(seed).choices("abcdefgh ", k=100_000)) for seed in range(5)]
    grouped([*long, "a" * 100_000, "ab" * 50_000, long[0] + "!"], [f"SKU-{n}" for n in range(8)])
    assert time.process_time() - began < 5


def test_ten_thousand_take_seconds() -> None:
    rng = random.Random(4)
    texts = [" ".join(f"{word}{rng.randrange(9)}" for word in rng.choices(WORDS, k=25)) for _ in range(10_000)]
    began = time.process_time()
    grouped(texts, [f"SKU-{number // 3}" for number in range(10_000)])
    assert time.process_time() - began < 15
