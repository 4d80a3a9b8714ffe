"""The auditor's questions: each by its command, each by its page, on a desk in the middle of a working day."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from audit import ledger
from audit.models import LedgerEntry
from catalog.models import PublishedCopy
from core.actors import SystemActor
from core.hashing import hash_json
from core.refs import ref
from moderation.live import marking
from monitoring.auditor.asking import Asked
from monitoring.auditor.questions import QUESTIONS, ask
from tests import factories, people
from tests.scenes import Scene, busy_desk

pytestmark = pytest.mark.django_db
NUMBERS = [question.number for question in QUESTIONS]


@pytest.fixture
def scene() -> Scene:
    return busy_desk()


def _needed(number: int) -> dict[str, Any]:
    live = PublishedCopy.objects.filter(retired_at=None).select_related("product").first()
    assert live is not None
    values = {"sku": live.product.sku, "seconds": 600}
    needs = next(question.needs for question in QUESTIONS if question.number == number)
    return {name: values[name] for name in needs}


@pytest.mark.parametrize("number", NUMBERS)
def test_each_question_has_an_answer_by_command_and_on_a_page(
    number: int, scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = _needed(number)
    for form in ("text", "csv", "json"):
        call_command("auditor", number, format=form, **needed)
        said = capsys.readouterr().out
    answer = json.loads(said)
    assert answer["answer"]
    assert answer["tables"]
    client = Client()
    client.force_login(people.auditor())
    page = client.get(f"/console/auditor/{number}/", {**needed, "ask": "1"})
    assert page.status_code == 200
    assert page.context["answer"].words
    assert f"manage.py auditor {number}" in page.content.decode()
    assert "example.com" not in said
    assert LedgerEntry.objects.filter(action="monitoring.auditor.asked", subject=f"question:{number}").count() == 4


def test_the_questions_are_listed_on_the_page_and_by_the_command(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("auditor")
    listed = capsys.readouterr().out
    client = Client()
    client.force_login(people.auditor())
    page = client.get("/console/auditor/").content.decode()
    for question in QUESTIONS:
        assert question.words in listed
        assert f"/console/auditor/{question.number}/" in page


def test_every_command_that_the_page_on_compliance_names_is_there(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "compliance.md").read_text()
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| `manage\.py auditor (\d+)([^`]*)` \|", page, re.MULTILINE)
    assert [int(row[0]) for row in rows] == NUMBERS == list(range(1, 22))
    sku = _needed(1)["sku"]
    for number, words, same, options in rows:
        assert (number, words.strip()) == (same, QUESTIONS[int(number) - 1].words)
        filled = options.replace("SKU", sku).replace("DATE", "2099-01-01" if "--at" in options else "2020-01-01")
        filled = filled.replace("sentiment:2", "copywriter:1").replace("--model sentiment", "--model copywriter")
        call_command("auditor", number, *filled.split())
        assert capsys.readouterr().out


def test_only_who_audits_may_ask(scene: Scene) -> None:
    for somebody in (people.reviewer(), people.senior(), people.ml_engineer(), people.outsider()):
        with pytest.raises(PermissionDenied):
            ask(17, Asked(), actor=somebody)
        client = Client()
        client.force_login(somebody)
        assert client.get("/console/auditor/").status_code == 403
        assert client.get("/console/auditor/17/").status_code == 403


def test_what_is_missing_or_cannot_be_read_is_said(scene: Scene) -> None:
    with pytest.raises(CommandError, match="--sku"):
        call_command("auditor", 1)
    with pytest.raises(CommandError, match="no question 99"):
        call_command("auditor", 99)
    with pytest.raises(CommandError, match="no pseudonym"):
        call_command("auditor", 6, seconds=5, person="robin")
    client = Client()
    client.force_login(people.auditor())
    assert b"cannot be read" in client.get("/console/auditor/17/?since=soon").content
    assert client.get("/console/auditor/99/").status_code == 404


def test_a_text_that_was_changed_in_sql_is_not_called_unaltered(scene: Scene) -> None:
    live = PublishedCopy.objects.filter(retired_at=None).select_related("product").first()
    assert live is not None
    PublishedCopy.objects.filter(pk=live.pk).update(text="Somebody else's words.")
    assert "NOT proven" in ask(1, Asked(sku=live.product.sku), actor=SystemActor("tests")).words


def test_a_text_put_back_after_a_recall_is_called_unaltered() -> None:
    candidate, us = factories.candidate(status="published"), SystemActor("tests")
    live = factories.published_copy(candidate, ai_mark=marking.mark_for(candidate))
    asked = Asked(sku=live.product.sku)
    assert "NOT proven" in ask(1, asked, actor=us).words, "no line says that it went live"
    ledger.append(
        "moderation.copy.restored", subject=ref(live), actor=us, payload={"text_hash": hash_json([live.text])}
    )
    assert "unaltered" in ask(1, asked, actor=us).words
