"""Statements of reasons: the shape of the DSA's database, and words for whom it affects, without a name in either."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pydantic import ValidationError

from catalog.models import PublishedCopy
from core.exceptions import PermanentError
from moderation.decisions import settling
from moderation.decisions.statements import document
from moderation.decisions.statements.schema import StatementOfReasons
from moderation.live import publication
from moderation.models.reviews import Decision
from tests import factories, people
from tests.moderation.conftest import GOOD

pytestmark = pytest.mark.django_db
PRIVATE = "Robin Reviewer, robin@example.com, says the customer Ms Miller complained"


@pytest.fixture
def rejected(answer: Callable[..., Any]) -> Decision:
    draft = factories.candidate(GOOD, status="in_review", rank=1)
    factories.finding(draft, "350 ml")
    false_alarm = factories.finding(draft, "sea green", code="health_claim")
    answer(
        factories.review_item(draft),
        people.people("Reviewer", email="robin@example.com"),
        verdict="reject",
        reason_codes=["wrong_fact", "other"],
        comment=PRIVATE,
        dismissed_findings=[false_alarm.pk],
    )
    settling.settle_decisions()
    return Decision.objects.get()


def test_a_rejection_has_a_statement_in_the_shape_of_the_database(rejected: Decision) -> None:
    statement = document.statement_for(rejected).as_json()
    assert statement["puid"] == f"ecomsite-{rejected.pk}"
    assert statement["decision_visibility"] == ["DECISION_VISIBILITY_OTHER"]
    assert statement["decision_visibility_other"] == "Refused before publication"
    assert statement["decision_ground"] == "DECISION_GROUND_INCOMPATIBLE_CONTENT"
    assert rejected.policy_version in statement["incompatible_content_ground"]
    assert statement["category"] == "STATEMENT_CATEGORY_CONSUMER_INFORMATION"
    assert statement["category_specification"] == ["KEYWORD_MISLEADING_INFO_GOODS_SERVICES"]
    assert statement["content_type"] == ["CONTENT_TYPE_PRODUCT", "CONTENT_TYPE_SYNTHETIC_MEDIA", "CONTENT_TYPE_TEXT"]
    assert (statement["content_language"], len(statement["territorial_scope"])) == ("EN", 27)
    assert statement["application_date"] == f"{rejected.created_at:%Y-%m-%d}"
    assert (statement["source_type"], statement["automated_detection"]) == ("SOURCE_VOLUNTARY", "Yes")
    assert statement["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"
    assert "unsupported_number (warn)" in statement["decision_facts"]
    assert "health_claim" not in statement["decision_facts"], "what was a false alarm was not relied on"
    assert StatementOfReasons.model_validate_json(json.dumps(statement)), "it is valid by its own schema"
    assert document.statement_for(Decision.objects.get()).as_json() == statement, "and the same each time"


def test_taking_down_has_one_too(answer: Callable[..., Any]) -> None:
    item = factories.review_item(
        factories.candidate("海绿色炻瓷杯，容量 350 ml。", status="in_review", rank=1, locale="zh-Hans")
    )
    answer(item, people.reviewer(), verdict="accept")
    settling.settle_decisions()
    publication.retire(PublishedCopy.objects.get(), actor=people.senior(), reason=PRIVATE)
    decision = Decision.objects.get(outcome="retire")
    statement = document.statement_for(decision).as_json()
    assert statement["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_REMOVED"]
    assert (statement["content_language"], statement["automated_detection"]) == ("ZH", "No")
    assert statement["category"] == "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"
    text = document.text_for(decision, locale="zh-Hans")
    assert "海绿色炻瓷杯" in text
    assert "申诉" in text
    assert document.puid_of(decision) in text


def test_neither_holds_a_name_or_a_persons_own_words(rejected: Decision) -> None:
    written = json.dumps(document.statement_for(rejected).as_json()) + document.text_for(rejected, locale="en")
    for word in ("Robin", "robin@", "Miller", "complained", f"user:{rejected.reviewer_id}"):
        assert word not in written


@pytest.mark.parametrize("locale", ["en", "zh-Hans", "fr"])
def test_the_text_says_why_and_how_to_appeal(rejected: Decision, settings: Any, locale: str) -> None:
    settings.STATEMENTS = replace(settings.STATEMENTS, appeal_contact="appeals@shop.example")
    text = document.text_for(rejected, locale=locale)
    assert GOOD in text
    assert "/api/v1/appeals" in text
    assert "appeals@shop.example" in text
    assert ("a wrong fact" in text) is (locale != "zh-Hans")
    assert "{" not in text
    factories.appeal(rejected)
    assert "appeals@shop.example" not in document.text_for(rejected, locale=locale)


def test_other_decisions_have_none(answer: Callable[..., Any]) -> None:
    answer(
        factories.review_item(factories.candidate(GOOD, status="in_review", rank=1)),
        people.reviewer(),
        verdict="accept",
    )
    settling.settle_decisions()
    with pytest.raises(PermanentError, match="rejection, a taking down or a hidden review"):
        document.statement_for(Decision.objects.get())


@pytest.mark.parametrize(
    "wrong",
    [
        {"category": "STATEMENT_CATEGORY_NONSENSE"},
        {"decision_visibility": []},
        {"decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"]},  # the words of “other” stay over
        {"incompatible_content_ground": None},
        {"decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT"},
        {"puid": "with spaces"},
        {"territorial_scope": ["US"]},
        {"content_language": "en"},
        {"decision_facts": "x" * 5001},
        {"automated_decision": "No"},
        {"application_date": "2019-12-31"},
        {"end_date_visibility_restriction": "2020-01-01"},
        {"reviewer": "Robin"},
    ],
)
def test_the_schema_refuses_what_the_database_would(rejected: Decision, wrong: dict[str, Any]) -> None:
    statement = document.statement_for(rejected).as_json()
    with pytest.raises(ValidationError):
        StatementOfReasons.model_validate_json(json.dumps({**statement, **wrong}))


def test_the_command_and_the_console_give_the_same(rejected: Decision) -> None:
    def said(*args: str) -> str:
        out = io.StringIO()
        call_command("statement_of_reasons", *args, stdout=out)
        return out.getvalue()

    one = json.loads(said(str(rejected.pk)))
    assert one == json.loads(said(document.puid_of(rejected)))
    assert json.loads(said("--since", "2020-01-01")) == {"statements": [one]}
    assert "Statement of reasons" in said(str(rejected.pk), "--text")
    with pytest.raises(CommandError, match="There is no decision"):
        said("nonsense")
    with pytest.raises(CommandError, match="no date"):
        said("--since", "yesterday")
    client = Client()
    client.force_login(people.auditor())
    answered = client.get(reverse("console:statement", args=[rejected.pk]))
    assert answered.json() == one
    assert f"{one['puid']}.json" in answered["Content-Disposition"]
    assert "申诉" in client.get(reverse("console:statement", args=[rejected.pk]), {"text": "zh-Hans"}).content.decode()
    client.force_login(people.outsider())
    assert client.get(reverse("console:statement", args=[rejected.pk])).status_code == 403


def test_territories_the_database_does_not_know_are_named(rejected: Decision, settings: Any) -> None:
    settings.STATEMENTS = replace(settings.STATEMENTS, territories=["XX"])
    with pytest.raises(PermanentError, match="territorial_scope"):
        document.statement_for(rejected)
