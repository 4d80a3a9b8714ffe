"""Sentences of the kinds that the law speaks of, and others that only look like them, through the checks that read words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moderation.policy.base import Check, Draft, Hit, Severity, load_checks, run_checks

SENTENCES = [
    json.loads(line) for line in Path(__file__).with_name("sentences.jsonl").read_text(encoding="utf-8").splitlines()
]
# Rules were changed after these; the last round is for measuring alone (bench/policy_cases.py).
LEARNED = [one for one in SENTENCES if one["round"] < 3]
ANY_OF = {
    "absolute": {"absolute_claim", "style_comparison", "guarantee"},
    "medical": {"medical_claim", "health_claim", "testimonial", "proof_claim"},
    "green": {"environmental_claim"},
    "testimonial": {"testimonial"},
    "price": {"price_claim", "urgency", "bait"},
}


@pytest.fixture(scope="module")
def checks() -> list[Check]:
    # What numbers and names say against facts, and the length of a description, is the business of other tests.
    return [check for check in load_checks() if check.name not in ("grounding", "facts_graph", "length")]


def asks(one: dict[str, str], checks: list[Check]) -> list[Hit]:
    draft = Draft(one["text"], "description", one["locale"], "Product")
    return [hit for result in run_checks(draft, checks) for hit in result.hits if hit.severity is not Severity.INFO]


@pytest.mark.parametrize("one", [one for one in LEARNED if one["kind"] != "fine"], ids=lambda one: one["text"][:40])
def test_what_breaks_a_rule_goes_to_a_person(one: dict[str, str], checks: list[Check]) -> None:
    assert {hit.code for hit in asks(one, checks)} & ANY_OF[one["kind"]]


@pytest.mark.parametrize("one", [one for one in SENTENCES if one["kind"] == "fine"], ids=lambda one: one["text"][:40])
def test_what_only_looks_like_it_is_left_alone(one: dict[str, str], checks: list[Check]) -> None:
    assert [(hit.code, one["text"][slice(hit.start, hit.end)]) for hit in asks(one, checks)] == []


def test_what_no_rule_was_changed_for_is_found_as_often_as_it_was(checks: list[Check]) -> None:
    unseen = [one for one in SENTENCES if one["round"] == 3 and one["kind"] != "fine"]
    found = [one for one in unseen if {hit.code for hit in asks(one, checks)} & ANY_OF[one["kind"]]]
    assert len(found) >= 23, f"{len(found)} of {len(unseen)}"
