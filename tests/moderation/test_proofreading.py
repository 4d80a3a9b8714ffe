"""Spelling and grammar of drafts: what is hinted at, what is left alone, and that nothing is changed by it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from moderation.drafting import generation, ordering, proofreading, screening
from moderation.drafting.proofreading import Reading, proofread
from moderation.models.candidates import Candidate
from questions.copy_verdict.question import CopyVerdict
from tests import factories
from tests.console.test_policies import signed_in, words
from tests.people import people


def hints(text: str, **options: Any) -> list[tuple[str, str]]:
    reading = proofread(text, locale="en", **options)
    assert reading.note == ""
    return [(text[hint.start : hint.end], hint.instead) for hint in reading.hints]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It can be useed in the dishwasher.", [("useed", "used")]),
        ("It keeps the the tea hot.", [("the the", "the")]),
        ("It is an mug for tea.", [("an", "a")]),
        ("It could of been heavier.", [("could of", "could have")]),
        ("A elegant mug for tea.", [("A", "An")]),
    ],
)
def test_a_fault_is_hinted_at_with_what_to_write(text: str, expected: list[tuple[str, str]]) -> None:
    assert hints(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The mug holds 350 ml and keeps tea hot for six hours.",
        "An HDR10 television with UHD and two HDMI ports.",  # abbreviations and numbers
        "It is made by the potters of Zwolfheim in the north.",  # a name in the middle of a sentence
        "It weighs 0.4 kgs, and fits 12oz cups.",
    ],
)
def test_good_text_numbers_units_and_names_are_left_alone(text: str) -> None:
    assert hints(text) == []


def test_words_of_the_product_count_as_right() -> None:
    text = "The kleiin mug is glazed in turquish."
    assert {said for said, _ in hints(text)} == {"kleiin", "turquish"}
    assert hints(text, keep=["Kleiin Mug", "turquish"]) == []
    assert {said for said, _ in hints(text)} == {"kleiin", "turquish"}  # of that product alone


def test_the_dialect_decides_what_is_right() -> None:
    proofreading._linter.cache_clear()
    assert hints("Its colour is calm, in a word.", dialect="british") == []
    proofreading._linter.cache_clear()


def test_chinese_is_not_looked_at_and_that_is_said() -> None:
    assert proofread("杯身柔软。", locale="zh-Hans") == Reading(
        note="Spelling and grammar are looked at in English alone."
    )


def test_many_threads_ask_at_once() -> None:
    texts = [f"It can be useed in the dishwasher, number {n}." for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda text: hints(text), texts))
    assert found == [[("useed", "used")]] * 12


def test_where_the_library_fails_the_text_goes_on_without_hints_and_says_so(monkeypatch: Any) -> None:
    def broken(dialect: str) -> Any:
        raise OSError("no such library")

    monkeypatch.setattr(proofreading, "_linter", broken)
    assert proofread("An mug.", locale="en") == Reading(note="Spelling and grammar were not looked at: OSError.")


def test_it_waits_no_longer_than_it_may(monkeypatch: Any) -> None:
    let_go = threading.Event()
    monkeypatch.setattr(proofreading, "TIMEOUT_S", 0.1)
    monkeypatch.setattr(proofreading, "_linter", lambda dialect: let_go.wait(10))
    begun = time.monotonic()
    readings = [proofread("An mug.", locale="en") for _ in range(50)]
    assert time.monotonic() - begun < 2  # those that come after it do not wait, each for the whole time
    let_go.set()
    assert set(readings) == {Reading(note="Spelling and grammar were not looked at: it took too long.")}


def test_it_reads_again_once_what_took_too_long_has_ended(monkeypatch: Any) -> None:
    let_go = threading.Event()
    with monkeypatch.context() as patched:
        patched.setattr(proofreading, "TIMEOUT_S", 0.1)
        patched.setattr(proofreading, "_linter", lambda dialect: let_go.wait(10))
        assert proofread("It is an mug for tea.", locale="en").note
    let_go.set()
    for late in proofreading._late():
        late.exception(timeout=10)
    assert hints("It is an mug for tea.") == [("an", "a")]


@pytest.fixture
def proofreads(settings: Any) -> None:
    settings.MODERATION = replace(settings.MODERATION, proofreads=True)


@pytest.mark.django_db
def test_hints_stand_on_the_review_page_and_in_the_console_and_change_nothing(script: Any, proofreads: None) -> None:
    text = "The Mug holds 350 ml, and it can be useed in the dishwasher <b>."
    script(text)
    ordering.request_copy([factories.product()], channels=["description"], locales=["en"], actor=generation.GENERATOR)
    generation.drain_generation()
    written = set(Candidate.objects.values_list("text", flat=True))
    screening.screen_candidates()
    draft = Candidate.objects.select_related("product").exclude(proofreading={}).first()
    assert draft is not None
    assert set(Candidate.objects.values_list("text", flat=True)) == written
    assert draft.proofreading["by"] == "harper-py 0.2.0"
    shown = CopyVerdict().task_data(draft)
    assert "<del>useed</del> → <b>used</b>" in shown["draft_html"]
    assert [entry["finding"] for entry in shown["fixups"]] == [
        str(finding.pk) for finding in draft.findings.all() if finding.evidence.get("fixup")
    ]
    page = words(signed_in(people("Reviewer")).get(f"/console/candidates/{draft.pk}/"))
    assert "Hints of harper-py 0.2.0; nothing was changed." in page


@pytest.mark.django_db
def test_a_draft_without_a_reading_shows_no_hints() -> None:
    draft = factories.candidate("An mug.")
    assert "Spelling and grammar" not in CopyVerdict().task_data(draft)["draft_html"]
