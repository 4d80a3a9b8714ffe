"""Tokens and cookies of the door: forged, replayed, swapped and late ones are refused; a pass ends with the console's session."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core.exceptions import StaleState
from labeling import passes
from labeling.door import tokens
from labeling.models import DoorPass
from labeling.passes import NoLeave
from moderation.queues import handing_out
from tests import people
from tests.at_once import at_once
from tests.door import Visitor, door_before, send_to_door
from tests.security.conftest import Held, Recorder

Hold = Callable[..., Held]
KEY = "a key"
TOKEN = tokens.Token(str(uuid.uuid4()), 3, tokens.hash_of_session("s"), 17, 1_000_030.0)


def test_a_token_says_what_was_put_into_it() -> None:
    assert tokens.open_token(tokens.seal_token(TOKEN, key=KEY), key=KEY, now=1_000_000.0) == TOKEN


@pytest.mark.parametrize("now", [1_000_030.0, 1_000_031.0, 2e9, 999_969.0, 0.0])
def test_a_token_lives_for_seconds(now: float) -> None:
    with pytest.raises(tokens.Refused):
        tokens.open_token(tokens.seal_token(TOKEN, key=KEY), key=KEY, now=now)


@pytest.mark.parametrize("key", ["", "another", "a key "])
def test_a_token_of_another_key_is_refused(key: str) -> None:
    with pytest.raises(tokens.Refused):
        tokens.open_token(tokens.seal_token(TOKEN, key=KEY), key=key, now=1_000_000.0)


def test_what_is_signed_for_one_purpose_is_refused_for_another() -> None:
    cookie = tokens.seal_cookie(tokens.Cookie(TOKEN.pass_id, 3), key=KEY)
    token = tokens.seal_token(TOKEN, key=KEY)
    with pytest.raises(tokens.Refused):
        tokens.open_token(cookie, key=KEY, now=1_000_000.0)
    with pytest.raises(tokens.Refused):
        tokens.open_cookie(token, key=KEY)


@given(at=st.integers(0, 400), to=st.characters(codec="ascii"))
def test_a_token_changed_anywhere_is_refused(at: int, to: str) -> None:
    sealed = tokens.seal_token(TOKEN, key=KEY)
    at %= len(sealed)
    changed = sealed[:at] + to + sealed[at + 1 :]
    if changed != sealed:
        with pytest.raises(tokens.Refused):
            tokens.open_token(changed, key=KEY, now=1_000_000.0)


@given(st.text(max_size=60))
def test_nonsense_is_refused_and_breaks_nothing(text: str) -> None:
    for attempt in (text, f"{text}.{text}", f"e30.{text}"):
        with pytest.raises(tokens.Refused):
            tokens.open_token(attempt, key=KEY)
        with pytest.raises(tokens.Refused):
            tokens.open_cookie(attempt, key=KEY)
    assert not tokens.is_call(b"{}", text, key=KEY)
    assert not tokens.is_reply(b"{}", text, to="x", key=KEY)


def test_a_call_is_good_for_its_body_and_its_moment() -> None:
    signed = tokens.sign_call(b"one", key=KEY, now=1000)
    assert tokens.is_call(b"one", signed, key=KEY, now=1010)
    assert not tokens.is_call(b"two", signed, key=KEY, now=1010)
    assert not tokens.is_call(b"one", signed, key=KEY, now=1000 + tokens.CALL_LIFE_S + 1)
    assert not tokens.is_call(b"one", signed, key="", now=1010)
    reply = tokens.sign_reply(b"yes", to=signed, key=KEY)
    assert tokens.is_reply(b"yes", reply, to=signed, key=KEY)
    assert not tokens.is_reply(b"yes", reply, to=tokens.sign_call(b"one", key=KEY, now=1001), key=KEY)


# --- With the desk behind it ---------------------------------------------------------------------------------------


def test_a_token_lets_in_once(recorder: Recorder, hold: Hold) -> None:
    held, visitor = hold(), Visitor(door_before(recorder))
    sent = send_to_door(held.user, held.task)

    first = visitor.ask("GET", sent)
    again = Visitor(visitor.door).ask("GET", sent)

    assert (first.status, first.headers["Location"]) == (303, f"/door/tasks/{held.ls_task}")
    assert "HttpOnly; SameSite=Lax" in first.headers["Set-Cookie"]
    assert again.status == 403
    assert again.json()["error"] == "used"
    assert "Set-Cookie" not in again.headers


def test_the_cookie_is_for_https_alone_where_the_door_is(recorder: Recorder, hold: Hold, settings: Any) -> None:
    settings.LABELING = replace(settings.LABELING, door_url="https://label.example.com")
    held, visitor = hold(), Visitor(door_before(recorder))
    cookie = visitor.come_in(held.user, held.task).headers["Set-Cookie"]
    assert cookie.startswith("__Host-ecomsite_door=")
    assert cookie.endswith("Path=/; HttpOnly; SameSite=Lax; Secure")


def test_a_late_token_is_refused(recorder: Recorder, hold: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    held = hold()
    sent = send_to_door(held.user, held.task)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + tokens.TOKEN_LIFE_S + 1)
    late = Visitor(door_before(recorder)).ask("GET", sent)
    assert late.status == 403
    assert DoorPass.objects.get().used_at is None


def test_a_token_for_another_person_session_or_pass_is_refused(recorder: Recorder, hold: Hold, settings: Any) -> None:
    """Whoever could sign, but has no pass of that person in that session, gets in as nobody."""
    held, other = hold(), people.reviewer()
    send_to_door(held.user, held.task)
    given = DoorPass.objects.get()
    right = tokens.Token(
        str(given.pk), held.user.pk, tokens.hash_of_session(given.session_key), held.ls_task, time.time() + 20
    )
    key = settings.LABELING.door_key
    for wrong in (
        replace(right, person=other.pk),
        replace(right, session=tokens.hash_of_session("another")),
        replace(right, pass_id=str(uuid.uuid4())),
        replace(right, pass_id="nonsense"),
        replace(right, expires=time.time() + tokens.LONGEST_TOKEN_LIFE_S + 5),
    ):
        with pytest.raises(NoLeave):
            passes.redeem(tokens.seal_token(wrong, key=key))
    assert passes.redeem(tokens.seal_token(right, key=key)) == given


@pytest.mark.django_db(transaction=True)
def test_of_many_who_show_the_same_token_at_once_one_gets_in(recorder: Recorder, hold: Hold) -> None:
    held = hold()
    token = send_to_door(held.user, held.task).partition("token=")[2]
    found = at_once(*[lambda: passes.redeem(token)] * 6, expected=NoLeave)
    outcomes = [outcome.reason if isinstance(outcome, NoLeave) else "in" for outcome in found]
    assert sorted(outcomes) == ["in", *["used"] * 5]


def inside(recorder: Recorder, held: Held, client: Client) -> Visitor:
    """A person who came in from a console session of theirs."""
    visitor = Visitor(door_before(recorder))
    assert visitor.ask("GET", send_to_door(held.user, held.task, client=client)).status == 303
    assert visitor.ask("GET", f"/door/tasks/{held.ls_task}").status == 200
    return visitor


@pytest.fixture
def console(hold: Hold) -> tuple[Held, Client]:
    """Somebody who holds a task, signed in to the console."""
    held, client = hold(), Client()
    client.force_login(held.user)
    return held, client


def refused(visitor: Visitor, held: Held) -> str:
    """Why neither seeing nor answering is let through any more."""
    seen, answered = visitor.ask("GET", f"/door/tasks/{held.ls_task}"), visitor.answer(held.ls_task, [])
    assert (seen.status, answered.status) == (403, 403)
    assert seen.json()["error"] == answered.json()["error"]
    return str(seen.json()["error"])


def test_a_pass_ends_with_the_session_of_the_console(recorder: Recorder, console: tuple[Held, Client]) -> None:
    held, client = console
    visitor = inside(recorder, held, client)
    client.post(reverse("admin:logout"))
    assert refused(visitor, held) == "signed_out"


def test_a_pass_ends_when_the_password_changes(recorder: Recorder, console: tuple[Held, Client]) -> None:
    held, client = console
    visitor = inside(recorder, held, client)
    held.user.set_password("another-long-password")
    held.user.save()
    assert refused(visitor, held) == "signed_out"


def test_a_pass_ends_when_the_account_does(recorder: Recorder, console: tuple[Held, Client]) -> None:
    held, client = console
    visitor = inside(recorder, held, client)
    type(held.user).objects.filter(pk=held.user.pk).update(is_active=False)
    assert refused(visitor, held) == "signed_out"


def test_a_pass_is_no_use_once_the_task_is_let_go_of(recorder: Recorder, console: tuple[Held, Client]) -> None:
    held, client = console
    visitor = inside(recorder, held, client)
    handing_out.release_item(held.item, actor=held.user)
    assert refused(visitor, held) == "no_lease"


def test_a_pass_is_no_use_once_the_lease_ran_out(recorder: Recorder, console: tuple[Held, Client]) -> None:
    held, client = console
    visitor = inside(recorder, held, client)
    past = timezone.now() - dt.timedelta(seconds=1)
    type(held.item).objects.filter(pk=held.item.pk).update(lease_expires_at=past)
    assert refused(visitor, held) == "no_lease"


def test_a_pass_is_no_use_without_the_right_to_review(recorder: Recorder, console: tuple[Held, Client]) -> None:
    held, client = console
    visitor = inside(recorder, held, client)
    held.user.groups.clear()
    assert refused(visitor, held) == "no_lease"


def test_a_pass_that_was_issued_but_not_used_is_no_cookie(recorder: Recorder, hold: Hold, settings: Any) -> None:
    held = hold()
    send_to_door(held.user, held.task)
    cookie = tokens.Cookie(str(DoorPass.objects.get().pk), held.user.pk)
    visitor = Visitor(door_before(recorder))
    visitor.cookies["ecomsite_door"] = tokens.seal_cookie(cookie, key=settings.LABELING.door_key)
    assert refused(visitor, held) == "no_pass"


def test_one_persons_cookie_is_not_good_for_anothers_task(recorder: Recorder, hold: Hold) -> None:
    mine, theirs = hold(), hold()
    visitor = Visitor(door_before(recorder))
    visitor.come_in(mine.user, mine.task)
    assert refused(visitor, theirs) == "no_lease"
    assert recorder.annotations == []


@pytest.mark.parametrize("spoil", ["", "x", "{}; ecomsite_door={}", "{}x", "x{}"])
def test_a_spoilt_or_doubled_cookie_is_refused(recorder: Recorder, hold: Hold, spoil: str) -> None:
    held, visitor = hold(), Visitor(door_before(recorder))
    visitor.come_in(held.user, held.task)
    visitor.cookies["ecomsite_door"] = spoil.replace("{}", visitor.cookies["ecomsite_door"])
    assert refused(visitor, held) in ("cookie", "no_pass")


def test_cookies_of_other_servers_on_this_host_do_no_harm(recorder: Recorder, hold: Hold) -> None:
    held, visitor = hold(), Visitor(door_before(recorder))
    visitor.come_in(held.user, held.task)
    visitor.cookies = {"other": '{"a": "b c"}', "x_ecomsite_door": "y", **visitor.cookies, "last": "=;=;"}
    assert visitor.ask("GET", f"/door/tasks/{held.ls_task}").status == 200


def test_the_console_gives_no_way_in_to_who_does_not_hold_the_task(recorder: Recorder, hold: Hold) -> None:
    held = hold()
    for person in (people.reviewer(), people.senior(), people.administrator()):
        with pytest.raises(StaleState):
            passes.way_in(held.task, user=person, session_key="s")
    page = Client()
    page.force_login(people.senior())
    answer = page.get(reverse("console:door", args=[held.task.pk]))
    assert answer.status_code == 409
    assert "This task is not yours." in answer.content.decode()
    assert not DoorPass.objects.exists()


def test_the_console_asks_for_the_right_to_review(recorder: Recorder, hold: Hold) -> None:
    held = hold()
    for person, status in ((people.auditor(), 403), (people.outsider(), 403)):
        page = Client()
        page.force_login(person)
        assert page.get(reverse("console:door", args=[held.task.pk])).status_code == status
    assert Client().get(reverse("console:door", args=[held.task.pk])).status_code == 302  # to the sign-in
    assert not DoorPass.objects.exists()
