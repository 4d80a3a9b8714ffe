"""Alerts, from trouble to its end, and who was refused what."""

from __future__ import annotations

import base64

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from audit.models import LedgerEntry
from core.exceptions import EcomsiteError
from monitoring import alerts, health
from monitoring.models import Alert, Refusal
from monitoring.parts import Part, Report
from tests import people

pytestmark = pytest.mark.django_db


def _said(monkeypatch: pytest.MonkeyPatch, *parts: Part) -> None:
    monkeypatch.setattr(health, "report", lambda: Report(parts))


def test_trouble_raises_one_alert_and_its_end_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = Part("broker", "down", "The broker is away."), Part("broker", "ok", "The broker answers.")
    _said(monkeypatch, bad)
    assert alerts.watch() == (1, 0)
    assert alerts.watch() == (0, 0)
    _said(monkeypatch, good)
    assert alerts.watch() == (0, 1)
    _said(monkeypatch, bad)
    assert alerts.watch() == (1, 0)
    assert Alert.objects.count() == 2
    assert Alert.objects.filter(ended_at=None).count() == 1


def test_an_alert_is_taken_on_once_by_who_may(monkeypatch: pytest.MonkeyPatch) -> None:
    _said(monkeypatch, Part("broker", "down", "The broker is away."))
    alerts.watch()
    alert = Alert.objects.get()
    with pytest.raises(PermissionDenied):
        alerts.acknowledge(alert, actor=people.reviewer())
    alerts.acknowledge(alert, actor=people.administrator(), note="Restarting it.")
    assert alert.acknowledged_at is not None
    with pytest.raises(EcomsiteError, match="already"):
        alerts.acknowledge(alert, actor=people.ml_engineer())
    assert LedgerEntry.objects.filter(action="monitoring.alert.acknowledged").count() == 1


def test_refused_sign_ins_and_pages_are_counted_without_what_was_typed() -> None:
    person, client = people.reviewer(), Client()
    for _ in range(3):
        client.post("/console/login/", {"username": person.username, "password": "hunter2"})
    client.post("/console/login/", {"username": "nobody@example.com", "password": "hunter2"})
    basic = base64.b64encode(f"{person.username}:wrong".encode()).decode()
    client.post("/api/v1/requests", HTTP_AUTHORIZATION=f"Basic {basic}")
    client.force_login(person)
    client.get("/console/ledger/verify/")
    rows = {(row.kind, row.account, row.what): row.n for row in Refusal.objects.all()}
    assert rows == {
        ("sign_in", f"user:{person.pk}", "admin:login"): 3,
        ("sign_in", "", "admin:login"): 1,
        ("sign_in", f"user:{person.pk}", "api_requests"): 1,
        ("permission", f"user:{person.pk}", "console:verify_ledger"): 1,
    }
    assert "hunter2" not in str(rows)
