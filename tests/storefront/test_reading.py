"""Readers of events take each exactly once, also those that were written before and committed after others."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import connection, transaction

from storefront.events.reading import forget, read_on
from storefront.models import Cursor

SOME = """
INSERT INTO storefront_event (id, at, received_at, kind, session)
SELECT gen_random_uuid(), now(), now(), 'view', %s FROM generate_series(1, %s)
"""


def write(n: int, session: str = "") -> None:
    """Store `n` events of one session."""
    with connection.cursor() as cursor:
        cursor.execute(SOME, [session or uuid.uuid4().hex[:16], n])


def taken(limit: int = 1000) -> list[str]:
    with transaction.atomic():
        return [event.session for event in read_on("tests", limit).events]


@pytest.mark.django_db
def test_events_are_read_on_in_order_and_once() -> None:
    write(3, "a")
    write(2, "b")
    assert taken(limit=2) == ["a", "a"]
    assert taken(limit=2) == ["a", "b"]
    assert taken() == ["b"]
    assert taken() == []
    forget("tests")
    assert len(taken()) == 5


@pytest.mark.django_db(transaction=True)
def test_what_is_read_in_a_transaction_that_fails_is_read_again() -> None:
    write(3, "a")
    with transaction.atomic():
        assert read_on("tests").n == 3
        transaction.set_rollback(True)
    assert len(taken()) == 3
    with pytest.raises(transaction.TransactionManagementError):
        read_on("tests")


@pytest.mark.django_db(transaction=True)
def test_a_number_drawn_before_and_committed_after_is_not_jumped_over() -> None:
    drawn, go_on = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            write(1, "late")
            drawn.set()
            go_on.wait(30)
        connection.close()

    slow = threading.Thread(target=write_slowly)
    slow.start()
    assert drawn.wait(30)
    write(1, "early")
    assert taken() == [], "the late one has a number below, and may still come"
    assert Cursor.objects.get().sequence == 0
    go_on.set()
    slow.join()
    assert taken() == ["late", "early"]


@pytest.mark.django_db(transaction=True)
def test_a_shop_in_which_somebody_always_writes_is_read_all_the_same() -> None:
    write(2, "before")
    seen: list[str] = []
    stop = threading.Event()

    def hold_open(ready: threading.Event, go_on: threading.Event) -> None:
        with transaction.atomic():
            write(1, "open")
            ready.set()
            go_on.wait(30)
        connection.close()

    first_ready, first_go = threading.Event(), threading.Event()
    first = threading.Thread(target=hold_open, args=(first_ready, first_go))
    first.start()
    assert first_ready.wait(30)
    seen += taken()
    second_ready, second_go = threading.Event(), stop
    second = threading.Thread(target=hold_open, args=(second_ready, second_go))
    second.start()
    assert second_ready.wait(30)
    first_go.set()
    first.join()
    seen += taken()
    assert seen == ["before", "before", "open"]
    second_go.set()
    second.join()
    assert taken() == ["open"]
