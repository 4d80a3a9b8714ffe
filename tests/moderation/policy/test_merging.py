"""One error is one finding, whichever checks found it."""

from __future__ import annotations

import pytest

from moderation.policy.base import CheckResult, Draft, Fact, Hit, Severity, load_checks, run_checks
from moderation.policy.merging import is_contradicted, merged

WARN, INFO, BLOCK = Severity.WARN, Severity.INFO, Severity.BLOCK
COTTON = {"nearest_fact": "Material: cotton"}


def hit(code: str, start: int | None, end: int | None, severity: Severity = WARN, **evidence: str) -> Hit:
    return Hit(code, severity, f"{code} at {start}", start, end, evidence)


def kept(*checks: list[Hit]) -> list[list[str]]:
    results = [CheckResult(f"check{n}", "1", tuple(hits)) for n, hits in enumerate(checks)]
    return [[found.code for found in result.hits] for result in merged(results)]


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        # The same words, the same fact: the gravest, then what contradicts, then what comes first.
        (
            [[hit("excluded_by_fact", 2, 9, fact="material: cotton")], [hit("contradicted_material", 2, 9, **COTTON)]],
            [["excluded_by_fact"], []],
        ),
        (
            [
                [hit("excluded_by_fact", 2, 9, fact="Material: cotton")],
                [hit("contradicted_material", 4, 12, BLOCK, **COTTON)],
            ],
            [[], ["contradicted_material"]],
        ),
        ([[hit("unsupported_number", 0, 3), hit("unsupported_name", 2, 9)]], [["unsupported_number"]]),
        # One that names no fact is about whatever the other names.
        (
            [[hit("unsupported_name", 2, 9)], [hit("contradicted_material", 4, 6, **COTTON)]],
            [[], ["contradicted_material"]],
        ),
        # Another fact, other words, or another matter than facts: two errors.
        (
            [
                [hit("contradicted_attribute", 2, 9, nearest_fact="Neck: round")],
                [hit("contradicted_material", 2, 9, **COTTON)],
            ],
            [["contradicted_attribute"], ["contradicted_material"]],
        ),
        (
            [[hit("unsupported_name", 0, 4)], [hit("unsupported_name", 4, 8)]],
            [["unsupported_name"], ["unsupported_name"]],
        ),
        (
            [[hit("absolute_claim", 0, 9, BLOCK)], [hit("unsupported_first", 0, 9)]],
            [["absolute_claim"], ["unsupported_first"]],
        ),
        (
            [[hit("unsupported_name", None, None)], [hit("unsupported_name", None, None)]],
            [["unsupported_name"], ["unsupported_name"]],
        ),
        ([[], []], [[], []]),
    ],
)
def test_what_several_checks_say_of_the_same_words_and_fact_is_said_once(
    checks: list[list[Hit]], expected: list[list[str]]
) -> None:
    assert kept(*checks) == expected


def test_what_else_found_it_is_noted() -> None:
    results = merged(
        [
            CheckResult("facts_graph", "1", (hit("excluded_by_fact", 2, 9, fact="Material: cotton"),)),
            CheckResult("grounding", "2", (hit("contradicted_material", 2, 9, INFO, **COTTON),)),
        ]
    )
    (found,) = results[0].hits
    assert found.evidence["also"] == ["grounding:contradicted_material"]
    assert results[1].hits == ()


def test_the_checks_together_find_leather_in_cotton_once() -> None:
    draft = Draft(
        text="A jacket of genuine leather.",
        channel="description",
        locale="en",
        title="Jacket",
        facts=(Fact("Material", "Cotton"),),
    )
    found = [found for result in merged(run_checks(draft, load_checks())) for found in result.hits]
    about = [found for found in found if found.code.startswith(("contradicted_", "excluded_", "unsupported_"))]
    spans = [(found.start, found.end) for found in about]
    assert about
    assert not any(a[0] < b[1] and b[0] < a[1] for n, a in enumerate(spans) for b in spans[:n])
    assert any(is_contradicted(found.code) for found in about)
