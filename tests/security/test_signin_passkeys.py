"""Passkeys: made and used for this address, once for each challenge, and refused in every way we know to cheat."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from accounts.models import Factor
from audit.models import LedgerEntry
from tests import people
from tests.security.authenticator import Authenticator

pytestmark = pytest.mark.django_db


def browser() -> Client:
    """A browser at http://localhost, where passkeys work without TLS."""
    return Client(HTTP_HOST="localhost")


def password(client: Client, user: User) -> Any:
    return client.post(reverse("admin:login"), {"username": user.username, "password": people.PASSWORD})


def options(client: Client, name: str = "passkey_options") -> dict[str, Any]:
    found: dict[str, Any] = client.get(reverse(f"console:{name}")).json()
    return found


def use(client: Client, answer: str, **more: str) -> Any:
    return client.post(reverse("console:use_passkey"), {"credential": answer, **more})


def make(client: Client, device: Authenticator, **more: str) -> Any:
    answer = device.make(options(client, "new_passkey_options"))
    return client.post(reverse("console:add_passkey"), {"credential": answer, **more})


def is_in(client: Client) -> bool:
    return bool(client.get(reverse("admin:index")).status_code == 200)


@pytest.fixture
def person() -> User:
    return people.senior()


@pytest.fixture
def device(person: User) -> Authenticator:
    """A device of the person with a passkey for this desk."""
    client, device = browser(), Authenticator()
    password(client, person)
    assert make(client, device, name="laptop").status_code == 200
    return device


def test_one_is_made_and_signs_in_alone(person: User, device: Authenticator) -> None:
    kept = Factor.objects.get(kind="passkey")
    assert (kept.user, kept.name) == (person, "laptop")
    assert Factor.objects.filter(user=person, kind="recovery").count() == 10
    assert LedgerEntry.objects.get(action="accounts.factor.added").payload == {"kind": "passkey"}
    client = browser()
    answer = use(client, device.sign(options(client)), next="/console/system/")
    assert answer["Location"] == "/console/system/"
    assert is_in(client)
    kept.refresh_from_db()
    assert kept.used_at


def test_after_a_password_it_is_the_second_factor(person: User, device: Authenticator) -> None:
    client = browser()
    assert password(client, person)["Location"] == reverse("console:second_step")
    assert not is_in(client)
    asked = options(client)
    assert len(asked["publicKey"]["allowCredentials"]) == 1
    assert use(client, device.sign(asked))["Location"] == reverse("admin:index")
    assert is_in(client)


def test_one_persons_passkey_is_not_the_second_factor_of_another(device: Authenticator) -> None:
    other, theirs = people.senior(), Authenticator()
    client = browser()
    password(client, other)
    make(client, theirs)
    client = browser()
    password(client, other)
    assert use(client, device.sign(options(client)))["Location"] == reverse("console:second_step")
    assert not is_in(client)


def test_an_account_that_is_switched_off_stays_out(person: User, device: Authenticator) -> None:
    for off in ({"is_active": False}, {"is_active": True, "is_staff": False}):
        User.objects.filter(pk=person.pk).update(**off)
        client = browser()
        assert use(client, device.sign(options(client)))["Location"] == reverse("admin:login")
        assert not is_in(client)


def test_what_was_signed_once_is_not_taken_again(device: Authenticator) -> None:
    client = browser()
    signed = device.sign(options(client))
    ticket = client.cookies["ecomsite_passkey"].value
    use(client, signed)
    assert is_in(client)
    thief = browser()
    thief.cookies["ecomsite_passkey"] = ticket
    use(thief, signed)
    assert not is_in(thief)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://localhost:9999"},
        {"origin": "https://localhost"},
        {"origin": "http://evil.localhost"},
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"is_verified": False},
        {"handle": b"another account"},
    ],
)
def test_what_was_signed_elsewhere_or_by_nobody_is_refused(device: Authenticator, wrong: dict[str, Any]) -> None:
    client = browser()
    for name, value in wrong.items():
        setattr(device, name, value)
    use(client, device.sign(options(client)))
    assert not is_in(client)


def test_another_key_and_another_challenge_are_refused(device: Authenticator) -> None:
    client, other = browser(), Authenticator(credential_id=device.credential_id, handle=device.handle)
    use(client, other.sign(options(client)))
    assert not is_in(client)
    before = options(browser())["publicKey"]["challenge"]
    use(client, device.sign(options(client), challenge=before))
    assert not is_in(client)


def test_a_key_whose_counter_goes_back_was_copied(device: Authenticator) -> None:
    client = browser()
    device.counter = 7
    use(client, device.sign(options(client)))
    assert is_in(client)
    for counter in (7, 6, 0):
        device.counter, client = counter, browser()
        use(client, device.sign(options(client)))
        assert not is_in(client)
    device.counter, client = 8, browser()
    use(client, device.sign(options(client)))
    assert is_in(client)


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", "null", "{" * 5000, "x" * 100_000, '{"rawId": "AAAA"}', '{"id": 1, "rawId": []}', "\0"]
)
def test_nonsense_is_a_refusal_and_no_failure(person: User, device: Authenticator, answer: str) -> None:
    client = browser()
    options(client)
    assert use(client, answer)["Location"] == reverse("admin:login")
    assert use(browser(), answer)["Location"] == reverse("admin:login"), "without having asked"
    password(client, person)
    use(client, device.sign(options(client)))
    options(client, "new_passkey_options")
    assert client.post(reverse("console:add_passkey"), {"credential": answer}).status_code == 302
    assert Factor.objects.filter(kind="passkey").count() == 1


def test_parts_of_a_right_answer_that_are_broken_are_refused(device: Authenticator) -> None:
    client = browser()
    whole = json.loads(device.sign(options(client)))
    for part in ("clientDataJSON", "authenticatorData", "signature"):
        for broken in ("", "AAAA", "!", None, 5, whole["response"][part][:-6]):
            answer = {**whole, "response": {**whole["response"], part: broken}}
            use(client, json.dumps(answer))
            assert not is_in(client), (part, broken)


def test_a_key_cannot_be_registered_twice_or_by_another(person: User, device: Authenticator) -> None:
    for user in (person, people.reviewer()):
        client = browser()
        if user == person:
            use(client, device.sign(options(client)))
        else:
            password(client, user)
        make(client, device)
    assert Factor.objects.filter(kind="passkey").count() == 1


def test_the_page_says_where_passkeys_do_not_work() -> None:
    client = Client(HTTP_HOST="127.0.0.1")
    password(client, people.reviewer())
    assert "browsers offer none at this address" in client.get(reverse("console:my_sign_in")).content.decode()
    assert "data-passkey" not in Client(HTTP_HOST="127.0.0.1").get(reverse("admin:login")).content.decode()
