"""The second factor: asked for after the password, taken once, and not passed by another way in."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from accounts import factors, recovery, totp
from accounts.models import Factor, Session
from accounts.sessions import PENDING
from accounts.sign_in import SINCE
from accounts.tickets import Ticket
from audit.models import LedgerEntry
from core.exceptions import PermanentError
from ecomsite.system_checks import second_factor_roles_exist
from tests import people

pytestmark = pytest.mark.django_db
KEY = base64.b32encode(b"12345678901234567890").decode()


def code_of(key: str, offset: int = 0) -> str:
    """What an app with `key` shows now, or in another step of 30 s."""
    return TOTP(base64.b32decode(key), 6, SHA1(), 30).generate(time.time() + 30 * offset).decode()  # noqa: S303


def now(offset: int = 0) -> str:
    return code_of(KEY, offset)


def give_app(user: User) -> None:
    """Set up an app with KEY."""
    factors.add_app(user, key=KEY, code=now(), ticket=Ticket(f"app of {user.pk}", {}))


@pytest.fixture
def person() -> User:
    """A senior with an authenticator app that showed its code a minute ago."""
    user = people.senior()
    give_app(user)
    Factor.objects.filter(user=user, kind="totp").update(counter=int(time.time()) // 30 - 2)
    return user


def password(client: Client, user: User, **more: str) -> Any:
    return client.post(reverse("admin:login"), {"username": user.username, "password": people.PASSWORD, **more})


def step_two(client: Client, code: str) -> Any:
    return client.post(reverse("console:second_step"), {"code": code})


def is_in(client: Client) -> bool:
    return bool(client.get(reverse("admin:index")).status_code == 200)


# --- Codes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_codes_are_those_of_rfc_6238(at: int, code: str) -> None:
    assert totp.step_of(KEY, code, now=at) == at // 30
    assert totp.step_of(KEY, f" {code[:3]} {code[3:]} ", now=at + 30) == at // 30
    assert totp.step_of(KEY, code, now=at + 61) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12345\0", "-12345", "1e5000"])
def test_what_is_no_code_is_none(code: str) -> None:
    assert totp.step_of(KEY, code) is None


def test_a_code_is_taken_once_and_none_older_after_it(person: User) -> None:
    code, older = now(), now(-1)
    assert totp.use(person, code)
    assert totp.use(person, code) is None
    assert totp.use(person, older) is None


def test_the_key_of_an_app_cannot_be_read_in_the_database(person: User, settings: Any) -> None:
    kept = Factor.objects.get(user=person, kind="totp").secret
    assert KEY not in kept
    assert KEY not in base64.urlsafe_b64decode(kept).decode("latin-1")
    settings.SECRET_KEY = "another one"
    with pytest.raises(PermanentError, match="SECRET_KEY was changed"):
        totp.use(person, now())


# --- Setting up ---------------------------------------------------------------------------------------------------


def test_an_app_is_set_up_by_showing_its_code_and_recovery_codes_are_shown_once() -> None:
    user, client = people.reviewer(), Client()
    password(client, user)
    page = client.get(reverse("console:add_app")).content.decode()
    key = re.search(r"secret=([A-Z2-7]{32})", page)
    assert key
    wrong = client.post(reverse("console:add_app"), {"code": "000000"})
    assert wrong.status_code == 422
    assert key[1] in wrong.content.decode(), "the code of an app that has read the picture already"
    code, ticket = code_of(key[1]), client.cookies["ecomsite_app"].value
    shown = client.post(reverse("console:add_app"), {"code": code})
    codes = re.findall(r"<li>(\w{4}-\w{4}-\w{4})</li>", shown.content.decode())
    assert len(set(codes)) == 10
    assert codes[0] not in client.get(reverse("console:my_sign_in")).content.decode()
    assert all(code.replace("-", "") not in str(list(Factor.objects.values())) for code in codes)
    line = LedgerEntry.objects.get(action="accounts.factor.added")
    assert (line.actor, line.payload) == (f"user:{user.pk}", {"kind": "totp"})
    kept = Factor.objects.get(kind="totp").pk
    client.cookies["ecomsite_app"] = ticket
    again = client.post(reverse("console:add_app"), {"code": code})
    assert again.status_code == 422, "a ticket is used once"
    assert "was used already" in again.content.decode()
    assert Factor.objects.get(kind="totp").pk == kept


def test_who_signed_in_long_ago_signs_in_again_before_anything_is_changed(person: User) -> None:
    client = Client()
    password(client, person)
    step_two(client, now())
    session = client.session
    session[SINCE] = time.time() - 901
    session.save()
    factor = factors.of(person).get()
    for page in ("add_app", "new_passkey_options"):
        assert "again=1" in client.get(reverse(f"console:{page}"))["Location"]
    for page, args in (("add_app", ()), ("add_passkey", ()), ("new_codes", ()), ("remove_factor", (factor.pk,))):
        assert "again=1" in client.post(reverse(f"console:{page}", args=args))["Location"]
    assert factors.of(person).get() == factor
    assert client.get(reverse("admin:login") + "?again=1").status_code == 200


def test_nobody_touches_the_factor_of_another(person: User) -> None:
    client = Client()
    password(client, people.reviewer())
    client.post(reverse("console:remove_factor", args=[factors.of(person).get().pk]))
    assert factors.has_any(person)


def test_what_one_began_in_a_browser_another_does_not_finish() -> None:
    one, two, client = people.reviewer(), people.reviewer(), Client()
    password(client, one)
    page = client.get(reverse("console:add_app")).content.decode()
    key = re.search(r"secret=([A-Z2-7]{32})", page)
    assert key
    client.logout()
    password(client, two)
    assert client.post(reverse("console:add_app"), {"code": code_of(key[1])}).status_code == 422
    assert not Factor.objects.exists()


# --- Signing in ---------------------------------------------------------------------------------------------------


def test_the_password_alone_leads_to_the_second_step_and_no_further(person: User) -> None:
    client = Client()
    answer = password(client, person)
    assert answer["Location"] == reverse("console:second_step")
    assert not is_in(client)
    assert client.get("/api/v1/requests").status_code == 401
    basic = base64.b64encode(f"{person.username}:{people.PASSWORD}".encode()).decode()
    for headers in ({}, {"HTTP_COOKIE": ""}):
        refused = client.post(
            "/api/v1/requests", {}, "application/json", HTTP_AUTHORIZATION=f"Basic {basic}", **headers
        )
        assert refused.status_code == 403
        assert "second factor" in refused.json()["hint"]
    assert step_two(client, now()).status_code == 302
    assert is_in(client)


def test_a_code_that_was_watched_lets_nobody_else_in(person: User) -> None:
    mine, theirs, code = Client(), Client(), now()
    for client in (mine, theirs):
        password(client, person)
    assert step_two(mine, code).status_code == 302
    assert step_two(theirs, code).status_code == 422
    assert not is_in(theirs)


def test_each_step_has_a_session_of_its_own(person: User) -> None:
    client = Client()
    client.get(reverse("admin:login"))
    password(client, person)
    first = client.session.session_key
    step_two(client, now())
    assert client.session.session_key != first
    assert not Session.objects.filter(session_key=first).exists()
    assert PENDING not in client.session


def test_a_recovery_code_lets_in_once_and_leaves_a_line(person: User) -> None:
    code, *_ = recovery.make(person)
    for typed, status in ((code.upper().replace("-", " "), 302), (code, 422)):
        client = Client()
        password(client, person)
        assert step_two(client, typed).status_code == status
    assert LedgerEntry.objects.get(action="accounts.recovery.used").payload == {"left": 9}
    other = people.senior()
    give_app(other)
    client = Client()
    password(client, other)
    assert step_two(client, recovery.make(person)[0]).status_code == 422, "another person's"


def test_five_wrong_codes_lock_the_second_step(person: User) -> None:
    client = Client()
    password(client, person)
    assert [step_two(client, "000000").status_code for _ in range(5)] == [422, 422, 422, 422, 429]
    answer = step_two(client, now())
    assert answer.status_code == 429
    assert "administrator can let you in" in answer.content.decode()
    password(client, person)
    assert step_two(client, now()).status_code == 429, "a right password does not open it"


@pytest.mark.parametrize("meanwhile", ["password", "off", "late"])
def test_a_half_made_sign_in_is_void(person: User, meanwhile: str) -> None:
    client = Client()
    password(client, person)
    if meanwhile == "password":
        person.set_password("another one, and long")
        person.save()
    elif meanwhile == "off":
        User.objects.filter(pk=person.pk).update(is_active=False)
    else:
        session = client.session
        session[PENDING] = {**session[PENDING], "at": time.time() - 601}
        session.save()
    assert step_two(client, now())["Location"] == reverse("admin:login")
    assert not is_in(client)


@pytest.mark.parametrize(
    ("address", "to"),
    [
        ("/console/system/", "/console/system/"),
        ("https://evil.example/", "/console/"),
        ("//evil.example/", "/console/"),
        ("javascript:alert(1)", "/console/"),
        ("/\\evil.example", "/console/"),
    ],
)
def test_it_leads_on_to_where_one_was_going_and_nowhere_else(person: User, address: str, to: str) -> None:
    client = Client()
    password(client, person, next=address)
    assert step_two(client, now())["Location"] == to


# --- Enforced by role ---------------------------------------------------------------------------------------------


@pytest.fixture
def required(settings: Any) -> None:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, second_factor_roles=["Senior reviewer"])


@pytest.mark.usefixtures("required")
def test_a_role_that_asks_for_one_opens_nothing_before_it_is_set_up() -> None:
    user, client = people.senior(), Client()
    password(client, user)
    mine = reverse("console:my_sign_in")
    for page in (
        reverse("admin:index"),
        reverse("console:contested"),
        reverse("admin:moderation_candidate_changelist"),
        reverse("admin:password_change"),
        "/console/no-such-page/",
    ):
        for headers in ({}, {"HTTP_AUTHORIZATION": "Basic x"}):
            assert client.get(page, **headers).get("Location") == mine, page
    assert client.post(reverse("console:new_codes"))["Location"] == mine
    assert client.get("/api/v1/requests").status_code == 403
    basic = base64.b64encode(f"{user.username}:{people.PASSWORD}".encode()).decode()
    for headers in ({"HTTP_AUTHORIZATION": f"Basic {basic}"}, {"HTTP_AUTHORIZATION": "Bearer x"}):
        assert client.post("/api/v1/requests", {}, "application/json", **headers).status_code in (401, 403)
    assert "Your role asks for a second factor" in client.get(mine).content.decode()
    page = client.get(reverse("console:add_app")).content.decode()
    key = re.search(r"secret=([A-Z2-7]{32})", page)
    assert key
    client.post(reverse("console:add_app"), {"code": code_of(key[1])})
    assert is_in(client)
    client.post(reverse("console:remove_factor", args=[factors.of(user).get().pk]))
    assert factors.has_any(user), "the last one stays while the role asks for it"


@pytest.mark.usefixtures("required")
def test_a_session_from_before_does_not_go_on_without_it() -> None:
    user, client = people.senior(), Client()
    client.force_login(user)
    give_app(user)
    assert client.get(reverse("admin:index"))["Location"] == reverse("console:my_sign_in")
    assert "Sign in again" in client.get(reverse("console:my_sign_in")).content.decode()


@pytest.mark.usefixtures("required")
def test_other_roles_are_not_asked() -> None:
    client = Client()
    password(client, people.reviewer())
    assert is_in(client)


def test_a_role_that_does_not_exist_is_found_by_the_checks(settings: Any) -> None:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, second_factor_roles=["Administrator", "Seniors"])
    assert [found.id for found in second_factor_roles_exist(None)] == ["ecomsite.E006"]
