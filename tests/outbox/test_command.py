"""`manage.py webhooks`: what it prints, what it does, and in whose name."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.models import LedgerEntry
from outbox.models import Delivery, Endpoint
from tests import people
from tests.outbox.conftest import drain, happen
from tests.outbox.receiver import Receiver

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    said = io.StringIO()
    call_command("webhooks", *arguments, stdout=said)
    return said.getvalue()


def test_an_endpoint_lives_its_life_from_the_command_line(receiver: Receiver) -> None:
    admin = people.administrator()
    added = run("add", receiver.url, "--event", "copy.published", "--by", admin.username)
    (secret,) = re.findall(r"whsec_\S+", added)
    endpoint = Endpoint.objects.get()
    assert LedgerEntry.objects.get(action="outbox.endpoint.added").actor == f"user:{admin.pk}"
    run("test", str(endpoint.pk))
    drain()
    assert receiver.received[0].verified(secret)["data"]["asked_by"] == "system:command line"
    (new,) = re.findall(r"whsec_\S+", run("rotate", str(endpoint.pk), "--at-once"))
    happen()
    Delivery.objects.filter(status="pending").update(status="dead")
    listed = run("list")
    assert "0 pending, 1 dead" in listed
    assert "whsec_" not in listed
    assert "1 dead letter" in run("replay", str(endpoint.pk), "--since", "2026-01-01T00:00")
    drain()
    assert receiver.received[-1].verified(new)
    assert run("disable", str(endpoint.pk), "--reason", "moved") == "Disabled.\n"
    assert run("enable", str(endpoint.pk)) == "Enabled.\n"


def test_without_naming_events_it_is_told_of_all(receiver: Receiver, settings: Any) -> None:
    assert "no endpoints" in run("list")
    run("add", receiver.url)
    assert Endpoint.objects.get().event_types == sorted(settings.OUTBOX.event_types)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "http://shop.example.com/"], "https://"),
        (["rotate", "nonsense"], "no endpoint nonsense"),
        (["replay", "00000000-0000-0000-0000-000000000000"], "no endpoint"),
        (["add", "https://shop.example.com/", "--event", "copy.burnt"], "copy.burnt"),
        (["replay", "x", "--since", "yesterday"], "a time such as"),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(*arguments)


def test_the_permissions_of_the_person_named_are_checked(receiver: Receiver) -> None:
    with pytest.raises(CommandError, match="lacks the permission"):
        run("add", receiver.url, "--by", people.auditor().username)
    assert not Endpoint.objects.exists()
