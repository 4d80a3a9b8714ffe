"""The project's own system checks."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.core.checks.registry import registry

from ecomsite import system_checks


def test_each_check_is_registered() -> None:
    checks = {
        function
        for _, function in inspect.getmembers(system_checks, inspect.isfunction)
        if function.__module__ == system_checks.__name__ and not function.__name__.startswith("_")
    }
    assert checks <= set(registry.get_checks(include_deployment_checks=True))


def test_the_door_is_not_deployed_without_its_key(settings: Any) -> None:
    settings.LABELING = replace(settings.LABELING, door_key="")
    assert [found.id for found in system_checks.door_key_is_set(None)] == ["ecomsite.E004"]


@pytest.mark.parametrize(
    ("key", "variable"), [("label_margins", "GATE_LABEL_MARGINS"), ("label_costs", "GATE_LABEL_COSTS")]
)
def test_a_label_of_the_gate_that_no_question_has_is_named(settings: Any, key: str, variable: str) -> None:
    gate = {**django_settings.TRAINING.gate, key: {"negative": 0.05, "negativ": 0.05}}
    settings.TRAINING = replace(settings.TRAINING, gate=gate)
    found = [one for one in run_checks(tags=["compatibility"]) if one.id == "ecomsite.E007"]
    assert [one.msg for one in found] == [f"{variable}: no question has the label negativ."]


def test_what_debug_pages_and_logs_print_of_the_settings_holds_no_secret(settings: Any) -> None:
    oidc = replace(settings.ACCOUNTS.oidc, client_id="desk", client_secret="of-the-provider")
    shown = repr(
        (replace(settings.ACCOUNTS, oidc=oidc), replace(settings.LEDGER, key="of-heads", sealing_key="of-words"))
    )
    assert "client_id='desk'" in shown
    assert not [word for word in ("of-the-provider", "of-heads", "of-words") if word in shown]
