"""Wrong passwords lock an account and an address for a while, before any of them costs a hash."""

from __future__ import annotations

import base64
import datetime as dt
import logging
import threading
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import cleaning, throttle
from accounts.models import Session, Tries, UsedTicket
from audit.models import LedgerEntry
from monitoring.models import Refusal
from tests import people

pytestmark = pytest.mark.django_db
HERE, THERE, ELSEWHERE = "203.0.113.5", "198.51.100.7", "192.0.2.9"
ORDER = {"skus": ["none"]}


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every hash of a password that is computed."""
    computed: list[str] = []
    encode = PBKDF2PasswordHasher.encode

    def counted(self: Any, password: str, salt: str, iterations: int | None = None) -> str:
        computed.append(salt)
        return encode(self, password, salt, iterations)

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", counted)
    return computed


def sign_in(name: str, typed: str = "not this one", *, at: str = HERE) -> Any:
    return Client().post(reverse("admin:login"), {"username": name, "password": typed}, REMOTE_ADDR=at)


def call(name: str, typed: str = "not this one", *, at: str = HERE) -> Any:
    basic = base64.b64encode(f"{name}:{typed}".encode()).decode()
    return Client().post(
        "/api/v1/requests", ORDER, "application/json", HTTP_AUTHORIZATION=f"Basic {basic}", REMOTE_ADDR=at
    )


def lets_in(person: User, *, at: str = HERE) -> bool:
    return bool(sign_in(person.username, people.PASSWORD, at=at).status_code == 302)


def time_passes(length: dt.timedelta) -> None:
    Tries.objects.update(since=F("since") - length)
    for name in ("locked_until", "succeeded_at"):
        Tries.objects.exclude(**{name: None}).update(**{name: F(name) - length})


def test_after_five_wrong_passwords_not_even_the_right_one_is_looked_at(hashes: list[str]) -> None:
    person = people.reviewer()
    assert [sign_in(person.username).status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    hashes.clear()
    answer = sign_in(person.username, people.PASSWORD)
    assert answer.status_code == 429
    assert hashes == [], "who is locked out must not keep a processor busy"
    assert 0 < int(answer["Retry-After"]) <= 900
    words = " ".join(answer.content.decode().split())
    assert "locked for this account for 15 minutes" in words
    assert "Try again at" in words
    assert "administrator can let you in" in words


def test_console_and_api_count_together_and_the_api_says_so_in_json(hashes: list[str]) -> None:
    person = people.senior()
    statuses = [turn(person.username).status_code for turn in (sign_in, call, sign_in, call, call)]
    assert statuses == [200, 401, 200, 401, 429]
    hashes.clear()
    answer = call(person.username, people.PASSWORD)
    assert (answer.status_code, hashes) == (429, [])
    assert set(answer.json()) == {"error", "hint"}
    assert int(answer["Retry-After"]) > 0
    assert not lets_in(person)


def test_a_name_that_nobody_has_is_locked_just_the_same() -> None:
    person = people.reviewer()
    for name in (person.username, "nobody@example.com"):
        answers = [sign_in(name) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429, 429]
        time_passes(dt.timedelta(days=1))


def test_another_person_and_another_place_are_not_locked() -> None:
    person, other = people.reviewer(), people.reviewer()
    for _ in range(6):
        sign_in(person.username)
    assert lets_in(other)
    assert lets_in(person, at=THERE)


def test_a_name_in_other_letters_is_the_same_account() -> None:
    person = people.reviewer()
    for name in ("REVIEWER", "Reviewer", "reviewer", "rEviewer", " reviewer"):
        call(person.username.replace("reviewer", name))
    assert call(person.username, people.PASSWORD).status_code == 429


def test_many_places_together_lock_an_account_but_not_where_it_is_at_home() -> None:
    person = people.reviewer()
    assert lets_in(person, at=HERE)
    for number in range(20):
        sign_in(person.username, at=f"198.51.100.{number}")
    assert sign_in(person.username, people.PASSWORD, at=ELSEWHERE).status_code == 429
    assert lets_in(person, at=HERE), "nobody locks a person out of where they sign in every day"


def test_one_place_that_tries_many_names_is_locked_for_all(hashes: list[str]) -> None:
    person = people.reviewer()
    statuses = [sign_in(f"guess-{number}@example.com").status_code for number in range(30)]
    assert statuses == [200] * 29 + [429]
    hashes.clear()
    answer = sign_in(person.username, people.PASSWORD)
    assert (answer.status_code, hashes) == (429, [])
    assert "for everybody at this address" in answer.content.decode()
    assert lets_in(person, at=THERE)


def test_an_account_of_ones_own_does_not_buy_more_guesses_at_others() -> None:
    mine, victim = people.reviewer(), people.senior()
    for number in range(29):
        sign_in(f"{number}-{victim.username}")
        if number % 3 == 0:
            assert lets_in(mine)
    assert sign_in("one-more@example.com").status_code == 429


def test_the_lock_ends_by_itself_and_the_count_begins_anew() -> None:
    person = people.reviewer()
    for _ in range(7):
        sign_in(person.username)
    time_passes(dt.timedelta(minutes=14))
    assert not lets_in(person)
    time_passes(dt.timedelta(minutes=2))
    assert [sign_in(person.username).status_code for _ in range(4)] == [200] * 4
    assert lets_in(person)


def test_knocking_on_a_locked_door_does_not_keep_it_locked() -> None:
    person = people.reviewer()
    for _ in range(5):
        sign_in(person.username)
    until = Tries.objects.exclude(locked_until=None).get().locked_until
    for _ in range(5):
        sign_in(person.username)
    assert Tries.objects.exclude(locked_until=None).get().locked_until == until


def test_mistakes_before_the_right_password_are_forgotten() -> None:
    person = people.reviewer()
    for _ in range(3):
        for _ in range(4):
            sign_in(person.username)
        assert lets_in(person)


@pytest.mark.django_db(transaction=True)
def test_a_hundred_at_once_get_no_more_tries_than_one_after_the_other(hashes: list[str]) -> None:
    person = people.reviewer()
    barrier, statuses = threading.Barrier(12), []

    def knock() -> None:
        barrier.wait(30)
        for _ in range(3):
            statuses.append(sign_in(person.username).status_code)
        connection.close()

    hashes.clear()
    threads = [threading.Thread(target=knock) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(statuses) == 36
    assert set(statuses) <= {200, 429}
    assert len(hashes) <= 5


@pytest.mark.django_db(transaction=True)
def test_many_right_passwords_at_once_lock_nobody_out() -> None:
    person = people.reviewer()
    assert call(person.username, people.PASSWORD).status_code != 401
    barrier, statuses = threading.Barrier(12), []

    def ask() -> None:
        barrier.wait(30)
        statuses.extend(call(person.username, people.PASSWORD).status_code for _ in range(3))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert statuses == [403] * 36, "signed in, without the permission"


def test_nothing_that_was_typed_is_kept_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(7):
        sign_in("hunter2-as-a-name", "hunter2")
        call("hunter2-as-a-name", "hunter2")
    kept = str(list(Tries.objects.values())) + str(list(Refusal.objects.values()))
    for typed in ("hunter2", HERE):
        assert typed not in kept
        assert typed not in caplog.text


@pytest.mark.parametrize("name", ["a\0b", "\0", "x" * 5000, "", "'; drop table auth_user --", "\ud83d\ude00"])
def test_an_absurd_name_is_a_refusal_and_no_failure(name: str) -> None:
    name = name.encode("utf-16", "surrogatepass").decode("utf-16")
    assert call(name).status_code == 401
    assert call("reviewer@example.com", name + "\0").status_code == 401
    assert sign_in(name or " ").status_code == 200


def test_failed_tries_while_locked_are_counted_with_the_refusals() -> None:
    person = people.reviewer()
    for _ in range(8):
        sign_in(person.username)
    row = Refusal.objects.get(kind="sign_in")
    assert (row.account, row.what, row.n) == (f"user:{person.pk}", "admin:login", 8)


def test_an_administrator_lets_a_person_in_sooner_and_nobody_else_does() -> None:
    person, admin, other = people.reviewer(), people.administrator(), people.senior()
    for _ in range(6):
        sign_in(person.username)
    with pytest.raises(PermissionDenied):
        throttle.let_in(person, actor=other)
    client = Client()
    client.force_login(admin)
    page = reverse("admin:auth_user_changelist")
    assert "Locked" in client.get(page).content.decode()
    answer = client.post(page, {"action": "let_in_now", "_selected_action": [person.pk]}, follow=True)
    assert "may try again" in answer.content.decode()
    assert "Locked" not in answer.content.decode()
    line = LedgerEntry.objects.get(action="accounts.sign_in.unlocked")
    assert (line.actor, line.subject) == (f"user:{admin.pk}", f"auth.user:{person.pk}")
    assert lets_in(person)


def test_the_command_lets_in_a_person_or_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    person = people.reviewer()
    for _ in range(6):
        sign_in(person.username)
    call_command("unlock_sign_in", person.username)
    assert lets_in(person)
    for number in range(31):
        sign_in(f"guess-{number}@example.com", at=THERE)
    assert not lets_in(person, at=THERE)
    call_command("unlock_sign_in", address=THERE)
    assert lets_in(person, at=THERE)
    call_command("unlock_sign_in", person.username)
    assert capsys.readouterr().out.splitlines() == ["May try again.", "May try again.", "Was not kept out."]
    for wrong in ([], ["nobody@example.com"], [person.username, "--address", THERE]):
        with pytest.raises(CommandError):
            call_command("unlock_sign_in", *wrong)


def test_what_means_nothing_any_more_is_forgotten() -> None:
    person = people.reviewer()
    assert lets_in(person)
    sign_in("nobody@example.com")
    UsedTicket.objects.create(number="x")
    assert cleaning.forget() == 0
    time_passes(dt.timedelta(days=1))
    UsedTicket.objects.update(used_at=timezone.now() - dt.timedelta(hours=1))
    Session.objects.update(expire_date=timezone.now() - dt.timedelta(seconds=1))
    cleaning.forget()
    assert not UsedTicket.objects.exists()
    assert not Session.objects.exists()
    assert Tries.objects.exclude(succeeded_at=None).count() == Tries.objects.count() == 1, (
        "where they are at home stays"
    )
    time_passes(throttle.KNOWN_FOR)
    cleaning.forget()
    assert not Tries.objects.exists()


def test_the_old_password_on_ones_own_page_cannot_be_guessed_either() -> None:
    person, new = people.reviewer(), "another-long-password-1"
    desk = Client()
    desk.force_login(person)

    def change(old: str) -> Any:
        form = {"old_password": old, "new_password1": new, "new_password2": new}
        return desk.post(reverse("admin:password_change"), form, REMOTE_ADDR=HERE)

    wrong = [change("not this one").content.decode() for _ in range(20)]
    assert "was entered incorrectly" in wrong[0]
    assert "Too many wrong tries" in wrong[-1]
    assert "Too many wrong tries" in change(people.PASSWORD).content.decode()
    Tries.objects.all().delete()
    assert change(people.PASSWORD).status_code == 302
