"""Checks run in order, fail closed, and never point outside the text."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.policy.base import (
    MAX_HITS,
    Check,
    CheckResult,
    Draft,
    Fact,
    Hit,
    Severity,
    load_checks,
    run_checks,
)
from moderation.policy.folding import fold
from moderation.policy.grounding import claims, grounding_score

FACTS = (Fact("width", "26 cm", 26.0, "cm"), Fact("材质", "纯棉"), Fact("colour", "navy blue"), Fact("pack", "2-pack"))
TEXTS = st.one_of(
    st.text(max_size=200),
    st.text(alphabet="0123456789.,/-–×x %\"'inchcm两三百千万点升个件½¾ｍｌ５\u200b", max_size=120),
    st.lists(
        st.sampled_from(
            (
                *(
                    "two",
                    "hundred",
                    "26 cm",
                    "10.2 in",
                    "cotton",
                    "纯棉",
                    "navy",
                    "蓝色",
                    "最佳",
                    "ＢＥＳＴ",
                    "b\u200best",
                ),
                *("бest", "call 202-555-0147", "a@b.co", "</p>", "**", "i cannot help", "as an AI", "24/7", "ﬁne"),
                *("é́́", "\ud800", "两百毫升", "3-in-1", "IP67", "½"),
            )
        ),
        max_size=25,
    ).map(" ".join),
)


class Failing(Check):
    name, version = "failing", "1"

    def find(self, draft: Draft) -> list[Hit]:
        raise LookupError("the lexicon is gone")


class Beyond(Check):
    name, version = "beyond", "1"

    def find(self, draft: Draft) -> list[Hit]:
        return [Hit("beyond", Severity.INFO, "points past the end", 0, len(draft.text) + 1)]


class Chatty(Check):
    name, version = "chatty", "1"

    def find(self, draft: Draft) -> list[Hit]:
        many = [Hit("small", Severity.INFO, "x" * 600, 0, 1) for _ in range(5 * MAX_HITS)]
        return [*many, Hit("grave", Severity.BLOCK, "the last one counts", 0, 1)]


@pytest.mark.parametrize("check", [Failing(), Beyond()])
def test_a_check_that_fails_sends_the_draft_to_a_person(check: Check) -> None:
    (result,) = run_checks(Draft("Some text.", "description", "en", "Mug"), [check])

    (hit,) = result.hits
    assert (hit.code, hit.severity, hit.evidence["check"]) == ("check_failed", Severity.WARN, check.name)


def test_the_gravest_hits_are_kept_when_there_are_too_many() -> None:
    (result,) = run_checks(Draft("Some text.", "description", "en", "Mug"), [Chatty()])

    assert len(result.hits) == MAX_HITS
    assert result.hits[-2].code == "grave"
    assert result.hits[-1].code == "more_hits"
    assert all(len(hit.message) <= 500 for hit in result.hits)


def test_the_checks_of_the_settings_load_in_their_order() -> None:
    checks = load_checks()

    assert [check.name for check in checks] == [
        "length",
        "refusal",
        "language",
        "policy_rules",
        "facts_graph",
        "profanity",
        "personal_data",
        "prompt_injection",
        "grounding",
        "near_duplicate",
        "brand_voice",
    ]
    assert all(0 < len(check.version) <= 20 and len(check.name) <= 60 for check in checks)


def test_a_wrong_path_in_the_settings_says_so(settings) -> None:
    settings.POLICY_CHECKS = ["moderation.policy.base.Draft"]

    with pytest.raises(ImproperlyConfigured, match="is not a"):
        load_checks()


@settings(max_examples=150, deadline=None)
@given(
    text=TEXTS,
    title=st.sampled_from(["Mug", "Cotton mug 2-pack", "", "杯子"]),
    locale=st.sampled_from(["en", "zh-Hans"]),
)
def test_every_span_lies_in_the_text_and_every_run_gives_the_same_hits(text: str, title: str, locale: str) -> None:
    draft = Draft(
        text, "description", locale, title, "Acme", facts=FACTS, prompt_lines=("Use only the facts below to write.",)
    )

    results = run_checks(draft, load_checks())

    assert results == run_checks(draft, load_checks())
    for result in results:
        for hit in result.hits:
            assert hit.code != "check_failed", hit
            assert hit.start is None or 0 <= hit.start <= hit.end <= len(text)  # type: ignore[operator]
            json.dumps(dict(hit.evidence))
    for claim in claims(draft):
        assert 0 <= claim.start < claim.end <= len(text)
        assert text[claim.start : claim.end] == claim.text
        assert (claim.fact is None) == bool(claim.code)
    assert 0.0 <= grounding_score(draft) <= 1.0


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=60))
def test_a_folded_span_always_leads_back_into_the_text(text: str) -> None:
    folded = fold(text)

    for index in range(len(folded.text)):
        start, end = folded.span(index, index + 1)
        assert 0 <= start < end <= len(text)
    if folded.text:
        assert folded.span(0, len(folded.text))[1] <= len(text)


# The slowest takes 0.4 s on a quiet machine, three times that on a busy one; what is quadratic takes minutes.
MUST_SECONDS = 2.0
HOSTILE = {
    "letters": "a" * 1_000_000,
    "spaces": "a " * 500_000,
    "digits": "1" * 1_000_000,
    "dashes": "1-" * 500_000,
    "inches": '1" ' * 333_333,
    "numbers": "12 " * 333_333,
    "at signs": "a@" * 500_000,
    "dots": "a." * 500_000,
    "open tags": "<a " * 333_333,
    "brackets": "[the " * 200_000,
    "superlatives": "最" * 1_000_000,
    "hundreds": "百" * 1_000_000,
    "half a term": "world's " * 125_000,
    "half a refusal": "i am very " * 100_000,
    "half a claim": "thousands of a a " * 60_000,
    "colons": "a1:" * 333_333,
    "wide": "ＡＢ１" * 333_333,
    "zero width": "a\u200b" * 500_000,
    "accounts": "gb82 " * 200_000,
    "materials": "cotton " * 140_000,
    "brackets and plus": "+(1" * 333_333,
    "backticks": "`*_" * 333_333,
    "lines": "- \n" * 333_333,
    "on": "on" * 500_000,
}


def least_seconds(work: Callable[[], object]) -> float:
    """Return the processor seconds of `work`: the least of up to three tries, for a neighbour can only add to it."""
    spent: list[float] = []
    while len(spent) < 3 and min(spent, default=MUST_SECONDS) >= MUST_SECONDS:
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)


@pytest.mark.parametrize("kind", HOSTILE)
def test_each_check_takes_hostile_text_in_time(kind: str) -> None:
    draft = Draft(
        HOSTILE[kind], "description", "en", "Mug", facts=FACTS, prompt_lines=("Use only the facts to write.",)
    )

    for check in load_checks():
        said: list[CheckResult] = []
        assert least_seconds(lambda check=check, said=said: said.extend(run_checks(draft, [check]))) <= MUST_SECONDS, (
            check.name
        )
        assert "not_examined" in {hit.code for hit in said[-1].hits}


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_pattern_takes_more_than_linear_time(kind: str) -> None:
    # Read directly, past the limit of run_checks: anything quadratic takes minutes here.
    draft = Draft(HOSTILE[kind][:40_000], "description", "en", "Mug", facts=FACTS)

    for check in load_checks():
        assert least_seconds(partial(check.find, draft)) <= MUST_SECONDS, check.name


def test_text_beyond_the_limit_is_read_by_no_check_and_blocks() -> None:
    text = "A good mug. " * 2000 + "Call 202-555-0147."
    results = run_checks(Draft(text, "description", "en", "Mug"), load_checks())

    for result in results:
        (hit,) = [hit for hit in result.hits if hit.code == "not_examined"]
        assert (hit.severity, hit.end) == (Severity.BLOCK, len(text))
