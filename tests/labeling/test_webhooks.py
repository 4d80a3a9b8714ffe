"""The door: who gets in, what is kept, how fast."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from labeling.models import WebhookEvent

pytestmark = pytest.mark.django_db
URL = "/webhooks/label-studio/"
EVENT = {"action": "ANNOTATION_CREATED", "project": {"id": 3}, "task": {"id": 7}, "annotation": {"id": 9, "task": 7}}


SECRET = "only-for-tests"


def post(body: Any, *, secret: str = SECRET, **headers: Any) -> Any:
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return Client().post(URL, data, content_type="application/json", headers={"X-Ecomsite-Secret": secret, **headers})


@pytest.fixture(autouse=True)
def _secret(settings: Any) -> None:
    settings.LABELING = replace(settings.LABELING, webhook_secret=SECRET)


def test_an_event_is_stored_with_its_ids_alone() -> None:
    answer = post(EVENT)

    assert answer.status_code == 201
    event = WebhookEvent.objects.get()
    assert (event.action, event.ls_project_id, event.ls_task_ids) == ("ANNOTATION_CREATED", 3, [7])
    assert len(event.body_hash) == 64


@pytest.mark.parametrize("secret", ["", "wrong", "only-for-tests ", "ünïcode"])
def test_a_forged_secret_is_refused_and_stores_nothing(secret: str) -> None:
    assert post(EVENT, secret=secret).status_code == 401
    assert not WebhookEvent.objects.exists()


def test_without_a_secret_of_ours_nobody_gets_in(settings: Any) -> None:
    settings.LABELING = replace(settings.LABELING, webhook_secret="")

    assert post(EVENT, secret="").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"action": 7}',
        b"\xff\xfe",
        "[" * 100_000,
        '{"action": "A\\u0000"}',
        '{"action": "\\ud800"}',
        '{"action": "<b>"}',
        "9" * 5000,
    ],
)
def test_what_is_no_event_is_refused(body: Any) -> None:
    assert post(body).status_code == 400
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize(
    "event",
    [
        {"action": "X", "task": {"id": "7"}},
        {"action": "X", "task": [1, None, "a"], "project": []},
        {"action": "X", "task": {"id": -1}, "project": {"id": 2**40}},
        {"action": "X", "task": {"id": True}},
        {"action": "X" * 5000, "annotation": {"task": {"id": 3}}},
    ],
)
def test_odd_ids_are_left_out(event: Any) -> None:
    assert post(event).status_code == 201
    stored = WebhookEvent.objects.get()
    assert stored.ls_task_ids == []
    assert stored.ls_project_id is None


def test_a_huge_body_is_refused() -> None:
    assert post("x" * 1_000_001).status_code == 413
    assert post("x" * 4_000_000).status_code == 413
    assert not WebhookEvent.objects.exists()


def test_a_database_that_is_away_is_a_503_that_says_when_to_come_back(
    transactional_db: None, django_db_blocker: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    right, connection.settings_dict["PORT"] = connection.settings_dict["PORT"], 9
    connection.close()
    try:
        answer = post(EVENT)
    finally:
        connection.settings_dict["PORT"] = right
        connection.close()

    assert (answer.status_code, answer.json()) == (503, {"error": "not stored"})
    assert int(answer.headers["Retry-After"]) > 0
    assert "Traceback" not in capfd.readouterr().err


def test_it_takes_one_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert post(EVENT).status_code == 201


def test_only_post_is_answered() -> None:
    assert Client().get(URL).status_code == 405


def test_it_answers_within_milliseconds() -> None:
    post(EVENT)
    started = time.perf_counter()
    for _ in range(20):
        post(EVENT)

    assert (time.perf_counter() - started) / 20 < 0.05
