"""Single sign-on against a real provider: who is let in, and every answer that is forged, stolen, stale or meant for others."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from accounts import factors
from accounts.models import Identity
from accounts.provider import Provider
from audit.models import LedgerEntry
from ecomsite.system_checks import provider_is_safe
from tests import people
from tests.security.oidc_provider import Claims, OidcProvider, serving
from tests.security.test_signin_second_factor import give_app

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[OidcProvider]:
    monkeypatch.setattr("accounts.provider.TIMEOUT_S", 2.0)
    with serving() as provider:
        oidc = replace(
            settings.ACCOUNTS.oidc,
            issuer=provider.issuer,
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            name="Tideway ID",
        )
        settings.ACCOUNTS = replace(settings.ACCOUNTS, oidc=oidc)
        settings.SITE_URL = "http://testserver"
        yield provider


@pytest.fixture
def robin() -> User:
    user = people.people("Reviewer", email="robin@example.com")
    user.set_unusable_password()
    user.save()
    return user


def go(client: Client, **query: str) -> str:
    """Off to the provider, as the browser goes; returns where it sends the browser back to."""
    away = client.get(reverse("console:to_provider"), query)
    back = httpx.get(away["Location"], follow_redirects=False).headers["Location"]
    assert back.startswith("http://testserver/console/sign-in/sso/back/?")
    return back.removeprefix("http://testserver")


def is_in(client: Client) -> bool:
    return bool(client.get(reverse("admin:index")).status_code == 200)


def trouble(client: Client) -> str:
    """What the login page says."""
    return client.get(reverse("admin:login")).content.decode()


def test_a_person_with_an_account_here_signs_in_and_is_known_by_subject_ever_after(
    provider: OidcProvider, robin: User
) -> None:
    client = Client()
    assert "Sign in with Tideway ID" in trouble(client)
    assert client.get(go(client, next="/console/system/"))["Location"] == "/console/system/"
    assert is_in(client)
    identity = Identity.objects.get()
    assert (identity.user, identity.issuer, identity.subject) == (robin, provider.issuer, "42")
    assert LedgerEntry.objects.get(action="accounts.single_sign_on.bound").subject == f"auth.user:{robin.pk}"
    provider.claims = {"sub": "42", "email": "new-name@example.com", "email_verified": False}
    client = Client()
    client.get(go(client))
    assert is_in(client), "an address may change, a subject does not"


def test_an_address_that_only_userinfo_has_is_taken_if_it_is_the_same_subjects(
    provider: OidcProvider, robin: User
) -> None:
    for subject, lets_in in (("43", False), ("42", True)):
        provider.claims = {"sub": "42"}
        provider.userinfo = {"sub": subject, "email": "robin@example.com", "email_verified": True}
        client = Client()
        client.get(go(client))
        assert is_in(client) is lets_in


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "nobody@example.com", "email_verified": True},
        {"email": "robin@example.com", "email_verified": False},
        {"email": "robin@example.com", "email_verified": "false"},
        {"email": "robin@example.com"},
        {"email": ["robin@example.com"], "email_verified": True},
        {"email": "robin@example.com\0", "email_verified": True},
        {"email": "", "email_verified": True},
        {"email": "rob\u0131n@example.com", "email_verified": True},  # which PostgreSQL's UPPER makes an I of
        {"email": "robin+1@example.com", "email_verified": True},
        {},
    ],
)
def test_who_is_not_vouched_for_stays_out(provider: OidcProvider, robin: User, claims: Claims) -> None:
    provider.claims = {"sub": "42", **claims}
    client = Client()
    client.get(go(client))
    assert not is_in(client)
    assert not Identity.objects.exists()


def test_no_superuser_and_nobody_without_a_desk_comes_in_by_an_address(provider: OidcProvider) -> None:
    User.objects.create_superuser("root", "root@example.com", people.PASSWORD)
    merchant = people.people("Merchant", email="shop@example.com")
    User.objects.filter(pk=merchant.pk).update(is_staff=False)
    off = people.people("Reviewer", email="left@example.com")
    User.objects.filter(pk=off.pk).update(is_active=False)
    people.people("Reviewer", email="two@example.com")
    User.objects.create(username="another", email="TWO@example.com", is_staff=True)
    for address in ("root@example.com", "shop@example.com", "left@example.com", "two@example.com"):
        provider.claims = {"sub": address, "email": address, "email_verified": True}
        client = Client()
        client.get(go(client))
        assert not is_in(client), address


def test_another_subject_with_the_same_address_does_not_take_an_account_over(
    provider: OidcProvider, robin: User
) -> None:
    client = Client()
    client.get(go(client))
    provider.claims = {**provider.claims, "sub": "43"}
    client = Client()
    client.get(go(client))
    assert not is_in(client)
    assert "belongs to another sign-in" in trouble(client)


def forge(**changes: Any) -> Callable[[Claims], None]:
    def spoil(claims: Claims) -> None:
        claims.update({name: value for name, value in changes.items() if value is not None})
        for name in [name for name, value in changes.items() if value is None]:
            claims.pop(name, None)

    return spoil


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another-app"},
        {"aud": None},
        {"aud": []},
        {"aud": ["ecomsite-desk", "another-app"]},
        {"aud": ["ecomsite-desk", "another-app"], "azp": "another-app"},
        {"azp": "another-app"},
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": 5},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"iat": int(time.time()) + 3600},
        {"nbf": int(time.time()) + 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": 42},
        {"sub": "x" * 256},
        {"sub": "4\0002"},
    ],
)
def test_a_token_that_is_not_for_us_and_now_is_refused(
    provider: OidcProvider, robin: User, changes: dict[str, Any]
) -> None:
    provider.spoil = forge(**changes)
    client = Client()
    client.get(go(client))
    assert not is_in(client)
    assert "could not be verified" in trouble(client)


def test_two_audiences_are_fine_if_we_are_the_party(provider: OidcProvider, robin: User) -> None:
    provider.spoil = forge(aud=["ecomsite-desk", "another-app"], azp="ecomsite-desk")
    client = Client()
    client.get(go(client))
    assert is_in(client)


@pytest.mark.parametrize(
    "how", ["none", "public key as secret", "stranger", "stranger, other name", "no signature", "no jwt"]
)
def test_a_token_that_the_provider_did_not_sign_is_refused(provider: OidcProvider, robin: User, how: str) -> None:
    stranger = rsa.generate_private_key(65537, 2048)
    public = provider.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(claims: Claims) -> str:
        headers = {"kid": provider.kid}
        match how:
            case "none":
                return jwt.encode(claims, None, algorithm="none", headers=headers)  # type: ignore[arg-type]
            case "public key as secret":
                return jwt.encode(claims, public, algorithm="HS256", headers=headers)
            case "stranger":
                return jwt.encode(claims, stranger, algorithm="RS256", headers=headers)
            case "stranger, other name":
                return jwt.encode(claims, stranger, algorithm="RS256", headers={"kid": "evil"})
            case "no signature":
                return jwt.encode(claims, provider.key, algorithm="RS256", headers=headers).rpartition(".")[0] + "."
        return "not.a.jwt"

    provider.sign = sign
    client = Client()
    client.get(go(client))
    assert not is_in(client)


def test_a_new_key_of_the_provider_is_fetched_and_not_for_every_stranger(provider: OidcProvider, robin: User) -> None:
    client = Client()
    client.get(go(client))
    provider.key, provider.kid = rsa.generate_private_key(65537, 2048), "two"
    Provider._known[provider.issuer].keys_at -= 31
    client = Client()
    client.get(go(client))
    assert is_in(client)
    provider.sign = lambda claims: jwt.encode(claims, provider.key, algorithm="RS256", headers={"kid": "made up"})
    before = provider.asked.count("/keys")
    for _ in range(3):
        client.get(go(client))
    assert provider.asked.count("/keys") == before


def test_an_answer_is_bound_to_the_browser_that_began(provider: OidcProvider, robin: User) -> None:
    mine, victim = Client(), Client()
    back = go(mine)
    victim.get(back)
    assert not is_in(victim), "no ticket at all"
    go(victim)
    victim.get(back)
    assert not is_in(victim), "another ticket: somebody would have signed them in as somebody else"
    mine.get(back)
    assert is_in(mine)


def test_an_answer_is_taken_once(provider: OidcProvider, robin: User) -> None:
    client, thief = Client(), Client()
    back = go(client)
    ticket = client.cookies["ecomsite_sso"].value
    client.get(back)
    thief.cookies["ecomsite_sso"] = ticket
    thief.get(back)
    assert not is_in(thief)


def test_a_stolen_code_is_worth_nothing_without_the_verifier(provider: OidcProvider, robin: User) -> None:
    code = parse_qs(urlsplit(go(Client())).query)["code"][0]
    thief = Client()
    own = parse_qs(urlsplit(go(thief)).query)
    thief.get(reverse("console:from_provider"), {"code": code, "state": own["state"][0], "iss": provider.issuer})
    assert not is_in(thief)


def test_an_answer_of_another_provider_or_none_is_refused(provider: OidcProvider, robin: User) -> None:
    client = Client()
    client.get(go(client).replace("iss=", "iss=https://evil.example/"))
    assert "another provider" in trouble(client)
    provider.refuses = True
    client.get(go(client))
    assert "did not let you in" in trouble(client)
    for query in ({}, {"state": "x"}, {"code": "x"}, {"state": "x" * 9000}):
        assert client.get(reverse("console:from_provider"), query)["Location"] == reverse("admin:login")
    assert client.get(reverse("console:from_provider"), {"code": "\0", "state": "\0"}).status_code == 400
    assert not is_in(client)


def test_a_provider_that_is_away_or_another_costs_a_message(provider: OidcProvider, settings: Any) -> None:
    Provider._known.clear()
    client = Client()
    oidc = settings.ACCOUNTS.oidc
    for issuer in ("http://127.0.0.1:9", "http://evil.example", f"{provider.issuer}/other"):
        settings.ACCOUNTS = replace(settings.ACCOUNTS, oidc=replace(oidc, issuer=issuer))
        began = time.monotonic()
        for _ in range(3):
            assert client.get(reverse("console:to_provider"))["Location"] == reverse("admin:login")
        assert time.monotonic() - began < 5
        assert trouble(client)


def test_where_to_go_on_is_ours(provider: OidcProvider, robin: User) -> None:
    client = Client()
    assert client.get(go(client, next="https://evil.example/"))["Location"] == reverse("admin:index")


def test_a_second_factor_is_asked_for_unless_the_provider_does(
    provider: OidcProvider, robin: User, settings: Any
) -> None:
    give_app(robin)
    client = Client()
    assert client.get(go(client))["Location"] == reverse("console:second_step")
    assert not is_in(client)
    oidc = replace(settings.ACCOUNTS.oidc, brings_second_factor=True)
    settings.ACCOUNTS = replace(settings.ACCOUNTS, oidc=oidc, second_factor_roles=["Reviewer"])
    client = Client()
    client.get(go(client))
    assert is_in(client)
    assert factors.has_any(robin)


def test_without_a_provider_there_is_no_way_in(settings: Any) -> None:
    client = Client()
    assert "Sign in with" not in trouble(client).replace("Sign in with a passkey", "")
    assert client.get(reverse("console:to_provider"))["Location"] == reverse("admin:login")


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"issuer": "https://id.example"}, ["ecomsite.E005"]),
        ({"issuer": "http://id.example", "client_id": "a", "client_secret": "b"}, ["ecomsite.E005"]),
        ({"issuer": "https://id.example", "client_id": "a", "client_secret": "b"}, []),
        ({"issuer": "http://127.0.0.1:9000", "client_id": "a", "client_secret": "b"}, []),
    ],
)
def test_half_a_provider_is_found_by_the_checks(settings: Any, changes: dict[str, str], found: list[str]) -> None:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, oidc=replace(settings.ACCOUNTS.oidc, **changes))
    assert [error.id for error in provider_is_safe(None)] == found


def test_a_ticket_is_void_after_ten_minutes(provider: OidcProvider, robin: User, monkeypatch: Any) -> None:
    client = Client()
    back = go(client)
    later = time.time() + dt.timedelta(minutes=11).total_seconds()
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    answer = client.get(back)
    monkeypatch.undo()
    assert answer["Location"] == reverse("admin:login")
    assert not is_in(client)
