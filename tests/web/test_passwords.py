"""Passwords are checked one at a time, at low priority, and with Django's own results."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, make_password

from ecomsite import passwords
from ecomsite.passwords import OneAtATime


def test_it_knows_the_hashes_that_django_made_and_makes_the_same() -> None:
    salt = "0123456789abcdef"
    assert OneAtATime().encode("secret", salt, 1000) == PBKDF2PasswordHasher().encode("secret", salt, 1000)
    assert check_password("secret", PBKDF2PasswordHasher().encode("secret", salt, 1000))
    assert make_password("secret").startswith("pbkdf2_sha256$")


def test_one_is_computed_at_a_time_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    now: list[int] = [0, 0]
    real = PBKDF2PasswordHasher.encode

    def watched(self: Any, *arguments: Any, **more: Any) -> str:
        now[0] += 1
        now[1] = max(now)
        time.sleep(0.01)
        try:
            return real(self, *arguments, **more)
        finally:
            now[0] -= 1

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", watched)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: OneAtATime().encode(f"secret {n}", "salt", 1000), range(16)))
    assert now == [0, 1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a policy for each thread")
def test_the_thread_that_computes_gives_way_and_no_other_does() -> None:
    _, giving_way = passwords.threads()
    assert os.sched_getscheduler(giving_way.submit(threading.get_native_id).result()) == os.SCHED_IDLE
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_it_is_computed_all_the_same_where_there_is_always_something_else_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "PATIENCE_S", 0.05)
    _, giving_way = passwords.threads()
    stuck = threading.Event()
    giving_way.submit(stuck.wait, 20)
    try:
        assert check_password("secret", make_password("secret"))
    finally:
        stuck.set()


def test_a_process_that_was_forked_has_a_thread_of_its_own() -> None:
    make_password("secret")
    pid = os.fork()
    if pid == 0:
        os._exit(0 if make_password("secret") else 1)
    for _ in range(100):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            assert status == 0
            return
        time.sleep(0.1)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    pytest.fail("it waits for a thread that the fork did not take along")
