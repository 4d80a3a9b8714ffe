"""Webhooks in the console: who sees what, a secret that is shown once, and dead letters that are sent again."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from audit.models import LedgerEntry
from ecomsite.roles import ROLES
from outbox.models import Delivery, Endpoint
from tests import factories as make
from tests import people
from tests.outbox.conftest import drain, happen, subscribe
from tests.outbox.receiver import Receiver
from tests.scenes import HOSTILE

pytestmark = pytest.mark.django_db
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{40,}")


def _signed_in(role: str | None) -> Client:
    client = Client()
    client.force_login(people.people(role))
    return client


def _words(answer: Any) -> str:
    return str(answer.content.decode())


def _form(receiver: Receiver) -> dict[str, Any]:
    return {"url": receiver.url, "description": "the shop", "event_types": ["copy.published"]}


def test_an_endpoint_is_added_tested_and_its_secret_is_shown_once(receiver: Receiver) -> None:
    client = _signed_in("Administrator")
    answer = client.post(reverse("console:add_webhook"), _form(receiver))
    (secret,) = SECRET.findall(_words(answer))
    assert "no-store" in answer["Cache-Control"]
    endpoint = Endpoint.objects.get()
    client.post(reverse("console:test_webhook", args=[endpoint.pk]))
    drain()
    assert receiver.received[0].verified(secret)["type"] == "endpoint.test"
    pages = [
        reverse("console:webhook", args=[endpoint.pk]),
        reverse("console:change_webhook", args=[endpoint.pk]),
        reverse("console:delivery", args=[Delivery.objects.get().pk]),
        reverse("admin:outbox_endpoint_changelist"),
        reverse("admin:outbox_delivery_changelist"),
        reverse("admin:audit_ledgerentry_changelist"),
    ]
    for page in pages:
        html = _words(client.get(page, follow=True))
        assert not SECRET.search(html), page
        assert secret.removeprefix("whsec_") not in html, page


def test_rotating_shows_the_new_secret_once_and_both_verify(receiver: Receiver) -> None:
    endpoint, old = subscribe(receiver)
    answer = _signed_in("Administrator").post(reverse("console:rotate_webhook", args=[endpoint.pk]))
    (new,) = SECRET.findall(_words(answer))
    assert new != old
    assert "signs until" in _words(answer)
    happen()
    drain()
    assert receiver.received[0].verified(old) == receiver.received[0].verified(new)


def test_a_wrong_address_is_refused_with_the_reason() -> None:
    client = _signed_in("Administrator")
    for url, words in (("http://shop.example.com/", "https://"), ("https://169.254.169.254/", "not sent to")):
        answer = client.post(reverse("console:add_webhook"), {"url": url, "event_types": ["copy.published"]})
        assert answer.status_code == 422
        assert words in _words(answer)
    assert not Endpoint.objects.exists()


def test_a_dead_letter_is_replayed_from_its_page_and_all_from_the_endpoints(receiver: Receiver) -> None:
    client = _signed_in("Administrator")
    endpoint, _ = subscribe(receiver)
    for _ in range(3):
        happen()
    Delivery.objects.update(status="dead", n_attempts=10)
    row = Delivery.objects.first()
    assert row is not None
    assert "Replay" in _words(client.get(reverse("console:delivery", args=[row.pk])))
    client.post(reverse("console:replay_delivery", args=[row.pk]))
    assert drain() == 1
    again = client.post(reverse("console:replay_delivery", args=[row.pk]), follow=True)
    assert "no longer dead" in _words(again)
    assert "Replay 2 dead letters" in _words(client.get(reverse("console:webhook", args=[endpoint.pk])))
    wrong = client.post(reverse("console:replay_webhook", args=[endpoint.pk]), {"since": "last week"})
    assert wrong.status_code == 422
    client.post(reverse("console:replay_webhook", args=[endpoint.pk]), {"since": "2026-01-01 00:00", "until": ""})
    assert drain() == 2
    assert len(receiver.received) == 3


def test_disabling_needs_a_reason_and_enabling_undoes_it(receiver: Receiver) -> None:
    client = _signed_in("Administrator")
    endpoint, _ = subscribe(receiver)
    disable, enable = (reverse(f"console:{act}_webhook", args=[endpoint.pk]) for act in ("disable", "enable"))
    assert "needs a reason" in _words(client.post(disable, {"reason": " "}, follow=True))
    assert "moving house" in _words(client.post(disable, {"reason": "moving house"}, follow=True))
    assert Endpoint.objects.get().status == "disabled"
    client.post(enable)
    assert Endpoint.objects.get().status == "active"


def test_an_endpoint_is_changed_where_it_is(receiver: Receiver) -> None:
    client = _signed_in("Administrator")
    endpoint, _ = subscribe(receiver)
    address = reverse("console:change_webhook", args=[endpoint.pk])
    assert receiver.url in _words(client.get(address))
    client.post(address, {"url": receiver.url + "/2", "description": "other", "event_types": ["request.failed"]})
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.event_types) == (receiver.url + "/2", ["request.failed"])
    assert client.post(address, {"url": "https://10.1.1.1/#x", "event_types": ["request.failed"]}).status_code == 422


@pytest.mark.parametrize("role", [*ROLES, None])
def test_pages_open_for_who_may_look_and_acts_for_administrators_alone(role: str | None) -> None:
    client = _signed_in(role)
    user = User.objects.latest("pk")
    endpoint = make.webhook_endpoint()
    row = make.webhook_delivery(endpoint, status="dead")
    lines = LedgerEntry.objects.count()
    for name, args, permission in (
        ("webhook", [endpoint.pk], "outbox.view_endpoint"),
        ("delivery", [row.pk], "outbox.view_delivery"),
        ("add_webhook", [], "outbox.manage_endpoint"),
        ("change_webhook", [endpoint.pk], "outbox.manage_endpoint"),
    ):
        expected = 200 if user.has_perm(permission) else 403
        assert client.get(reverse(f"console:{name}", args=args)).status_code == expected, name
    if role == "Administrator":
        return
    for name in (
        "change_webhook",
        "rotate_webhook",
        "disable_webhook",
        "enable_webhook",
        "test_webhook",
        "replay_webhook",
    ):
        answer = client.post(reverse(f"console:{name}", args=[endpoint.pk]), {"reason": "because"})
        assert answer.status_code == 403, name
    assert client.post(reverse("console:replay_delivery", args=[row.pk])).status_code == 403
    form = {"url": "https://shop.example.com/", "event_types": ["copy.published"]}
    assert client.post(reverse("console:add_webhook"), form).status_code == 403
    assert Delivery.objects.get().status == "dead"
    assert LedgerEntry.objects.count() == lines


def test_the_path_of_an_address_is_for_administrators() -> None:
    endpoint = make.webhook_endpoint()
    page = reverse("console:webhook", args=[endpoint.pk])
    assert "T0KEN" in _words(_signed_in("Administrator").get(page))
    auditor = _signed_in("Auditor")
    for address in (page, reverse("admin:outbox_endpoint_changelist")):
        assert "shop.example.com" in _words(auditor.get(address))
        assert "T0KEN" not in _words(auditor.get(address))


def test_what_a_receiver_says_is_shown_and_never_run() -> None:
    endpoint = make.webhook_endpoint(last_error=HOSTILE, n_attempts=4, failing_since="2026-01-01T00:00Z")
    row = make.webhook_delivery(endpoint, response_excerpt=HOSTILE, last_error=HOSTILE, data={"sku": HOSTILE})
    client = _signed_in("Auditor")
    for page in (
        reverse("console:webhook", args=[endpoint.pk]),
        reverse("console:delivery", args=[row.pk]),
        reverse("admin:outbox_delivery_changelist"),
    ):
        html = _words(client.get(page))
        assert "<script>alert" not in html, page
        assert "&lt;script&gt;alert" in html, page
